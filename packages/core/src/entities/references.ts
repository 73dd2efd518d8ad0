import type { AnyEntity, AnyLogEntity } from "./define-entity.js";
import { columnIndex } from "./stored-columns.js";

/** A field that holds the id of another entity's row. */
export interface RowReference {
  readonly field: string;
  /** Its place in `storedColumns`. */
  readonly index: number;
  /** The name of the entity that it refers to. */
  readonly entity: string;
}

const cache = new WeakMap<object, readonly RowReference[]>();

/** The fields of an entity that refer to rows of others; every store keeps them from leading nowhere. Logs and ledgers have none: nothing in the way of an append. */
export function referencesOf(entity: AnyEntity | AnyLogEntity): readonly RowReference[] {
  let references = cache.get(entity);
  if (references === undefined) {
    references = Object.entries(entity.fields).flatMap(([name, { ref }]) =>
      ref === undefined ? [] : [{ field: name, index: columnIndex(entity, name), entity: ref.entity }],
    );
    cache.set(entity, references);
  }
  return references;
}
