import type { Asker } from "../bridge/question.js";
import { GatewayError } from "../../errors/index.js";
import type { RpcMessage } from "../frames/message.js";
import type { ExchangeOptions, UpstreamRequest } from "../lanes/lane.js";
import type { Connection } from "../lanes/own-request.js";
import type { Upstream } from "../upstream/upstream.js";
import type { Nature } from "./repeatable.js";
import type { AttemptBounds } from "./server-guard.js";

export interface GuardedExchange extends ExchangeOptions {
  /** Left out: nothing is known of it. */
  readonly nature?: Nature | undefined;
  /** See `GuardedCall.same`. */
  readonly same?: (() => string) | undefined;
  /** Called for each time that it is sent. */
  readonly onAttempt?: (() => void) | undefined;
}
type Exchanged = Promise<{ readonly reply: RpcMessage; readonly connection: Connection }>;

/**
 * `Upstream.exchange` for what callers ask of a server: within what its operator says of its resilience. What the server asks of its caller is not its time, nor does the call have a place there meanwhile.
 * Errors: those of `exchange` and of `ServerGuard.run`.
 */
export function guardedExchange(
  upstream: Upstream,
  build: (connection: Connection) => UpstreamRequest,
  { nature = "unknown", same, onAttempt, ...o }: GuardedExchange,
): Exchanged {
  const { deadlineMs, signal, asker } = o;
  const canBeAsked = asker !== undefined && Object.keys(asker.capabilities).length > 0;
  return upstream.guard.run({ nature, deadlineMs, signal, same, canBeAsked }, (bounds) => {
    onAttempt?.();
    const built = (connection: Connection): UpstreamRequest => {
      bounds.sent();
      return build(connection);
    };
    const within = { ...o, signal: bounds.signal, deadlineMs: bounds.deadlineMs };
    return canBeAsked ? asking(upstream, built, { ...within, asker, bounds }) : upstream.exchange(built, within);
  });
}

async function asking(
  upstream: Upstream,
  build: (connection: Connection) => UpstreamRequest,
  { bounds, asker, ...o }: ExchangeOptions & { readonly asker: Asker; readonly bounds: AttemptBounds },
): Exchanged {
  const time = upstream.guard.ownTime(bounds);
  let isSent = false;
  const sending = (connection: Connection): UpstreamRequest => {
    isSent = true;
    return build(connection);
  };
  const aside = <T>(work: () => Promise<T>): Promise<T> => time.aside(work);
  const patient: Asker = {
    capabilities: asker.capabilities,
    ask: (question, withdrawn) => {
      // Before, it is ourselves who ask for a sign-in.
      if (isSent) bounds.alive();
      return time.aside(() => asker.ask(question, withdrawn));
    },
    completed: (elicitationId) => asker.completed(elicitationId),
  };
  try {
    return await upstream.exchange(sending, { ...o, asker: patient, aside, signal: time.signal });
  } catch (error) {
    const { reason } = time.signal as { readonly reason: unknown };
    throw GatewayError.is(reason, "upstream_timeout") && GatewayError.is(error, "cancelled") ? reason : error;
  } finally {
    time.end();
  }
}
