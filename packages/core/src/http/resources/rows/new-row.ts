import type { Caller } from "../../../calls/index.js";
import type { AnyEntity } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import { createdFields, fieldsOf, snakeCase, type NamedField, type Row } from "../../../routes/index.js";
import { newId } from "../../../util/ids.js";
import type { ResourceExchange } from "./resource-exchange.js";

/** What only the gateway sets and every entity means alike. */
const serverValues: Readonly<Record<string, (caller: Caller) => unknown>> = {
  origin: () => "database",
  createdBy: (caller) => caller.id,
};

/** The whole row of a derived creation, secrets sealed. Errors: `validation_failed`; `forbidden` for a project that is not the caller's. */
export function newRow(e: ResourceExchange, body: Row): { readonly id: string } & Row {
  const { entity } = e.resource;
  const { caller } = e.x;
  const id = newId(snakeCase(entity.name));
  const row: Record<string, unknown> = sealed(e, id, createdFields(entity, body));
  for (const named of fieldsOf(entity)) if (!(named.name in row)) row[named.name] = serverValue(entity, named, caller);
  if (entity.scope !== null) row[entity.scope] = projectOf(caller, row[entity.scope]);
  return { ...row, id };
}

/** The fields with their secrets sealed for this row. Errors: `misconfigured` when there is nothing to seal them with. */
export function sealed(e: ResourceExchange, rowId: string, fields: Row): Record<string, unknown> {
  const { entity } = e.resource;
  const done: Record<string, unknown> = { ...fields };
  for (const { name, field } of fieldsOf(entity)) {
    const value = done[name];
    if (field.access !== "secret" || typeof value !== "string") continue;
    done[name] = e.services.seams.vault.get().seal(value, { table: entity.table, column: name, rowId });
  }
  return done;
}

/** Errors: `forbidden` for a project that is not the caller's. */
export function projectOf(caller: Caller, given: unknown): string {
  if (given === null || given === undefined) return caller.projects[0];
  if (caller.projects.includes(given as string)) return given as string;
  throw new GatewayError("forbidden", "The project is not one of the caller's.", {
    hint: "Leave project_id out, or name one of the caller's projects.",
  });
}

function serverValue(entity: AnyEntity, { name, field }: NamedField, caller: Caller): unknown {
  if (name === entity.scope) return null;
  const own = Object.hasOwn(serverValues, name) ? serverValues[name] : undefined;
  if (own !== undefined) return own(caller);
  for (const empty of [undefined, null]) {
    const value = field.schema.safeParse(empty);
    if (value.success) return value.data ?? null;
  }
  throw new GatewayError("internal", `${entity.name}.${name} has no value for a new row: its domain has to create it itself.`);
}
