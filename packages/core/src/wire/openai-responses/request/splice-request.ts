import { utf8 } from "../../../util/json.js";
import type { EncodedRequest, Quirks, ScannedHead } from "../../shared/codec.js";
import { spliceBytes } from "../../shared/splice-bytes.js";

export const responsesPath = "/responses";
const jsonHeaders = [
  ["content-type", "application/json"],
  ["accept", "application/json"],
] as const;
const streamHeaders = [
  ["content-type", "application/json"],
  ["accept", "text/event-stream"],
] as const;

/** The headers of a request to a vendor, beside its credential. */
export function requestHeaders(stream: boolean): EncodedRequest["headers"] {
  return stream ? streamHeaders : jsonHeaders;
}

/** `Codec.spliceRequest` of Responses: only the model's name. The bytes are the caller's own array when it need not change. */
export function spliceRequest(
  bytes: Uint8Array,
  head: ScannedHead,
  o: { readonly model: string; readonly quirks: Quirks },
): EncodedRequest {
  const span = head.spans["model"];
  const splices = span === undefined || o.model === head.name ? [] : [{ ...span, bytes: utf8(JSON.stringify(o.model)) }];
  return { path: responsesPath, headers: requestHeaders(head.stream), bytes: spliceBytes(bytes, splices) };
}
