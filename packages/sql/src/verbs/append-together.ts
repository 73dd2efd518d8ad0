import type { AnyLogEntity } from "@sallyport/core/entities";
import { columnIndex } from "@sallyport/core/entities";
import type { EncodedAppend, EncodedUnit, UnitResult } from "@sallyport/core/ports";
import { sql } from "kysely";
import type { Work } from "../driver.js";
import { LostRace } from "../lost-race.js";
import { ref, table } from "../statements/columns.js";
import { padded, type Fragment } from "../statements/conditions.js";
import { clockShape } from "../statements/row-values.js";
import type { Context } from "./context.js";
import { HEADS, MOST_LOOKS, refusalOf, writeEntries, type Newest, type PlacedEntry } from "./streams.js";

interface LoneAppend {
  readonly unit: EncodedUnit;
  readonly write: EncodedAppend;
}

/** A unit of one append, which has entries, and whose text no field of them changes. */
export function isAppend(c: Context, { writes }: EncodedUnit): boolean {
  const [write] = writes;
  if (writes.length !== 1 || write?.op !== "append" || write.entries.length === 0 || write.atMs !== undefined) return false;
  return write.entries.every((values) => clockShape(c, values) === "");
}

/** The ends of streams, locked as one by itself is; in one statement, and one more for those that have no entry. */
function* endsOf(c: Context, log: AnyLogEntity, streams: readonly string[]): Work<Map<string, Newest>> {
  const ends = new Map<string, Newest>(streams.map((stream) => [stream, { seq: 0, project: null, stands: false }]));
  const asked = padded(streams);
  const { rows } = yield c.statements.query(`ends ${log.table} ${asked.length}`, asked, "many", (slots) => {
    const lock = sql.raw(c.statements.dialect.lockAndWait);
    const columns = sql`${ref("stream")}, ${ref("seq")}, ${log.scope === null ? sql`null` : ref(log.scope)} as ${sql.ref("project")}`;
    const parts = asked.map((_, i): Fragment => {
      const end = sql`select ${columns} from ${table(log)} where ${ref("stream")} = ${slots.next()} order by ${ref("seq")} desc limit 1${lock}`;
      return sql`select * from (${end}) as ${sql.ref(`end${i}`)}`;
    });
    return sql.join(parts, sql` union all `);
  });
  for (const [stream, seq, project] of rows) ends.set(stream as string, { seq: seq as number, project, stands: true });
  const without = streams.filter((stream) => ends.get(stream)?.stands === false);
  if (without.length === 0) return ends;
  const heads = padded(without);
  const known = yield c.statements.query(`heads ${heads.length}`, [log.table, ...heads], "many", (slots) => {
    const place = sql`${sql.ref("log")} = ${slots.next()} and ${ref("stream")} in (${sql.join(heads.map(() => sql`${slots.next()}`))})`;
    return sql`select ${ref("stream")}, ${ref("lastSeq")} from ${sql.table(HEADS)} where ${place}`;
  });
  for (const [stream, seq] of known.rows) ends.set(stream as string, { seq: seq as number, project: null, stands: false });
  return ends;
}

/** "later": the end of a stream moved on while it was waited for. null: one of them is refused, which each by itself tells. Nothing is done then. */
function* tryAppends(c: Context, log: AnyLogEntity, appends: readonly LoneAppend[]): Work<Map<EncodedUnit, UnitResult> | "later" | null> {
  // In one order everywhere, so that two processes do not wait for each other crosswise.
  const ends = yield* endsOf(c, log, [...new Set(appends.map(({ write }) => write.stream))].sort());
  const results = new Map<EncodedUnit, UnitResult>();
  const placed: PlacedEntry[] = [];
  for (const { unit, write } of appends) {
    const { stream, entries } = write;
    const newest = ends.get(stream) as Newest;
    if (refusalOf({ ...c, scope: unit.scope }, write, newest) !== null) return null;
    entries.forEach((values, i) => placed.push({ stream, seq: newest.seq + 1 + i, values }));
    const project = log.scope === null ? null : entries.at(-1)?.[columnIndex(log, log.scope)];
    ends.set(stream, { seq: newest.seq + entries.length, project, stands: true });
    results.set(unit, { ok: true, versions: [0], firstSeq: newest.seq + 1, skipped: [] });
  }
  return (yield* writeEntries(c, log, placed)) ? results : "later";
}

/** Units of one append each. null, with nothing done: they have to be applied one by one. */
export function* appendTogether(c: Context, units: readonly EncodedUnit[]): Work<UnitResult[] | null> {
  const appends = units.map((unit): LoneAppend => ({ unit, write: unit.writes[0] as EncodedAppend }));
  const log = (appends[0] as LoneAppend).write.log;
  // Of several logs the first could be written when the second turns out to be refused.
  if (!appends.every(({ write }) => write.log === log)) return null;
  let results = yield* tryAppends(c, log, appends);
  for (let looks = 1; results === "later"; looks++) {
    if (looks === MOST_LOOKS) throw new LostRace();
    results = yield* tryAppends(c, log, appends);
  }
  if (results === null) return null;
  const done = results;
  return units.map((unit) => done.get(unit) as UnitResult);
}
