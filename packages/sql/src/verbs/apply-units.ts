import { columnIndex } from "@sallyport/core/entities";
import type { EncodedInsert, EncodedUnit, EncodedWrite, UnitResult } from "@sallyport/core/ports";
import type { Work } from "../driver.js";
import { inProjects } from "../statements/conditions.js";
import { clockShape } from "../statements/row-values.js";
import { NotForeseen } from "../lost-race.js";
import { applyUnit, keepAll, mark, takeBackAll } from "./apply-unit.js";
import { appendTogether, isAppend } from "./append-together.js";
import { writeChanges } from "./change-log.js";
import type { Context } from "./context.js";
import { insertPending, insertRows } from "./insert-rows.js";

/** Fewer are not worth a savepoint; where a statement is a way to a server, two are worth one statement. */
const fewestTogether = (c: Context): number => (c.statements.dialect.isFar ? 2 : 4);

/**
 * Units in their order, each whole or not at all. Those that only add to ledgers, as nearly all of a busy gateway do, are written many rows a statement; so are appends, where each
 * statement is a way to another machine.
 */
export function* applyUnits(context: Context, units: readonly EncodedUnit[]): Work<UnitResult[]> {
  // One unit's row has none to go with, and what refuses it shows at once.
  const c = units.length > 1 ? context : { ...context, pending: null };
  const results: UnitResult[] = [];
  for (let from = 0; from < units.length; ) {
    let to = from;
    while (to < units.length && isPlain(c, units[to]!)) to++;
    let together = to - from >= fewestTogether(c) ? yield* insertTogether(c, units.slice(from, to)) : null;
    if (to === from && c.statements.dialect.isFar) {
      while (to < units.length && isAppend(c, units[to]!)) to++;
      together = to - from > 1 ? yield* appendTogether(c, units.slice(from, to)) : null;
    }
    if (together !== null) {
      for (const result of together) results.push(result);
      from = to;
    } else for (const end = Math.max(to, from + 1); from < end; from++) results.push(yield* applyUnit(c, units[from]!));
  }
  yield* insertPending(c);
  yield* writeChanges(c);
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

/** null, with nothing done: a row of them stands already, and which one only shows when each is written by itself. `NotForeseen`, as of `applyUnit`. */
function* insertTogether(c: Context, units: readonly EncodedUnit[]): Work<UnitResult[] | null> {
  if (c.marks) yield mark;
  const written = yield* insertRows(
    c,
    units.flatMap(({ writes }) => writes as readonly (EncodedWrite & EncodedInsert)[]),
  );
  if (written !== null) {
    if (c.marks) yield* takeBackAll(c);
    else if (written > 0) throw new NotForeseen();
    return null;
  }
  if (c.marks) yield* keepAll(c);
  return units.map(({ writes }) => ({ ok: true, versions: writes.map(() => 0), skipped: [] }));
}
