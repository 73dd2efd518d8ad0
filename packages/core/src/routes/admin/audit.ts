import { z } from "zod";
import { restRoute } from "../route.js";

const instant = z.int().min(0);
const names = z.string().min(1).max(2_000).describe("one, or several with commas between them");
const filters = {
  actions: names.optional(),
  outcomes: names.optional().describe("success, failure, blocked"),
  user: z.string().min(1).max(100).optional(),
  key: z.string().min(1).max(100).optional(),
  team: z.string().min(1).max(100).optional(),
  resource: z.string().min(1).max(200).optional().describe("a kind of row, or what was acted on"),
  source: z.enum(["http", "mcp", "code", "run", "task"]).optional(),
  request_id: z.string().min(1).max(64).optional(),
  from_ms: instant.optional(),
  to_ms: instant.optional().describe("exclusive"),
};
const page = { limit: z.int().min(1).max(200).default(50), cursor: z.string().min(1).max(1_000).optional() };

export const auditView = z.object({
  id: z.string(),
  at_ms: instant,
  project_id: z.string(),
  caller_id: z.string(),
  actor_kind: z.string().nullable(),
  key_id: z.string().nullable(),
  user_id: z.string().nullable(),
  team_id: z.string().nullable(),
  action: z.string(),
  target: z.string(),
  resource_type: z.string().nullable(),
  request_id: z.string(),
  source: z.string().nullable(),
  purpose: z.string().nullable().describe("why, as the caller said it"),
  outcome: z.enum(["success", "failure", "blocked"]),
  code: z.string().nullable(),
  status: z.int(),
  duration_ms: z.int(),
  parameters: z.unknown().describe("the arguments of a tool call, redacted; null unless audit.parameters asks for them"),
  changed: z.array(z.string()).nullable().describe("the names of the fields that a change named"),
});
const list = z.object({
  data: z.array(auditView),
  next_cursor: z.string().nullable().describe("a page may be short, also empty, and still have a next one"),
  has_more: z.boolean(),
});
const permission = { what: "audit", name: "read" } as const;

export const auditRoutes = {
  list: restRoute({
    name: "audit.list",
    method: "GET",
    path: "/api/v1/audit-logs",
    summary: "Who did what in the caller's projects, newest first.",
    permission,
    query: z.strictObject({ ...filters, ...page }),
    output: { status: 200, kind: "json", schema: list },
    errors: ["forbidden"],
  }),
  search: restRoute({
    name: "audit.search",
    method: "GET",
    path: "/api/v1/audit-logs/search",
    summary: "Rows of the audit in which a text stands: in the action, what it was done to, why, by whom or the code.",
    permission,
    query: z.strictObject({ q: z.string().min(1).max(200), ...filters, ...page }),
    output: { status: 200, kind: "json", schema: list },
    errors: ["forbidden"],
  }),
  export: restRoute({
    name: "audit.export",
    method: "GET",
    path: "/api/v1/audit-logs/export",
    summary: "All rows that match, as one file.",
    permission: { what: "audit", name: "export" },
    query: z.strictObject({ format: z.enum(["json", "csv"]).default("json"), q: z.string().min(1).max(200).optional(), ...filters }),
    output: { status: 200, kind: "json", schema: z.array(auditView) },
    errors: ["forbidden"],
  }),
  stats: restRoute({
    name: "audit.stats",
    method: "GET",
    path: "/api/v1/audit-logs/stats",
    summary: "How many rows there are by outcome, action and source; of the last 30 days when no time is given.",
    permission,
    query: z.strictObject({ from_ms: instant.optional(), to_ms: instant.optional() }),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        total: z.int(),
        by_outcome: z.object({ success: z.int(), failure: z.int(), blocked: z.int() }),
        by_action: z.record(z.string(), z.int()),
        by_source: z.record(z.string(), z.int()),
        from_ms: instant,
        to_ms: instant,
      }),
    },
    errors: ["forbidden"],
  }),
  get: restRoute({
    name: "audit.get",
    method: "GET",
    path: "/api/v1/audit-logs/{id}",
    summary: "One row of the audit.",
    permission,
    params: z.strictObject({ id: z.string().min(1).max(64) }),
    output: { status: 200, kind: "json", schema: auditView },
    errors: ["forbidden", "not_found"],
  }),
} as const;
