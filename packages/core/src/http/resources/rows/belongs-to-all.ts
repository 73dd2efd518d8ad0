import type { ResourceExchange } from "./resource-exchange.js";

/**
 * What belongs to no project is everybody's: who administers one project does not change it for all others, nor reads what names them (T04). The permission itself was asked for by the route.
 * Errors: `forbidden`.
 */
export function assertEverywhere({ resource, services, x }: ResourceExchange, verb: "read" | "write"): void {
  const { entity, traits } = resource;
  if (entity.scope !== null || (verb === "read" && traits.readers !== "everywhere")) return;
  services.seams.resources.assertEverywhere(x.caller, `${traits.permission}:${verb}`);
}
