import { referencesOf, storedColumns, type AnyEntity } from "@sallyport/core/entities";
import type { EncodedInsert, EncodedWrite } from "@sallyport/core/ports";
import { sql } from "kysely";
import type { SqlValue, Work } from "../driver.js";
import { NotForeseen } from "../lost-race.js";
import { allColumns, table } from "../statements/columns.js";
import { clockShape, pushRow, rowsTogether, rowSql } from "../statements/row-values.js";
import { bind, type Template } from "../statements/statements.js";
import type { Context } from "./context.js";

/** Writes rows, those of one entity together. null: all of them; otherwise how many were before one that could not be. */
export function* insertRows(c: Context, writes: readonly EncodedInsert[]): Work<number | null> {
  const byEntity = new Map<AnyEntity, EncodedInsert[]>();
  for (const write of writes) {
    const rows = byEntity.get(write.entity);
    if (rows === undefined) byEntity.set(write.entity, [write]);
    else rows.push(write);
  }
  let written = 0;
  for (const [entity, rows] of byEntity)
    for (let from = 0; from < rows.length; ) {
      const count = rowsTogether(rows, from, rows.length);
      const parameters: SqlValue[] = [];
      for (let i = from; i < from + count; i++) pushRow(c, storedColumns(entity), rows[i]!.values, parameters);
      const { changes } = yield bind(template(c, entity, rows.slice(from, from + count)), parameters);
      if (changes !== count) return written + changes;
      written += count;
      from += count;
    }
  return null;
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

/** Whether the row goes with those of other units, as if none of them were taken. */
export function goesTogether(c: Context, write: EncodedInsert): boolean {
  if (c.pending === null || write.isDated || clockShape(c, write.values) !== "") return false;
  c.pending.rows.push(write);
  return true;
}

/** Writes what is pending before a write that could tell. `NotForeseen`: a row of them could not be written, and which one only shows when each is by itself. */
export function* insertPending(c: Context, before?: EncodedWrite): Work<void> {
  const { pending } = c;
  if (pending === null || pending.rows.length === 0 || (before !== undefined && !canTell(pending.rows, before))) return;
  const { rows } = pending;
  pending.rows = [];
  pending.flushes++;
  if ((yield* insertRows(c, rows)) !== null) throw new NotForeseen();
}

function canTell(rows: readonly EncodedInsert[], write: EncodedWrite): boolean {
  if (write.op === "append" || write.op === "erase") return false;
  return write.op === "remove" || referencesOf(write.entity).length > 0 || rows.some(({ entity }) => entity === write.entity);
}
