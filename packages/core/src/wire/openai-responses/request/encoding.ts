import type { CacheMark, ModelCall } from "../../../calls/index.js";
import type { Quirks, Warning } from "../../shared/codec.js";
import { isOwn, ownExtras, type Json } from "../extras.js";

/** What the parts of one request's encoding share. */
export class Encoding {
  readonly warnings: Warning[] = [];
  readonly quirks: Quirks;
  /** The call was decoded from this protocol: what it does not say was not said. */
  readonly own: boolean;
  /** The vendor keeps what it is told and makes, so that an item may be named by its id alone. */
  readonly stored: boolean;
  #unmarked = false;

  constructor(call: ModelCall, quirks: Quirks) {
    this.quirks = quirks;
    this.own = isOwn(call);
    this.stored = this.own && ownExtras(call)["store"] !== false;
  }

  warn(field: string, what: string): void {
    this.warnings.push({ field, what });
  }

  /**
   * `prompt_cache_breakpoint` of a part that is marked. Marks of other protocols are sent to vendors that declare that they know them: models before GPT-5.6 refuse
   * the field, and all cache by themselves.
   */
  mark(part: { readonly cache?: CacheMark | undefined }, path: string): Json {
    if (part.cache === undefined) return {};
    if (this.quirks.cacheMarks === "prompt_cache_breakpoint" || (this.own && this.quirks.cacheMarks === undefined))
      return { prompt_cache_breakpoint: { mode: "explicit" } };
    this.leaveMark(part, path);
    return {};
  }

  /** A mark that has no place: told once, because callers mark many parts. */
  leaveMark(part: { readonly cache?: CacheMark | undefined }, path: string): void {
    if (part.cache === undefined || this.#unmarked) return;
    this.#unmarked = true;
    this.warn(`${path}.cache`, "was left out, and so may be other marks: the vendor caches by itself");
  }
}
