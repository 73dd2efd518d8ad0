import { z } from "zod";
import { restRoute } from "../route.js";

const instant = z.int().min(0);
const id = (max: number) => z.string().min(1).max(max).optional();
const filters = {
  request_id: id(64),
  run_id: id(64),
  caller_id: id(100),
  key_id: id(64),
  user_id: id(64),
  team_id: id(64),
  agent_id: id(64),
  kind: z.enum(["model", "tool"]).optional(),
  name: id(200).describe("what was asked for: a model, a route, or server__tool"),
  server: id(64),
  from_ms: instant.optional(),
  to_ms: instant.optional().describe("exclusive"),
};
const usd = z.string().describe("decimal dollars, exact");
const tokens = z.int();
const nullable = z.string().nullable();
const count = z.int().nullable().describe("null: nobody said");

export const usageView = z.object({
  id: z.string(),
  at_ms: instant,
  project_id: z.string(),
  caller_id: z.string(),
  key_id: nullable,
  user_id: nullable,
  team_id: nullable,
  agent_id: nullable,
  request_id: nullable,
  run_id: nullable,
  kind: z.enum(["model", "tool"]),
  operation: nullable,
  name: z.string(),
  server: nullable,
  provider: nullable,
  model: nullable,
  purpose: nullable,
  input_tokens: count,
  cache_read_tokens: count,
  cache_write_tokens: count,
  output_tokens: count,
  reasoning_tokens: count,
  cost_usd: nullable.describe("decimal dollars, exact; null: nobody knows"),
  saved_usd: nullable.describe("what an answer out of the cache would have cost"),
  attempts: z.int().nullable(),
  estimated: z.boolean().describe("a count is ours, because the vendor sent none, or the process that made the call was killed"),
  partial: z.boolean(),
  status: z.int(),
  duration_ms: z.int(),
});
const totals = {
  calls: z.int(),
  cost_usd: usd,
  unpriced_calls: z.int().describe("calls whose cost nobody knows: they are in no sum of money"),
  avg_cost_usd: usd.describe("of the calls whose cost is known, rounded to a nano-dollar"),
  input_tokens: tokens,
  cache_read_tokens: tokens,
  output_tokens: tokens,
  reasoning_tokens: tokens,
  saved_usd: usd.describe("what answers out of the cache would have cost"),
};
const spent = z.number().describe("dollars");
const perServer = z.object({
  mcp_server: z.string(),
  total_cost: spent,
  total_requests: z.int(),
  avg_cost_per_request: spent,
  percentage: z.number().describe("of the total cost, 0 to 100"),
});
const perTeam = perServer.omit({ mcp_server: true }).extend({ team_id: nullable, team_name: z.string() });
const day = z.string().describe("in UTC, 2026-11-21");
const period = z.enum(["day", "week", "month"]).default("month");
const usageRead = { what: "usage", name: "read" } as const;
const costsRead = { what: "costs", name: "read" } as const;
export const usageDimension = z.enum([
  ...["key", "user", "team", "project", "agent", "caller", "provider", "model", "server", "tool", "operation"],
] as ["key", "user", "team", "project", "agent", "caller", "provider", "model", "server", "tool", "operation"]);

