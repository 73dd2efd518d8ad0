import { storedColumn, type AnyEntity, type StoredColumn } from "@sallyport/core/entities";
import { decodeValue, type Scope, type SumQuery, type SumRow } from "@sallyport/core/ports";
import { sql } from "kysely";
import type { Work } from "../driver.js";
import { ref, table } from "../statements/columns.js";
import { and, projectsOf, pushScope, pushWhere, scopeSql, whereSql, type Fragment } from "../statements/conditions.js";
import type { Slots } from "../statements/statements.js";
import { inputsOf, type Context } from "./context.js";

type Query = SumQuery<Record<string, unknown>>;

/** Time rounded down to the bucket, also before 1970. */
function bucketSql(slots: Slots): Fragment {
  return sql`(${ref("atMs")} - (((${ref("atMs")} % ${slots.next()}) + ${slots.next()}) % ${slots.next()}))`;
}

export function* sumRows(c: Context, entity: AnyEntity, q: Query, scope: Scope): Work<SumRow[]> {
  const { dialect } = c.statements;
  const projects = projectsOf(entity, scope);
  const inputs = inputsOf(c);
  const { bucketMs } = q;
  if (bucketMs !== undefined) for (let i = 0; i < 3; i++) inputs.push(bucketMs);
  const shape = `${q.by.join(",")};${q.sum.join(",")};${bucketMs === undefined ? "" : "bucket"}`;
  const key = `sum ${entity.table} ${shape} ${pushScope(projects, inputs)} ${pushWhere(entity, q.where, inputs)}`;
  const exact = q.sum.map((name) => dialect.exactSum(ref(name)));
  const { rows } = yield c.statements.query(key, inputs.values, "many", (slots) => {
    const groups = [...q.by.map((name) => ref(name)), ...(bucketMs === undefined ? [] : [bucketSql(slots)])];
    const columns = sql.join([...groups, sql`count(*)`, ...exact.flatMap((one) => one.parts)]);
    const where = and([...scopeSql(entity, projects, slots), ...whereSql(entity, q.where, slots, c.clock)]);
    const places = sql.join(groups.map((_, i) => sql.lit(i + 1)));
    const grouping = groups.length === 0 ? sql`` : sql` group by ${places} order by ${places}`;
    return sql`select ${columns} from ${table(entity)} where ${where}${grouping}`;
  });
  return rows.flatMap((row) => toSumRow(entity, q, row, exact));
}

function toSumRow(
  entity: AnyEntity,
  q: Query,
  row: readonly unknown[],
  exact: readonly { readonly parts: readonly Fragment[]; total(parts: readonly string[]): bigint }[],
): SumRow[] {
  let at = 0;
  const by: Record<string, unknown> = {};
  for (const name of q.by) by[name] = decodeValue(entity, storedColumn(entity, name) as StoredColumn, row[at++]);
  if (q.bucketMs !== undefined) by["bucketAtMs"] = row[at++];
  const count = Number(row[at++]);
  if (count === 0) return [];
  const sums: Record<string, bigint | null> = {};
  q.sum.forEach((name, i) => {
    const { parts, total } = exact[i] as (typeof exact)[number];
    const texts = row.slice(at, at + parts.length);
    at += parts.length;
    sums[name] = texts[0] === null ? null : total(texts.map(String));
  });
  return [{ by, count, sums }];
}
