import { allEntities, isIndexed, type AnyEntity } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import { remove, update, type Scope, type Write } from "../../../ports/index.js";
import { fieldsOf } from "../../../routes/index.js";
import { withinOf, type ResourceExchange } from "./resource-exchange.js";

/** More rows than this are not deleted or cleared along with one. */
const MOST_ROWS = 1_000;

/** What refers to an entity by its fields. */
interface Reference {
  readonly entity: AnyEntity;
  readonly field: string;
  readonly onDelete: "refuse" | "cascade" | "clear";
}

function referencesTo(name: string, entities: ResourceExchange["entities"] = allEntities): readonly Reference[] {
  return entities.flatMap((entity) =>
    entity.kind === "record" || entity.kind === "machine"
      ? fieldsOf(entity as AnyEntity).flatMap(({ name: field, field: { ref } }) =>
          ref?.entity === name && isIndexed(entity as AnyEntity, field)
            ? [{ entity: entity as AnyEntity, field, onDelete: ref.onDelete }]
            : [],
        )
      : [],
  );
}

/**
 * The writes that deleting a row brings with it, as the declarations of whatever refers to it say, at every depth. Rows of every project count: a reference is one whoever may see it.
 * Errors: `conflict` when something that refers to it forbids that, or when there is too much of it.
 */
export async function referenceWrites(e: ResourceExchange, name: string, id: string): Promise<Write[]> {
  const scope: Scope = { system: "what refers to a row that is deleted" };
  const writes: Write[] = [];
  for (const { entity, field, onDelete } of referencesTo(name, e.entities)) {
    const limit = onDelete === "refuse" ? 1 : MOST_ROWS;
    const where = { [field]: id };
    const { rows, next } = await e.services.store.find(entity, { where, orderBy: field as never, limit }, scope, withinOf(e));
    if (rows.length === 0) continue;
    const kind = entity.rest?.type ?? entity.name;
    if (onDelete === "refuse") throw inUse(`It is still used by a ${kind}.`, kind);
    if (next !== null) throw inUse(`More than ${MOST_ROWS} rows of ${kind} belong to it.`, kind);
    for (const row of rows as { id: string }[]) {
      if (onDelete === "clear") writes.push(update(entity, row.id, { change: { set: { [field]: null } as never } }));
      else writes.push(...(await referenceWrites(e, entity.name, row.id)), remove(entity, row.id));
    }
  }
  return writes;
}

function inUse(message: string, usedBy: string): GatewayError {
  return new GatewayError("conflict", message, { hint: "Delete or change those first.", details: { used_by: usedBy } });
}
