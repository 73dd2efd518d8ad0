import { z } from "zod";
import { isIndexed, type AnyEntity } from "../../entities/index.js";
import { fieldsOf, type NamedField } from "./field-names.js";
import { wireCodec, withoutDefault } from "./wire-codec.js";

const PAGE = 20;
export const MOST_ROWS = 100;

/** One order of a list: the field on the wire, and in the row. */
export interface SortField {
  readonly wire: string;
  readonly name: string;
}

/** What a list may be filtered by: declared fields that say so and have an index. */
export function filterFields(entity: AnyEntity): readonly NamedField[] {
  return fieldsOf(entity).filter(({ name, field }) => field.filter === true && isIndexed(entity, name));
}

/** What a list may be ordered by: declared fields that say so, and of those that the store keeps the ones with an index. `id` always. */
export function sortFields(entity: AnyEntity): readonly SortField[] {
  const declared = fieldsOf(entity).filter(({ name, field }) => field.sort === true && isIndexed(entity, name));
  const kept = entity.kind === "ledger" ? ["atMs"] : ["createdAtMs", "updatedAtMs"];
  const dated = kept
    .filter((name) => isIndexed(entity, name))
    .map((name) => ({ name, wire: name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`) }));
  return [...declared.map(({ wire, name }) => ({ wire, name })), ...dated, { wire: "id", name: "id" }];
}

/** Newest first where there is an index for it, otherwise by id. */
export function defaultSort(entity: AnyEntity): string {
  const dated = entity.kind === "ledger" ? "at_ms" : "created_at_ms";
  return sortFields(entity).some(({ wire }) => wire === dated) ? `-${dated}` : "id";
}

/** What the query of a list accepts: the fields that lists may filter by, the order, and which page or export. */
export function listQuery(entity: AnyEntity): z.ZodObject {
  const shape: Record<string, z.ZodType> = {};
  for (const { wire, field } of filterFields(entity)) shape[wire] = filterSchema(field.schema, field.column.kind);
  const sorts = sortFields(entity).flatMap(({ wire }) => [wire, `-${wire}`]);
  return z.strictObject({
    ...shape,
    sort: z
      .enum(sorts as [string, ...string[]])
      .default(defaultSort(entity))
      .describe("a leading - is descending"),
    limit: z.int().min(1).max(MOST_ROWS).default(PAGE),
    cursor: z.string().min(1).max(2_000).optional().describe("next_cursor of the page before, with the same filters and order"),
    format: z.enum(["csv", "json"]).optional().describe("exports every page as one file; Accept: text/csv does so too"),
  });
}

/** Text as it stands in the query; a flag as `true` or `false`. */
function filterSchema(schema: z.ZodType, kind: string): z.ZodType {
  if (kind === "bool") return z.enum(["true", "false"]).optional();
  const { inner } = withoutDefault(schema);
  const def = inner._zod.def as unknown as { readonly type: string; readonly innerType: z.ZodType };
  return wireCodec(def.type === "nullable" ? def.innerType : inner).schema.optional();
}
