import { GatewayError } from "../../../errors/index.js";
import type { IdempotencyKeyRow } from "../../../entities/index.js";
import { insert, type Write } from "../../../ports/index.js";
import { createdFields, ownInputs, toView, viewSchema, type Row, type View } from "../../../routes/index.js";
import { announce } from "./announce.js";
import { auditWrite } from "./audit-write.js";
import { assertEverywhere } from "./belongs-to-all.js";
import { taken } from "./change-rows.js";
import type { CreationAnswer, Idempotency, Keyed } from "../../../policy/idempotency/idempotency.js";
import { newRow } from "./new-row.js";
import { shownRow } from "./shown-rows.js";
import { actionOptions, actionsOf, scopeOf, withinOf, type ResourceExchange } from "./resource-exchange.js";

const CREATED = 201;
const TRIES = 5;

export interface RowCreation {
  readonly body: Row;
  readonly key: string | undefined;
  readonly idempotency: Idempotency;
}

/**
 * Creates a row. Derived: the row, its row in the audit and the answer under its idempotency key are one unit. Where the domain creates by itself the key is claimed first.
 * Errors: `validation_failed`, `forbidden`, `conflict`, `idempotency_key_reuse`, and those of the domain.
 */
export async function createRow(e: ResourceExchange, o: RowCreation): Promise<CreationAnswer> {
  assertEverywhere(e, "write");
  const { entity } = e.resource;
  const keyed = o.key === undefined ? null : o.idempotency.keyed(e.x, { key: o.key, route: entity.name, payload: o.body });
  const own = actionsOf(e).create;
  if (own === undefined) return derivedCreation(e, o, keyed);
  const input = ownInputs[entity.name] === undefined ? createdFields(entity, o.body) : o.body;
  const create = (): Promise<View> => own(input, actionOptions(e)) as Promise<View>;
  if (keyed === null) return { status: CREATED, body: await create(), replayed: false };
  const { shape } = viewSchema(entity);
  return o.idempotency.run(keyed, { status: CREATED, create, showOnce: (name) => !Object.hasOwn(shape, name) });
}

async function derivedCreation(e: ResourceExchange, o: RowCreation, keyed: Keyed | null): Promise<CreationAnswer> {
  const { entity } = e.resource;
  // What was answered before is answered again, also where a check would refuse it now.
  const earlier = keyed === null ? null : await o.idempotency.earlier(keyed);
  if (earlier !== null) return { ...earlier, body: await dated(e, earlier.body, null) };
  for (let tried = 0; tried < TRIES; tried++) {
    const row = newRow(e, actionsOf(e).filled?.(o.body) ?? o.body);
    await actionsOf(e).check?.(row, actionOptions(e), null);
    const view = toView(entity, await shownRow(e, { ...row, version: 1 }));
    const writes: Write[] = [insert(entity, row as never), auditOf(e, row)];
    if (keyed !== null) writes.unshift(o.idempotency.doneWrite(keyed, { status: CREATED, body: view }));
    const [result] = await e.services.store.commit([{ scope: scopeOf(e), writes }], withinOf(e));
    if (result === undefined) throw new GatewayError("internal", "The store answered no result for a unit.");
    if (result.ok) {
      await announce(e, row.id);
      return { status: CREATED, body: await dated(e, view, null), replayed: false };
    }
    if (keyed === null || result.failed !== 0) throw taken(e, result.current);
    const before = await o.idempotency.replay(keyed, result.current as IdempotencyKeyRow | null);
    if (before !== null) return { ...before, body: await dated(e, before.body, result.current) };
  }
  throw new GatewayError("conflict", "The idempotency key expired again and again.", { hint: "Repeat it with a new key." });
}

/** The store's clock gives the instants: they are read back, so that a repetition names the same ones also when the row was changed meanwhile. */
async function dated(e: ResourceExchange, view: Readonly<View>, fallback: Row | null): Promise<View> {
  const row = (await e.services.store.get(e.resource.entity, view["id"] as string, scopeOf(e), withinOf(e))) as Row | null;
  const atMs = row?.["createdAtMs"] ?? fallback?.["createdAtMs"] ?? e.services.clock.now();
  return { ...view, created_at_ms: atMs, updated_at_ms: atMs };
}

function auditOf(e: ResourceExchange, row: { readonly id: string } & Row): Write {
  const { entity, traits } = e.resource;
  const { caller, requestId } = e.x;
  const projectId = entity.scope === null ? caller.projects[0] : (row[entity.scope] as string);
  const change = { action: `${traits.type}.create`, target: row.id, resourceType: traits.type, projectId, changed: null };
  return auditWrite(change, { caller, requestId, nowMs: e.services.clock.now() });
}
