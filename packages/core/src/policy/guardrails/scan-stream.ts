import { findAll, SURROUNDINGS, type Match, type Scanner } from "./scanner.js";

/** What a match in a stream is done with: a text in its place, or null to let it pass. Throwing refuses the stream. */
export type OnMatch = (match: Match, text: string) => string | null;

/**
 * Reads a text as it comes and finds in it exactly what `findAll` finds in the whole, however it was split. `holds`: nothing leaves before it is known that no match begins in it, so that
 * what is masked or refused never leaves in part; otherwise the text passes at once and is only looked at.
 */
export class ScanStream {
  readonly #scanner: Scanner;
  readonly #onMatch: OnMatch;
  readonly #holds: boolean;
  /** The surroundings of what comes next, and what has not left or was not looked at. */
  #text = "";
  /** In `#text`: before it everything is decided. */
  #at = 0;
  /** In `#text`: before it everything has left. */
  #out = 0;

  constructor(scanner: Scanner, o: { readonly holds: boolean; readonly onMatch: OnMatch }) {
    this.#scanner = scanner;
    this.#holds = o.holds;
    this.#onMatch = o.onMatch;
  }

  /** What may leave now. */
  push(text: string): string {
    this.#text += text;
    const settled = this.#scanner.settled?.(this.#text) ?? this.#text.length - this.#scanner.reach;
    const left = settled < this.#at && this.#holds ? "" : this.#advance(Math.min(settled, this.#text.length - 1));
    if (this.#holds) return left;
    this.#out = this.#text.length;
    this.#trim();
    return text;
  }

  /** The rest: nothing follows. */
  end(): string {
    return this.#advance(this.#text.length);
  }

  /** The longest that is waited for, characters. */
  get waiting(): number {
    return this.#text.length - this.#out;
  }

  #advance(settled: number): string {
    let left = "";
    if (settled >= this.#at) {
      for (const match of findAll(this.#text, this.#at, this.#scanner.finders)) {
        if (match.start > settled) break;
        const instead = this.#onMatch(match, this.#text);
        this.#at = match.end;
        if (!this.#holds) continue;
        left += this.#text.slice(this.#out, match.start) + (instead ?? this.#text.slice(match.start, match.end));
        this.#out = match.end;
      }
      this.#at = Math.max(this.#at, Math.min(settled + 1, this.#text.length));
    }
    if (this.#holds && this.#at > this.#out) {
      left += this.#text.slice(this.#out, this.#at);
      this.#out = this.#at;
    }
    this.#trim();
    return left;
  }

  #trim(): void {
    const cut = Math.min(this.#at, this.#out) - (this.#scanner.surroundings ?? SURROUNDINGS);
    if (cut <= 0) return;
    this.#text = this.#text.slice(cut);
    this.#at -= cut;
    this.#out -= cut;
  }
}
