import { sql } from "kysely";
import type { Work } from "../driver.js";
import { inputsOf, type Context } from "./context.js";

export const CHANGES = "sallyport_changes";

/** Notes the change of a watched row; its older notes go, so that the log is bounded by the rows there ever were. Keys are never given twice. */
export function* noteChange(c: Context, entity: string, id: string, version: number): Work<void> {
  const changes = sql.table(CHANGES);
  yield c.statements.query(
    "change forget",
    [entity, id],
    "nothing",
    (slots) => sql`delete from ${changes} where ${sql.ref("entity")} = ${slots.next()} and ${sql.ref("row_id")} = ${slots.next()}`,
  );
  const columns = sql.join(["entity", "row_id", "version"].map((name) => sql.ref(name)));
  yield c.statements.query(
    "change note",
    [entity, id, version],
    "nothing",
    (slots) => sql`insert into ${changes} (${columns}) values (${slots.next()}, ${slots.next()}, ${slots.next()})`,
  );
}

export interface ChangePage {
  readonly items: { entity: string; id: string; version: number }[];
  readonly next: string;
}

export function* readChanges(c: Context, after: number | null, limit: number): Work<ChangePage> {
  const changes = sql.table(CHANGES);
  if (after === null) {
    const { rows } = yield c.statements.query(
      "change last",
      [],
      "one",
      () => sql`select coalesce(max(${sql.ref("id")}), 0) from ${changes}`,
    );
    return { items: [], next: String(rows[0]?.[0] ?? 0) };
  }
  const inputs = inputsOf(c);
  inputs.push(after);
  inputs.push(limit);
  const columns = sql.join(["id", "entity", "row_id", "version"].map((name) => sql.ref(name)));
  const { rows } = yield c.statements.query(
    "change read",
    inputs.values,
    "many",
    (slots) =>
      sql`select ${columns} from ${changes} where ${sql.ref("id")} > ${slots.next()} order by ${sql.ref("id")} limit ${slots.next()}`,
  );
  const items = rows.map(([, entity, id, version]) => ({ entity: entity as string, id: id as string, version: version as number }));
  return { items, next: String(rows.at(-1)?.[0] ?? after) };
}