export const usageRoutes = {
  list: restRoute({
    name: "usage.list",
    method: "GET",
    path: "/api/v1/usage",
    summary: "What calls of the caller's projects used and cost, one row for each, newest first.",
    permission: usageRead,
    query: z.strictObject({ ...filters, limit: z.int().min(1).max(200).default(50), cursor: z.string().min(1).max(1_000).optional() }),
    output: { status: 200, kind: "json", schema: z.object({ data: z.array(usageView), next_cursor: nullable }) },
    errors: ["forbidden"],
  }),
  summary: restRoute({
    name: "usage.summary",
    method: "GET",
    path: "/api/v1/usage/summary",
    summary: "The sums of all calls that match.",
    permission: usageRead,
    query: z.strictObject(filters),
    output: { status: 200, kind: "json", schema: z.object(totals) },
    errors: ["forbidden"],
  }),
  by: restRoute({
    name: "usage.by",
    method: "GET",
    path: "/api/v1/usage/by/{dimension}",
    summary:
      "The same sums for each key, user, team, project, agent, caller, provider, model, server, tool or operation, the dearest first.",
    permission: usageRead,
    params: z.strictObject({ dimension: usageDimension }),
    query: z.strictObject(filters),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        cost_usd: usd,
        data: z.array(z.object({ id: nullable.describe("null: calls that belong to none"), percentage: z.number(), ...totals })),
      }),
    },
    errors: ["forbidden"],
  }),
  daily: restRoute({
    name: "usage.daily",
    method: "GET",
    path: "/api/v1/usage/daily",
    summary: "The same sums for each day in UTC; of the last 14 days when no time is given, of 400 at the most.",
    permission: usageRead,
    query: z.strictObject(filters),
    output: { status: 200, kind: "json", schema: z.object({ data: z.array(z.object({ date: day, ...totals })) }) },
    errors: ["forbidden"],
  }),
  forecast: restRoute({
    name: "usage.forecast",
    method: "GET",
    path: "/api/v1/usage/forecast",
    summary: "What the running day, week or month (UTC) will have cost if it goes on as it did.",
    permission: usageRead,
    query: z.strictObject({ period, ...filters }).omit({ from_ms: true, to_ms: true }),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        period: z.enum(["day", "week", "month"]),
        start_date: z.string(),
        end_date: z.string().describe("exclusive"),
        spent_usd: usd,
        forecast_usd: nullable.describe("null: less than an hour of the period has passed"),
        basis: z.object({ method: z.literal("linear"), elapsed_ms: z.int(), calls: z.int() }),
      }),
    },
    errors: ["forbidden"],
  }),
  export: restRoute({
    name: "usage.export",
    method: "GET",
    path: "/api/v1/usage/export",
    summary: "All rows that match, as one file.",
    permission: { what: "usage", name: "export" },
    query: z.strictObject({ format: z.enum(["json", "csv"]).default("json"), ...filters }),
    output: { status: 200, kind: "json", schema: z.array(usageView) },
    errors: ["forbidden"],
  }),
} as const;

/** Amounts are numbers here, in dollars: for charts. The exact ones are in `/api/v1/usage`. */
export const costRoutes = {
  summary: restRoute({
    name: "costs.summary",
    method: "GET",
    path: "/v1/costs/summary",
    summary: "What the running day, week or month (UTC) has cost so far.",
    permission: costsRead,
    query: z.strictObject({ period }),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        total_cost: spent,
        total_requests: z.int(),
        avg_cost_per_request: spent,
        period: z.enum(["day", "week", "month"]),
        start_date: z.string(),
        end_date: z.string(),
      }),
    },
    errors: ["forbidden"],
  }),
  byServer: restRoute({
    name: "costs.by-server",
    method: "GET",
    path: "/v1/costs/by-server",
    summary: "What each MCP server's calls cost in the last 30 days.",
    permission: costsRead,
    output: { status: 200, kind: "json", schema: z.object({ total_cost: spent, servers: z.array(perServer) }) },
    errors: ["forbidden"],
  }),
  byTeam: restRoute({
    name: "costs.by-team",
    method: "GET",
    path: "/v1/costs/by-team",
    summary: "What each team's calls cost in the last 30 days.",
    permission: costsRead,
    output: { status: 200, kind: "json", schema: z.object({ total_cost: spent, teams: z.array(perTeam) }) },
    errors: ["forbidden"],
  }),
  daily: restRoute({
    name: "costs.daily",
    method: "GET",
    path: "/v1/costs/daily",
    summary: "What each of the last 14 days (UTC) cost.",
    permission: costsRead,
    output: {
      status: 200,
      kind: "json",
      schema: z.object({ daily: z.array(z.object({ date: day, total_cost: spent, total_requests: z.int() })) }),
    },
    errors: ["forbidden"],
  }),
} as const;
