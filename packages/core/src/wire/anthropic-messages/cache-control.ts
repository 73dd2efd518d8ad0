import type { CacheMark } from "../../calls/index.js";
import { isObject } from "../../util/json.js";
import type { Fields } from "../shared/fields.js";
import type { Warning } from "../shared/codec.js";

/** At most so many breakpoints stand in a request. Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching */
export const maxBreakpoints = 4;

/** A block that may carry a breakpoint, freshly made: what was given stays as it is. */
export type Block = Record<string, unknown>;

/** `cache_control` of a block. What stands in it beside type and time goes back as it came. */
export function decodeCache(fields: Fields): { readonly cache?: CacheMark; readonly own?: Record<string, unknown> } {
  const control = fields.optionalFields("cache_control");
  if (control === undefined) return {};
  control.optionalString("type");
  const ttl = control.optionalString("ttl");
  const rest = control.rest();
  return { cache: ttl === undefined ? {} : { ttl }, ...(rest === undefined ? {} : { own: rest }) };
}

/** The field that marks a block, or none. `own` is what else stood in it. */
export function encodeCache(cache: CacheMark | undefined, own?: unknown): { cache_control?: Record<string, unknown> } {
  if (cache === undefined) return {};
  return { cache_control: { ...(isObject(own) ? own : {}), type: "ephemeral", ...(cache.ttl === undefined ? {} : { ttl: cache.ttl }) } };
}

/**
 * Makes the breakpoints of a request such as the vendor takes: the last four of them; times that it knows; no longer time behind a shorter one. `blocks` come in the
 * order of the prompt (tools, system, messages) and are changed in place. `reserved` breakpoints are used elsewhere.
 */
export function fitBreakpoints(
  blocks: readonly Block[],
  o: { readonly reserved: number; readonly warn: (warning: Warning) => void },
): void {
  const marked = blocks.filter((block) => isObject(block["cache_control"]));
  const surplus = marked.splice(0, Math.max(0, marked.length - (maxBreakpoints - o.reserved)));
  for (const block of surplus) delete block["cache_control"];
  if (surplus.length > 0)
    o.warn({
      field: "cache",
      what: `has more marks than the ${maxBreakpoints} that the vendor takes: the first ${surplus.length} were left out`,
    });
  let short = false;
  for (const block of marked) {
    const control = block["cache_control"] as Block;
    const ttl = control["ttl"] === undefined || control["ttl"] === "5m" ? "5m" : "1h";
    if (ttl === "1h" && control["ttl"] !== "1h")
      o.warn({ field: "cache.ttl", what: `"${String(control["ttl"]).slice(0, 20)}" was sent as "1h"` });
    if (ttl === "1h" && short) {
      // The vendor refuses a longer time behind a shorter one.
      block["cache_control"] = { ...control, ttl: "5m" };
      o.warn({ field: "cache.ttl", what: 'of "1h" stands behind a shorter one, and was sent as "5m"' });
    } else if (control["ttl"] !== undefined) block["cache_control"] = { ...control, ttl };
    short ||= ttl === "5m";
  }
}
