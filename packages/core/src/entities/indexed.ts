import { GatewayError } from "../errors/index.js";
import type { AnyEntity } from "./define-entity.js";

/** Whether a query may name the field: only `id` and the fields of an index or a unique constraint. */
export function isIndexed(entity: AnyEntity, field: string): boolean {
  if (field === "id") return true;
  return entity.unique.some((fields) => fields.includes(field)) || entity.indexes.some((fields) => fields.includes(field));
}

/** Errors: `internal` when a query of ours names a field without an index; every store calls it, so that no query works only on a small one. */
export function assertIndexed(entity: AnyEntity, field: string): void {
  if (isIndexed(entity, field)) return;
  throw new GatewayError("internal", `A query of ${entity.name} names "${field}", which has no index.`, {
    hint: "Declare an index in the entity, or query by another field.",
  });
}
