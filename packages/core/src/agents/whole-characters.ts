import { toWellFormed } from "../util/well-formed.js";

/** Text that comes in pieces, as text of whole characters: a vendor may cut between the halves of a surrogate pair, and a half alone cannot be stored. */
export class WholeCharacters {
  #half = "";

  /** The text so far without a half at its end, which waits for what follows. */
  push(piece: string): string {
    const text = this.#half + piece;
    const last = text.charCodeAt(text.length - 1);
    const isCut = last >= 0xd800 && last < 0xdc00;
    this.#half = isCut ? text.slice(-1) : "";
    return toWellFormed(isCut ? text.slice(0, -1) : text);
  }

  /** What waits for nothing any more. */
  end(): string {
    const rest = toWellFormed(this.#half);
    this.#half = "";
    return rest;
  }
}
