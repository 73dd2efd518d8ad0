import { guardrail, guardrailSettings, type GuardrailRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { resources, safetyRoutes, type Row } from "../../routes/index.js";
import type { Safety, SafetyTest } from "../../seams/index.js";
import type { Exchange, Handler } from "../exchange.js";
import { jsonHandler } from "../faces/rest-face.js";
import { Idempotency } from "../../policy/idempotency/idempotency.js";
import { changeRow } from "../resources/rows/change-rows.js";
import { createRow } from "../resources/rows/create-row.js";
import { findRow } from "../resources/rows/find-row.js";
import { removeRow } from "../resources/rows/remove-row.js";
import { scopeOf, withinOf, type ResourceContext, type ResourceExchange } from "../resources/rows/resource-exchange.js";
import { detectionView, queryOf, summaryView } from "./guardrail-handlers.js";

const PAGE = 500;
interface Change {
  readonly sensitivity?: string | undefined;
  readonly mode?: string | undefined;
  readonly patterns?: { readonly block?: readonly string[] | undefined; readonly allow?: readonly string[] | undefined } | undefined;
  readonly mcp_servers?: readonly string[] | undefined;
  readonly enabled?: boolean | undefined;
}

/** Injection guardrails in the words of an older API: the same rows as `/api/v1/guardrails`. */
export function safetyHandlers(context: ResourceContext): Readonly<Record<keyof typeof safetyRoutes, Handler>> {
  const { services } = context;
  const safety = (): Safety => services.seams.safety.get();
  const resource = resources.find(({ entity }) => entity === guardrail)!;
  const idempotency = new Idempotency(services);
  const at = (x: Exchange): ResourceExchange => ({ ...context, resource, x });
  return {
    list: jsonHandler(safetyRoutes.list, async (_input, x: Exchange) => {
      const e = at(x);
      const page = await services.store.find(guardrail, { orderBy: "name", limit: PAGE }, scopeOf(e), withinOf(e));
      const policies = page.rows.filter(({ kind }) => kind === "injection").map(viewOf);
      return { policies, total: policies.length };
    }),
    create: jsonHandler(safetyRoutes.create, async ({ body, headers }, x: Exchange) => {
      const { name, ...given } = body;
      const made = { name, kind: "injection", stages: ["arguments"], action: "warn", ...wireOf(given, null) };
      const { body: view } = await createRow(at(x), { body: made, key: headers["idempotency-key"], idempotency });
      return viewOf((await findRow(at(x), String(view["id"]))) as unknown as GuardrailRow);
    }),
    get: jsonHandler(safetyRoutes.get, async ({ params }, x: Exchange) => viewOf(await policy(at(x), params.id))),
    update: jsonHandler(safetyRoutes.update, async ({ params, body }, x: Exchange) => {
      const row = await policy(at(x), params.id);
      await changeRow(at(x), { id: row.id, kind: "patch", body: wireOf(body, row), expected: null });
      return viewOf(await policy(at(x), row.id));
    }),
    remove: jsonHandler(safetyRoutes.remove, async ({ params }, x: Exchange) => {
      const row = await policy(at(x), params.id);
      await removeRow(at(x), row.id, null);
      return { id: row.id, deleted: true };
    }),
    test: jsonHandler(safetyRoutes.test, async ({ body }, x: Exchange) => {
      const made = await safety().test({ input: body.input, stage: "arguments", guardrail: body.policy_id }, x.caller);
      return { result: resultOf(made), policy_id: body.policy_id ?? null };
    }),
    detections: jsonHandler(safetyRoutes.detections, async ({ query }, x: Exchange) => {
      const { rows, next } = await safety().detections(queryOf(query), { limit: query.limit, cursor: query.cursor }, x.caller);
      const { total } = await safety().summary({ fromMs: 0, ...queryOf(query) }, x.caller);
      const detections = rows.map((row) => {
        const view = detectionView(row);
        return { ...view, pattern_matched: view.pattern, action_taken: view.action, input: view.excerpt };
      });
      return { detections, total, limit: query.limit, next_cursor: next, has_more: next !== null };
    }),
    summary: jsonHandler(safetyRoutes.summary, async ({ query }, x: Exchange) =>
      summaryView(await safety().summary(queryOf(query), x.caller)),
    ),
  };
}

async function policy(e: ResourceExchange, id: string): Promise<GuardrailRow> {
  const row = (await findRow(e, id)) as unknown as GuardrailRow;
  if (row.kind === "injection") return row;
  throw new GatewayError("not_found", "There is no policy of this id.", { hint: "GET /v1/safety/policies lists them." });
}

/** What a policy says, as the guardrail's fields on the wire. What is merged with what stands is settings alone. */
function wireOf(change: Change, row: GuardrailRow | null): Row {
  const { sensitivity, mode, patterns, mcp_servers: servers, enabled } = change;
  const settings = {
    ...(sensitivity === undefined ? {} : { sensitivity }),
    ...(patterns?.block === undefined ? {} : { block: patterns.block }),
    ...(patterns?.allow === undefined ? {} : { allow: patterns.allow }),
  };
  const applies = servers === undefined ? {} : { applies: { servers: servers.length > 0 ? servers : null } };
  return {
    ...(mode === undefined ? {} : { action: mode }),
    ...(enabled === undefined ? {} : { enabled }),
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
    ...(row === null && servers?.length === 0 ? {} : applies),
  };
}

function viewOf(row: GuardrailRow) {
  const { sensitivity, block, allow } = guardrailSettings.injection.parse(row.settings);
  const { id, name, action: mode, enabled, version } = row;
  return { id, name, sensitivity, mode, patterns: { block, allow }, mcp_servers: [...(row.applies.servers ?? [])], enabled, version };
}

function resultOf({ action, findings }: SafetyTest) {
  const [first] = findings.toSorted((a, b) => b.confidence - a.confidence);
  return {
    detected: first !== undefined,
    type: first?.type ?? null,
    severity: first?.severity ?? null,
    pattern_matched: first?.pattern ?? null,
    confidence: first?.confidence ?? null,
    action,
    message: first === undefined ? "Nothing was found." : `${first.pattern}: ${action}.`,
  };
}
