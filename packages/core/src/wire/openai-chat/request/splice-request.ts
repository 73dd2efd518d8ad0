import { utf8 } from "../../../util/json.js";
import type { EncodedRequest, Quirks, ScannedHead } from "../../shared/codec.js";
import { requestHeaders } from "../../shared/requests/request-headers.js";
import { renaming } from "../../shared/requests/splice-model.js";
import { spliceBytes, type Splice } from "../../shared/splice-bytes.js";

export const chatPath = "/chat/completions";

const trueBytes = utf8("true");
const optionsBytes = utf8('{"include_usage":true}');
const optionsMember = utf8('"stream_options":{"include_usage":true},');
const usageMember = utf8('"include_usage":true,');
const lastUsageMember = utf8('"include_usage":true');

/** `Codec.spliceRequest` of Chat Completions. The bytes are the caller's own array when nothing had to change. */
export function spliceRequest(
  bytes: Uint8Array,
  head: ScannedHead,
  o: { readonly model: string; readonly quirks: Quirks },
): EncodedRequest {
  const rename = renaming(head, o.model);
  const ask = head.stream && !head.wantsUsage && o.quirks.usageInStream !== false ? askForUsage(bytes, head) : null;
  return { path: chatPath, headers: requestHeaders(head.stream), bytes: spliceBytes(bytes, inOrder(rename, ask)) };
}

function inOrder(a: Splice | null, b: Splice | null): readonly Splice[] {
  if (a === null) return b === null ? [] : [b];
  if (b === null) return [a];
  return a.start < b.start ? [a, b] : [b, a];
}

/** Where `include_usage: true` has to be put: over a `false`, into options that do not name it, over a `null`, or in front of the first field. */
function askForUsage(bytes: Uint8Array, head: ScannedHead): Splice {
  const said = head.spans["stream_options.include_usage"];
  if (said !== undefined) return { ...said, bytes: trueBytes };
  const options = head.spans["stream_options"];
  if (options === undefined) return insertion(bytes.indexOf(0x7b) + 1, optionsMember);
  if (bytes[options.start] !== 0x7b) return { ...options, bytes: optionsBytes };
  return insertion(options.start + 1, isEmptyObject(bytes, options.start) ? lastUsageMember : usageMember);
}

function insertion(at: number, bytes: Uint8Array): Splice {
  return { start: at, end: at, bytes };
}

function isEmptyObject(bytes: Uint8Array, start: number): boolean {
  let i = start + 1;
  while ((bytes[i] as number) <= 0x20) i++;
  return bytes[i] === 0x7d;
}
