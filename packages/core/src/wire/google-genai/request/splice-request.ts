import { utf8 } from "../../../util/json.js";
import type { EncodedRequest, Quirks, ScannedHead } from "../../shared/codec.js";
import { spliceBytes } from "../../shared/splice-bytes.js";
import { methodPath, modelField } from "../model-path.js";
import { requestHeaders } from "../../shared/requests/request-headers.js";

/**
 * `Codec.spliceRequest` of Google's protocol. The path names the model, so the bytes are the caller's own array unless they name it as well; usage comes with every
 * stream.
 */
export function spliceRequest(
  bytes: Uint8Array,
  head: ScannedHead,
  o: { readonly model: string; readonly quirks: Quirks },
): EncodedRequest {
  const named = head.spans["model"];
  const splices = named === undefined ? [] : [{ start: named.start, end: named.end, bytes: utf8(JSON.stringify(modelField(o.model))) }];
  const method = head.stream ? "streamGenerateContent" : "generateContent";
  return { path: methodPath(o.model, method, o.quirks), headers: requestHeaders(head.stream), bytes: spliceBytes(bytes, splices) };
}
