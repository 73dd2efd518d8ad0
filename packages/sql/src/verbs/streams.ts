import { columnIndex, storedColumns, type AnyLogEntity } from "@sallyport/core/entities";
import { decodeRow, type EncodedAppend, type EncodedErase, type ReadQuery, type Scope, type StoredInput } from "@sallyport/core/ports";
import { sql } from "kysely";
import type { Work } from "../driver.js";
import { allColumns, ref, table } from "../statements/columns.js";
import { and, inProjects, projectsOf, pushScope, scopeSql, type Fragment } from "../statements/conditions.js";
import { inputSql } from "../statements/inputs.js";
import { clockShape, rowParameters, rowSql, rowsTogether } from "../statements/row-values.js";
import { bind, type Build, type Template } from "../statements/statements.js";
import { inputsOf, type Context, type UnitContext } from "./context.js";
import { LostRace } from "../lost-race.js";
import { missing, type Applied, type Refusal } from "./write-row.js";

const storeNow: StoredInput = { storeNowPlusMs: 0 };

/** The newest seq of streams whose entries were all pruned. */
export const HEADS = "sallyport_log_heads";

/** How often the end of a stream is looked at again, because it was another by the time it was locked. */
export const MOST_LOOKS = 5;

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
  (c: Context, log: AnyLogEntity, placed: readonly PlacedEntry[]): Build =>
  (slots) => {
    const columns = sql`${ref("stream")}, ${ref("seq")}, ${ref("atMs")}, ${allColumns(log)}`;
    const rows = placed.map(({ values, atMs = storeNow }) => {
      const place = sql`${slots.next()}, ${slots.next()}, ${inputSql(atMs, slots, c.clock)}`;
      return sql`(${place}, ${rowSql(c, storedColumns(log), values, slots)})`;
    });
    return sql`insert into ${table(log)} (${columns}) values ${sql.join(rows)}`;
  };

function appendTemplate(c: Context, log: AnyLogEntity, placed: readonly PlacedEntry[]): Template {
  const { statements } = c;
  const shape = placed.map(({ values, atMs }) => clockShape(c, values) + (atMs === undefined ? "" : "dated")).join("");
  if (shape === "" && placed.length === 1)
    return (
      statements.appends.get(log) ?? statements.keep(statements.appends, log, statements.compile("nothing", appendText(c, log, placed)))
    );
  const key = `append ${placed.length} ${log.table} ${shape}`;
  return statements.find(key) ?? statements.add(key, "nothing", appendText(c, log, placed));
}

/** An entry and its place. */
export interface PlacedEntry {
  readonly stream: string;
  readonly seq: number;
  readonly values: readonly StoredInput[];
  /** Of one that another store had; left out: the store's now. */
  readonly atMs?: number | undefined;
}

/**
 * Writes entries of one log, several a statement. false, with nothing done: the end that was looked at is no longer the end, an entry that another writer had locked stood after it.
 * Those that set a field to the store's clock are written by themselves: each is a text of its own.
 */
export function* writeEntries(c: Context, log: AnyLogEntity, placed: readonly PlacedEntry[]): Work<boolean> {
  for (let from = 0; from < placed.length; ) {
    const one = placed[from] as PlacedEntry;
    const plain = placed.findIndex(({ values }, i) => i >= from && clockShape(c, values) !== "");
    const until = plain === from ? from + 1 : plain < 0 ? placed.length : plain;
    const count = until - from < 2 ? 1 : rowsTogether(placed, from, until);
    const some = count === 1 ? [one] : placed.slice(from, from + count);
    const parameters = some.flatMap(({ stream, seq, values, atMs = storeNow }) =>
      rowParameters(c, storedColumns(log), values, [stream, seq, atMs]),
    );
    if ((yield bind(appendTemplate(c, log, some), parameters)).taken) {
      if (from === 0) return false;
      throw new LostRace();
    }
    from += count;
  }
  return true;
}

/** `seen`: the end of the stream, when it was looked at in this transaction already and nothing was appended since. */
export function* appendEntries(c: UnitContext, write: EncodedAppend, seen?: Newest): Work<Applied | Refusal> {
  const { log, entries, stream } = write;
  let newest = seen ?? (yield* newestOf(c, log, stream));
  for (let looks = 1; ; looks++) {
    const why = refusalOf(c, write, newest);
    if (why === "missing") return missing;
    if (why === "last") return { why, current: newest.stands ? yield* newestEntry(c, log, stream) : null };
    if (entries.length === 0) return { version: 0 };
    const { seq } = newest;
    const placed = entries.map((values, i) => ({ stream, seq: seq + 1 + i, values, atMs: write.atMs?.[i] }));
    if (yield* writeEntries(c, log, placed)) return { version: 0, firstSeq: seq + 1 };
    if (looks === MOST_LOOKS) throw new LostRace();
    newest = yield* newestOf(c, log, stream);
  }
}

export interface Entry {
  readonly seq: number;
  readonly atMs: number;
  readonly entry: Record<string, unknown>;
}

type Reading = ReadQuery & { readonly scope: Scope };

