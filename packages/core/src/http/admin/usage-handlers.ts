import { team } from "../../entities/index.js";
import { UsageReports, type UsageQuery, type UsageTotals } from "../../policy/money/usage/usage-reports.js";
import { periodAt } from "../../policy/money/period.js";
import { costRoutes, usageRoutes } from "../../routes/index.js";
import type { Services } from "../../seams/index.js";
import { decimalUsd } from "../../util/encoding/decimal-usd.js";
import type { Exchange, Handler } from "../exchange.js";
import { jsonHandler, readInput } from "../faces/rest-face.js";
import { usageFile, usageViewOf } from "./usage-export.js";

type Filters = Omit<Awaited<ReturnType<typeof readInput<typeof usageRoutes.list>>>["query"], "limit" | "cursor">;

const DAY_MS = 86_400_000;
const MOST_DAYS = 400;

/** What calls used and cost, over REST. */
export function usageHandlers(services: Services): Readonly<Record<keyof typeof usageRoutes, Handler>> {
  const reports = new UsageReports(services);
  return {
    list: jsonHandler(usageRoutes.list, async ({ query }, x: Exchange) => {
      const { limit, cursor, ...filters } = query;
      const { rows, next } = await reports.find(toQuery(filters), { caller: x.caller, limit, cursor });
      return { data: rows.map(usageViewOf), next_cursor: next };
    }),
    summary: jsonHandler(usageRoutes.summary, async ({ query }, x: Exchange) =>
      totalsView(await reports.summary(toQuery(query), x.caller)),
    ),
    by: jsonHandler(usageRoutes.by, async ({ params, query }, x: Exchange) => {
      const groups = await reports.by(params.dimension, toQuery(query), x.caller);
      const total = groups.reduce((sum, group) => sum + group.costNanoUsd, 0n);
      const data = groups.map(({ id, ...totals }) => ({ id, percentage: percentage(totals.costNanoUsd, total), ...totalsView(totals) }));
      return { cost_usd: decimalUsd(total), data };
    }),
    daily: jsonHandler(usageRoutes.daily, async ({ query }, x: Exchange) => {
      const days = await reports.daily({ ...toQuery(query), ...within(query, services.clock.now()) }, x.caller);
      return { data: days.map(({ date, ...totals }) => ({ date, ...totalsView(totals) })) };
    }),
    forecast: jsonHandler(usageRoutes.forecast, async ({ query }, x: Exchange) => {
      const { period, ...filters } = query;
      const { startMs, endMs, spentNanoUsd, forecastNanoUsd, basis } = await reports.forecast(period, toQuery(filters), x.caller);
      return {
        period,
        start_date: iso(startMs),
        end_date: iso(endMs),
        spent_usd: decimalUsd(spentNanoUsd),
        forecast_usd: forecastNanoUsd === null ? null : decimalUsd(forecastNanoUsd),
        basis: { method: basis.method, elapsed_ms: basis.elapsedMs, calls: basis.calls },
      };
    }),
    export: async (x) => {
      const { query } = await readInput(usageRoutes.export, x);
      const { format, ...filters } = query;
      const frames = await begun(usageFile(reports.pages(toQuery(filters), x.caller), format));
      const headers: [string, string][] = [
        ["content-type", format === "csv" ? "text/csv; charset=utf-8; header=present" : "application/json"],
        ["content-disposition", `attachment; filename="usage.${format}"`],
        ["cache-control", "no-store"],
        ["x-content-type-options", "nosniff"],
      ];
      return { status: 200, headers, body: { kind: "frames", frames }, done: () => undefined };
    },
  };
}

