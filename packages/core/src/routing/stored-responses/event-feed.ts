import type { Caller } from "../../calls/index.js";
import type { StoredResponseRow } from "../../entities/index.js";
import type { Clock } from "../../ports/index.js";
import { isObject, parseJsonText } from "../../util/json.js";
import { frameOf, joined } from "./own-response.js";
import { isFinal, type ResponseRecords } from "./records.js";

export interface FeedOptions {
  readonly records: ResponseRecords;
  readonly clock: Clock;
  /** The row as it is now, a lost one ended. */
  readonly current: (id: string, caller: Caller) => Promise<StoredResponseRow>;
}

/** News of another process are this old at most; those of this one are told at once. */
const POLL_MS = 500;
const ends: ReadonlySet<string> = new Set(["response.completed", "response.failed", "response.incomplete", "response.cancelled"]);

/** Readers of responses that are made in the background. What they see comes from the store, so that all see the same, in whichever process. */
export class EventFeed {
  readonly #o: FeedOptions;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(options: FeedOptions) {
    this.#o = options;
  }

  tell(id: string): void {
    for (const wake of [...(this.#waiting.get(id) ?? [])]) wake();
  }

  /** The events after a sequence number, to the last one; a response that was cancelled or lost ends with an event that says so. Ends early when the signal is aborted. */
  async *frames(
    id: string,
    o: { readonly caller: Caller; readonly after: number; readonly signal: AbortSignal },
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let { after } = o;
    while (!o.signal.aborted) {
      // Asked for before reading: what is stored between the two wakes us.
      const news = this.#wait(id, o.signal);
      const row = await this.#o.current(id, o.caller);
      const { frames, last, ended } = await this.#read(row, after);
      if (frames !== null) {
        news.leave();
        after = last;
        yield frames;
        if (ended) return;
        continue;
      }
      if (isFinal(row.status)) {
        news.leave();
        yield endOf(row, after + 1);
        return;
      }
      await news.told;
    }
  }

  async #read(row: StoredResponseRow, after: number): Promise<{ frames: Uint8Array | null; last: number; ended: boolean }> {
    const frames: Uint8Array[] = [];
    let last = after;
    let ended = false;
    for (const piece of await this.#o.records.eventsAfter(row, after)) {
      for (const line of piece.events.split("\n")) {
        const event = parseJsonText(line);
        if (!isObject(event)) continue;
        const sequence = event["sequence_number"];
        if (typeof sequence === "number" && sequence <= after) continue;
        const type = typeof event["type"] === "string" ? event["type"] : "message";
        frames.push(frameOf(type, line));
        ended ||= ends.has(type);
      }
      last = piece.lastSequence;
    }
    return { frames: frames.length === 0 ? null : joined(frames), last, ended };
  }

  #wait(id: string, signal: AbortSignal): { readonly told: Promise<void>; readonly leave: () => void } {
    let leave = (): void => undefined;
    const told = new Promise<void>((resolve) => {
      const waiting = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, waiting);
      const cancel = this.#o.clock.at(this.#o.clock.now() + POLL_MS, () => leave());
      leave = () => {
        cancel();
        waiting.delete(leave);
        if (waiting.size === 0 && this.#waiting.get(id) === waiting) this.#waiting.delete(id);
        signal.removeEventListener("abort", leave);
        resolve();
      };
      waiting.add(leave);
      signal.addEventListener("abort", leave, { once: true });
    });
    return { told, leave: () => leave() };
  }
}

/** The end of a response that nobody wrote an event of. `response.cancelled` is ours: the vendor names none. */
function endOf(row: StoredResponseRow, sequence: number): Uint8Array {
  const type = `response.${row.status}`;
  return frameOf(type, `{"type":${JSON.stringify(type)},"sequence_number":${sequence},"response":${row.response}}`);
}
