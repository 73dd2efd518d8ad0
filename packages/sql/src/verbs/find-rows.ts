import { storedColumn, type AnyEntity } from "@sallyport/core/entities";
import { decodeRow, type FindQuery, type Position, type Scope } from "@sallyport/core/ports";
import { sql } from "kysely";
import type { Work } from "../driver.js";
import { allColumns, ref, table } from "../statements/columns.js";
import { and, projectsOf, pushScope, pushWhere, scopeSql, whereSql, type Fragment } from "../statements/conditions.js";
import type { Slots } from "../statements/statements.js";
import { inputsOf, type Context } from "./context.js";

/** The row of this id that the scope sees, as its stored values. */
export function* getValues(c: Context, entity: AnyEntity, id: string, scope: Scope): Work<readonly unknown[] | null> {
  const projects = projectsOf(entity, scope);
  const inputs = inputsOf(c);
  inputs.push(id);
  const key = `get ${entity.table} ${pushScope(projects, inputs)}`;
  const { rows } = yield c.statements.query(
    key,
    inputs.values,
    "one",
    (slots) =>
      sql`select ${allColumns(entity)} from ${table(entity)} where ${ref("id")} = ${slots.next()} and ${and(scopeSql(entity, projects, slots))}`,
  );
  return rows[0] ?? null;
}

export function* getRow(c: Context, entity: AnyEntity, id: string, scope: Scope): Work<Record<string, unknown> | null> {
  const values = yield* getValues(c, entity, id, scope);
  return values === null ? null : decodeRow(entity, values);
}

/** Rows after the position: null comes first going up. Said so that the column by itself is a range: an index is entered where the page begins, however deep. */
function afterSql(
  entity: AnyEntity,
  o: { readonly orderBy: string; readonly desc: boolean; readonly after: Position },
  slots: Slots,
): Fragment {
  const { orderBy, desc, after } = o;
  const column = ref(orderBy);
  const past = desc ? sql`<` : sql`>`;
  if (after.value === null) {
    const rest = sql`${column} is null and ${ref("id")} ${past} ${slots.next()}`;
    return desc ? sql`(${rest})` : sql`(${column} is not null or (${rest}))`;
  }
  const from = desc ? sql`<=` : sql`>=`;
  const further = sql`${column} ${from} ${slots.next()} and (${column} ${past} ${slots.next()} or ${ref("id")} ${past} ${slots.next()})`;
  const nullsFollow = desc && storedColumn(entity, orderBy)?.nullable === true;
  return nullsFollow ? sql`(${further} or ${column} is null)` : further;
}

export interface Page {
  readonly where: FindQuery<Record<string, unknown>>["where"] | undefined;
  readonly orderBy: string;
  readonly desc: boolean | undefined;
  readonly after: Position | null;
  /** One more than the page, to know whether there is a next. */
  readonly limit: number;
}

/** The stored values of the rows after a position, in order. */
export function* findValues(c: Context, entity: AnyEntity, page: Page, scope: Scope): Work<readonly (readonly unknown[])[]> {
  const { after, orderBy } = page;
  const desc = page.desc === true;
  const projects = projectsOf(entity, scope);
  const inputs = inputsOf(c);
  let key = `find ${entity.table} ${orderBy} ${desc ? "down" : "up"} ${pushScope(projects, inputs)} ${pushWhere(entity, page.where, inputs)}`;
  if (after !== null) {
    key += after.value === null ? " null" : " after";
    if (after.value !== null) {
      inputs.push(after.value);
      inputs.push(after.value);
    }
    inputs.push(after.id);
  }
  inputs.push(page.limit);
  const direction = sql.raw(desc ? "desc" : "asc");
  const { rows } = yield c.statements.query(key, inputs.values, "many", (slots) => {
    const all = [...scopeSql(entity, projects, slots), ...whereSql(entity, page.where, slots, c.clock)];
    if (after !== null) all.push(afterSql(entity, { orderBy, desc, after }, slots));
    const order = orderBy === "id" ? sql`${ref("id")} ${direction}` : sql`${ref(orderBy)} ${direction}, ${ref("id")} ${direction}`;
    return sql`select ${allColumns(entity)} from ${table(entity)} where ${and(all)} order by ${order} limit ${slots.next()}`;
  });
  return rows;
}
