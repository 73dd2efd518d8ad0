import type { AnyEntity } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { isObject } from "../../util/json.js";
import { fieldsOf, isWritable, type NamedField } from "./field-names.js";
import { mergePatch } from "./merge-patch.js";
import { snakeCase } from "./snake-case.js";
import type { Row } from "./view.js";
import { wireCodec, withoutDefault } from "./wire-codec.js";

// From checked bodies to fields of rows. Secrets stay as they were given: sealing them is for whoever knows the row's id.

type Fields = Record<string, unknown>;

/** Every field that people write, of a creation: defaults filled in, null for what may be left out. Errors: `validation_failed`. */
export function createdFields(entity: AnyEntity, body: Row): Fields {
  const fields: Fields = {};
  for (const named of fieldsOf(entity)) if (isWritable(named, false)) fields[named.name] = givenValue(named, body[named.wire]);
  return fields;
}

/** What a merge-patch changes of the row: only fields that it names. Errors: `validation_failed`. */
export function patchedFields(entity: AnyEntity, row: Row, patch: Row): Fields {
  const fields: Fields = {};
  for (const named of fieldsOf(entity)) {
    const given = patch[named.wire];
    if (given === undefined || !isWritable(named, true)) continue;
    if (named.field.access === "secret") Object.assign(fields, changedSecret(named, given));
    else fields[named.name] = patchedValue(named, row[named.name], given);
  }
  return fields;
}

/** What a replacement changes: every field that people change. Errors: `validation_failed`, also for another value of what is set once. */
export function replacedFields(entity: AnyEntity, row: Row, body: Row): Fields {
  const fields: Fields = {};
  for (const named of fieldsOf(entity)) {
    const given = body[named.wire];
    if (named.field.access === "secret") Object.assign(fields, changedSecret(named, given));
    else if (isWritable(named, true)) fields[named.name] = givenValue(named, given);
    else if (given !== undefined && named.field.access === "create-only") assertSame(named, row[named.name], given);
  }
  return fields;
}

function givenValue(named: NamedField, given: unknown): unknown {
  const { schema, access } = named.field;
  if (access === "secret") return given ?? null;
  if (given !== undefined) return checked(named, wireCodec(schema).fromWire(given));
  const left = schema.safeParse(undefined);
  return left.success ? (left.data ?? null) : null;
}

function patchedValue(named: NamedField, current: unknown, given: unknown): unknown {
  const { schema } = named.field;
  if (given === null) {
    const { hasDefault } = withoutDefault(schema);
    const left = schema.safeParse(hasDefault ? undefined : null);
    if (left.success) return left.data ?? null;
  }
  const codec = wireCodec(schema);
  return checked(named, codec.fromWire(isObject(given) ? mergePatch(codec.toWire(current), given) : given));
}

function changedSecret({ name }: NamedField, given: unknown): Fields {
  return typeof given === "string" || given === null ? { [name]: given } : {};
}

function assertSame(named: NamedField, current: unknown, given: unknown): void {
  const value = checked(named, wireCodec(named.field.schema).fromWire(given));
  if (JSON.stringify(value) === JSON.stringify(current)) return;
  throw invalid([{ path: named.wire, message: "is set once and cannot be changed" }]);
}

/** The value as its field declares it: also what a schema checks beyond structure. */
function checked({ wire, field }: NamedField, value: unknown): unknown {
  const result = field.schema.safeParse(value);
  if (result.success) return result.data ?? null;
  throw invalid(
    result.error.issues.slice(0, 20).map(({ path, message }) => ({
      path: [wire, ...path.map((part) => (typeof part === "string" ? snakeCase(part) : String(part)))].join("."),
      message,
    })),
  );
}

function invalid(problems: readonly { readonly path: string; readonly message: string }[]): GatewayError {
  return new GatewayError("validation_failed", problems.map(({ path, message }) => `${path}: ${message}`).join("; "), {
    details: { problems },
  });
}
