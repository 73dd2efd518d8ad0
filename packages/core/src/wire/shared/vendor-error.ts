import type { Headers } from "../../calls/index.js";
import { GatewayError, type ErrorCode, type GatewayErrorOptions } from "../../errors/index.js";
import { redact } from "./secrets/redact.js";
import { retryAfterMs } from "./retry-after.js";

/** What a vendor said of a failure, read from its own error shape. `status` is the HTTP status, or what the body named when it came inside a 200. */
export interface VendorFailure {
  readonly status: number;
  readonly headers: Headers;
  readonly message: string | undefined;
  readonly type?: string | undefined;
  readonly code?: string | undefined;
  readonly param?: string | undefined;
}

/** Codes by which vendors say that the account has no money or quota left: a repetition is of no use, another vendor is. */
const quotaCodes = /insufficient_quota|insufficient_balance|exceeded_current_quota|billing|spend_limit/i;
/** The same in prose; believed only when no wait is named, because some say it of a limit by the minute as well. */
const quotaWords =
  /insufficient (?:balance|quota|credits?|funds)|exceeded your current quota|credits? (?:is |are )?(?:exhausted|depleted)/i;
const contextOverflow =
  /context_length_exceeded|context[ _]length|context[ _]window|maximum[ _]context|prompt is too long|input is too long|too many (?:input )?tokens|input token count[^.]*exceeds|reduce the length of the (?:messages|prompt)/i;

/**
 * What a vendor's failure means to us. `details` carry `status` (the vendor's), `type`, `code` and `param` (its words), `reason` where a machine acts on it
 * (`context_length_exceeded`, `insufficient_quota`) and `retryable: false` where the code's own answer is wrong. Credentials are redacted; of a refusal of our
 * own credential nothing of the vendor's text is kept.
 */
export function vendorError(failure: VendorFailure): GatewayError {
  const { status } = failure;
  if (status === 401 || status === 403) return refusedCredential(failure);
  if (status === 402 || (status === 429 && isOutOfQuota(failure)))
    return made("upstream_rate_limited", failure, { details: { reason: "insufficient_quota", retryable: false } });
  if (status === 429) return made("upstream_rate_limited", failure);
  if (status === 408) return made("upstream_timeout", failure);
  if (status >= 500) return made("upstream_unavailable", failure);
  if (status >= 400)
    return made("upstream_rejected", failure, isContextOverflow(failure) ? { details: { reason: "context_length_exceeded" } } : {});
  return new GatewayError("upstream_protocol", `The vendor answered with status ${status} where an answer or an error was due.`, {
    details: { status },
  });
}

/** Vendors answer 403 for a wrong key as well as for a model that the key may not use; either way the operator has to act, not the caller. */
function refusedCredential({ status, code }: VendorFailure): GatewayError {
  return new GatewayError("upstream_credential", `The vendor refused the gateway's credential (status ${status}).`, {
    hint: "Check the provider's apiKey and what it may be used for; `sallyport doctor` tries it.",
    details: { status, ...(code === undefined ? {} : { code: redact(code, 100) }) },
  });
}

function made(code: ErrorCode, failure: VendorFailure, o: GatewayErrorOptions = {}): GatewayError {
  const waitMs = retryAfterMs(failure.headers, Date.now());
  const words = Object.entries({ type: failure.type, code: failure.code, param: failure.param }).filter(([, value]) => value !== undefined);
  const message = failure.message === undefined || failure.message === "" ? undefined : redact(failure.message);
  return new GatewayError(code, message ?? `The vendor answered with status ${failure.status} and no message.`, {
    ...o,
    details: {
      status: failure.status,
      ...Object.fromEntries(words.map(([key, value]) => [key, redact(value as string, 200)])),
      ...o.details,
    },
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  });
}

function isOutOfQuota({ message, type, code, headers }: VendorFailure): boolean {
  if (quotaCodes.test(code ?? "") || quotaCodes.test(type ?? "")) return true;
  return quotaWords.test(message ?? "") && retryAfterMs(headers, Date.now()) === undefined;
}
function isContextOverflow({ message, code }: VendorFailure): boolean {
  return contextOverflow.test(code ?? "") || contextOverflow.test(message ?? "");
}
