import { GatewayError } from "../../../errors/index.js";
import { remove, type Scope, type Write } from "../../../ports/index.js";
import type { Row } from "../../../routes/index.js";
import { announce } from "./announce.js";
import { auditWrite } from "./audit-write.js";
import { assertEverywhere } from "./belongs-to-all.js";
import { findOwnRow, noSuchRow } from "./find-row.js";
import { assertVersion, otherVersion, type Expected } from "./preconditions.js";
import { referenceWrites } from "./references.js";
import { actionOptions, actionsOf, scopeOf, withinOf, type ResourceExchange } from "./resource-exchange.js";

/**
 * Deletes a row, what its declaration says goes with it, and writes the audit, in one unit.
 * Errors: `not_found`, `forbidden`, `precondition_failed` and `conflict` with the current version, `conflict` when it is still used.
 */
export async function removeRow(e: ResourceExchange, id: string, expected: Expected | null): Promise<void> {
  assertEverywhere(e, "write");
  const { entity } = e.resource;
  const row = await findOwnRow(e, id);
  assertVersion(expected, row);
  const own = actionsOf(e).remove;
  if (own !== undefined) return own({ id, ifVersion: expected?.version }, actionOptions(e));
  await actionsOf(e).checkRemoval?.(row, actionOptions(e));
  const along = await referenceWrites(e, entity.name, id);
  const guard = expected === null ? {} : { ifVersion: expected.version };
  const writes: Write[] = [...along, remove(entity, id, guard), auditOf(e, row)];
  // The row was found in the caller's scope; what goes with it may be of any project.
  const scope: Scope = along.length === 0 ? scopeOf(e) : { system: "a deletion, and what goes with it" };
  const [result] = await e.services.store.commit([{ scope, writes }], withinOf(e));
  if (result === undefined) throw new GatewayError("internal", "The store answered no result for a unit.");
  if (result.ok) return announce(e, id);
  if (result.why === "version" && expected !== null) throw otherVersion(expected.code, result.current?.["version"]);
  // Something was made that goes with it, or that refers to it, since they were looked for.
  if (result.failed < along.length || result.why === "guard") throw otherVersion("conflict", row["version"]);
  throw noSuchRow(e);
}

function auditOf(e: ResourceExchange, row: Row): Write {
  const { entity, traits } = e.resource;
  const { caller, requestId } = e.x;
  const projectId = entity.scope === null ? caller.projects[0] : (row[entity.scope] as string);
  const change = { action: `${traits.type}.delete`, target: row["id"] as string, resourceType: traits.type, projectId, changed: null };
  return auditWrite(change, { caller, requestId, nowMs: e.services.clock.now() });
}
