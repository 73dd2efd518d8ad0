import { GatewayError } from "../errors/index.js";
import { attemptRoute, type RouteContext } from "./attempts/attempt-route.js";
import { failureClass } from "./attempts/failure-class.js";
import { exhausted } from "./attempts/exhausted.js";
import { Failed, tryTarget, type Once, type TryOptions } from "./attempts/try-target.js";
import type { Target } from "./resolve.js";

export interface Attempts extends TryOptions {
  /** In the order they are tried. */
  readonly targets: readonly Target[];
  /** null: the call named its model. */
  readonly route?: RouteContext | null | undefined;
}

/**
 * Tries targets until one begins to answer; nothing of it has reached the caller by then, and nothing is tried again afterwards. A refused or slowed key is set aside and the provider's next
 * one tried; when the provider fails, the next target is, as the route says. An error that says that the request is at fault, or that the caller went, ends it at once.
 * Errors: that of the last attempt; when there were several, its `details.retryable` is false, so that the caller's SDK does not repeat what was repeated here.
 */
export async function attemptAll<A>(o: Attempts, once: Once<A>): Promise<A> {
  if (o.route !== undefined && o.route !== null) return attemptRoute(o, o.route, once);
  let failure: GatewayError | null = null;
  for (const target of o.targets) {
    const result = await tryTarget(o, target, once);
    if (!(result instanceof Failed)) return result;
    failure = result.failure;
    if (result.isFinal || failureClass(failure) === "context-overflow" || failureClass(failure) === "content-filter") break;
  }
  throw exhausted(failure ?? new GatewayError("internal", "A model call had no target."), o.call.meter.attempts);
}
