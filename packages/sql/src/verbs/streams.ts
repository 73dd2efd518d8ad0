import { columnIndex, storedColumns, type AnyLogEntity } from "@sallyport/core/entities";
import { decodeRow, type EncodedAppend, type Scope, type StoredInput } from "@sallyport/core/ports";
import { sql } from "kysely";
import type { Work } from "../driver.js";
import { allColumns, ref, table } from "../statements/columns.js";
import { and, inProjects, projectsOf, pushScope, scopeSql } from "../statements/conditions.js";
import { inputSql } from "../statements/inputs.js";
import { clockShape, rowParameters, rowSql } from "../statements/row-values.js";
import { bind, type Build, type Template } from "../statements/statements.js";
import { inputsOf, type Context, type UnitContext } from "./context.js";
import { missing, type Applied, type Refusal } from "./write-row.js";

const storeNow: StoredInput = { storeNowPlusMs: 0 };

/** The newest seq of streams whose entries were all pruned. */
export const HEADS = "sallyport_log_heads";

/** What stands at the end of a stream. */
export interface Newest {
  readonly seq: number;
  /** The project of the newest entry; null: there is none, or it was pruned. */
  readonly project: unknown;
  readonly stands: boolean;
}

const newestText =
  (c: Context, log: AnyLogEntity): Build =>
  (slots) => {
    const lock = sql.raw(c.statements.dialect.lockAndWait);
    const columns = sql`${ref("seq")}, ${log.scope === null ? sql`null` : ref(log.scope)}`;
    return sql`select ${columns} from ${table(log)} where ${ref("stream")} = ${slots.next()} order by ${ref("seq")} desc limit 1${lock}`;
  };

/** The newest seq of a stream; its entry locked, so that the next seq is ours. */
export function* newestOf(c: Context, log: AnyLogEntity, stream: string): Work<Newest> {
  const { statements } = c;
  const template = statements.newest.get(log) ?? statements.keep(statements.newest, log, statements.compile("one", newestText(c, log)));
  const { rows } = yield bind(template, [stream]);
  const row = rows[0];
  if (row !== undefined) return { seq: row[0] as number, project: row[1], stands: true };
  const head = yield c.statements.query(
    "head",
    [log.table, stream],
    "one",
    (slots) =>
      sql`select ${ref("lastSeq")} from ${sql.table(HEADS)} where ${sql.ref("log")} = ${slots.next()} and ${ref("stream")} = ${slots.next()}`,
  );
  return { seq: (head.rows[0]?.[0] as number | undefined) ?? 0, project: null, stands: false };
}

/** Why an append is refused, seen from the end of its stream; null: it is not. */
export function refusalOf(c: UnitContext, write: EncodedAppend, newest: Newest): "missing" | "last" | null {
  const { log } = write;
  if (log.scope !== null) {
    const project = columnIndex(log, log.scope);
    if (!write.entries.every((values) => inProjects(log, values[project], c.scope))) return "missing";
    if (newest.stands && !inProjects(log, newest.project, c.scope)) return "missing";
  }
  return write.ifLast !== undefined && write.ifLast !== newest.seq ? "last" : null;
}

function* newestEntry(c: Context, log: AnyLogEntity, stream: string): Work<Record<string, unknown> | null> {
  const [last] = yield* readEntries(c, log, stream, { afterSeq: 0, limit: 1, last: true, scope: { system: "the newest entry" } });
  return last === undefined ? null : { ...last.entry, seq: last.seq, atMs: last.atMs };
}

const appendText =
  (c: Context, log: AnyLogEntity, values: readonly StoredInput[]): Build =>
  (slots) => {
    const columns = sql`${ref("stream")}, ${ref("seq")}, ${ref("atMs")}, ${allColumns(log)}`;
    const place = sql`${slots.next()}, ${slots.next()}, ${inputSql(storeNow, slots, c.clock)}`;
    return sql`insert into ${table(log)} (${columns}) values (${place}, ${rowSql(c, storedColumns(log), values, slots)})`;
  };

function appendTemplate(c: Context, log: AnyLogEntity, values: readonly StoredInput[]): Template {
  const { statements } = c;
  const shape = clockShape(c, values);
  if (shape === "")
    return (
      statements.appends.get(log) ?? statements.keep(statements.appends, log, statements.compile("nothing", appendText(c, log, values)))
    );
  const key = `append ${log.table} ${shape}`;
  return statements.find(key) ?? statements.add(key, "nothing", appendText(c, log, values));
}

