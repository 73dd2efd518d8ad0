import type { AnyEntity, AnyLogEntity } from "../../../entities/index.js";
import type { ActionOptions, ResourceActions, Services } from "../../../seams/index.js";
import type { Resource } from "../../../routes/index.js";
import type { Scope, Within } from "../../../ports/index.js";
import type { Exchange } from "../../exchange.js";

/** What the handlers of every resource are made with. */
export interface ResourceContext {
  readonly services: Services;
  /** Has this process see what was changed; nothing where nothing follows the store. */
  readonly refresh?: (() => Promise<void>) | undefined;
  /** Among which references to a deleted row are looked for; all of them when left out. */
  readonly entities?: readonly (AnyEntity | AnyLogEntity)[] | undefined;
}
/** One request for one resource. */
export interface ResourceExchange extends ResourceContext {
  readonly resource: Resource;
  readonly x: Exchange;
}

/** Rows of the caller's projects, and rows of no project: never more. */
export function scopeOf({ x }: ResourceExchange): Scope {
  return { projects: x.caller.projects };
}
export function withinOf({ x }: ResourceExchange): Within {
  return { deadlineMs: x.deadlineMs, signal: x.inbound.signal };
}
export function actionOptions({ x }: ResourceExchange): ActionOptions {
  return { caller: x.caller, requestId: x.requestId, signal: x.inbound.signal, deadlineMs: x.deadlineMs };
}
/** What the entity's domain does itself. */
export function actionsOf(e: ResourceExchange): ResourceActions {
  return e.services.seams.resources.of(e.resource.entity.name) ?? {};
}
