import { z } from "zod";
import type { AnyEntity } from "../../entities/index.js";
import { fieldsOf, isWritable, type NamedField } from "./field-names.js";
import { wireCodec, withoutDefault } from "./wire-codec.js";

/** What a person gives of a secret: its value, which is never shown again. */
export const secretText = z.string().min(1).max(16_384);

/** What a creation accepts: the fields that people set, and none that only the gateway sets. What may be null or has a default may be left out. */
export function createSchema(entity: AnyEntity): z.ZodObject {
  const fields = fieldsOf(entity).filter((field) => isWritable(field, false));
  return z.strictObject(Object.fromEntries(fields.map((field) => [field.wire, givenField(entity, field)])));
}

/** A field where all of the row is given. */
export function givenField(entity: AnyEntity, { name, field }: NamedField): z.ZodType {
  if (field.access === "secret") return acceptsNull(field.schema) ? secretText.nullable().optional() : secretText;
  const { schema } = wireCodec(field.schema);
  if (name === entity.scope) return schema.optional().describe("a project of the caller; its first one when left out");
  if (acceptsNothing(field.schema) || !acceptsNull(field.schema)) return schema;
  return schema.optional();
}

export function acceptsNull(schema: z.ZodType): boolean {
  return withoutDefault(schema).inner.safeParse(null).success;
}
/** Whether it may be left out: it has a default, or need not be there. */
export function acceptsNothing(schema: z.ZodType): boolean {
  return schema.safeParse(undefined).success;
}
