import type { Warning } from "../../wire/shared/codec.js";

/** Proxies refuse headers that are much longer. */
const MAX_LENGTH = 1_000;
const MAX_ONE = 200;

/**
 * Warnings as the value of `x-sallyport-warnings`: `field: what`, parted by "; ", the same said once with the number of other places; null: there is none. At most 1,000
 * printable ASCII characters, those left out counted at the end.
 */
export function warningsHeader(warnings: readonly Warning[]): string | null {
  const places = new Map<string, string[]>();
  for (const { field, what } of warnings) places.set(what, [...(places.get(what) ?? []), field]);
  const lines = [...places].map(([what, [first, ...others]]) => {
    const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
    return cut(printable(`${first!}${more}: ${what}`));
  });
  let value = "";
  for (const [i, line] of lines.entries()) {
    const next = value === "" ? line : `${value}; ${line}`;
    if (next.length > MAX_LENGTH) return `${value}; +${lines.length - i} more`;
    value = next;
  }
  return value === "" ? null : value;
}

/** Field names may hold what a caller wrote. ";" parts warnings. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").replaceAll(";", ",");
}

function cut(text: string): string {
  return text.length <= MAX_ONE ? text : `${text.slice(0, MAX_ONE - 3)}...`;
}
