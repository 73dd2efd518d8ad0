import { z } from "zod";
import type { AnyEntity } from "../../entities/index.js";
import { givenField } from "./create-schema.js";
import { fieldsOf, isWritable } from "./field-names.js";
import { ifVersion, secretChange } from "./update-schema.js";
import { wireCodec } from "./wire-codec.js";

/**
 * What a replacement (PUT) accepts: every field that people change, as at a creation: what is left out has its default again. Two departures: a secret that is left out is kept, since
 * nobody can read it to send it back; and what is set once may stand there as it is.
 */
export function replaceSchema(entity: AnyEntity): z.ZodObject {
  const shape: Record<string, z.ZodType> = {};
  for (const named of fieldsOf(entity)) {
    const { wire, field } = named;
    if (field.access === "secret") shape[wire] = secretChange(named);
    else if (field.access === "create-only") shape[wire] = wireCodec(field.schema).schema.optional().describe("as it is: it is set once");
    else if (isWritable(named, true)) shape[wire] = givenField(entity, named);
  }
  return z.strictObject({ ...shape, if_version: ifVersion });
}
