import { columnIndex, referencesOf } from "@sallyport/core/entities";
import type { EncodedAppend, EncodedUnit, EncodedWrite, UnitResult } from "@sallyport/core/ports";
import type { Query, Work } from "../driver.js";
import { NotForeseen } from "../lost-race.js";
import { insertPending } from "./insert-rows.js";
import { inProjects } from "../statements/conditions.js";
import type { Context, UnitContext } from "./context.js";
import { appendEntries, eraseEntries, newestOf, refusalOf, type Newest } from "./streams.js";
import { insertRow, removeRow, updateRow, type Applied, type Refusal } from "./write-row.js";

const query = (sql: string): Query => ({ statement: { sql, gives: "nothing" }, parameters: [] });
export const mark = query("savepoint sallyport_unit");
const keep = query("release savepoint sallyport_unit");
const takeBack = query("rollback to savepoint sallyport_unit");

/** The ends of the streams that a unit appends to, looked at before its first write. */
type Seen = ReadonlyMap<EncodedWrite, Newest>;

function applyWrite(c: UnitContext, write: EncodedWrite, seen: Seen): Work<Applied | Refusal> {
  switch (write.op) {
    case "insert":
      return insertRow(c, write);
    case "update":
      return updateRow(c, write);
    case "remove":
      return removeRow(c, write);
    case "append":
      return appendEntries(c, write, seen.get(write));
    case "erase":
      return eraseEntries(c, write);
  }
}

function cannotBeRefused(write: EncodedWrite, unit: EncodedUnit): boolean {
  if (write.op !== "insert" || write.ifTaken !== "skip") return false;
  const { entity } = write;
  if (referencesOf(entity).length > 0) return false;
  return entity.scope === null || inProjects(entity, write.values[columnIndex(entity, entity.scope)], unit.scope);
}

const nothingSeen: Seen = new Map();

/**
 * Looks whether a write after the first can be refused, so that something had to be taken back. If not, gives what it looked at; null: a savepoint is needed, 9 µs on
 * SQLite beside 12 for an update. Inserts of ledger rows that skip cannot be refused, and whether an append will be shows at the end of its stream, which it reads anyway.
 */
function* foresee(c: UnitContext, unit: EncodedUnit): Work<Seen | null> {
  const rest: EncodedAppend[] = [];
  for (let i = 1; i < unit.writes.length; i++) {
    const write = unit.writes[i] as EncodedWrite;
    if (write.op === "append") rest.push(write);
    else if (!cannotBeRefused(write, unit)) return null;
  }
  if (rest.length === 0) return nothingSeen;
  if (unit.writes[0]?.op === "erase") return null; // the end of a stream may not be where it was seen
  const streams = unit.writes.flatMap((write) => (write.op === "append" ? [`${write.log.table} ${write.stream}`] : []));
  if (new Set(streams).size < streams.length) return null;
  const seen = new Map<EncodedWrite, Newest>();
  for (const write of rest) {
    const newest = yield* newestOf(c, write.log, write.stream);
    if (refusalOf(c, write, newest) !== null) return null;
    seen.set(write, newest);
  }
  return seen;
}

/** A write after which there is nothing to take back: it only looked. */
const onlyLooks = (write: EncodedWrite): boolean => write.op === "update" && write.set.length === 0 && write.add.length === 0;

/** Takes back what was written since the mark. */
export function* takeBackAll(c: Context): Work<void> {
  yield takeBack;
  yield* keepAll(c);
}

/** What was written since the mark stays. Where a statement is a way to a server, the mark is left to the next of its name, or to the end of the transaction. */
export function* keepAll(c: Context): Work<void> {
  if (!c.statements.dialect.isFar) yield keep;
}

/** The writes of a unit in order, or none of them. Where marks are left out, `NotForeseen` is thrown when there is something to take back. */
export function* applyUnit(context: Context, unit: EncodedUnit): Work<UnitResult> {
  const { statements, clock, nowMs, noted, marks, pending } = context;
  // Not spread: a literal that begins with a spread pays 2 µs for what follows (measured, Node 20).
  const c: UnitContext = { statements, clock, nowMs, noted, marks, pending, scope: unit.scope };
  const seen = unit.writes.length < 2 || !marks ? nothingSeen : statements.dialect.isFar ? null : yield* foresee(c, unit);
  const guarded = seen === null;
  const versions: number[] = [];
  const skipped: number[] = [];
  const notedBefore = noted.length;
  let firstSeq: number | undefined;
  let wrote = false;
  let pends = false;
  const flushes = pending?.flushes;
  const pendingBefore = pending?.rows.length ?? 0;
  if (guarded) yield mark;
  for (let i = 0; i < unit.writes.length; i++) {
    const write = unit.writes[i] as EncodedWrite;
    if (write.op !== "insert") yield* insertPending(c, write);
    const count = pending?.rows.length ?? 0;
    const result = yield* applyWrite(c, write, seen ?? nothingSeen);
    if ("why" in result) {
      if (guarded) yield* takeBackAll(c);
      else if (wrote || (pends && pending?.flushes !== flushes)) throw new NotForeseen();
      // Those of its rows that are not written yet are left out.
      else if (pends && pending !== null) pending.rows.length = pendingBefore;
      noted.length = notedBefore;
      return { ok: false, failed: i, why: result.why, current: result.current };
    }
    versions.push(result.version);
    if ((pending?.rows.length ?? 0) > count) pends = true;
    else if (result.skipped === true) skipped.push(i);
    else wrote ||= !onlyLooks(write);
    firstSeq ??= result.firstSeq;
  }
  if (guarded) yield* keepAll(c);
  return firstSeq === undefined ? { ok: true, versions, skipped } : { ok: true, versions, firstSeq, skipped };
}
