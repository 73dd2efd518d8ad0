import { utf8 } from "../../../util/json.js";
import type { EncodedRequest, Quirks, ScannedHead } from "../../shared/codec.js";
import { spliceBytes } from "../../shared/splice-bytes.js";

/** Behind a base URL without a version. */
export const messagesPath = "/v1/messages";
const jsonHeaders = [
  ["content-type", "application/json"],
  ["accept", "application/json"],
] as const;
const streamHeaders = [
  ["content-type", "application/json"],
  ["accept", "text/event-stream"],
] as const;

/** The headers of a request to a vendor, beside its credential and `anthropic-version`, which are the provider's. */
export function requestHeaders(stream: boolean): EncodedRequest["headers"] {
  return stream ? streamHeaders : jsonHeaders;
}

/** `Codec.spliceRequest` of Messages: the model's name alone is replaced. The bytes are the caller's own array when it is the same. */
export function spliceRequest(
  bytes: Uint8Array,
  head: ScannedHead,
  o: { readonly model: string; readonly quirks: Quirks },
): EncodedRequest {
  const model = head.spans["model"];
  const splices = model === undefined || o.model === head.name ? [] : [{ ...model, bytes: utf8(JSON.stringify(o.model)) }];
  return { path: messagesPath, headers: requestHeaders(head.stream), bytes: spliceBytes(bytes, splices) };
}
