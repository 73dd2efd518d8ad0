import type { Headers } from "../../calls/index.js";
import type { Meter } from "../../policy/meter.js";
import { decimalUsd } from "../../util/encoding/decimal-usd.js";
import { headerSafe } from "../../util/encoding/header-safe.js";
import type { Warning } from "../../wire/shared/codec.js";
import { warningsHeader } from "./warnings-header.js";

const JSON_ANSWER: Headers = [["content-type", "application/json"]];
/** No proxy on the way may keep, recompress or collect a stream. */
const STREAMED_ANSWER: Headers = [
  ["content-type", "text/event-stream; charset=utf-8"],
  ["cache-control", "no-cache, no-transform"],
  ["x-accel-buffering", "no"],
];

/** What of a vendor's answer the caller gets to see beside its body. */
const PASSED = new Set(["limit", "remaining", "reset"].flatMap((what) => [`x-ratelimit-${what}-requests`, `x-ratelimit-${what}-tokens`]));

export interface AnswerHeaders {
  readonly stream: boolean;
  readonly meter: Meter;
  readonly vendor: Headers | null;
  readonly warnings?: readonly Warning[] | undefined;
}

/** The headers of an answer that a provider gave: its type, what it was answered by, after how many attempts, and what of the call it did not get as it was. */
export function answerHeaders(o: AnswerHeaders): Headers {
  const { meter } = o;
  const headers: (readonly [string, string])[] = [
    ...(o.stream ? STREAMED_ANSWER : JSON_ANSWER),
    ["x-sallyport-provider", meter.provider ?? ""],
    ["x-sallyport-model", headerSafe(`${meter.provider}/${meter.model}`)],
    ["x-sallyport-attempts", String(meter.attempts)],
  ];
  if (!o.stream && meter.costNanoUsd !== null) headers.push(["x-sallyport-cost-usd", decimalUsd(meter.costNanoUsd)]);
  const warnings = o.warnings === undefined ? null : warningsHeader(o.warnings);
  if (warnings !== null) headers.push(["x-sallyport-warnings", warnings]);
  if (o.vendor !== null) for (const header of o.vendor) if (PASSED.has(header[0])) headers.push(header);
  return headers;
}
