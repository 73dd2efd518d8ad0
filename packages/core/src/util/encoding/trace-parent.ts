const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const LONGEST_TRACESTATE = 512;

/** The value as W3C Trace Context has it; null for one that is missing or not of version 00: then a trace begins here. */
export function traceparentOf(value: string | null | undefined): string | null {
  return typeof value === "string" && TRACEPARENT.test(value) ? value : null;
}

/** What vendors of tracing add; null when it is missing, too long or holds what no header may. */
export function tracestateOf(value: string | null | undefined): string | null {
  return typeof value === "string" && value.length <= LONGEST_TRACESTATE && /^[\x20-\x7e]+$/.test(value) ? value : null;
}
