import { expect } from "vitest";
import { modern } from "../proxy-harness.js";
import { everything } from "./asked-clients.js";

export interface RawCall {
  readonly name?: string;
  readonly args?: object;
  readonly capabilities?: object;
  readonly bearer?: string;
  readonly state?: string;
  readonly responses?: object;
  readonly id?: number;
  /** Of a call that may be repeated. */
  readonly key?: string;
  readonly signal?: AbortSignal;
}
interface Told {
  readonly result?: {
    resultType: string;
    requestState?: string;
    inputRequests?: Record<string, { method: string; params: object }>;
    content?: { text: string }[];
  };
  readonly error?: { code: number; message: string; data: { code?: string; details?: { reason?: string }; requiredCapabilities?: object } };
}

/** One `tools/call` of 2026-07-28 as it stands on the wire. */
export async function rawCall(url: URL, o: RawCall = {}): Promise<Told & { readonly status: number }> {
  const params = {
    ...{ name: o.name ?? "asking__form", arguments: o.args ?? {} },
    ...(o.state === undefined ? {} : { requestState: o.state }),
    ...(o.responses === undefined ? {} : { inputResponses: o.responses }),
    _meta: {
      "io.modelcontextprotocol/clientCapabilities": o.capabilities ?? everything,
      ...(o.key === undefined ? {} : { "sallyport/idempotencyKey": o.key }),
    },
  };
  const { message, headers } = modern("tools/call", params, o.id ?? 1);
  const authorization = o.bearer === undefined ? {} : { authorization: `Bearer ${o.bearer}` };
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers, ...authorization },
    body: JSON.stringify(message),
    signal: o.signal ?? null,
  });
  const body = await answer.text();
  const text = body.startsWith("{") ? body : (/^data: (\{.*"(?:result|error)".*)$/m.exec(body)?.[1] ?? "{}");
  return { status: answer.status, ...(JSON.parse(text) as Told) };
}

/** A call that waits for an answer, and what its client carries. */
export async function parked(url: URL, o: RawCall = {}): Promise<{ readonly state: string; readonly key: string }> {
  const { result, error } = await rawCall(url, o);
  expect([result?.resultType, error]).toEqual(["input_required", undefined]);
  return { state: result!.requestState!, key: Object.keys(result!.inputRequests!)[0]! };
}
