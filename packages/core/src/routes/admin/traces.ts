import { z } from "zod";
import { restRoute } from "../route.js";

const instant = z.int().min(0);
const filters = {
  server: z.string().min(1).max(100).optional().describe("a provider, or an MCP server"),
  kind: z.enum(["model", "tool"]).optional(),
  name: z.string().min(1).max(200).optional().describe("the model or tool, as it was called"),
  from_ms: instant.optional(),
  to_ms: instant.optional().describe("exclusive"),
};
const status = z.enum(["success", "error", "timeout"]);
const listQuery = z.strictObject({
  ...filters,
  status: status.optional(),
  limit: z.int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(1_000).optional(),
});
const windowQuery = z.strictObject({ ...filters, period: z.enum(["hour", "day", "week", "month"]).default("day") });

const usd = z.string().nullable().describe("US dollars, decimal; null: not known");
export const traceView = z.object({
  id: z.string().describe("of the call"),
  request_id: z.string().nullable(),
  run_id: z.string().nullable(),
  project_id: z.string(),
  caller_id: z.string(),
  kind: z.enum(["model", "tool"]),
  operation: z.string().nullable(),
  name: z.string(),
  server: z.string().nullable().describe("what answered: the provider, or the MCP server"),
  model: z.string().nullable(),
  status,
  status_code: z.int(),
  duration_ms: z.int(),
  attempts: z.int().nullable(),
  input_tokens: z.int().nullable(),
  output_tokens: z.int().nullable(),
  cost_usd: usd,
  ended_at_ms: instant,
});
export const spanView = z.object({
  span_id: z.string(),
  parent_id: z.string().nullable(),
  kind: z.enum(["call", "attempt", "guardrail", "cache", "approval", "internal"]),
  name: z.string(),
  server: z.string().nullable(),
  model: z.string().nullable(),
  status,
  status_code: z.int().nullable(),
  error: z.string().nullable().describe("the error's code"),
  started_at_ms: instant,
  ended_at_ms: instant,
  duration_ms: z.int(),
  cost_usd: usd,
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});
const list = z.object({ data: z.array(traceView), next_cursor: z.string().nullable(), has_more: z.boolean() });
const whole = z.object({
  trace: z.object({
    id: z.string(),
    request_id: z.string(),
    trace_id: z.string().describe("of OpenTelemetry, when it has one; else the request's id"),
    run_id: z.string().nullable(),
    status,
    error: z.string().nullable(),
    calls: z.int(),
    started_at_ms: instant,
    ended_at_ms: instant,
    duration_ms: z.int(),
    cost_usd: usd,
  }),
  spans: z.array(spanView),
});
const ms = z.number().nullable().describe("null: there were no calls");
const stats = z.object({
  total_requests: z.int(),
  success_count: z.int(),
  error_count: z.int(),
  avg_duration_ms: ms,
  p50_duration_ms: ms,
  p95_duration_ms: ms,
  p99_duration_ms: ms,
  measured: z.int().describe("how many calls, the newest ones, the percentiles are of"),
  total_cost_usd: z.string(),
  error_rate: z.number().describe("0 to 1"),
  from_ms: instant,
  to_ms: instant,
});
const figure = z.object({
  value: z.number().nullable(),
  change: z.number().nullable().describe("against the period before, as a part of it; null: there was nothing"),
  period: z.string(),
  formatted: z.string(),
});
const permission = { what: "traces", name: "read" } as const;
const json = <const S extends z.ZodType>(schema: S) => ({ status: 200, kind: "json", schema }) as const;
const params = z.strictObject({ id: z.string().min(1).max(64) });
const common = { method: "GET", permission, errors: ["forbidden"] } as const;
const summaries = {
  list: "Calls of the caller's projects, newest first.",
  stats: "Counts, cost and latency of calls; of the last day when no time is given.",
  get: "What happened in one request: by its id, that of a call, or that of a trace that began elsewhere.",
} as const;

export const traceRoutes = {
  list: restRoute({
    ...common,
    name: "traces.list",
    path: "/api/v1/traces",
    summary: summaries.list,
    query: listQuery,
    output: json(list),
  }),
  stats: restRoute({
    ...common,
    name: "traces.stats",
    path: "/api/v1/traces/stats",
    summary: summaries.stats,
    query: windowQuery,
    output: json(stats),
  }),
  get: restRoute({
    ...common,
    name: "traces.get",
    path: "/api/v1/traces/{id}",
    summary: summaries.get,
    params,
    output: json(whole),
    errors: ["forbidden", "not_found"],
  }),
  listV1: restRoute({
    ...common,
    name: "traces.list_v1",
    path: "/v1/traces",
    summary: summaries.list,
    query: listQuery,
    output: json(list),
  }),
  statsV1: restRoute({
    ...common,
    name: "traces.stats_v1",
    path: "/v1/traces/stats",
    summary: summaries.stats,
    query: windowQuery,
    output: json(stats),
  }),
  getV1: restRoute({
    ...common,
    name: "traces.get_v1",
    path: "/v1/traces/{id}",
    summary: summaries.get,
    params,
    output: json(whole),
    errors: ["forbidden", "not_found"],
  }),
  overview: restRoute({
    ...common,
    name: "metrics.overview",
    path: "/v1/metrics/overview",
    summary: "Requests, cost, latency and errors of a period, beside those of the one before.",
    query: windowQuery,
    output: json(
      z.object({
        total_requests: figure,
        total_cost: figure,
        avg_latency: figure.extend({ percentile: z.number().nullable() }),
        error_rate: figure,
      }),
    ),
  }),
  requestsChart: restRoute({
    ...common,
    name: "metrics.requests_chart",
    path: "/v1/metrics/requests-chart",
    summary: "How many calls there were, and how many failed, in each part of a period.",
    query: windowQuery,
    output: json(z.object({ data: z.array(z.object({ at_ms: instant, requests: z.int(), errors: z.int() })), bucket_ms: z.int() })),
  }),
  topServers: restRoute({
    ...common,
    name: "metrics.top_servers",
    path: "/v1/metrics/top-servers",
    summary: "Providers and MCP servers, those with the most calls first.",
    query: windowQuery,
    output: json(
      z.object({
        servers: z.array(
          z.object({
            server: z.string(),
            total_requests: z.int(),
            error_count: z.int(),
            error_rate: z.number(),
            avg_duration_ms: z.number().nullable(),
            total_cost_usd: z.string(),
          }),
        ),
      }),
    ),
  }),
  recentTraces: restRoute({
    ...common,
    name: "metrics.recent_traces",
    path: "/v1/metrics/recent-traces",
    summary: "The newest calls.",
    query: z.strictObject({ limit: z.int().min(1).max(50).default(10) }),
    output: json(z.object({ traces: z.array(traceView) })),
  }),
} as const;

export const metricsRoutes = {
  prometheus: restRoute({
    name: "metrics.prometheus",
    method: "GET",
    path: "/metrics",
    summary: "Counts of this process, for Prometheus. Open to everybody with telemetry.metrics.open.",
    permission: { what: "metrics", name: "read" },
    output: { status: 200, kind: "text", contentType: "text/plain; version=0.0.4; charset=utf-8", schema: z.string() },
    errors: ["forbidden", "not_found", "missing_dependency"],
  }),
} as const;
