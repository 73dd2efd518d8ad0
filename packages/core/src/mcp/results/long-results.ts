import type { Caller } from "../../calls/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import type { Services } from "../../seams/index.js";
import { cutText } from "../../util/well-formed.js";
import { utf8 } from "../frames/splice.js";
import { longResult } from "./cut-result.js";
import { KeptResults } from "./kept-results.js";

/** Apart from the URIs of servers' own resources: theirs have a scheme after the slash. */
const URI = /^sallyport:results\/(res_[0-9a-z]+)(?:\?from=(\d{1,10})&chars=(\d{1,10}))?$/;
const LINKS_SINCE = "2025-06-18";

export interface FitOptions {
  readonly caller: Caller;
  /** In full. */
  readonly tool: string;
  /** The tool says what its structured content is. */
  readonly hasOutputSchema: boolean;
  /** Of the client; null: it does not say. */
  readonly revision: string | null;
  /** What it is the result of, where it may come again: it is kept once then. */
  readonly sameAs?: string | undefined;
}
/** What a kept result is read as. */
export interface KeptText {
  readonly text: string;
  readonly mimeType: "application/json" | "text/plain";
}

/** Results that are too long for whoever asked: kept whole, and handed over cut with a pointer. Nothing is lost: what cannot be kept is not cut. */
export class LongResults {
  readonly #snapshot: () => Snapshot;
  readonly #kept: KeptResults;

  constructor(services: Services, o: { readonly snapshot: () => Snapshot }) {
    this.#snapshot = o.snapshot;
    this.#kept = new KeptResults(services);
  }

  /** An answer to `tools/call` as its caller gets it: itself, unless its text is longer than `mcp.results.maxBytes`. */
  fit(message: Uint8Array, o: () => FitOptions): Uint8Array | Promise<Uint8Array> {
    const { maxBytes } = this.#snapshot().config.mcp.results;
    return message.length <= maxBytes ? message : this.#fit(message, o(), maxBytes);
  }

  async #fit(message: Uint8Array, o: FitOptions, maxBytes: number): Promise<Uint8Array> {
    const long = longResult(message);
    if (long === null || long.readable <= maxBytes) return message;
    const { keepMs } = this.#snapshot().config.mcp.results;
    const id = await this.#kept.keep(long.text, { caller: o.caller, tool: o.tool, sameAs: o.sameAs, keepMs });
    if (id === null) return message;
    const links = o.revision !== null && o.revision >= LINKS_SINCE;
    return utf8(long.cut({ uri: `sallyport:results/${id}`, keptMs: keepMs, keepsStructured: o.hasOutputSchema, links }));
  }

  /** What a URI of ours leads to; undefined: it is not one of ours; null: nothing that this caller may read, or not any more. Errors: those of the store. */
  async read(uri: string, caller: Caller): Promise<KeptText | null | undefined> {
    const match = URI.exec(uri);
    if (match === null) return undefined;
    const [, id = "", from, chars] = match;
    const text = await this.#kept.read(id, caller);
    if (text === null) return null;
    if (from === undefined) return { text, mimeType: "application/json" };
    return { text: cutText(text.slice(Number(from)), Number(chars)), mimeType: "text/plain" };
  }

  start(): void {
    this.#kept.start();
  }

  close(): void {
    this.#kept.close();
  }
}
