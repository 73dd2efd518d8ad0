import type { CacheMark, Extras } from "../../calls/index.js";
import { isObject } from "../../util/json.js";
import type { Quirks } from "../shared/codec.js";
import { chatExtras } from "./extras.js";

/** What encoding a call needs to know of its vendor, and whom it tells what could not be said. */
export interface Marking {
  readonly quirks: Quirks;
  readonly warn: (field: string, what: string) => void;
}

/**
 * The two ways in which requests of this protocol mark the end of what is to be cached: OpenAI's (https://platform.openai.com/docs/guides/prompt-caching) and
 * Anthropic's, which hosts of its models take. The mark stays among the extras too, so that it goes back in the form that it came in.
 */
export function cacheOf(own: Record<string, unknown> | undefined): { cache?: CacheMark } {
  const control = own?.["cache_control"];
  if (isObject(control)) {
    const ttl = control["ttl"];
    return { cache: typeof ttl === "string" ? { ttl } : {} };
  }
  return isObject(own?.["prompt_cache_breakpoint"]) ? { cache: {} } : {};
}

/** What rides along with a part, with its mark in the vendor's form. */
export function markOf(
  part: { readonly cache?: CacheMark | undefined; readonly extras?: Extras | undefined },
  path: string,
  { quirks, warn }: Marking,
): Record<string, unknown> {
  const given = chatExtras(part);
  if (part.cache === undefined && quirks.cacheMarks === undefined) return given;
  const { cache_control: control, prompt_cache_breakpoint: breakpoint, ...own } = given;
  if (quirks.cacheMarks === undefined) {
    if (control === undefined && breakpoint === undefined) warn(`${path}.cache`, "was left out: the vendor is not known to take marks");
    return given;
  }
  if (part.cache === undefined) return own;
  if (quirks.cacheMarks === "none") {
    warn(`${path}.cache`, "was left out: the vendor takes no marks");
    return own;
  }
  if (quirks.cacheMarks === "prompt_cache_breakpoint") return { ...own, prompt_cache_breakpoint: { mode: "explicit" } };
  const { ttl } = part.cache;
  return { ...own, cache_control: { type: "ephemeral", ...(ttl === undefined ? {} : { ttl }) } };
}
