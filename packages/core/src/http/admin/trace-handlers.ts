import { GatewayError } from "../../errors/index.js";
import { metricsRoutes, traceRoutes } from "../../routes/index.js";
import type { Services, TraceQuery, Traces, TraceStats } from "../../seams/index.js";
import type { Exchange, Handler, OpenExchange } from "../exchange.js";
import { jsonHandler, type readInput } from "../faces/rest-face.js";
import { traceView, usd, wholeTrace } from "./trace-views.js";

type ListQuery = Awaited<ReturnType<typeof readInput<typeof traceRoutes.list>>>["query"];
type WindowQuery = Awaited<ReturnType<typeof readInput<typeof traceRoutes.stats>>>["query"];

const HOUR_MS = 3_600_000;
const periods = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS, month: 30 * 24 * HOUR_MS } as const;
/** How many parts a chart has, at the most. */
const BUCKETS = 60;
const NANO = 1e-9;
const encoder = new TextEncoder();

/** Calls and what they came to, over REST. */
export function traceHandlers(services: Services): Readonly<Record<keyof typeof traceRoutes, Handler>> {
  const traces = (): Traces => services.seams.telemetry.get().traces;
  const now = (): number => services.clock.now();
  const list = async (query: ListQuery, x: Exchange) => {
    const { rows, next } = await traces().list(toQuery(query), { limit: query.limit, cursor: query.cursor }, x.caller);
    return { data: rows.map(traceView), next_cursor: next, has_more: next !== null };
  };
  const get = async (id: string, x: Exchange) => {
    const found = await traces().get(id, x.caller);
    if (found === null)
      throw new GatewayError("not_found", "There is no such trace.", {
        hint: "Give the id of a request, of a call, or of a trace that began elsewhere.",
      });
    return wholeTrace(found.calls, found.spans);
  };
  const stats = async (query: WindowQuery, x: Exchange) => statsView(await traces().stats(windowOf(query, now()), x.caller));
  return {
    list: jsonHandler(traceRoutes.list, ({ query }, x: Exchange) => list(query, x)),
    listV1: jsonHandler(traceRoutes.listV1, ({ query }, x: Exchange) => list(query, x)),
    get: jsonHandler(traceRoutes.get, ({ params }, x: Exchange) => get(params.id, x)),
    getV1: jsonHandler(traceRoutes.getV1, ({ params }, x: Exchange) => get(params.id, x)),
    stats: jsonHandler(traceRoutes.stats, ({ query }, x: Exchange) => stats(query, x)),
    statsV1: jsonHandler(traceRoutes.statsV1, ({ query }, x: Exchange) => stats(query, x)),
    overview: jsonHandler(traceRoutes.overview, ({ query }, x: Exchange) => overview(traces(), query, { x, nowMs: now() })),
    requestsChart: jsonHandler(traceRoutes.requestsChart, async ({ query }, x: Exchange) => {
      const window = windowOf(query, now());
      const bucketMs = Math.max(1_000, Math.ceil((window.toMs - window.fromMs) / BUCKETS / 1_000) * 1_000);
      const buckets = await traces().buckets({ ...window, bucketMs }, x.caller);
      return { data: buckets.map(({ atMs, total, errors }) => ({ at_ms: atMs, requests: total, errors })), bucket_ms: bucketMs };
    }),
    topServers: jsonHandler(traceRoutes.topServers, async ({ query }, x: Exchange) => {
      const servers = await traces().servers(windowOf(query, now()), x.caller);
      return {
        servers: servers.slice(0, 50).map(({ server, total, errors, avgMs, costNanoUsd }) => ({
          ...{ server, total_requests: total, error_count: errors, error_rate: total === 0 ? 0 : errors / total },
          ...{ avg_duration_ms: avgMs, total_cost_usd: usd(costNanoUsd) ?? "0" },
        })),
      };
    }),
    recentTraces: jsonHandler(traceRoutes.recentTraces, async ({ query }, x: Exchange) => {
      const { rows } = await traces().list({}, { limit: query.limit }, x.caller);
      return { traces: rows.map(traceView) };
    }),
  };
}

/** Prometheus' text, for whoever may read it. */
export function metricsHandler(services: Services): (x: OpenExchange) => ReturnType<Handler> {
  return async () => {
    const { contentType, text } = await services.seams.telemetry.get().metrics();
    return {
      status: metricsRoutes.prometheus.output.status,
      headers: [
        ["content-type", contentType],
        ["cache-control", "no-store"],
        ["x-content-type-options", "nosniff"],
      ],
      body: { kind: "bytes", bytes: encoder.encode(text) },
      done: () => undefined,
    };
  };
}

function toQuery(query: Omit<ListQuery, "limit" | "cursor" | "status"> & Partial<Pick<ListQuery, "status">>): TraceQuery {
  const { server, kind, name, status } = query;
  return { server, kind, name, status, fromMs: query.from_ms, toMs: query.to_ms };
}

function windowOf(query: WindowQuery, nowMs: number): TraceQuery & { readonly fromMs: number; readonly toMs: number } {
  const toMs = query.to_ms ?? nowMs + 1;
  return { ...toQuery(query), toMs, fromMs: query.from_ms ?? toMs - periods[query.period] };
}

function statsView(stats: TraceStats) {
  return {
    ...{ total_requests: stats.total, success_count: stats.success, error_count: stats.errors, avg_duration_ms: stats.avgMs },
    ...{ p50_duration_ms: stats.p50Ms, p95_duration_ms: stats.p95Ms, p99_duration_ms: stats.p99Ms, measured: stats.measured },
    ...{ total_cost_usd: usd(stats.costNanoUsd) ?? "0", error_rate: stats.errorRate, from_ms: stats.fromMs, to_ms: stats.toMs },
  };
}

async function overview(traces: Traces, query: WindowQuery, o: { readonly x: Exchange; readonly nowMs: number }) {
  const window = windowOf(query, o.nowMs);
  const before = { ...window, toMs: window.fromMs, fromMs: window.fromMs - (window.toMs - window.fromMs) };
  const [current, previous] = await Promise.all([traces.stats(window, o.x.caller), traces.stats(before, o.x.caller)]);
  const { period } = query;
  const figure = (value: number | null, past: number | null, formatted: (value: number) => string) => ({
    ...{ value, change: value === null || past === null || past === 0 ? null : (value - past) / past },
    ...{ period, formatted: value === null ? "–" : formatted(value) },
  });
  const cost = (stats: TraceStats) => Number(stats.costNanoUsd) * NANO;
  return {
    total_requests: figure(current.total, previous.total, (value) => String(value)),
    total_cost: figure(cost(current), cost(previous), (value) => `$${value.toFixed(value < 1 ? 4 : 2)}`),
    avg_latency: { ...figure(current.avgMs, previous.avgMs, (value) => `${Math.round(value)} ms`), percentile: current.p95Ms },
    error_rate: figure(current.errorRate, previous.errorRate, (value) => `${(value * 100).toFixed(2)} %`),
  };
}