/** The same as other gateways show it: numbers of dollars. */
export function costHandlers(services: Services): Readonly<Record<keyof typeof costRoutes, Handler>> {
  const reports = new UsageReports(services);
  const month = () => ({ fromMs: services.clock.now() - 30 * DAY_MS });
  return {
    summary: jsonHandler(costRoutes.summary, async ({ query }, x: Exchange) => {
      const nowMs = services.clock.now();
      const { startMs } = periodAt(nowMs, query.period, "UTC");
      const totals = await reports.summary({ fromMs: startMs }, x.caller);
      return { ...costsOf(totals), period: query.period, start_date: iso(startMs), end_date: iso(nowMs) };
    }),
    byServer: jsonHandler(costRoutes.byServer, async (_input, x: Exchange) => {
      const groups = (await reports.by("server", month(), x.caller)).filter(({ id }) => id !== null);
      const total = groups.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n);
      const servers = groups.map((group) => ({
        mcp_server: group.id ?? "",
        ...costsOf(group),
        percentage: percentage(group.costNanoUsd, total),
      }));
      return { total_cost: dollars(total), servers };
    }),
    byTeam: jsonHandler(costRoutes.byTeam, async (_input, x: Exchange) => {
      const groups = await reports.by("team", month(), x.caller);
      const total = groups.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n);
      const names = await teamNames(
        services,
        groups.flatMap(({ id }) => (id === null ? [] : [id])),
        x,
      );
      const teams = groups.map((group) => ({
        team_id: group.id,
        team_name: group.id === null ? "" : (names.get(group.id) ?? group.id),
        ...costsOf(group),
        percentage: percentage(group.costNanoUsd, total),
      }));
      return { total_cost: dollars(total), teams };
    }),
    daily: jsonHandler(costRoutes.daily, async (_input, x: Exchange) => {
      const days = await reports.daily(within({}, services.clock.now()), x.caller);
      const daily = days.map(({ date, costNanoUsd, calls }) => ({ date, total_cost: dollars(costNanoUsd), total_requests: calls }));
      return { daily };
    }),
  };
}

/** Teams that are gone keep their ids. */
async function teamNames({ store }: Services, ids: readonly string[], x: Exchange): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const within = { deadlineMs: x.deadlineMs, signal: x.inbound.signal };
  const where = { id: { in: ids.slice(0, 1_000) } };
  const { rows } = await store.find(team, { where, orderBy: "id", limit: 1_000 }, { projects: x.caller.projects }, within);
  return new Map(rows.map((row) => [row.id, row.name]));
}

function toQuery(filters: Filters): UsageQuery {
  return {
    ...{ fromMs: filters.from_ms, toMs: filters.to_ms, requestId: filters.request_id, runId: filters.run_id, callerId: filters.caller_id },
    ...{ keyId: filters.key_id, userId: filters.user_id, teamId: filters.team_id, agentId: filters.agent_id },
    ...{ kind: filters.kind, name: filters.name, server: filters.server },
  };
}

/** The last 14 days with today, or what was asked for, cut to its newest part. */
function within(query: Pick<Filters, "from_ms" | "to_ms">, nowMs: number): { readonly fromMs: number; readonly toMs: number } {
  const toMs = Math.min(query.to_ms ?? nowMs + 1, nowMs + 1);
  const fromMs = query.from_ms ?? Math.floor((toMs - 1) / DAY_MS) * DAY_MS - 13 * DAY_MS;
  return { fromMs: Math.max(0, fromMs, toMs - MOST_DAYS * DAY_MS), toMs };
}

function totalsView(totals: UsageTotals) {
  return {
    calls: totals.calls,
    cost_usd: decimalUsd(totals.costNanoUsd),
    unpriced_calls: totals.unpricedCalls,
    avg_cost_usd: decimalUsd(average(totals)),
    input_tokens: Number(totals.inputTokens),
    cache_read_tokens: Number(totals.cacheReadTokens),
    output_tokens: Number(totals.outputTokens),
    reasoning_tokens: Number(totals.reasoningTokens),
    saved_usd: decimalUsd(totals.savedNanoUsd),
  };
}

function costsOf(totals: UsageTotals) {
  return {
    total_cost: dollars(totals.costNanoUsd),
    total_requests: totals.calls,
    avg_cost_per_request: dollars(average(totals)),
  };
}

/** Of the calls whose cost is known; nothing of none. */
function average({ costNanoUsd, calls, unpricedCalls }: UsageTotals): bigint {
  const priced = BigInt(calls - unpricedCalls);
  return priced === 0n ? 0n : (costNanoUsd + priced / 2n) / priced;
}

/** With two decimals; of nothing, nothing. */
function percentage(part: bigint, whole: bigint): number {
  return whole === 0n ? 0 : Number((part * 10_000n + whole / 2n) / whole) / 100;
}

function dollars(nano: bigint): number {
  return Number(decimalUsd(nano));
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** With its first piece read: what is refused has its status. */
async function begun(pieces: AsyncGenerator<Uint8Array>): Promise<AsyncGenerator<Uint8Array>> {
  const first = await pieces.next();
  async function* all(): AsyncGenerator<Uint8Array> {
    if (first.done !== true) yield first.value;
    yield* pieces;
  }
  return all();
}
