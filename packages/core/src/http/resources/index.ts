import { resources, unknownTypeRoutes } from "../../routes/index.js";
import type { Handler } from "../exchange.js";
import type { RestRoute } from "../../routes/index.js";
import { resourceHandler, type ResourceHandling } from "./resource-handlers.js";
import { unknownType } from "./unknown-types.js";

export { auditWrite, type AuditedChange } from "./rows/audit-write.js";
export { expectedVersion, otherVersion } from "./rows/preconditions.js";
export { Idempotency, type CreationAnswer } from "../../policy/idempotency/idempotency.js";
export { keyedHandler } from "./keyed-handler.js";

/** Every derived route with its handler, then those for types that there are not. */
export function resourceEntries(context: ResourceHandling): readonly (readonly [RestRoute, Handler])[] {
  const derived = resources.flatMap((resource) =>
    resource.routes.map((entry) => [entry.route, resourceHandler(context, resource, entry)] as const),
  );
  const { list, ...others } = unknownTypeRoutes;
  return [...derived, [list, unknownType("plural")], ...Object.values(others).map((route) => [route, unknownType("type")] as const)];
}