/** `seen`: the end of the stream, when it was looked at in this transaction already and nothing was appended since. */
export function* appendEntries(c: UnitContext, write: EncodedAppend, seen?: Newest): Work<Applied | Refusal> {
  const { log, entries, stream } = write;
  const newest = seen ?? (yield* newestOf(c, log, stream));
  const why = refusalOf(c, write, newest);
  if (why === "missing") return missing;
  if (why === "last") return { why, current: newest.stands ? yield* newestEntry(c, log, stream) : null };
  if (entries.length === 0) return { version: 0 };
  for (let i = 0; i < entries.length; i++) {
    const values = entries[i] as readonly StoredInput[];
    const parameters = rowParameters(c, storedColumns(log), values, [stream, newest.seq + 1 + i, storeNow]);
    yield bind(appendTemplate(c, log, values), parameters);
  }
  return { version: 0, firstSeq: newest.seq + 1 };
}

export interface ReadQuery {
  readonly afterSeq: number;
  readonly limit: number;
  readonly last?: true;
}
export interface Entry {
  readonly seq: number;
  readonly atMs: number;
  readonly entry: Record<string, unknown>;
}

export function* readEntries(c: Context, log: AnyLogEntity, stream: string, q: ReadQuery & { readonly scope: Scope }): Work<Entry[]> {
  const projects = projectsOf(log, q.scope);
  const inputs = inputsOf(c);
  inputs.push(stream);
  inputs.push(q.afterSeq);
  const key = `read ${log.table} ${q.last === true ? "last" : "next"} ${pushScope(projects, inputs)}`;
  inputs.push(q.limit);
  const { rows } = yield c.statements.query(key, inputs.values, "many", (slots) => {
    const all = [sql`${ref("stream")} = ${slots.next()}`, sql`${ref("seq")} > ${slots.next()}`, ...scopeSql(log, projects, slots)];
    const columns = sql`${ref("seq")}, ${ref("atMs")}, ${allColumns(log)}`;
    const order = sql.raw(q.last === true ? "desc" : "asc");
    return sql`select ${columns} from ${table(log)} where ${and(all)} order by ${ref("seq")} ${order} limit ${slots.next()}`;
  });
  const entries = rows.map((row) => ({ seq: row[0] as number, atMs: row[1] as number, entry: decodeRow(log, row, 2) }));
  return q.last === true ? entries.reverse() : entries;
}

/** Deletes old entries. A stream that loses all of them keeps its newest seq, so that seqs go on. */
export function* pruneEntries(c: Context, log: AnyLogEntity, olderThanMs: number, limit: number): Work<number> {
  const { rows } = yield c.statements.query(
    `prunable ${log.table}`,
    [olderThanMs, limit],
    "many",
    (slots) =>
      sql`select ${ref("stream")}, ${ref("seq")} from ${table(log)} where ${ref("atMs")} < ${slots.next()} order by ${ref("atMs")}, ${ref("stream")}, ${ref("seq")} limit ${slots.next()}`,
  );
  const newest = new Map<string, number>();
  for (const row of rows) {
    const [stream, seq] = row as [string, number];
    newest.set(stream, Math.max(seq, newest.get(stream) ?? 0));
    yield c.statements.query(
      `prune ${log.table}`,
      [stream, seq],
      "nothing",
      (slots) => sql`delete from ${table(log)} where ${ref("stream")} = ${slots.next()} and ${ref("seq")} = ${slots.next()}`,
    );
  }
  for (const [stream, seq] of newest) if (!(yield* newestOf(c, log, stream)).stands) yield* keepHead(c, log, stream, seq);
  return rows.length;
}

function* keepHead(c: Context, log: AnyLogEntity, stream: string, seq: number): Work<void> {
  const heads = sql.table(HEADS);
  yield c.statements.query(
    "head forget",
    [log.table, stream],
    "nothing",
    (slots) => sql`delete from ${heads} where ${sql.ref("log")} = ${slots.next()} and ${ref("stream")} = ${slots.next()}`,
  );
  yield c.statements.query(
    "head keep",
    [log.table, stream, seq],
    "nothing",
    (slots) =>
      sql`insert into ${heads} (${sql.ref("log")}, ${ref("stream")}, ${ref("lastSeq")}) values (${slots.next()}, ${slots.next()}, ${slots.next()})`,
  );
}
