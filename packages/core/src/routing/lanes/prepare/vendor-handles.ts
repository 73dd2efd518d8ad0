import { mayDo } from "../../../access/grants.js";
import type { Caller, ModelCall, ProtocolId } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { ByteWord } from "../../../util/encoding/byte-word.js";
import { isObject } from "../../../util/json.js";
import { mapMedia } from "../../../wire/shared/adapt/url-media.js";
import type { Codec } from "../../../wire/shared/codec.js";

const BACKSLASH = 0x5c;

/**
 * Whether a caller may name what lies at a vendor by the vendor's own id. Everybody who calls a provider shares its key, and so could open what another has put there: only who has the grant `files:raw`
 * may, or everybody where the provider says so.
 */
export function mayNameHandles(caller: Caller): boolean {
  return mayDo(caller, "files", "raw");
}

/**
 * Whether a request in a protocol's bytes may name such an id: one of the protocol's fields for them stands in it as a key, or a letter is written as an escape, behind which one could hide. Such a request is
 * read before it goes out. It may be one that names none: then it is translated, which only costs more.
 */
export function mayNameHandle(bytes: Uint8Array, codec: Codec): boolean {
  for (let at = ESCAPE.indexIn(bytes); at >= 0; at = ESCAPE.indexIn(bytes, at + 1)) if (isLetterEscaped(bytes, at)) return true;
  for (const word of wordsOf(codec))
    for (let at = word.indexIn(bytes); at >= 0; at = word.indexIn(bytes, at + 1)) if (isKey(bytes, at + word.length)) return true;
  return false;
}

/**
 * Refuses a call that names what lies at the vendor by the vendor's own id. Files that were uploaded here are bytes by now.
 * Errors: `forbidden` naming the field.
 */
export function refuseHandles(call: ModelCall, codec: Codec): void {
  mapMedia(call.messages, (part, field) => {
    if (part.source.kind === "file") throw refused(field);
    return part;
  });
  const { protocol } = codec;
  const names = new Set(codec.traits.handles);
  refuseWithin(call.extras?.[protocol], { names, path: "" });
  call.tools?.forEach((tool, i) =>
    refuseWithin("hosted" in tool ? tool.definition : tool.extras?.[protocol], { names, path: `tools[${i}]` }),
  );
  // What an assistant said tells of ids, and opens nothing.
  for (const [i, message] of call.messages.entries()) {
    if (message.role === "assistant") continue;
    refuseWithin(message.extras?.[protocol], { names, path: `messages[${i}]` });
    for (const [j, part] of message.content.entries()) refuseWithin(ownOf(part, protocol), { names, path: `messages[${i}].content[${j}]` });
  }
}

function ownOf(part: ModelCall["messages"][number]["content"][number], protocol: ProtocolId): unknown {
  return part.type === "native" ? part.item : part.extras?.[protocol];
}

function refuseWithin(value: unknown, o: { readonly names: ReadonlySet<string>; readonly path: string }): void {
  if (Array.isArray(value)) return value.forEach((item, i) => refuseWithin(item, { names: o.names, path: `${o.path}[${i}]` }));
  if (!isObject(value)) return;
  for (const [key, held] of Object.entries(value)) {
    const path = o.path === "" ? key : `${o.path}.${key}`;
    if (o.names.has(key) && isHandle(key, held)) throw refused(path);
    refuseWithin(held, { names: o.names, path });
  }
}

/** An id, several, or an object that is known by one. A vendor's own skills have names; only those that somebody uploaded have ids. */
function isHandle(key: string, held: unknown): boolean {
  if (key === "skill_id") return typeof held === "string" && held.startsWith("skill_");
  if (Array.isArray(held)) return held.some((item) => typeof item === "string");
  return isObject(held) ? typeof held["id"] === "string" : typeof held === "string" && held !== "";
}

function refused(field: string): GatewayError {
  return new GatewayError(
    "forbidden",
    `"${field}" names something at the vendor by the vendor's own id, which this key may not use: it could be anybody's.`,
    {
      hint: 'Upload the file to /v1/files here and name it by that id; or grant files:raw, or set the provider\'s "rawIds" to "allow".',
      details: { param: field },
    },
  );
}

const ESCAPE = new ByteWord("\\u00");

/** `\u0041` and the like: nobody escapes plain letters without a reason. */
function isLetterEscaped(bytes: Uint8Array, at: number): boolean {
  const digit = bytes[at + ESCAPE.length];
  if (digit === undefined || digit < 0x34 || digit > 0x37) return false;
  let before = at;
  while (bytes[before - 1] === BACKSLASH) before--;
  return (at - before) % 2 === 0; // else the backslash is itself escaped
}

function isKey(bytes: Uint8Array, after: number): boolean {
  let at = after;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return bytes[at] === 0x3a;
}

const known = new WeakMap<Codec, readonly ByteWord[]>();
/** As keys: in their quotes. */
function wordsOf(codec: Codec): readonly ByteWord[] {
  let words = known.get(codec);
  if (words === undefined) known.set(codec, (words = (codec.traits.handles ?? []).map((name) => new ByteWord(`"${name}"`))));
  return words;
}
