import type { RpcMessage } from "../frames/message.js";
import type { ExchangeOptions, UpstreamRequest } from "../lanes/lane.js";
import type { Connection } from "../lanes/own-request.js";
import type { Upstream } from "../upstream/upstream.js";
import type { Nature } from "./repeatable.js";

export interface GuardedExchange extends ExchangeOptions {
  /** Left out: nothing is known of it. */
  readonly nature?: Nature | undefined;
  /** See `GuardedCall.same`. */
  readonly same?: (() => string) | undefined;
  /** Called for each time that it is sent. */
  readonly onAttempt?: (() => void) | undefined;
}

/** `Upstream.exchange` for what callers ask of a server: within what its operator says of its resilience. Errors: those of `exchange` and of `ServerGuard.run`. */
export function guardedExchange(
  upstream: Upstream,
  build: (connection: Connection) => UpstreamRequest,
  { nature = "unknown", same, onAttempt, ...o }: GuardedExchange,
): Promise<{ readonly reply: RpcMessage; readonly connection: Connection }> {
  const { deadlineMs, signal, asker } = o;
  const canBeAsked = asker !== undefined && Object.keys(asker.capabilities).length > 0;
  return upstream.guard.run({ nature, deadlineMs, signal, same, canBeAsked }, (bounds) => {
    onAttempt?.();
    const built = (connection: Connection): UpstreamRequest => {
      bounds.sent();
      return build(connection);
    };
    return upstream.exchange(built, { ...o, signal: bounds.signal, deadlineMs: bounds.deadlineMs });
  });
}
