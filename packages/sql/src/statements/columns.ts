import { storedColumns, type AnyEntity, type AnyLogEntity } from "@sallyport/core/entities";
import { sql } from "kysely";
import { columnName } from "./column-name.js";
import type { Fragment } from "./conditions.js";

export const table = (entity: AnyEntity | AnyLogEntity): Fragment => sql`${sql.table(entity.table)}`;
export const ref = (field: string): Fragment => sql`${sql.ref(columnName(field))}`;

/** All columns of an entity, in the order of `storedColumns`. */
export function allColumns(entity: AnyEntity | AnyLogEntity): Fragment {
  return sql.join(storedColumns(entity).map((column) => ref(column.name)));
}
