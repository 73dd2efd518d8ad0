import type { HttpAnswer } from "../../calls/index.js";
import type { AuditRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { auditRoutes } from "../../routes/index.js";
import type { AuditQuery, AuditTrail, AuditVerdict, Services } from "../../seams/index.js";
import type { Exchange, Handler } from "../exchange.js";
import { jsonHandler, readInput } from "../faces/rest-face.js";
import { csvLine } from "../resources/csv.js";

type Query = Awaited<ReturnType<typeof readInput<typeof auditRoutes.search>>>["query"];
type Filters = Omit<Query, "q" | "limit" | "cursor"> & { readonly q?: string | undefined };
type View = ReturnType<typeof viewOf>;

const encoder = new TextEncoder();
const verdicts: ReadonlySet<string> = new Set<AuditVerdict>(["success", "failure", "blocked"]);

/** The audit over REST. */
export function auditHandlers(services: Services): Readonly<Record<keyof typeof auditRoutes, Handler>> {
  const audit = (): AuditTrail => services.seams.telemetry.get().audit;
  const list = async (query: Filters & Pick<Query, "limit" | "cursor">, x: Exchange) => {
    const { rows, next } = await audit().find(toQuery(query), { limit: query.limit, cursor: query.cursor }, x.caller);
    return { data: rows.map((row) => viewOf(audit(), row)), next_cursor: next, has_more: next !== null };
  };
  return {
    list: jsonHandler(auditRoutes.list, ({ query }, x: Exchange) => list(query, x)),
    search: jsonHandler(auditRoutes.search, ({ query }, x: Exchange) => list(query, x)),
    export: async (x) => {
      const { query } = await readInput(auditRoutes.export, x);
      return exported(audit(), audit().pages(toQuery(query), x.caller), query.format);
    },
    stats: jsonHandler(auditRoutes.stats, async ({ query }, x: Exchange) => {
      const stats = await audit().stats({ fromMs: query.from_ms, toMs: query.to_ms }, x.caller);
      const { total, byOutcome, byAction, bySource, fromMs, toMs } = stats;
      return { total, by_outcome: byOutcome, by_action: byAction, by_source: bySource, from_ms: fromMs, to_ms: toMs };
    }),
    get: jsonHandler(auditRoutes.get, async ({ params }, x: Exchange) => {
      const row = await audit().get(params.id, x.caller);
      if (row === null)
        throw new GatewayError("not_found", "There is no such row of the audit.", { hint: "GET /api/v1/audit-logs lists them." });
      return viewOf(audit(), row);
    }),
  };
}

function toQuery(query: Filters): AuditQuery {
  const outcomes = split(query.outcomes);
  const unknown = outcomes?.find((outcome) => !verdicts.has(outcome));
  if (unknown !== undefined)
    throw new GatewayError("validation_failed", "query.outcomes: are success, failure and blocked", {
      hint: "Give one or several of these.",
    });
  return {
    actions: split(query.actions),
    outcomes: outcomes as AuditVerdict[] | undefined,
    ...{ user: query.user, key: query.key, team: query.team, resource: query.resource, source: query.source },
    ...{ requestId: query.request_id, fromMs: query.from_ms, toMs: query.to_ms, text: query.q },
  };
}

function split(names: string | undefined): string[] | undefined {
  return names?.split(",").map((name) => name.trim());
}

function viewOf(audit: AuditTrail, row: AuditRow) {
  return {
    id: row.id,
    at_ms: row.atMs,
    project_id: row.projectId,
    caller_id: row.callerId,
    actor_kind: row.actorKind,
    key_id: row.keyId,
    user_id: row.userId,
    team_id: row.teamId,
    action: row.action,
    target: row.target,
    resource_type: row.resourceType,
    request_id: row.requestId,
    source: row.source,
    purpose: row.purpose,
    outcome: audit.verdict(row),
    code: row.code,
    status: row.status,
    duration_ms: row.durationMs,
    parameters: row.parameters,
    changed: row.changed,
  };
}

/** One file, a page of the store at a time. The first page is read before the answer begins, so that what is refused has its status. */
async function exported(audit: AuditTrail, pages: AsyncIterable<readonly AuditRow[]>, format: "json" | "csv"): Promise<HttpAnswer> {
  const iterator = pages[Symbol.asyncIterator]();
  const first = await iterator.next();
  const views = viewsOf(audit, first, iterator);
  return {
    status: 200,
    headers: [
      ["content-type", format === "csv" ? "text/csv; charset=utf-8; header=present" : "application/json"],
      ["content-disposition", `attachment; filename="audit-logs.${format}"`],
      ["cache-control", "no-store"],
      ["x-content-type-options", "nosniff"],
    ],
    body: { kind: "frames", frames: format === "csv" ? csvOf(views) : jsonOf(views) },
    done: () => undefined,
  };
}

type Pages = AsyncIterator<readonly AuditRow[]>;
async function* viewsOf(
  audit: AuditTrail,
  first: IteratorResult<readonly AuditRow[]>,
  rest: Pages,
): AsyncGenerator<View[], void, undefined> {
  for (let page = first; page.done !== true; page = await rest.next()) yield page.value.map((row) => viewOf(audit, row));
}

async function* csvOf(pages: AsyncIterable<View[]>): AsyncGenerator<Uint8Array, void, undefined> {
  const columns = Object.keys(auditRoutes.get.output.schema.shape) as (keyof View)[];
  yield encoder.encode(csvLine(columns));
  for await (const views of pages) {
    const lines = views.map((view) => csvLine(columns.map((column) => view[column])));
    if (lines.length > 0) yield encoder.encode(lines.join(""));
  }
}

async function* jsonOf(pages: AsyncIterable<View[]>): AsyncGenerator<Uint8Array, void, undefined> {
  let separator = "[\n";
  for await (const views of pages) {
    let text = "";
    for (const view of views) {
      text += `${separator}${JSON.stringify(view)}`;
      separator = ",\n";
    }
    if (text !== "") yield encoder.encode(text);
  }
  yield encoder.encode(separator === "[\n" ? "[]\n" : "\n]\n");
}
