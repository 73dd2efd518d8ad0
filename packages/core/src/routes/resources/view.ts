import { z } from "zod";
import type { AnyEntity } from "../../entities/index.js";
import { fieldsOf } from "./field-names.js";
import { ownViews } from "./own-views.js";
import { wireCodec } from "./wire-codec.js";

/** Where a row is from: only those of the database can be changed. */
export const originSchema = z.enum(["code", "configuration", "database"]).describe("only what is of the database can be changed here");

const instant = z.int().describe("Unix ms");
/** Of a row that is not in the store they are null. */
const recordKept = {
  version: z.int().nullable().describe("grows with each change; If-Match and if_version name it"),
  created_at_ms: instant.nullable(),
  updated_at_ms: instant.nullable(),
};
const kept = {
  version: z.int().describe("grows with each change; If-Match and if_version name it"),
  created_at_ms: instant,
  updated_at_ms: instant,
};
const views = new WeakMap<AnyEntity, z.ZodObject>();

/** What people see of a row: no digest ever, of a secret only whether it is set, all else in snake_case. */
export function viewSchema(entity: AnyEntity): z.ZodObject {
  let view = views.get(entity);
  if (view === undefined) {
    const shape: Record<string, z.ZodType> = { id: z.string() };
    for (const { wire, field } of fieldsOf(entity)) {
      if (field.access === "secret") shape[wire] = z.object({ set: z.boolean() });
      else if (field.access !== "hashed") shape[wire] = wireCodec(field.schema).schema;
    }
    for (const [wire, schema] of Object.entries(ownViews[entity.name] ?? {})) shape[wire] = schema.nullable();
    if (entity.kind === "record") shape["origin"] = originSchema;
    Object.assign(shape, entity.kind === "ledger" ? { at_ms: instant } : entity.kind === "record" ? recordKept : kept);
    views.set(entity, (view = z.object(shape)));
  }
  return view;
}

export type Row = Readonly<Record<string, unknown>>;
export type View = Record<string, unknown>;

/** The view of a row, in the order of `viewSchema`. A row without `origin` is of the database. */
export function toView(entity: AnyEntity, row: Row): View {
  const view: View = { id: row["id"] };
  for (const { name, wire, field } of fieldsOf(entity)) {
    if (field.access === "secret") view[wire] = { set: row[name] !== null && row[name] !== undefined };
    else if (field.access !== "hashed") view[wire] = wireCodec(field.schema).toWire(row[name]) ?? null;
  }
  for (const wire in ownViews[entity.name]) view[wire] = row[wire] ?? null;
  if (entity.kind === "record") view["origin"] = originOf(row);
  if (entity.kind === "ledger") view["at_ms"] = row["atMs"];
  else
    Object.assign(view, {
      version: row["version"] ?? null,
      created_at_ms: row["createdAtMs"] ?? null,
      updated_at_ms: row["updatedAtMs"] ?? null,
    });
  return view;
}

export function originOf(row: Row): z.output<typeof originSchema> {
  const { origin } = row;
  if (origin === "code") return "code";
  return origin === "file" || origin === "configuration" ? "configuration" : "database";
}