/** What `columns` make of the entries that are meant, in their order. */
function* entriesOf(c: Context, log: AnyLogEntity, q: Reading & { readonly stream: string; readonly what: "all" | "sizes" }): Work<Rows> {
  const projects = projectsOf(log, q.scope);
  const inputs = inputsOf(c);
  for (const value of [q.stream, q.afterSeq, q.upToSeq ?? Number.MAX_SAFE_INTEGER]) inputs.push(value);
  const key = `read ${log.table} ${q.what} ${q.last === true ? "last" : "next"} ${pushScope(projects, inputs)}`;
  inputs.push(q.limit);
  const { rows } = yield c.statements.query(key, inputs.values, "many", (slots) => {
    const place = [sql`${ref("stream")} = ${slots.next()}`, sql`${ref("seq")} > ${slots.next()}`, sql`${ref("seq")} <= ${slots.next()}`];
    const columns = q.what === "sizes" ? sql`${ref("seq")}, ${sizeOf(log)}` : sql`${ref("seq")}, ${ref("atMs")}, ${allColumns(log)}`;
    const order = sql.raw(q.last === true ? "desc" : "asc");
    return sql`select ${columns} from ${table(log)} where ${and([...place, ...scopeSql(log, projects, slots)])} order by ${ref("seq")} ${order} limit ${slots.next()}`;
  });
  return rows;
}
type Rows = readonly (readonly unknown[])[];

/** About: the bytes of what has no bounds of its own. */
function sizeOf(log: AnyLogEntity): Fragment {
  const long = storedColumns(log).filter(({ column }) => column.kind === "json" || column.kind === "long-text");
  return sql.join([sql`0`, ...long.map(({ name }) => sql`coalesce(octet_length(${ref(name)}), 0)`)], sql` + `);
}

/** Those of the entries that fit, by their places: looked at first, so that nothing else is read. null: there are none. */
function* fitting(c: Context, log: AnyLogEntity, stream: string, q: Reading & { readonly maxBytes: number }): Work<Reading | null> {
  const sizes = yield* entriesOf(c, log, { ...q, stream, what: "sizes" });
  let bytes = 0;
  const over = sizes.findIndex(([, size], i) => (bytes += Number(size)) > q.maxBytes && i > 0);
  const fit = (over < 0 ? sizes : sizes.slice(0, over)).map(([seq]) => seq as number);
  if (fit.length === 0) return null;
  return { afterSeq: Math.min(...fit) - 1, upToSeq: Math.max(...fit), limit: fit.length, scope: q.scope };
}

export function* readEntries(c: Context, log: AnyLogEntity, stream: string, q: Reading): Work<Entry[]> {
  const { maxBytes } = q;
  const asked = maxBytes === undefined ? q : yield* fitting(c, log, stream, { ...q, maxBytes });
  if (asked === null) return [];
  const rows = yield* entriesOf(c, log, { ...asked, stream, what: "all" });
  const entries = rows.map((row) => ({ seq: row[0] as number, atMs: row[1] as number, entry: decodeRow(log, row as readonly never[], 2) }));
  return asked.last === true ? entries.reverse() : entries;
}

/** Deletes old entries. A stream that loses all of them keeps its newest seq, so that seqs go on. */
export function* pruneEntries(c: Context, log: AnyLogEntity, olderThanMs: number, limit: number): Work<number> {
  const { rows } = yield c.statements.query(
    `prunable ${log.table}`,
    [olderThanMs, limit],
    "many",
    (slots) =>
      sql`select ${ref("stream")}, ${ref("seq")} from ${table(log)} where ${ref("atMs")} < ${slots.next()} order by ${ref("atMs")}, ${ref("stream")}, ${ref("seq")} limit ${slots.next()}${sql.raw(c.statements.dialect.lockAndSkip)}`,
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

/** Deletes the beginning of a stream, which keeps its newest seq then, or all of it and what is known of it. */
export function* eraseEntries(c: UnitContext, write: EncodedErase): Work<Applied | Refusal> {
  const { log, stream, upToSeq } = write;
  const newest = yield* newestOf(c, log, stream);
  if (log.scope !== null && newest.stands && !inProjects(log, newest.project, c.scope)) return missing;
  if (newest.stands)
    yield c.statements.query(
      `erase ${log.table}`,
      [stream, upToSeq ?? Number.MAX_SAFE_INTEGER],
      "nothing",
      (slots) => sql`delete from ${table(log)} where ${ref("stream")} = ${slots.next()} and ${ref("seq")} <= ${slots.next()}`,
    );
  if (upToSeq === undefined) yield* forgetHead(c, log, stream);
  else if (newest.stands && newest.seq <= upToSeq) yield* keepHead(c, log, stream, newest.seq);
  return { version: 0 };
}

function* forgetHead(c: Context, log: AnyLogEntity, stream: string): Work<void> {
  yield c.statements.query(
    "head forget",
    [log.table, stream],
    "nothing",
    (slots) => sql`delete from ${sql.table(HEADS)} where ${sql.ref("log")} = ${slots.next()} and ${ref("stream")} = ${slots.next()}`,
  );
}

function* keepHead(c: Context, log: AnyLogEntity, stream: string, seq: number): Work<void> {
  const heads = sql.table(HEADS);
  yield* forgetHead(c, log, stream);
  yield c.statements.query(
    "head keep",
    [log.table, stream, seq],
    "nothing",
    (slots) =>
      sql`insert into ${heads} (${sql.ref("log")}, ${ref("stream")}, ${ref("lastSeq")}) values (${slots.next()}, ${slots.next()}, ${slots.next()})`,
  );
}
