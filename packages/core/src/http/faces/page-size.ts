import { GatewayError } from "../../errors/index.js";

/** How many a page has, as the query says. Errors: `validation_failed` naming the parameter. */
export function pageSize(query: URLSearchParams, name: string, o: { readonly usual: number; readonly most: number }): number {
  const given = query.get(name);
  if (given === null || given === "") return o.usual;
  if (/^\d{1,6}$/.test(given) && Number(given) >= 1 && Number(given) <= o.most) return Number(given);
  throw invalidQuery(name, `must be a whole number from 1 to ${o.most}`);
}

export function invalidQuery(name: string, what: string): GatewayError {
  return new GatewayError("validation_failed", `query.${name}: ${what}`, { details: { param: name } });
}
