import type { Headers } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { HttpResponse } from "../../ports/index.js";
import { decodeError } from "../../wire/openai-chat/decode-error.js";
import { parseUpstreamJson } from "../../wire/shared/upstream-json.js";
import type { Download, OperationContext } from "../operations.js";

/** The most of a vendor's refusal that is read. */
const MAX_ERROR_BYTES = 65_536;
/** The most of a whole answer that is kept: pictures and sound come in base64. */
export const MAX_ANSWER_BYTES = 134_217_728;

const MAX_HOPS = 3;

export interface MediaRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Whole, or what follows the provider's base URL. */
  readonly url: string;
  /** Sent as JSON when it is no bytes. */
  readonly body?: Uint8Array | object | undefined;
  readonly contentType?: string | undefined;
  readonly headers?: Headers | undefined;
  /** Reads the vendor's errors; Chat Completions' reader, which knows many shapes, when left out. */
  readonly decodeError?: ((status: number, headers: Headers, bytes: Uint8Array) => GatewayError) | undefined;
}

/**
 * One request to the provider with its credential; resolves once the vendor agreed to answer. Errors: what the vendor's refusal means, `misconfigured` for a redirect, and those of the HTTP client.
 */
export async function exchange(request: MediaRequest, context: OperationContext): Promise<HttpResponse> {
  const { body } = request;
  const isBytes = body instanceof Uint8Array;
  const type = request.contentType ?? "application/json";
  const response = await context.http.exchange(
    {
      method: request.method,
      url: isWhole(request.url) ? request.url : context.baseUrl + request.url,
      headers: [...context.headers, ...(body === undefined ? [] : ([["content-type", type]] as Headers)), ...(request.headers ?? [])],
      body: body === undefined ? null : isBytes ? body : new TextEncoder().encode(JSON.stringify(body)),
      trust: context.trust ?? "operator",
      idleMs: context.idleMs,
      endByMs: context.deadlineMs,
    },
    { deadlineMs: context.deadlineMs, signal: context.signal },
  );
  if (response.status >= 200 && response.status < 300) return response;
  if (response.status >= 300 && response.status < 400) {
    response.discard();
    throw new GatewayError("misconfigured", `The provider answered with a redirect (${response.status}), which is not followed.`, {
      hint: "Set the provider's baseUrl to the address that it redirects to.",
    });
  }
  const bytes = await response.bytes(MAX_ERROR_BYTES).catch(() => new Uint8Array());
  throw (request.decodeError ?? decodeError)(response.status, response.headers, bytes);
}

/** The same, and the JSON object that it answers. Errors: also `upstream_protocol`. */
export async function exchangeJson(request: MediaRequest, context: OperationContext): Promise<Record<string, unknown>> {
  return parseUpstreamJson(await (await exchange(request, context)).bytes(MAX_ANSWER_BYTES));
}

/**
 * A film, a picture or a sound at an address that a vendor gave; some send on to another one, up to three times. The provider's credential goes only to the provider's own origin; elsewhere the address is
 * all there is, and only public addresses are dialled. Errors: `upstream_rejected` when the vendor has let it go.
 */
export async function download(url: string, context: OperationContext): Promise<Download> {
  let address = url;
  for (let hops = 0; hops <= MAX_HOPS; hops++) {
    const isTheirs = sameOrigin(address, context.baseUrl);
    const response = await context.http.exchange(
      {
        ...{ method: "GET", url: address, headers: isTheirs ? context.headers : [["accept-encoding", "identity"]], body: null },
        ...{ trust: isTheirs ? (context.trust ?? "operator") : "untrusted", idleMs: context.idleMs, endByMs: context.deadlineMs },
      },
      { deadlineMs: context.deadlineMs, signal: context.signal },
    );
    if (response.status === 200) return downloadOf(response);
    const next = response.status >= 300 && response.status < 400 ? header(response, "location") : undefined;
    if (next === undefined || !URL.canParse(next, address)) throw await gone(response);
    response.discard();
    address = new URL(next, address).href;
  }
  throw new GatewayError("upstream_protocol", `The vendor's file is behind more than ${MAX_HOPS} redirects.`);
}

async function gone(response: HttpResponse): Promise<GatewayError> {
  const { status } = response;
  if (status === 403 || status === 404 || status === 410) {
    response.discard();
    return new GatewayError("upstream_rejected", `The vendor no longer has the file (${status}).`, { details: { status } });
  }
  return decodeError(status, response.headers, await response.bytes(MAX_ERROR_BYTES).catch(() => new Uint8Array()));
}

/** An answer's body with its type. */
export function downloadOf(response: HttpResponse): Download {
  return { mediaType: header(response, "content-type") ?? "application/octet-stream", chunks: response.chunks() };
}

export function header(response: HttpResponse, name: string): string | undefined {
  return response.headers.find(([given]) => given === name)?.[1];
}

function isWhole(url: string): boolean {
  return /^https?:\/\//.test(url);
}

function sameOrigin(url: string, baseUrl: string): boolean {
  return URL.canParse(url) && URL.canParse(baseUrl) && new URL(url).origin === new URL(baseUrl).origin;
}
