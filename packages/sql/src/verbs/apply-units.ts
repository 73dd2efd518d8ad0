import { columnIndex, storedColumns, type AnyEntity } from "@sallyport/core/entities";
import type { EncodedInsert, EncodedUnit, EncodedWrite, UnitResult } from "@sallyport/core/ports";
import { sql } from "kysely";
import type { SqlValue, Work } from "../driver.js";
import { allColumns, table } from "../statements/columns.js";
import { inProjects } from "../statements/conditions.js";
import { clockShape, pushRow, rowSql } from "../statements/row-values.js";
import { bind, type Template } from "../statements/statements.js";
import { applyUnit, keep, mark, takeBack } from "./apply-unit.js";
import type { Context } from "./context.js";

/** Fewer are not worth a savepoint. */
const FEWEST_TOGETHER = 4;
/** Rows of one statement; a power of two, as all that are made: a few texts serve every number of rows. */
const MOST_ROWS = 64;

/** Units in their order, each whole or not at all. Those that only add to ledgers, as nearly all of a busy gateway do, are written many rows a statement. */
export function* applyUnits(c: Context, units: readonly EncodedUnit[]): Work<UnitResult[]> {
  const results: UnitResult[] = [];
  for (let from = 0; from < units.length; ) {
    let to = from;
    while (to < units.length && isPlain(c, units[to]!)) to++;
    const together = to - from >= FEWEST_TOGETHER ? yield* insertTogether(c, units.slice(from, to)) : null;
    if (together !== null) {
      for (const result of together) results.push(result);
      from = to;
    } else for (const end = Math.max(to, from + 1); from < end; from++) results.push(yield* applyUnit(c, units[from]!));
  }
  return results;
}

/** Nothing but rows of ledgers that may stand already: no unit of this kind is refused, and none sees another. */
function isPlain(c: Context, { scope, writes }: EncodedUnit): boolean {
  if (writes.length === 0) return false;
  for (const write of writes) {
    if (write.op !== "insert" || write.ifTaken !== "skip") return false;
    const { entity, values } = write;
    if (entity.kind !== "ledger" || entity.watched || clockShape(c, values) !== "") return false;
    if (entity.scope !== null && !inProjects(entity, values[columnIndex(entity, entity.scope)], scope)) return false;
  }
  return true;
}

/** null, with nothing done: a row of them stands already, and which one only shows when each is written by itself. */
function* insertTogether(c: Context, units: readonly EncodedUnit[]): Work<UnitResult[] | null> {
  const byEntity = new Map<AnyEntity, EncodedInsert[]>();
  for (const { writes } of units)
    for (const write of writes as readonly (EncodedWrite & EncodedInsert)[]) {
      const rows = byEntity.get(write.entity);
      if (rows === undefined) byEntity.set(write.entity, [write]);
      else rows.push(write);
    }
  yield mark;
  for (const [entity, rows] of byEntity)
    for (let from = 0; from < rows.length; ) {
      const count = powerOfTwo(rows.length - from);
      const parameters: SqlValue[] = [];
      for (let i = from; i < from + count; i++) pushRow(c, storedColumns(entity), rows[i]!.values, parameters);
      const { changes } = yield bind(template(c, entity, rows.slice(from, from + count)), parameters);
      if (changes !== count) {
        yield takeBack;
        yield keep;
        return null;
      }
      from += count;
    }
  yield keep;
  return units.map(({ writes }) => ({ ok: true, versions: writes.map(() => 0), skipped: [] }));
}

function template(c: Context, entity: AnyEntity, rows: readonly EncodedInsert[]): Template {
  const { statements } = c;
  const key = `insert ${rows.length} ${entity.table}`;
  return (
    statements.find(key) ??
    statements.add(key, "nothing", (slots) => {
      const values = rows.map((row) => sql`(${rowSql(c, storedColumns(entity), row.values, slots)})`);
      return statements.dialect.insertOrNothing(sql`insert into ${table(entity)} (${allColumns(entity)}) values ${sql.join(values)}`, "id");
    })
  );
}

/** The largest that is not more, and not more than fit a statement. */
function powerOfTwo(count: number): number {
  let power = 1;
  while (power * 2 <= count && power < MOST_ROWS) power *= 2;
  return power;
}
