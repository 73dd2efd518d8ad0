import type { AlertRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { alertRoutes } from "../../routes/index.js";
import type { Alerts, Services } from "../../seams/index.js";
import type { Exchange, Handler } from "../exchange.js";
import { jsonHandler } from "../faces/rest-face.js";

/** Alerts over REST; their rules and channels are derived resources. */
export function alertHandlers(services: Services): Readonly<Record<keyof typeof alertRoutes, Handler>> {
  const alerts = (): Alerts => services.seams.telemetry.get().alerts;
  return {
    list: jsonHandler(alertRoutes.list, async ({ query }) => {
      const page = await alerts().list({ status: query.status, ruleId: query.rule_id }, { limit: query.limit, cursor: query.cursor });
      return { data: page.rows.map(viewOf), next_cursor: page.next };
    }),
    get: jsonHandler(alertRoutes.get, async ({ params }) => {
      const row = await alerts().get(params.id);
      if (row === null) throw new GatewayError("not_found", "There is no such alert.", { hint: "GET /api/v1/alerts lists them." });
      return viewOf(row);
    }),
    acknowledge: jsonHandler(alertRoutes.acknowledge, async ({ params }, x: Exchange) => viewOf(await alerts().acknowledge(params.id, x))),
    resolve: jsonHandler(alertRoutes.resolve, async ({ params }, x: Exchange) => viewOf(await alerts().resolve(params.id, x))),
    tryRule: jsonHandler(alertRoutes.tryRule, ({ params }) => alerts().tryRule(params.id)),
    tryChannel: jsonHandler(alertRoutes.tryChannel, async ({ params }) => {
      const { ok, error, durationMs } = await alerts().tryChannel(params.id);
      return { ok, error, duration_ms: durationMs };
    }),
  };
}

function viewOf(row: AlertRow) {
  return {
    id: row.id,
    rule_id: row.ruleId,
    rule: row.ruleName,
    status: row.status,
    metric: row.metric,
    severity: row.severity,
    value: row.value,
    threshold: row.threshold,
    message: row.message,
    started_at_ms: row.startedAtMs,
    acknowledged_at_ms: row.acknowledgedAtMs,
    acknowledged_by: row.acknowledgedBy,
    resolved_at_ms: row.resolvedAtMs,
    resolved_by: row.resolvedBy,
  };
}
