import type { HttpAnswer } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { toView, type Resource, type ResourceRoute, type RestRoute, type Row } from "../../routes/index.js";
import { emptyAnswer, jsonBytesAnswer } from "../answers.js";
import type { Exchange, Handler } from "../exchange.js";
import { readInput } from "../faces/rest-face.js";
import { assertEverywhere } from "./rows/belongs-to-all.js";
import { changeRow, type RowChange } from "./rows/change-rows.js";
import { createRow } from "./rows/create-row.js";
import { exportFormat, exportRows } from "./export-rows.js";
import { findRow } from "./rows/find-row.js";
import type { Idempotency } from "../../policy/idempotency/idempotency.js";
import { listRows, type ListQuery } from "./rows/list-rows.js";
import { etagOf, expectedVersion, type Expected } from "./rows/preconditions.js";
import { removeRow } from "./rows/remove-row.js";
import { actionsOf, type ResourceContext, type ResourceExchange } from "./rows/resource-exchange.js";
import { shownRow, shownRows } from "./rows/shown-rows.js";

export interface ResourceHandling extends ResourceContext {
  readonly idempotency: Idempotency;
}
interface Parts {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
}
interface Asked extends ResourceExchange, Parts {
  readonly route: RestRoute;
  readonly idempotency: Idempotency;
}

/** What answers a derived route: its verb on the rows of its entity. */
export function resourceHandler(context: ResourceHandling, resource: Resource, { verb, route }: ResourceRoute): Handler {
  const answer = verbs[verb];
  return async (x: Exchange) => {
    const parts = (await readInput(route, x)) as unknown as Parts;
    return answer({ ...context, resource, x, route, ...parts });
  };
}

const verbs: Readonly<Record<ResourceRoute["verb"], (asked: Asked) => Promise<HttpAnswer>>> = {
  async list(a) {
    assertEverywhere(a, "read");
    const query = a.query as ListQuery;
    const format = exportFormat(query, a.x.inbound.header("accept"));
    if (format !== null) return exportRows(a, query, format);
    const page = await listRows(a, query);
    return answered(200, { data: (await shownRows(a, page.rows)).map((row) => toView(a.resource.entity, row)), next_cursor: page.next });
  },
  async get(a) {
    assertEverywhere(a, "read");
    const row = await findRow(a, a.params["id"]!);
    const tag = etagOf(row["version"]);
    const known = a.x.inbound.header("if-none-match");
    // What is shown beside the row changes without its version.
    const isWhole = actionsOf(a).shown === undefined;
    if (isWhole && known !== undefined && known.split(",").some((one) => one.trim().replace(/^W\//, "") === tag))
      return emptyAnswer(304, [["etag", tag]]);
    return rowAnswer(200, toView(a.resource.entity, await shownRow(a, row)));
  },
  async create(a) {
    const made = await createRow(a, { body: a.body as Row, key: a.headers["idempotency-key"], idempotency: a.idempotency });
    const location: [string, string] = ["location", `/api/v1/${a.resource.path}/${encodeURIComponent(String(made.body["id"]))}`];
    return rowAnswer(made.status, made.body, made.replayed ? [location, ["idempotency-replayed", "true"]] : [location]);
  },
  update: (a) => changed(a, "patch"),
  replace: (a) => changed(a, "replace"),
  async remove(a) {
    await removeRow(a, a.params["id"]!, expectedOf(a, undefined));
    return answered(200, { id: a.params["id"], deleted: true });
  },
  async bulk(a) {
    const data: unknown[] = [];
    // One after the other: items may name the same row, and what comes later sees what came before.
    for (const item of a.body as BulkItem[]) data.push(await bulkItem(a, item));
    return answered(200, { data });
  },
};

async function changed(a: Asked, kind: RowChange["kind"]): Promise<HttpAnswer> {
  const { if_version: ifVersion, ...body } = a.body as Row;
  return rowAnswer(200, await changeRow(a, { id: a.params["id"]!, kind, body, expected: expectedOf(a, ifVersion as number | undefined) }));
}

function expectedOf(a: Asked, inBody: number | undefined): Expected | null {
  return expectedVersion({ ifMatch: a.headers["if-match"], ifVersion: [a.query["if_version"] as number | undefined, inBody] });
}

interface BulkItem {
  readonly op: "update" | "delete";
  readonly id: string;
  readonly if_version?: number;
  readonly patch?: Row;
}

async function bulkItem(a: Asked, { op, id, if_version: version, patch }: BulkItem): Promise<unknown> {
  const expected = typeof version !== "number" ? null : ({ version, code: "conflict" } as const);
  try {
    if (op === "update")
      return { id, op, status: 200, row: await changeRow(a, { id, kind: "patch", body: patch ?? {}, expected }), error: null };
    await removeRow(a, id, expected);
    return { id, op, status: 200, row: null, error: null };
  } catch (error) {
    const known = GatewayError.from(error);
    if (known.code === "internal") throw error; // a defect is the request's, and reported
    return { id, op, status: known.status, row: null, error: known.toJSON() };
  }
}

function rowAnswer(status: number, view: Row, headers: readonly (readonly [string, string])[] = []): HttpAnswer {
  const { version } = view;
  return answered(status, view, typeof version !== "number" ? headers : [["etag", etagOf(version)], ...headers]);
}

const encoder = new TextEncoder();

function answered(status: number, body: unknown, headers: readonly (readonly [string, string])[] = []): HttpAnswer {
  return jsonBytesAnswer(encoder.encode(JSON.stringify(body)), headers, status);
}
