import { z } from "zod";
import { defineEntity, field, int, json, longText, text, type RowType } from "../define-entity.js";
import { alertMetric, alertSeverity } from "./alert-rule.js";

const name = (length: number) => field(z.string().max(length).nullable(), { access: "server", column: text(length) });
const instant = field(z.int().nullable(), { access: "server", column: int });

export const alertStatus = z.enum(["firing", "acknowledged", "resolved"]);

/** A rule whose condition held: firing, then acknowledged by a person or not, then resolved. At most one of a rule is open. */
export const alert = defineEntity({
  name: "alert",
  table: "alerts",
  kind: "machine",
  scope: null,
  fields: {
    ruleId: field(z.string().max(64), { access: "server", column: text(64), filter: true }),
    /** The rule's id while the alert is open, its own afterwards: what keeps a second one from being opened. */
    openKey: field(z.string().max(64), { access: "server", column: text(64) }),
    status: field(alertStatus, { access: "server", column: text(16), filter: true }),
    ruleName: field(z.string().max(200), { access: "server", column: text(200) }),
    metric: field(alertMetric, { access: "server", column: text(32) }),
    severity: field(alertSeverity, { access: "server", column: text(8) }),
    /** What was measured when it began, and the worst or last since. */
    value: field(z.number(), { access: "server", column: json }),
    threshold: field(z.number(), { access: "server", column: json }),
    message: field(z.string().max(1_000), { access: "server", column: text(1_000) }),
    startedAtMs: field(z.int(), { access: "server", column: int }),
    acknowledgedAtMs: instant,
    acknowledgedBy: name(100),
    resolvedAtMs: instant,
    /** null: it resolved itself. */
    resolvedBy: name(100),
  },
  unique: [["openKey"]],
  indexes: [["status", "startedAtMs"], ["startedAtMs"], ["ruleId", "startedAtMs"]],
});
export type AlertRow = RowType<typeof alert>;

/** One message about an alert for one channel: sent at least once, tried again with growing pauses, given up after the last. */
export const alertNotification = defineEntity({
  name: "alertNotification",
  table: "alert_notifications",
  kind: "machine",
  scope: null,
  fields: {
    alertId: field(z.string().max(64), {
      access: "server",
      column: text(64),
      filter: true,
      ref: { entity: "alert", onDelete: "cascade" },
    }),
    channelId: field(z.string().max(64), { access: "server", column: text(64) }),
    /** What it tells of. */
    event: field(z.enum(["firing", "resolved"]), { access: "server", column: text(16) }),
    status: field(z.enum(["pending", "sent", "failed"]), { access: "server", column: text(16), filter: true }),
    attempt: field(z.int(), { access: "server", column: int }),
    /** When it is tried next, or the lease of who tries it ends. */
    dueAtMs: field(z.int(), { access: "server", column: int }),
    sentAtMs: instant,
    error: field(z.string().nullable(), { access: "server", column: longText }),
  },
  indexes: [["status", "dueAtMs"], ["alertId"]],
});
export type AlertNotificationRow = RowType<typeof alertNotification>;
