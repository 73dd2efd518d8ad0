import { z } from "zod";
import { bool, defineEntity, field, int, json, text, type RowType } from "../define-entity.js";

export const alertMetric = z.enum([
  "error_rate",
  "latency_p50",
  "latency_p95",
  "latency_p99",
  "request_rate",
  "cost_per_hour",
  "cost_per_day",
  "rate_limit_hit",
  "injection_detected",
  "budget_event",
  "tools_waiting",
]);
export type AlertMetric = z.output<typeof alertMetric>;
export const alertCondition = z.enum(["gt", "lt", "gte", "lte", "eq", "neq"]);
export const alertSeverity = z.enum(["info", "warning", "critical"]);
/** Which calls count; what is left out does not narrow. */
export const alertFilters = z.strictObject({
  kind: z.enum(["model", "tool"]).optional(),
  providers: z.array(z.string().min(1).max(100)).max(50).optional().describe("providers, or MCP servers"),
  names: z.array(z.string().min(1).max(200)).max(50).optional().describe("models or tools, as they were called"),
  keys: z.array(z.string().min(1).max(100)).max(50).optional(),
  project: z.string().min(1).max(64).optional().describe("left out: all projects"),
});

/** What is watched, and from when on it is an alert. Rates are parts of one, latencies ms, costs US dollars, requests a minute. */
export const alertRule = defineEntity({
  name: "alertRule",
  table: "alert_rules",
  kind: "record",
  scope: null,
  watched: true,
  rest: {
    type: "alert-rule",
    plural: "alert-rules",
    permission: "alerts",
    readers: "everywhere",
    verbs: ["list", "get", "create", "update", "delete"],
  },
  fields: {
    name: field(z.string().min(1).max(200), { access: "open", column: text(200) }),
    metric: field(alertMetric, { access: "open", column: text(32) }),
    condition: field(alertCondition, { access: "open", column: text(4) }),
    threshold: field(z.number().min(-1e12).max(1e12), { access: "open", column: json }),
    windowMinutes: field(z.int().min(1).max(1440).default(5), { access: "open", column: int }),
    severity: field(alertSeverity.default("warning"), { access: "open", column: text(8) }),
    /** Ids of alert channels. */
    channels: field(z.array(z.string().min(1).max(64)).max(20).default([]), { access: "open", column: json }),
    filters: field(alertFilters.default({}), { access: "open", column: json }),
    enabled: field(z.boolean().default(true), { access: "open", column: bool }),
    /** When it is evaluated next; the node that moves it does it. */
    dueAtMs: field(z.int().default(0), { access: "server", column: int, touch: true }),
  },
  indexes: [["enabled", "dueAtMs"]],
});
export type AlertRuleRow = RowType<typeof alertRule>;
