import type { Usage } from "../../calls/index.js";
import { addUsage } from "../../calls/index.js";
import type { VendorObjectRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { NativeBatch, OperationContext } from "../../providers/index.js";
import type { BatchRequest, BatchResult } from "../../seams/index.js";
import { fromUtf8, isObject, utf8 } from "../../util/json.js";
import { collectBytes } from "../../util/encoding/join-bytes.js";
import type { Codec } from "../../wire/shared/codec.js";
import { namesOwnFile } from "../lanes/prepare/own-files.js";
import { mayNameHandle } from "../lanes/prepare/vendor-handles.js";
import { ENVELOPE_MARK } from "../opaque/index.js";
import { referenceOf } from "../stored-responses/read-request.js";
import type { BatchResults } from "./batch-results.js";

const ADD_AT_ONCE = 100;
const RESPONSES = "/v1/responses";

/**
 * Whether a request means the same to the vendor itself: it names no file, response or token that only the gateway knows, and leaves nothing at the vendor, where everybody who shares its key could
 * go on from it. `bound`: the codec of the requests, when their caller may not name what lies at the vendor; null: it may.
 */
export function isForVendor({ body }: BatchRequest, endpoint: string, bound: Codec | null): boolean {
  const text = JSON.stringify(body);
  const bytes = utf8(text);
  if (text.includes(ENVELOPE_MARK) || namesOwnFile(bytes) || (bound !== null && mayNameHandle(bytes, bound))) return false;
  if (endpoint !== RESPONSES) return true;
  const { store, input, previous_response_id: previous = null, conversation = null } = body;
  const refers = Array.isArray(input) && input.some((item) => referenceOf(item) !== null);
  return store === false && previous === null && conversation === null && !refers;
}

/** The requests as the vendor's own input file has them: under the vendor's id of the model. */
export function nativeLines(
  requests: readonly BatchRequest[],
  o: { readonly endpoint: string; readonly codes: ReadonlyMap<string, string> },
): Uint8Array {
  const lines = requests.map(({ customId, body }) => {
    const model = o.codes.get(String(body["model"]));
    return `${JSON.stringify({ custom_id: customId, method: "POST", url: o.endpoint, body: { ...body, model } })}\n`;
  });
  return utf8(lines.join(""));
}

export interface Fetched {
  readonly usage: Usage;
}

/** Brings the results of a vendor's batch home, each once however often it is begun, and says what they used. */
export async function fetchNative(
  row: VendorObjectRow,
  native: NativeBatch,
  o: {
    readonly results: BatchResults;
    readonly codec: Codec;
    readonly endpoint: string;
    readonly context: OperationContext;
    readonly read: (fileRef: string, context: OperationContext) => Promise<AsyncIterable<Uint8Array>>;
  },
): Promise<Fetched> {
  const ended = await o.results.ended(row);
  let usage: Usage = {};
  for (const ref of [native.outputRef, native.errorRef]) {
    if (ref === undefined) continue;
    const results = readLines(fromUtf8(await collectBytes(await o.read(ref, o.context))));
    for (const result of results) if (result.ok) usage = addUsage(usage, usageOf(result, o));
    const fresh = results.filter(({ customId }) => !ended.has(customId));
    for (let at = 0; at < fresh.length; at += ADD_AT_ONCE) await o.results.add(row, fresh.slice(at, at + ADD_AT_ONCE));
  }
  // The vendor's prices of a batch are another tier's.
  return { usage: { ...usage, serviceTier: "batch" } };
}

function usageOf(result: BatchResult, o: { readonly codec: Codec; readonly endpoint: string }): Usage {
  try {
    const bytes = utf8(result.body);
    return o.endpoint === "/v1/embeddings" ? o.codec.embed!.decodeAnswer(bytes).usage : o.codec.readUsage(bytes);
  } catch {
    return {}; // an answer without usage is an answer
  }
}

function readLines(text: string): BatchResult[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line): BatchResult => {
      const { custom_id: customId, response, error } = asObject(line);
      if (typeof customId !== "string") throw new GatewayError("upstream_protocol", "A line of the vendor's batch has no custom_id.");
      if (!isObject(response)) return { customId, ok: false, status: 400, requestId: "", body: JSON.stringify({ error: error ?? null }) };
      const status = typeof response["status_code"] === "number" ? response["status_code"] : 200;
      const requestId = typeof response["request_id"] === "string" ? response["request_id"] : "";
      return { customId, ok: status < 400, status, requestId, body: JSON.stringify(response["body"] ?? null) };
    });
}

function asObject(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (isObject(value)) return value;
  } catch {
    // told below
  }
  throw new GatewayError("upstream_protocol", "A line of the vendor's batch is no JSON object.");
}
