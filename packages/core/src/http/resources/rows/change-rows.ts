import { GatewayError } from "../../../errors/index.js";
import { update, type Write } from "../../../ports/index.js";
import { patchedFields, replacedFields, snakeCase, toView, type Row, type View } from "../../../routes/index.js";
import { announce } from "./announce.js";
import { auditWrite } from "./audit-write.js";
import { assertEverywhere } from "./belongs-to-all.js";
import { findOwnRow, noSuchRow } from "./find-row.js";
import { projectOf, sealed } from "./new-row.js";
import { shownRow } from "./shown-rows.js";
import { assertVersion, otherVersion, type Expected } from "./preconditions.js";
import { actionOptions, actionsOf, scopeOf, withinOf, type ResourceExchange } from "./resource-exchange.js";

export interface RowChange {
  readonly id: string;
  /** `patch`: what the body names; `replace`: all that people set. */
  readonly kind: "patch" | "replace";
  readonly body: Row;
  readonly expected: Expected | null;
}

/** How often a change that expects no version is made again on what somebody else made of the row meanwhile. */
const TRIES = 8;

/**
 * Changes a row, in one unit with its row in the audit, and gives the view of what it became. A merge-patch is always made on the row as it stands: one that was changed between reading and writing is read again.
 * Errors: `not_found`, `forbidden`, `validation_failed`, `precondition_failed` and `conflict` with the current version, `conflict` for a value that another row has.
 */
export async function changeRow(e: ResourceExchange, change: RowChange): Promise<View> {
  assertEverywhere(e, "write");
  const { entity } = e.resource;
  const whole = actionsOf(e).filled?.(change.body) ?? change.body;
  for (let tried = 1; ; tried++) {
    const row = await findOwnRow(e, change.id);
    assertVersion(change.expected, row);
    const set = change.kind === "patch" ? patchedFields(entity, row, change.body) : replacedFields(entity, row, whole);
    if (Object.keys(set).length === 0) return toView(entity, await shownRow(e, row));
    const own = actionsOf(e).update;
    const view =
      own === undefined
        ? await derivedChange(e, row, set)
        : await own(ownChange(row, set, change), actionOptions(e)).catch(asExpected(change));
    if (view !== null) return view as View;
    if (change.expected !== null) throw otherVersion(change.expected.code, (await findOwnRow(e, change.id))["version"]);
    if (tried === TRIES) throw otherVersion("conflict", (await findOwnRow(e, change.id))["version"]);
  }
}

/** null: somebody else was quicker. */
async function derivedChange(e: ResourceExchange, row: Row, set: Record<string, unknown>): Promise<View | null> {
  const { entity, traits } = e.resource;
  const { caller, requestId } = e.x;
  const id = row["id"] as string;
  if (entity.scope !== null && entity.scope in set) projectOf(caller, set[entity.scope]);
  const stored = sealed(e, id, set);
  await actionsOf(e).check?.({ ...row, ...stored }, actionOptions(e), row);
  const audited = {
    action: `${traits.type}.update`,
    target: id,
    resourceType: traits.type,
    projectId: entity.scope === null ? caller.projects[0] : (row[entity.scope] as string),
    changed: Object.keys(set).map(snakeCase),
  };
  const writes: Write[] = [
    update(entity, id, { change: { set: stored as never }, ifVersion: row["version"] as number }),
    auditWrite(audited, { caller, requestId, nowMs: e.services.clock.now() }),
  ];
  const [result] = await e.services.store.commit([{ scope: scopeOf(e), writes }], withinOf(e));
  if (result === undefined) throw new GatewayError("internal", "The store answered no result for a unit.");
  if (!result.ok) {
    if (result.why === "missing") throw noSuchRow(e);
    if (result.why === "taken") throw taken(e, result.current);
    return null;
  }
  await announce(e, id);
  const version = result.versions[0];
  const now = (await e.services.store.get(entity, id, scopeOf(e), withinOf(e))) as Row | null;
  const isThis = now !== null && now["version"] === version;
  return toView(entity, await shownRow(e, isThis ? now : { ...row, ...stored, version, updatedAtMs: e.services.clock.now() }));
}

/** Its domain's own update is held to the version that a merged value was made from. */
function ownChange(row: Row, set: Record<string, unknown>, { id, expected }: RowChange) {
  const merges = Object.values(set).some((value) => typeof value === "object" && value !== null);
  return { id, set, ifVersion: expected?.version ?? (merges ? (row["version"] as number) : undefined) };
}

/** A domain says `conflict`; who sent `If-Match` is told so with 412, if that was why. */
function asExpected({ expected }: RowChange): (error: unknown) => never {
  return (error) => {
    const known = GatewayError.from(error);
    const version = known.details?.["version"];
    if (known.code === "conflict" && expected?.code === "precondition_failed" && typeof version === "number")
      throw otherVersion(expected.code, version);
    throw error;
  };
}

/** A value that only one row may have is another one's. */
export function taken({ resource }: ResourceExchange, current: Row | null): GatewayError {
  const unique = resource.entity.unique.map((fields) => fields.map(snakeCase).join(" and "));
  return new GatewayError("conflict", `There is already a ${resource.traits.type} with the same ${unique.join(", or ")}.`, {
    hint: "Choose another, or change the one that is there.",
    ...(current === null ? {} : { details: { id: current["id"] } }),
  });
}
