import type { Headers } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { HttpClient, HttpResponse } from "../../ports/index.js";
import type { Codec, EncodedRequest } from "../../wire/shared/codec.js";
import type { Target } from "../resolve.js";
import type { Attempt } from "./attempt.js";
import { tellable } from "./tellable.js";

export interface Outbound {
  readonly http: HttpClient;
  /** Reads the vendor's errors. */
  readonly codec: Codec;
  readonly baseUrl: string;
  readonly nowMs: number;
}

const NO_HEADERS: Headers = [];
/** The most of a vendor's refusal that is read. */
const MAX_ERROR_BYTES = 65_536;
/** The most of a whole answer that is kept: pictures come in base64. */
const MAX_ANSWER_BYTES = 134_217_728;

/**
 * Sends one request and gives the answer once the vendor agreed to give one. The headers are the provider's and the codec's, and none of the caller's.
 * A streamed answer has to begin within `timeouts.firstByteMs`, the attempt's or the server's; a whole one begins when it is complete, so that only the call's deadline bounds it.
 * Errors: what the codec makes of a refusal, `misconfigured` for a redirect, and those of the HTTP client, naming the provider.
 */
export async function send(attempt: Attempt, request: EncodedRequest, o: Outbound): Promise<HttpResponse> {
  const { target, key, call } = attempt;
  const { timeouts } = call.snapshot.config.server;
  const firstByteMs = attempt.timeouts?.firstByteMs ?? timeouts.firstByteMs;
  const deadlineMs = call.head.stream ? Math.min(call.deadlineMs, o.nowMs + firstByteMs) : call.deadlineMs;
  const trace = call.trace?.toVendors === true ? call.trace.headers : NO_HEADERS;
  const headers: Headers = [...target.provider.headersFor(key), ...request.headers, ...trace];
  let response: HttpResponse;
  try {
    response = await o.http.exchange(
      {
        method: "POST",
        url: o.baseUrl + request.path,
        headers,
        body: request.bytes,
        trust: trustOf(target),
        idleMs: attempt.timeouts?.idleMs ?? timeouts.idleMs,
        endByMs: call.deadlineMs,
      },
      { deadlineMs, signal: call.signal },
    );
  } catch (error) {
    throw naming(target, error);
  }
  if (response.status >= 200 && response.status < 300) return response;
  throw await refusal(attempt, response, o.codec);
}

function trustOf({ provider: { reach } }: Target): "operator" | "untrusted" {
  return reach.kind === "http" ? reach.trust : "operator";
}

/** The whole body of an answer. Errors: those of the HTTP client, naming the provider; `upstream_protocol` when it is larger than any answer may be. */
export async function wholeBody(target: Target, response: HttpResponse): Promise<Uint8Array> {
  try {
    return await response.bytes(MAX_ANSWER_BYTES);
  } catch (error) {
    if (GatewayError.is(error, "payload_too_large"))
      throw new GatewayError("upstream_protocol", `The answer of "${target.provider.name}" is larger than ${MAX_ANSWER_BYTES} bytes.`, {
        details: detailsOf(target),
        cause: error,
      });
    throw naming(target, error);
  }
}

/** The media type of an answer says that it is a stream, whatever was asked for; without one it is what was asked for. */
export function isStream(response: HttpResponse, asked: boolean): boolean {
  for (const [name, value] of response.headers)
    if (name === "content-type") return asked ? !value.startsWith("application/json") : value.startsWith("text/event-stream");
  return asked;
}

async function refusal(attempt: Attempt, response: HttpResponse, codec: Codec): Promise<GatewayError> {
  const { target } = attempt;
  if (response.status >= 300 && response.status < 400) {
    response.discard();
    return new GatewayError(
      "misconfigured",
      `The provider "${target.provider.name}" answered with a redirect (${response.status}), which is not followed.`,
      {
        hint: `Set providers.${target.provider.name}.baseUrl to the address that it redirects to.`,
        details: detailsOf(target),
      },
    );
  }
  const bytes = await response.bytes(MAX_ERROR_BYTES).catch(() => new Uint8Array());
  const error = codec.decodeError(response.status, response.headers, bytes);
  return tellable(attempt, error);
}

/** An error of the transport, saying whose answer it was. */
function naming(target: Target, error: unknown): GatewayError {
  const known = GatewayError.from(error);
  if (known.blame !== "upstream") return known;
  return new GatewayError(known.code, `${target.provider.name}: ${known.message}`, {
    ...(known.hint === undefined ? {} : { hint: known.hint }),
    details: { ...known.details, ...detailsOf(target) },
    cause: known,
  });
}

function detailsOf(target: Target): { readonly provider: string; readonly model: string } {
  return { provider: target.provider.name, model: target.code };
}
