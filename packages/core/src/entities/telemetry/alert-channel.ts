import { z } from "zod";
import { bool, defineEntity, field, json, longText, text, type RowType } from "../define-entity.js";

export const alertChannelKind = z.enum(["webhook", "slack", "pagerduty", "email"]);
/** What of a channel is no secret. */
export const alertChannelSettings = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional()
    .describe("webhook: where it is posted to; pagerduty: left out, PagerDuty's own"),
  channel: z.string().max(100).optional().describe("slack: instead of the webhook's own channel"),
  username: z.string().max(100).optional(),
  to: z.array(z.email()).min(1).max(50).optional().describe("email: who gets it"),
});

/**
 * Where alerts are told. `secret`: of a webhook what its posts are signed with, of Slack the webhook's address, of PagerDuty the routing key; e-mail has none.
 */
export const alertChannel = defineEntity({
  name: "alertChannel",
  table: "alert_channels",
  kind: "record",
  scope: null,
  watched: true,
  rest: {
    type: "alert-channel",
    plural: "alert-channels",
    permission: "alerts",
    readers: "everywhere",
    verbs: ["list", "get", "create", "update", "delete"],
  },
  fields: {
    name: field(z.string().min(1).max(200), { access: "open", column: text(200) }),
    kind: field(alertChannelKind, { access: "create-only", column: text(16) }),
    settings: field(alertChannelSettings.default({}), { access: "open", column: json }),
    secret: field(z.string().min(1).max(4_000).nullable().default(null), { access: "secret", column: longText }),
    enabled: field(z.boolean().default(true), { access: "open", column: bool }),
  },
});
export type AlertChannelRow = RowType<typeof alertChannel>;
