import type { EncodedUnit, UnitResult } from "@sallyport/core/ports";
import type { Shared } from "../driver.js";
import { NotForeseen } from "../lost-race.js";
import type { Statements } from "../statements/statements.js";
import { applyUnits } from "./apply-units.js";
import { begin } from "./context.js";

/** After a unit had to be taken back, so many transactions mark what may have to be: a budget that is used up refuses many. */
const CAUTIOUS = 50;

/** Units of several commits in one transaction. Savepoints, two ways to the server a unit, are left out while none is needed. */
export function sharedCommits(statements: Statements): Shared<readonly EncodedUnit[], UnitResult[]> {
  let caution = 0;
  return {
    *begin(nowMs, parts) {
      const marks = caution > 0;
      if (marks) caution--;
      try {
        const results = yield* applyUnits(begin(statements, nowMs, marks), parts.flat());
        let from = 0;
        return parts.map(({ length }) => results.slice(from, (from += length)));
      } catch (error) {
        if (error instanceof NotForeseen) caution = CAUTIOUS;
        throw error;
      }
    },
    holds: (units) => units.flatMap(({ writes }) => writes.flatMap(heldBy)),
  };
}

/** The row or the stream whose lock a write waits for. */
function heldBy(write: EncodedUnit["writes"][number]): readonly string[] {
  switch (write.op) {
    case "insert":
      return [];
    case "update":
    case "remove":
      return [`${write.entity.table} ${write.id}`];
    case "append":
    case "erase":
      return [`${write.log.table} ${write.stream}`];
  }
}
