import { GatewayError } from "../../errors/index.js";

/** The failure that a call ends with. After several attempts it says that it is not to be repeated once more: SDKs multiply their own repetitions with ours otherwise. */
export function exhausted(failure: GatewayError, attempts: number): GatewayError {
  if (attempts < 2 || !failure.code.startsWith("upstream_")) return failure;
  return new GatewayError(failure.code, failure.message, {
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
    ...(failure.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs }),
    details: { ...failure.details, retryable: false, attempts },
    cause: failure.cause,
  });
}
