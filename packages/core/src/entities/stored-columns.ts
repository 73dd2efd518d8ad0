import { int, text, type AnyEntity, type AnyLogEntity, type Column } from "./define-entity.js";

/** One column of an entity as every store keeps it. */
export interface StoredColumn {
  readonly name: string;
  /** Its place in `storedColumns`. */
  readonly index: number;
  readonly column: Column;
  /** Whether the field's schema accepts null. */
  readonly nullable: boolean;
  /** The store sets it, no write may: `version`, `createdAtMs`, `updatedAtMs`. */
  readonly kept: boolean;
  readonly touch: boolean;
}

type Unplaced = Omit<StoredColumn, "index">;
const own = (name: string, column: Column, kept: boolean): Unplaced => ({ name, column, nullable: false, kept, touch: false });
const id = own("id", text(64), false);
const versioned: readonly Unplaced[] = [id, own("version", int, true), own("createdAtMs", int, true), own("updatedAtMs", int, true)];
const dated: readonly Unplaced[] = [id, own("atMs", int, false)];

const cache = new WeakMap<object, readonly StoredColumn[]>();

/**
 * The columns of an entity, those that its kind brings first, then the declared ones in their order. A log's entries have only the declared ones: `stream`, `seq` and
 * `atMs` stand beside them. One list an entity, made once.
 */
export function storedColumns(entity: AnyEntity | AnyLogEntity): readonly StoredColumn[] {
  let columns = cache.get(entity);
  if (columns === undefined) {
    const declared = Object.entries(entity.fields).map(
      ([name, field]): Unplaced => ({
        name,
        column: field.column,
        nullable: field.schema.safeParse(null).success,
        kept: false,
        touch: field.touch ?? false,
      }),
    );
    const brought = entity.kind === "log" ? [] : entity.kind === "ledger" ? dated : versioned;
    columns = [...brought, ...declared].map((column, index) => ({ ...column, index }));
    cache.set(entity, columns);
  }
  return columns;
}

const byName = new WeakMap<object, ReadonlyMap<string, StoredColumn>>();

export function columnsByName(entity: AnyEntity | AnyLogEntity): ReadonlyMap<string, StoredColumn> {
  let map = byName.get(entity);
  if (map === undefined) {
    map = new Map(storedColumns(entity).map((column) => [column.name, column]));
    byName.set(entity, map);
  }
  return map;
}

/** The column of this name, or undefined. */
export function storedColumn(entity: AnyEntity | AnyLogEntity, name: string): StoredColumn | undefined {
  return columnsByName(entity).get(name);
}

/** The place of the column in `storedColumns`; -1: the entity has none of this name. */
export function columnIndex(entity: AnyEntity | AnyLogEntity, name: string): number {
  return columnsByName(entity).get(name)?.index ?? -1;
}
