import type { AnyEntity, Field } from "../../entities/index.js";
import { snakeCase } from "./snake-case.js";

/** A declared field with its name on the wire. */
export interface NamedField {
  readonly name: string;
  readonly wire: string;
  readonly field: Field<unknown>;
}

const named = new WeakMap<AnyEntity, readonly NamedField[]>();

/** The declared fields in their order. */
export function fieldsOf(entity: AnyEntity): readonly NamedField[] {
  let fields = named.get(entity);
  if (fields === undefined) {
    fields = Object.entries(entity.fields).map(([name, field]) => ({ name, wire: snakeCase(name), field }));
    named.set(entity, fields);
  }
  return fields;
}

/** What people may write at a creation; `isUpdate`: afterwards. */
export function isWritable({ field }: NamedField, isUpdate: boolean): boolean {
  return field.access === "open" || field.access === "secret" || (!isUpdate && field.access === "create-only");
}
