import { columnIndex } from "@sallyport/core/entities";
import type { EncodedAppend, EncodedUnit, EncodedWrite, UnitResult } from "@sallyport/core/ports";
import type { Query, Work } from "../driver.js";
import { inProjects } from "../statements/conditions.js";
import type { Context, UnitContext } from "./context.js";
import { appendEntries, newestOf, refusalOf, type Newest } from "./streams.js";
import { insertRow, removeRow, updateRow, type Applied, type Refusal } from "./write-row.js";

const query = (sql: string): Query => ({ statement: { sql, gives: "nothing" }, parameters: [] });
export const mark = query("savepoint sallyport_unit");
export const keep = query("release savepoint sallyport_unit");
export const takeBack = query("rollback to savepoint sallyport_unit");

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
  }
}

function cannotBeRefused(write: EncodedWrite, unit: EncodedUnit): boolean {
  if (write.op !== "insert" || write.ifTaken !== "skip") return false;
  const { entity } = write;
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

/** The writes of a unit in order, or none of them. */
export function* applyUnit(context: Context, unit: EncodedUnit): Work<UnitResult> {
  // Not spread: a literal that begins with a spread pays 2 µs for what follows (measured, Node 20).
  const c: UnitContext = { statements: context.statements, clock: context.clock, nowMs: context.nowMs, scope: unit.scope };
  const seen = unit.writes.length < 2 ? nothingSeen : yield* foresee(c, unit);
  const guarded = seen === null;
  const versions: number[] = [];
  const skipped: number[] = [];
  let firstSeq: number | undefined;
  if (guarded) yield mark;
  for (let i = 0; i < unit.writes.length; i++) {
    const result = yield* applyWrite(c, unit.writes[i] as EncodedWrite, seen ?? nothingSeen);
    if ("why" in result) {
      if (guarded) {
        yield takeBack;
        yield keep;
      }
      return { ok: false, failed: i, why: result.why, current: result.current };
    }
    versions.push(result.version);
    if (result.skipped === true) skipped.push(i);
    firstSeq ??= result.firstSeq;
  }
  if (guarded) yield keep;
  return firstSeq === undefined ? { ok: true, versions, skipped } : { ok: true, versions, firstSeq, skipped };
}
