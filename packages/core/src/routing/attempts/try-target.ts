import type { ModelHead } from "../../calls/index.js";
import { GatewayError, type ErrorCode } from "../../errors/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import type { AttemptStep } from "../../policy/step.js";
import type { Clock } from "../../ports/index.js";
import type { ProviderKey } from "../../providers/index.js";
import type { Log } from "../../util/log.js";
import type { Attempt } from "../lanes/attempt.js";
import { tellable } from "../lanes/tellable.js";
import type { Target } from "../resolve.js";
import { attemptTarget, enterAttempt } from "./enter-attempt.js";
import { failureClass } from "./failure-class.js";

/** However many targets and keys there are. */
export const MAX_ATTEMPTS = 8;
/** A key that the vendor refused, or whose account is out of money, is left alone for this long. */
const REFUSED_KEY_MS = 300_000;
/** A key that was told to slow down, when the vendor does not say for how long, and at the most. */
const SLOWED_KEY_MS = 5_000;
const LONGEST_SLOWED_KEY_MS = 60_000;

const notTheProviders: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["cancelled", "shutting_down"]);
const NONE: ReadonlySet<ProviderKey> = new Set();

export type Once<A> = (attempt: Attempt) => Promise<A>;

export interface TryOptions {
  readonly call: LiveCall<ModelHead>;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes the secrets that this gateway knows out of a text: for failures, which vendors word as they like. */
  readonly redact?: ((text: string) => string) | undefined;
  /** What an attempt passes before its provider is dialed. Left out: nothing. */
  readonly steps?: readonly AttemptStep[] | undefined;
  /** The key that a target with several is tried with first, as long as that is free: what the call carries is bound to it. Null: any. */
  readonly preferredKey?: ((target: Target) => Promise<ProviderKey | null>) | undefined;
  /** A number of the conversation, which keeps its key; only asked for when there are several. Null: none. */
  readonly affinity?: (() => number | null) | undefined;
}

/** A target that did not answer. */
export class Failed {
  constructor(
    readonly failure: GatewayError,
    /** The request is at fault, the caller went, or enough was tried: no other target is asked. */
    readonly isFinal: boolean,
  ) {}
}

/**
 * Tries the keys of one target until one of them is answered with the beginning of an answer. A refused or slowed key is set aside and the next one tried; any other failure ends it. Never
 * throws.
 */
export async function tryTarget<A>(o: TryOptions, target: Target, once: Once<A>): Promise<A | Failed> {
  const { call } = o;
  const { keys } = target.provider;
  let tried: Set<ProviderKey> | null = null;
  let failed: Failed | null = null;
  if (o.steps !== undefined && o.steps.length > 0) {
    try {
      const entered = enterAttempt(o.steps, call, target);
      if (entered !== undefined) await entered;
    } catch (error) {
      const refusal = GatewayError.from(error);
      return new Failed(refusal, refusal.code !== "rate_limited");
    }
  }
  let preferred = keys.size < 2 ? null : await preferredKeyOf(o, target);
  for (;;) {
    const nowMs = o.clock.now();
    const key = preferred ?? keys.pick(tried ?? NONE, nowMs, keys.size < 2 ? null : (o.affinity?.() ?? null));
    preferred = null;
    if (key === null && keys.size > 0) return failed ?? new Failed(new GatewayError("internal", "A provider gave no key."), true);
    call.meter.attempts++;
    call.meter.attemptAtMs = nowMs;
    call.meter.provider = target.provider.name;
    call.meter.model = target.code;
    call.meter.pricing = attemptTarget(target);
    call.meter.delivered = null;
    try {
      return await once({ target, key, call, redact: o.redact });
    } catch (error) {
      failed = judged(o, { target, key, call, redact: o.redact }, error);
    }
    if (failed.isFinal || key === null || !isTheKeys(failed.failure)) return failed;
    keys.setAside(key, o.clock.now() + restMs(failed.failure));
    (tried ??= new Set()).add(key);
  }
}

/** How long a key, or a target, that failed so is left alone. */
export function restMs(failure: GatewayError): number {
  if (failure.code === "upstream_credential" || failure.details?.["retryable"] === false) return REFUSED_KEY_MS;
  return Math.min(Math.max(failure.retryAfterMs ?? SLOWED_KEY_MS, 0), LONGEST_SLOWED_KEY_MS);
}

async function preferredKeyOf({ preferredKey, clock }: TryOptions, target: Target): Promise<ProviderKey | null> {
  const key = preferredKey === undefined ? null : await preferredKey(target);
  return key !== null && target.provider.keys.isFree(key, clock.now()) ? key : null;
}

function judged({ call, clock, log }: TryOptions, attempt: Attempt, error: unknown): Failed {
  const failure = tellable(attempt, error);
  const status = failure.details?.["status"];
  call.meter.failed(failure.code, { status: typeof status === "number" ? status : null, nowMs: clock.now() });
  // That the caller left, or the gateway closes, says nothing of the provider.
  const isOurs = call.signal.aborted || notTheProviders.has(failure.code);
  log[isOurs ? "debug" : "warn"](isOurs ? "a model call ended before a provider answered" : "a model call failed at a provider", {
    callId: call.id,
    provider: attempt.target.provider.name,
    code: failure.code,
    key: attempt.key?.index,
  });
  const isFinal = call.signal.aborted || call.meter.attempts >= MAX_ATTEMPTS || failureClass(failure) === null;
  return new Failed(failure, isFinal);
}

function isTheKeys({ code }: GatewayError): boolean {
  return code === "upstream_credential" || code === "upstream_rate_limited";
}
