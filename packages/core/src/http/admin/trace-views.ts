import type { TraceSpanRow, UsageRow } from "../../entities/index.js";
import type { TracedCall } from "../../seams/index.js";
import { decimalUsd } from "../../util/encoding/decimal-usd.js";

type Status = "success" | "error" | "timeout";

function statusOf(status: number): Status {
  if (status === 504) return "timeout";
  return status >= 400 ? "error" : "success";
}

export function traceView(row: UsageRow) {
  return {
    id: row.id,
    request_id: row.requestId,
    run_id: row.runId,
    project_id: row.projectId,
    caller_id: row.callerId,
    kind: row.kind,
    operation: row.operation,
    name: row.name,
    server: row.provider,
    model: row.model,
    status: statusOf(row.status),
    status_code: row.status,
    duration_ms: row.durationMs,
    attempts: row.attempts,
    input_tokens: row.inputTokens,
    output_tokens: row.outputTokens,
    cost_usd: usd(row.costNanoUsd),
    ended_at_ms: row.atMs,
  };
}

/** A request's calls, their attempts and what is stored beside them, in the order in which they began. */
export function wholeTrace(calls: readonly TracedCall[], spans: readonly TraceSpanRow[]) {
  const views = [...calls.flatMap(callSpans), ...spans.filter(({ kind }) => kind !== "call").map(storedSpan)];
  views.sort((a, b) => a.started_at_ms - b.started_at_ms);
  const traced = spans.find(({ traceId, requestId }) => traceId !== requestId);
  const first = calls[0]?.usage ?? null;
  const requestId = calls[0]?.requestId ?? spans[0]?.requestId ?? "";
  const startedAtMs = Math.min(...views.map((view) => view.started_at_ms));
  const endedAtMs = Math.max(...views.map((view) => view.ended_at_ms));
  const last = calls.at(-1) ?? null;
  return {
    trace: {
      id: requestId,
      request_id: requestId,
      trace_id: traced?.traceId ?? requestId,
      run_id: first?.runId ?? null,
      status: last === null ? ("success" as const) : statusOf(last.usage.status),
      error: last?.code ?? null,
      calls: calls.length,
      started_at_ms: startedAtMs,
      ended_at_ms: endedAtMs,
      duration_ms: endedAtMs - startedAtMs,
      cost_usd: sumUsd(calls),
    },
    spans: views,
  };
}

function callSpans({ usage, code }: TracedCall) {
  const startedAtMs = usage.atMs - usage.durationMs;
  const span = {
    ...{ span_id: usage.id, parent_id: usage.runId, kind: "call" as const, name: usage.name, server: usage.provider, model: usage.model },
    ...{ status: statusOf(usage.status), status_code: usage.status, error: code },
    ...{ started_at_ms: startedAtMs, ended_at_ms: usage.atMs, duration_ms: usage.durationMs, cost_usd: usd(usage.costNanoUsd) },
    attributes: attributesOf(usage),
  };
  // Of attempts the time is kept that they took: each is shown where the one before it ended.
  let atMs = startedAtMs;
  const attempts = (usage.tried ?? []).map((tried, i) => {
    const from = atMs;
    atMs += tried.durationMs;
    return {
      ...{ span_id: `${usage.id}_${i + 1}`, parent_id: usage.id, kind: "attempt" as const, name: `attempt ${i + 1}` },
      ...{ server: tried.provider, model: tried.model, status: tried.code === null ? ("success" as const) : ("error" as const) },
      ...{ status_code: tried.status, error: tried.code, started_at_ms: from, ended_at_ms: atMs, duration_ms: tried.durationMs },
      ...{ cost_usd: usd(tried.costNanoUsd), attributes: {} },
    };
  });
  return [span, ...attempts];
}

function storedSpan(row: TraceSpanRow) {
  return {
    ...{ span_id: row.spanId, parent_id: row.callId, kind: row.kind, name: row.name, server: row.provider, model: row.model },
    ...{ status: row.status, status_code: row.statusCode, error: row.code, started_at_ms: row.startedAtMs },
    ...{ ended_at_ms: row.startedAtMs + row.durationMs, duration_ms: row.durationMs, cost_usd: usd(row.costNanoUsd) },
    attributes: row.attributes ?? {},
  };
}

function attributesOf(usage: UsageRow): Record<string, string | number | boolean> {
  const known = {
    operation: usage.operation,
    caller_id: usage.callerId,
    input_tokens: usage.inputTokens,
    cache_read_tokens: usage.cacheReadTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    output_tokens: usage.outputTokens,
    reasoning_tokens: usage.reasoningTokens,
    attempts: usage.attempts,
    purpose: usage.purpose,
    partial: usage.partial ? true : null,
    estimated: usage.estimated ? true : null,
  };
  return Object.fromEntries(Object.entries(known).filter((entry): entry is [string, string | number | boolean] => entry[1] !== null));
}

export function usd(nano: number | bigint | null): string | null {
  return nano === null ? null : decimalUsd(BigInt(nano));
}

function sumUsd(calls: readonly TracedCall[]): string | null {
  const costs = calls.map(({ usage }) => usage.costNanoUsd);
  return costs.some((cost) => cost === null) ? null : decimalUsd(costs.reduce<bigint>((sum, cost) => sum + BigInt(cost ?? 0), 0n));
}
