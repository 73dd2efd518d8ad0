import type { JsonNode, Span } from "./json-scan.js";

/** What replaces a span; an empty span inserts. */
export interface Edit extends Span {
  readonly bytes: Uint8Array;
}

const encoder = new TextEncoder();
/** Shorter pieces are copied byte by byte: a call into the engine costs more than they do. */
const SHORT = 48;

export function utf8(text: string): Uint8Array {
  if (text.length > SHORT) return encoder.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 0x7f) return encoder.encode(text);
    bytes[i] = c;
  }
  return bytes;
}

/** Puts pieces one after the other. */
class Pieces {
  readonly bytes: Uint8Array;
  #at = 0;
  constructor(length: number) {
    this.bytes = new Uint8Array(length);
  }
  add(source: Uint8Array, start: number, end: number): void {
    const { bytes } = this;
    if (end - start > SHORT) bytes.set(source.subarray(start, end), this.#at);
    else for (let i = start, to = this.#at; i < end; i++, to++) bytes[to] = source[i]!;
    this.#at += end - start;
  }
}

/** The bytes with the edits made; every other byte is untouched. Edits may be given in any order and must not overlap. */
export function splice(source: Uint8Array, edits: readonly Edit[]): Uint8Array {
  const ordered = edits.length < 2 ? edits : [...edits].sort((a, b) => a.start - b.start);
  let length = source.length;
  for (const edit of ordered) length += edit.bytes.length - (edit.end - edit.start);
  const target = new Pieces(length);
  let from = 0;
  for (const edit of ordered) {
    target.add(source, from, edit.start);
    target.add(edit.bytes, 0, edit.bytes.length);
    from = edit.end;
  }
  target.add(source, from, source.length);
  return target.bytes;
}

export function replaceWith(span: Span, text: string): Edit {
  return { start: span.start, end: span.end, bytes: utf8(text) };
}

/** Inserts members (`"key":value,…` without outer commas) at the front of an object. */
export function insertMembers(object: JsonNode, members: string): Edit {
  const at = object.start + 1;
  return { start: at, end: at, bytes: utf8(isEmpty(object) ? members : `${members},`) };
}

function isEmpty(object: JsonNode): boolean {
  return object.kids !== null && object.kids.length === 0;
}

/**
 * An object's text without the members that `drop` names and with `members` put first: for small objects such as `_meta`, where several members change at once.
 */
export function rebuild(
  source: Uint8Array,
  object: JsonNode,
  o: { readonly drop: (key: string) => boolean; readonly members: readonly string[] },
): Edit {
  const kept = (object.kids ?? []).filter((kid) => !o.drop(kid.key)).map((kid) => decoder.decode(source.subarray(kid.keyStart, kid.end)));
  return replaceWith(object, `{${[...o.members, ...kept].join(",")}}`);
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
