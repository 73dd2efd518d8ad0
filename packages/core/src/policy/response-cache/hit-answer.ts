import { unfold, type Answer, type ModelAnswer, type ModelEvent, type ModelHead } from "../../calls/index.js";
import { headerSafe } from "../../util/encoding/header-safe.js";
import type { OpenCall } from "../step.js";
import type { AnswerReader } from "./capture.js";
import type { KeptAnswer } from "./kept-answer.js";

/** A kept answer that was found for a call. */
export interface Found {
  readonly kept: KeptAnswer;
  /** To the question that the answer was made for; null: it was this one. */
  readonly similarity: number | null;
}

/**
 * The kept answer as the call wants it: the bytes themselves where they can be given on, otherwise events. Its usage row says that it cost nothing, and what it saved. `reader`: of the dialect that it
 * was asked in. null: it cannot be read.
 */
export function hitAnswer(
  call: OpenCall<ModelHead>,
  { kept, similarity }: Found,
  o: { readonly reader: AnswerReader | null; readonly nowMs: number },
): Answer<ModelEvent> | null {
  const body = bodyOf(call, kept, o.reader);
  if (body === null) return null;
  const { meter } = call;
  meter.provider = kept.provider;
  meter.model = kept.model;
  meter.note({ cached: true, ...(kept.costNanoUsd === null ? {} : { savedNanoUsd: kept.costNanoUsd }) }, 0);
  const headers: [string, string][] = [
    ["content-type", call.head.stream ? "text/event-stream; charset=utf-8" : "application/json"],
    ["x-sallyport-provider", kept.provider],
    ["x-sallyport-model", headerSafe(`${kept.provider}/${kept.model}`)],
    ["x-sallyport-attempts", "0"],
    ["x-sallyport-cost-usd", "0"],
    ["age", String(Math.floor(Math.max(0, o.nowMs - kept.storedAtMs) / 1000))],
  ];
  if (kept.warnings !== null) headers.push(["x-sallyport-warnings", kept.warnings]);
  if (similarity !== null) headers.push(["x-sallyport-cache-similarity", similarity.toFixed(4)]);
  return { status: 200, headers, body };
}

function bodyOf(call: OpenCall<ModelHead>, { body }: KeptAnswer, reader: AnswerReader | null): Answer<ModelEvent>["body"] | null {
  if (body.kind === "answer") return { kind: "events", events: eventsOf(body.answer) };
  if (!call.head.stream && !call.hearsEvents()) return body;
  try {
    return reader === null ? null : { kind: "events", events: eventsOf(reader.decodeAnswer(body.bytes)) };
  } catch {
    return null;
  }
}

async function* eventsOf(answer: ModelAnswer): AsyncGenerator<ModelEvent> {
  yield* unfold(answer);
}
