import { utf8 } from "../../../util/json.js";
import type { Codec, ScannedHead } from "../codec.js";
import { spliceBytes, type Splice } from "../splice-bytes.js";
import { requestHeaders } from "./request-headers.js";

/** Names that were asked for lately, as JSON: a gateway calls few models, and often. */
const encodedNames = new Map<string, Uint8Array>();
const maxEncodedNames = 256;

/** `Codec.spliceRequest` of a protocol in which the model's name alone has to be replaced. The bytes are the caller's own array when it is the same. */
export function spliceModel(path: string): Codec["spliceRequest"] {
  return (bytes, head, o) => {
    const rename = renaming(head, o.model);
    return { path, headers: requestHeaders(head.stream), bytes: rename === null ? bytes : spliceBytes(bytes, [rename]) };
  };
}

/** null: the name is the same, or does not stand in the body. */
export function renaming(head: ScannedHead, model: string): Splice | null {
  const span = head.spans["model"];
  return span === undefined || model === head.name ? null : { start: span.start, end: span.end, bytes: encodedName(model) };
}

function encodedName(model: string): Uint8Array {
  const known = encodedNames.get(model);
  if (known !== undefined) return known;
  const bytes = utf8(JSON.stringify(model));
  if (encodedNames.size === maxEncodedNames) encodedNames.clear();
  encodedNames.set(model, bytes);
  return bytes;
}
