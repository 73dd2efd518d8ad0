import { z } from "zod";
import { alertMetric, alertSeverity } from "../../entities/telemetry/alert-rule.js";
import { alertStatus } from "../../entities/telemetry/alert.js";
import { restRoute } from "../route.js";

const instant = z.int().min(0);
export const alertView = z.object({
  id: z.string(),
  rule_id: z.string(),
  rule: z.string(),
  status: alertStatus,
  metric: alertMetric,
  severity: alertSeverity,
  value: z.number(),
  threshold: z.number(),
  message: z.string(),
  started_at_ms: instant,
  acknowledged_at_ms: instant.nullable(),
  acknowledged_by: z.string().nullable(),
  resolved_at_ms: instant.nullable(),
  resolved_by: z.string().nullable().describe("null: it resolved itself"),
});
const params = z.strictObject({ id: z.string().min(1).max(64) });
const reads = { what: "alerts", name: "read" } as const;
const writes = { what: "alerts", name: "write" } as const;

export const alertRoutes = {
  list: restRoute({
    name: "alerts.list",
    method: "GET",
    path: "/api/v1/alerts",
    summary: "Alerts, newest first.",
    permission: reads,
    query: z.strictObject({
      status: alertStatus.optional(),
      rule_id: z.string().min(1).max(64).optional(),
      limit: z.int().min(1).max(200).default(50),
      cursor: z.string().min(1).max(1_000).optional(),
    }),
    output: { status: 200, kind: "json", schema: z.object({ data: z.array(alertView), next_cursor: z.string().nullable() }) },
    errors: ["forbidden"],
  }),
  get: restRoute({
    name: "alerts.get",
    method: "GET",
    path: "/api/v1/alerts/{id}",
    summary: "One alert.",
    permission: reads,
    params,
    output: { status: 200, kind: "json", schema: alertView },
    errors: ["forbidden", "not_found"],
  }),
  acknowledge: restRoute({
    name: "alerts.acknowledge",
    method: "POST",
    path: "/api/v1/alerts/{id}/acknowledge",
    summary: "Says that a person looks after it.",
    permission: writes,
    params,
    output: { status: 200, kind: "json", schema: alertView },
    errors: ["forbidden", "not_found", "conflict"],
  }),
  resolve: restRoute({
    name: "alerts.resolve",
    method: "POST",
    path: "/api/v1/alerts/{id}/resolve",
    summary: "Ends it. While its rule's condition still holds, the rule opens another one when it is evaluated next.",
    permission: writes,
    params,
    output: { status: 200, kind: "json", schema: alertView },
    errors: ["forbidden", "not_found", "conflict"],
  }),
  tryRule: restRoute({
    name: "alert_rules.test",
    method: "POST",
    path: "/api/v1/alert-rules/{id}/test",
    summary: "What the rule measures now, and whether it would fire. Nothing is told to anybody.",
    permission: reads,
    params,
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        value: z.number().nullable().describe("null: there is nothing to measure"),
        threshold: z.number(),
        fires: z.boolean(),
        calls: z.int().describe("calls, or events, that it was measured by"),
      }),
    },
    errors: ["forbidden", "not_found"],
  }),
  tryChannel: restRoute({
    name: "alert_channels.test",
    method: "POST",
    path: "/api/v1/alert-channels/{id}/test",
    summary: "Sends a test message, and says how that went.",
    permission: writes,
    params,
    output: { status: 200, kind: "json", schema: z.object({ ok: z.boolean(), error: z.string().nullable(), duration_ms: z.int() }) },
    errors: ["forbidden", "not_found"],
  }),
} as const;
