import type { DetectionRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { guardrailRoutes } from "../../routes/index.js";
import type { DetectionQuery, DetectionSummary, Safety, Services } from "../../seams/index.js";
import type { Exchange, Handler } from "../exchange.js";
import { jsonHandler } from "../faces/rest-face.js";

/** Guardrails beside their rows, which are derived: what they would find, and what they found. */
export function guardrailHandlers(services: Services): Readonly<Record<keyof typeof guardrailRoutes, Handler>> {
  const safety = (): Safety => services.seams.safety.get();
  return {
    test: jsonHandler(guardrailRoutes.test, async ({ body }, x: Exchange) => {
      const { input, stage, guardrail_id: name, guardrail: rules } = body;
      if (name !== undefined && rules !== undefined)
        throw new GatewayError("validation_failed", "guardrail: stands beside guardrail_id", { hint: "Send one of the two." });
      const { action, findings, text } = await safety().test({ input, stage, guardrail: name, rules }, x.caller);
      return { action, findings: [...findings], text };
    }),
    detections: jsonHandler(guardrailRoutes.detections, async ({ query }, x: Exchange) => {
      const { rows, next } = await safety().detections(queryOf(query), { limit: query.limit, cursor: query.cursor }, x.caller);
      return { data: rows.map(detectionView), next_cursor: next };
    }),
    summary: jsonHandler(guardrailRoutes.summary, async ({ query }, x: Exchange) =>
      summaryView(await safety().summary(queryOf(query), x.caller)),
    ),
  };
}

interface Filters {
  readonly types?: string | undefined;
  readonly severities?: string | undefined;
  readonly actions?: string | undefined;
  readonly guardrail?: string | undefined;
  readonly server?: string | undefined;
  readonly request_id?: string | undefined;
  readonly caller_id?: string | undefined;
  readonly from_ms?: number | undefined;
  readonly to_ms?: number | undefined;
}

export function queryOf(query: Filters): DetectionQuery {
  const { guardrail, server } = query;
  return {
    ...{ types: split(query.types), severities: split(query.severities), actions: split(query.actions), guardrail, server },
    ...{ requestId: query.request_id, callerId: query.caller_id, fromMs: query.from_ms, toMs: query.to_ms },
  };
}

function split(names: string | undefined): string[] | undefined {
  return names?.split(",").map((name) => name.trim());
}

export function detectionView(row: DetectionRow) {
  return {
    id: row.id,
    at_ms: row.atMs,
    project_id: row.projectId,
    request_id: row.requestId,
    call_id: row.callId,
    guardrail: row.guardrail,
    stage: row.stage,
    type: row.type,
    severity: row.severity,
    action: row.action,
    pattern: row.pattern,
    confidence: row.confidence / 1_000,
    excerpt: row.excerpt,
    caller_id: row.callerId,
    key_id: row.keyId,
    model: row.model,
    server: row.server,
    tool: row.tool,
  };
}

export function summaryView(summary: DetectionSummary) {
  return {
    total_detections: summary.total,
    by_type: summary.byType,
    by_severity: summary.bySeverity,
    by_action: summary.byAction,
    top_patterns: [...summary.topPatterns],
    period: { from_ms: summary.fromMs, to_ms: summary.toMs },
  };
}
