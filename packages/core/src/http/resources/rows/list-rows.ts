import type { AnyEntity } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { FindQuery } from "../../../ports/index.js";
import { filterFields, sortFields, type Row } from "../../../routes/index.js";
import { fixedRows } from "./find-row.js";
import { actionOptions, actionsOf, scopeOf, withinOf, type ResourceExchange } from "./resource-exchange.js";

/** A list as it was asked for: the checked query of its route. */
export type ListQuery = Readonly<Record<string, unknown>> & {
  readonly sort: string;
  readonly limit: number;
  readonly cursor?: string | undefined;
};
export interface RowPage {
  readonly rows: readonly Row[];
  readonly next: string | null;
}

const FIXED_CURSOR = /^fixed\.(\d{1,6})$/;

/**
 * One page: first the rows that are not in the store, then those of the store; each part in the order asked for. Stable under concurrent inserts: no row twice, none skipped that existed throughout.
 * Errors: `bad_request` for a cursor of another list.
 */
export async function listRows(e: ResourceExchange, query: ListQuery): Promise<RowPage> {
  const { entity } = e.resource;
  const where = filtersOf(entity, query);
  const seen = actionsOf(e).seen?.(actionOptions(e)).where;
  const order = orderOf(entity, query.sort);
  const at = query.cursor === undefined ? 0 : FIXED_CURSOR.exec(query.cursor)?.[1];
  const fixed = at === undefined ? [] : ordered((await fixedRows(e)).filter(matches(where)), order).slice(Number(at));
  const here = fixed.slice(0, query.limit);
  if (fixed.length > query.limit) return { rows: here, next: `fixed.${Number(at) + query.limit}` };
  const left = query.limit - here.length;
  if (left === 0) return { rows: here, next: `fixed.${Number(at) + query.limit}` };
  const cursor = at === undefined ? query.cursor : undefined;
  const find: FindQuery<Row> = {
    where: seen === undefined ? where : { ...where, any: [seen] },
    orderBy: order.name,
    desc: order.desc,
    limit: left,
    cursor,
  };
  const page = await e.services.store.find(entity, find as FindQuery<object>, scopeOf(e), withinOf(e));
  return { rows: [...here, ...(page.rows as Row[])], next: page.next };
}

/** Every row in pages, for exports. */
export async function* allRows(e: ResourceExchange, query: ListQuery): AsyncGenerator<readonly Row[], void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await listRows(e, { ...query, limit: 500, cursor });
    yield page.rows;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
}

function filtersOf(entity: AnyEntity, query: ListQuery): Record<string, string | number | boolean> {
  const where: Record<string, string | number | boolean> = {};
  for (const { name, wire, field } of filterFields(entity)) {
    const given = query[wire];
    if (given === undefined) continue;
    where[name] = field.column.kind === "bool" ? given === "true" : (given as string | number);
  }
  return where;
}

interface Order {
  readonly name: string;
  readonly desc: boolean;
}

function orderOf(entity: AnyEntity, sort: string): Order {
  const desc = sort.startsWith("-");
  const field = sortFields(entity).find(({ wire }) => wire === (desc ? sort.slice(1) : sort));
  if (field === undefined) throw new GatewayError("internal", "A list is ordered by a field that its route does not offer.");
  return { name: field.name, desc };
}

const matches =
  (where: Readonly<Record<string, unknown>>) =>
  (row: Row): boolean =>
    Object.entries(where).every(([name, value]) => row[name] === value);

function ordered(rows: readonly Row[], { name, desc }: Order): Row[] {
  const sign = desc ? -1 : 1;
  const text = (value: unknown): string => (typeof value === "number" ? String(value).padStart(16, "0") : String(value));
  return [...rows].sort((a, b) => sign * (compare(text(a[name]), text(b[name])) || compare(text(a["id"]), text(b["id"]))));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
