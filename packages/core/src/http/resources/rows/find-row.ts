import { GatewayError } from "../../../errors/index.js";
import { originOf, type Row } from "../../../routes/index.js";
import { actionsOf, actionOptions, scopeOf, withinOf, type ResourceExchange } from "./resource-exchange.js";

const keyForm = /^[A-Za-z0-9_-]{1,64}$/;

/** Rows of the entity that are not in the store: of the configuration, or of the program. They come first in lists, and cannot be changed. */
export async function fixedRows(e: ResourceExchange): Promise<readonly Row[]> {
  return (await actionsOf(e).fixed?.(actionOptions(e))) ?? [];
}

/** The row of this id that the caller may see. Errors: `not_found`, also for a row of another project. */
export async function findRow(e: ResourceExchange, named: string): Promise<Row> {
  const id = actionsOf(e).idOf?.(named) ?? named;
  const fixed = (await fixedRows(e)).find((row) => row["id"] === id);
  if (fixed !== undefined) return fixed;
  const { entity } = e.resource;
  const row = keyForm.test(id) ? await e.services.store.get(entity, id, scopeOf(e), withinOf(e)) : null;
  if (
    row === null ||
    actionsOf(e)
      .seen?.(actionOptions(e))
      .row(row as Row) === false
  )
    throw noSuchRow(e);
  return row as Row;
}

/** The same, of a row that may be changed. Errors: `not_found`, `forbidden` naming where it is from. */
export async function findOwnRow(e: ResourceExchange, id: string): Promise<Row> {
  const row = await findRow(e, id);
  const origin = originOf(row);
  if (origin === "database" || actionsOf(e).fixedMayChange === true) return row;
  const where = origin === "code" ? "the program that the gateway runs in" : "the configuration file";
  throw new GatewayError("forbidden", `This ${e.resource.traits.type} is of ${where}, and is not changed over HTTP.`, {
    hint: "Change it where it was declared, or create one under another name.",
    details: { origin, id },
  });
}

export function noSuchRow({ resource }: ResourceExchange): GatewayError {
  return new GatewayError("not_found", `There is no ${resource.traits.type} of this id.`, {
    hint: `GET /api/v1/${resource.path} lists those of the caller's projects.`,
  });
}
