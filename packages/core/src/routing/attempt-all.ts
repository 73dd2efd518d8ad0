import { GatewayError, type ErrorCode } from "../errors/index.js";
import type { ModelHead } from "../calls/index.js";
import type { LiveCall } from "../policy/live-call.js";
import type { Clock } from "../ports/index.js";
import type { ProviderKey } from "../providers/index.js";
import type { Log } from "../util/log.js";
import type { Target } from "./resolve.js";
import { tellable } from "./lanes/tellable.js";
import type { Attempt } from "./lanes/attempt.js";

/** However many targets and keys there are. */
const MAX_ATTEMPTS = 8;
/** A key that the vendor refused is left alone for this long. */
const REFUSED_KEY_MS = 300_000;
/** A key that was told to slow down, when the vendor does not say for how long, and at the most. */
const SLOWED_KEY_MS = 5_000;
const LONGEST_SLOWED_KEY_MS = 60_000;

const notTheProviders: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["cancelled", "shutting_down"]);
const NONE: ReadonlySet<ProviderKey> = new Set();

export interface Attempts {
  readonly call: LiveCall<ModelHead>;
  /** In the order they are tried. */
  readonly targets: readonly Target[];
  readonly clock: Clock;
  readonly log: Log;
  /** The key that a target with several is tried with first, as long as that is free: what the call carries is bound to it. Null: any. */
  readonly preferredKey?: ((target: Target) => Promise<ProviderKey | null>) | undefined;
}

/**
 * Tries targets until one begins to answer; nothing of it has reached the caller by then. A refused or slowed key is set aside and the provider's next one tried; when the provider fails, the next
 * target is. An error that says that the request is at fault, or that the caller went, ends it at once.
 * Errors: that of the last attempt.
 */
export async function attemptAll<A>(o: Attempts, once: (attempt: Attempt) => Promise<A>): Promise<A> {
  const { call } = o;
  let failure: GatewayError | null = null;
  for (const target of o.targets) {
    let tried: Set<ProviderKey> | null = null;
    let preferred = await preferredKeyOf(o, target);
    for (;;) {
      const key = preferred ?? target.provider.keys.pick(tried ?? NONE, o.clock.now());
      preferred = null;
      if (key === null && target.provider.keys.size > 0) break;
      call.meter.attempts++;
      call.meter.provider = target.provider.name;
      call.meter.model = target.code;
      try {
        return await once({ target, key, call });
      } catch (error) {
        failure = tellable({ target, key }, error);
      }
      // That the caller left, or the gateway closes, says nothing of the provider.
      const level = call.signal.aborted || notTheProviders.has(failure.code) ? "debug" : "warn";
      o.log[level](level === "warn" ? "a model call failed at a provider" : "a model call ended before a provider answered", {
        callId: call.id,
        provider: target.provider.name,
        code: failure.code,
        key: key?.index,
      });
      const next = call.signal.aborted || call.meter.attempts >= MAX_ATTEMPTS ? "stop" : nextAfter(failure);
      if (next === "stop") throw failure;
      if (key === null || next === "target") break;
      target.provider.keys.setAside(key, o.clock.now() + asideMs(failure));
      (tried ??= new Set()).add(key);
    }
  }
  throw failure ?? new GatewayError("internal", "A model call had no target.");
}

async function preferredKeyOf({ preferredKey, clock }: Attempts, target: Target): Promise<ProviderKey | null> {
  const { keys } = target.provider;
  if (preferredKey === undefined || keys.size < 2) return null;
  const key = await preferredKey(target);
  return key !== null && keys.isFree(key, clock.now()) ? key : null;
}

function nextAfter(failure: GatewayError): "key" | "target" | "stop" {
  if (failure.code === "upstream_credential" || failure.code === "upstream_rate_limited") return "key";
  return failure.retryable && failure.blame === "upstream" ? "target" : "stop";
}

function asideMs(failure: GatewayError): number {
  if (failure.code === "upstream_credential") return REFUSED_KEY_MS;
  return Math.min(Math.max(failure.retryAfterMs ?? SLOWED_KEY_MS, 0), LONGEST_SLOWED_KEY_MS);
}
