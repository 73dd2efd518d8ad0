import { z } from "zod";
import type { AnyEntity } from "../../entities/index.js";
import { acceptsNull, secretText } from "./create-schema.js";
import { fieldsOf, isWritable, type NamedField } from "./field-names.js";
import { patchOf } from "./wire-codec.js";

export const ifVersion = z.int().min(1).optional().describe("only while the row has this version; otherwise 409 with the current one");

const etag = z.string().max(200).optional().describe('an ETag of the row: "3"; otherwise 412 with the current version');
/** What every change heeds. */
export const changeHeaders = z.strictObject({ "if-match": etag });

/**
 * What a merge-patch (RFC 7396) of a row accepts: what it does not name stays as it is, also where the field has a default; an object names what of it changes; null takes away.
 * Defaults are taken off every field first: `.partial()` and `.optional()` alone would apply them.
 */
export function updateSchema(entity: AnyEntity): z.ZodObject {
  const fields = fieldsOf(entity).filter((field) => isWritable(field, true));
  return z.strictObject({ ...Object.fromEntries(fields.map((field) => [field.wire, patchField(field)])), if_version: ifVersion });
}

function patchField(named: NamedField): z.ZodType {
  return named.field.access === "secret" ? secretChange(named) : patchOf(named.field.schema);
}

/** Of a secret: text sets it, null clears it where it need not be there, `{set: true}` (what a view shows) keeps it, as does leaving it out. */
export function secretChange({ field }: NamedField): z.ZodType {
  const keep = z.strictObject({ set: z.literal(true) });
  return (acceptsNull(field.schema) ? z.union([secretText, keep, z.null()]) : z.union([secretText, keep])).optional();
}
