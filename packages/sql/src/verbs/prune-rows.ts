import type { AnyEntity } from "@sallyport/core/entities";
import { sql } from "kysely";
import type { Work } from "../driver.js";
import { ref, table } from "../statements/columns.js";
import { padded } from "../statements/conditions.js";
import type { Context } from "./context.js";

const PIECE = 256;

/** Deletes the oldest ledger rows, in two steps that every database has. */
export function* pruneRows(c: Context, entity: AnyEntity, olderThanMs: number, limit: number): Work<number> {
  const { rows } = yield c.statements.query(
    `prunable ${entity.table}`,
    [olderThanMs, limit],
    "many",
    (slots) =>
      sql`select ${ref("id")} from ${table(entity)} where ${ref("atMs")} < ${slots.next()} order by ${ref("atMs")}, ${ref("id")} limit ${slots.next()}${sql.raw(c.statements.dialect.lockAndSkip)}`,
  );
  let pruned = 0;
  for (let from = 0; from < rows.length; from += PIECE) {
    const ids = padded(rows.slice(from, from + PIECE).map(([id]) => id as string));
    const { changes } = yield c.statements.query(
      `prune ${entity.table} ${ids.length}`,
      ids,
      "nothing",
      (slots) => sql`delete from ${table(entity)} where ${ref("id")} in (${sql.join(ids.map(() => sql`${slots.next()}`))})`,
    );
    pruned += changes;
  }
  return pruned;
}
