import type { ChangesPage } from "@sallyport/core/ports";
import { sql } from "kysely";
import type { Query, Work } from "../driver.js";
import { padded, type Fragment } from "../statements/conditions.js";
import { inputsOf, type Context, type NotedChange } from "./context.js";

export const CHANGES = "sallyport_changes";

const MOST_AT_ONCE = 64;

/** Notes the change of a watched row; `writeChanges` writes it. */
export function noteChange(c: Context, entity: string, id: string, version: number): void {
  c.noted.push({ entity, id, version });
}

/**
 * Writes what was noted. A row's older notes go, so that the log is bounded by the rows there ever were; a row that is new has none, or one of a removal. Keys are never given
 * twice.
 */
export function* writeChanges(c: Context): Work<void> {
  const { noted } = c;
  if (noted.length === 0) return;
  const latest = noted.length === 1 ? noted : [...new Map(noted.map((note) => [`${note.entity} ${note.id}`, note])).values()];
  const stale = new Map<string, string[]>();
  for (const { entity, id, version } of latest)
    if (version !== 1) {
      const ids = stale.get(entity);
      if (ids === undefined) stale.set(entity, [id]);
      else ids.push(id);
    }
  for (const [entity, ids] of stale)
    for (let from = 0; from < ids.length; from += MOST_AT_ONCE) yield forget(c, entity, padded(ids.slice(from, from + MOST_AT_ONCE)));
  for (let from = 0; from < latest.length; ) {
    let count = MOST_AT_ONCE;
    while (count > latest.length - from) count /= 2;
    yield keep(c, latest.slice(from, from + count));
    from += count;
  }
  noted.length = 0;
}

function forget(c: Context, entity: string, ids: readonly string[]): Query {
  return c.statements.query(`change forget ${ids.length}`, [entity, ...ids], "nothing", (slots) => {
    const place = sql`${sql.ref("entity")} = ${slots.next()} and ${sql.ref("row_id")}`;
    const [first, ...rest] = ids.map(() => sql`${slots.next()}`);
    return sql`delete from ${sql.table(CHANGES)} where ${place} ${rest.length === 0 ? sql`= ${first}` : sql`in (${sql.join([first, ...rest])})`}`;
  });
}

function keep(c: Context, notes: readonly NotedChange[]): Query {
  const inputs = notes.flatMap(({ entity, id, version }) => [entity, id, version]);
  return c.statements.query(`change note ${notes.length}`, inputs, "nothing", (slots) => {
    const columns = sql.join(["entity", "row_id", "version"].map((name) => sql.ref(name)));
    const rows = notes.map(() => sql`(${slots.next()}, ${slots.next()}, ${slots.next()})`);
    return sql`insert into ${sql.table(CHANGES)} (${columns}) values ${sql.join(rows)}`;
  });
}

function* newest(c: Context): Work<number> {
  const last = (): Fragment => sql`select coalesce(max(${sql.ref("id")}), 0) from ${sql.table(CHANGES)}`;
  const { rows } = yield c.statements.query("change last", [], "one", last);
  return Number(rows[0]?.[0] ?? 0);
}

export function* readChanges(c: Context, after: number | null, limit: number): Work<ChangesPage> {
  const changes = sql.table(CHANGES);
  if (after === null) return { items: [], next: String(yield* newest(c)) };
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
  // The newest note only ever goes with the one that follows it: a log that ends before the cursor is another's.
  const last = rows.length > 0 ? after : yield* newest(c);
  if (last < after) return { items: [], next: String(last), isOlder: true };
  const items = rows.map(([, entity, id, version]) => ({ entity: entity as string, id: id as string, version: version as number }));
  return { items, next: String(rows.at(-1)?.[0] ?? after) };
}
