import { z } from "zod";
import type { Message, StoredRunEvent, Usage } from "../calls/index.js";
import { runStatus, type RunRow } from "../entities/run.js";
import { fromMessage, messageSchema } from "./messages.js";

const instant = z.int().describe("Unix ms");
const count = z.int().nullable().describe("null: nobody said");

/** Counts are disjoint: cache reads are not part of the input, reasoning is not part of the output. */
const usageView = z.object({
  input_tokens: count,
  cache_read_tokens: count,
  cache_write_tokens: count,
  output_tokens: count,
  reasoning_tokens: count,
  estimated: z.boolean(),
});

export const runSummaryView = z.object({
  id: z.string(),
  status: runStatus,
  model: z.string(),
  tools: z.array(z.string()),
  max_steps: z.int().nullable(),
  timeout_ms: z.int().nullable(),
  text: z.string().nullable().describe("visible text of the last answer"),
  error: z.object({ code: z.string(), message: z.string(), step: z.int() }).nullable(),
  usage: usageView,
  steps: z.int(),
  cancel_requested: z.boolean(),
  cancel_reason: z.string().nullable(),
  idempotency_key: z.string().nullable(),
  created_at_ms: instant,
  updated_at_ms: instant,
  started_at_ms: instant.nullable(),
  finished_at_ms: instant.nullable(),
});
export const runView = runSummaryView.extend({
  input: z.array(messageSchema),
  output: z.unknown().describe("any JSON"),
});
/** What starting and cancelling answer with. */
export const runStatusView = z.object({ id: z.string(), status: runStatus });

const step = z.int().describe("model calls so far; 1 is the first");
const stored = { seq: z.int().min(1), at_ms: instant };
const event = <const T extends string, S extends z.ZodRawShape>(type: T, fields: S) =>
  z.object({ type: z.literal(type), ...stored, ...fields });

export const runEventView = z.discriminatedUnion("type", [
  event("run.started", { attempt: z.int() }),
  event("run.resumed", { attempt: z.int(), after_step: z.int() }),
  event("step.started", { step, model: z.string() }),
  event("text.delta", { step, text: z.string() }),
  event("reasoning.delta", { step, text: z.string() }),
  event("tool.started", { step, call_id: z.string(), name: z.string(), arguments: z.string() }),
  event("tool.finished", { step, call_id: z.string(), name: z.string(), is_error: z.boolean(), text: z.string() }),
  event("tool.waiting", {
    step,
    call_id: z.string(),
    name: z.string(),
    item_id: z.string().describe("in the inbox"),
    waits_for: z.enum(["approval", "sign_in"]),
  }),
  event("step.finished", { step, finish_reason: z.string(), usage: usageView }),
  event("run.succeeded", { text: z.string(), output: z.unknown(), usage: usageView, steps: z.int() }),
  event("run.failed", { code: z.string(), message: z.string(), step, usage: usageView }),
  event("run.cancelled", { reason: z.string(), text: z.string(), usage: usageView }),
]);
export type RunEventView = z.output<typeof runEventView>;

export function toUsageView(usage: Usage): z.output<typeof usageView> {
  return {
    input_tokens: usage.inputTokens ?? null,
    cache_read_tokens: usage.cacheReadTokens ?? null,
    cache_write_tokens: usage.cacheWriteTokens ?? null,
    output_tokens: usage.outputTokens ?? null,
    reasoning_tokens: usage.reasoningTokens ?? null,
    estimated: usage.estimated ?? false,
  };
}

export function toRunSummaryView(row: RunRow): z.output<typeof runSummaryView> {
  return {
    id: row.id,
    status: row.status,
    model: row.model,
    tools: row.tools,
    max_steps: numberOrNull(row.options["maxSteps"]),
    timeout_ms: numberOrNull(row.options["timeoutMs"]),
    text: row.text,
    error: row.error,
    usage: toUsageView(row.usage as Usage),
    steps: row.steps,
    cancel_requested: row.cancelRequested,
    cancel_reason: row.cancelReason,
    idempotency_key: row.idempotencyKey,
    created_at_ms: row.createdAtMs,
    updated_at_ms: row.updatedAtMs,
    started_at_ms: row.startedAtMs,
    finished_at_ms: row.finishedAtMs,
  };
}

export function toRunView(row: RunRow): z.output<typeof runView> {
  return { ...toRunSummaryView(row), input: (row.input as Message[]).map(fromMessage), output: row.output ?? null };
}

export function toRunEventView(event: StoredRunEvent): RunEventView {
  const stored = { seq: event.seq, at_ms: event.atMs };
  switch (event.type) {
    case "run.started":
      return { type: event.type, ...stored, attempt: event.attempt };
    case "run.resumed":
      return { type: event.type, ...stored, attempt: event.attempt, after_step: event.afterStep };
    case "step.started":
      return { type: event.type, ...stored, step: event.step, model: event.model };
    case "text.delta":
    case "reasoning.delta":
      return { type: event.type, ...stored, step: event.step, text: event.text };
    case "tool.started":
      return { type: event.type, ...stored, step: event.step, call_id: event.callId, name: event.name, arguments: event.arguments };
    case "tool.finished": {
      const { step, callId, name, isError, text } = event;
      return { type: event.type, ...stored, step, call_id: callId, name, is_error: isError, text };
    }
    case "tool.waiting":
      return {
        type: event.type,
        ...stored,
        step: event.step,
        call_id: event.callId,
        name: event.name,
        item_id: event.itemId,
        waits_for: event.waitsFor,
      };
    case "step.finished":
      return { type: event.type, ...stored, step: event.step, finish_reason: event.finishReason, usage: toUsageView(event.usage) };
    case "run.succeeded": {
      const { text, output, steps } = event;
      return { type: event.type, ...stored, text, output, usage: toUsageView(event.usage), steps };
    }
    case "run.failed": {
      const { code, message, step } = event;
      return { type: event.type, ...stored, code, message, step, usage: toUsageView(event.usage) };
    }
    case "run.cancelled":
      return { type: event.type, ...stored, reason: event.reason, text: event.text, usage: toUsageView(event.usage) };
  }
}

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
