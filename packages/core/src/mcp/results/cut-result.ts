import { scanJson, scanPlan, stringAt, textAt, type JsonNode } from "../frames/json-scan.js";
import { member, stringMember } from "../frames/message.js";
import { objectText } from "../frames/object-text.js";
import { cutText } from "../../util/well-formed.js";

const plan = scanPlan({
  result: { content: { "*": { type: {}, text: {}, resource: { text: {} } } }, structuredContent: {}, _meta: {} },
});
/** Of the text that a cut result still holds. */
export const SHOWN_CHARACTERS = 16_384;

/** An answer to `tools/call`, looked at for its length. */
export interface LongResult {
  /** The result as it is, as JSON text. */
  readonly text: string;
  /** Bytes of what a model would read of it: texts, embedded texts, and structured content. */
  readonly readable: number;
  /** The message with the result cut and `pointer` in it. */
  cut(pointer: ResultPointer): string;
}
export interface ResultPointer {
  readonly uri: string;
  readonly keptMs: number;
  /** Structured content stays: the tool promises it, and its readers check that it is there. */
  readonly keepsStructured: boolean;
  /** The client knows links to resources (since 2025-06-18). */
  readonly links: boolean;
}

/** null: there is no result with content to cut, such as an error, a question or a task. */
export function longResult(message: Uint8Array): LongResult | null {
  const root = scanJson(message, plan);
  const result = member(root, "result");
  const content = member(result, "content");
  if (result === null || content === null || content.kids === null) return null;
  const structured = member(result, "structuredContent");
  let readable = structured === null ? 0 : structured.end - structured.start;
  for (const block of content.kids) readable += readableOf(message, block);
  return {
    text: textAt(message, result),
    readable,
    cut: (pointer) => {
      const text = cutResult(message, { result, content, structured }, pointer);
      return objectText(message, root, { replace: new Map([["result", text]]) });
    },
  };
}

/** The string node that a model would read; null for pictures, sound, links and blobs. */
function readableNode(message: Uint8Array, block: JsonNode): JsonNode | null {
  const type = stringMember(message, block, "type");
  if (type === "text") return member(block, "text");
  return type === "resource" ? member(member(block, "resource"), "text") : null;
}

function readableOf(message: Uint8Array, block: JsonNode): number {
  const node = readableNode(message, block);
  return node === null ? 0 : node.end - node.start;
}

interface Parts {
  readonly result: JsonNode;
  readonly content: JsonNode;
  readonly structured: JsonNode | null;
}

/** Blocks stand as they came until the characters are used up; of the one that goes beyond a beginning stays. What nobody reads as text stays in any case. */
function cutResult(message: Uint8Array, { result, content, structured }: Parts, pointer: ResultPointer): string {
  let left = SHOWN_CHARACTERS;
  const blocks: string[] = [];
  for (const block of content.kids ?? []) {
    const node = readableNode(message, block);
    if (node === null) {
      blocks.push(textAt(message, block));
      continue;
    }
    if (left === 0) continue;
    const said = stringAt(message, node.start, node.end);
    const isText = stringMember(message, block, "type") === "text";
    if (said.length <= left) {
      blocks.push(textAt(message, block));
      left -= said.length;
    } else {
      const shown = JSON.stringify(cutText(said, left));
      if (isText) blocks.push(objectText(message, block, { replace: new Map([["text", shown]]) }));
      left = 0;
    }
  }
  const bytes = result.end - result.start;
  blocks.push(JSON.stringify(pointerText(pointer, bytes)));
  if (pointer.links) blocks.push(JSON.stringify(pointerLink(pointer, bytes)));
  const dropsStructured = structured !== null && !pointer.keepsStructured;
  const meta = metaText(message, member(result, "_meta"), { uri: pointer.uri, bytes });
  return objectText(message, result, {
    drop: (key) => (key === "structuredContent" && dropsStructured) || key === "_meta",
    replace: new Map([["content", `[${blocks.join(",")}]`]]),
    add: [["_meta", meta]],
  });
}

function pointerText({ uri, keptMs }: ResultPointer, bytes: number) {
  const minutes = Math.max(1, Math.round(keptMs / 60_000));
  const text = `[This result is cut: it has ${bytes} bytes. All of it can be read for ${minutes} minutes as the resource ${uri}, or a piece of it as ${uri}?from=0&chars=10000.]`;
  return { type: "text", text };
}

function pointerLink({ uri }: ResultPointer, bytes: number) {
  return {
    type: "resource_link",
    uri,
    name: "whole-result",
    mimeType: "application/json",
    size: bytes,
    description: "The whole result, as JSON.",
  };
}

/** For programs: that it is cut, and where the rest is. */
function metaText(message: Uint8Array, meta: JsonNode | null, cut: { readonly uri: string; readonly bytes: number }): string {
  const own = `"sallyport/cut":${JSON.stringify(cut)}`;
  const rest = meta === null || message[meta.start] !== 0x7b ? "{}" : textAt(message, meta);
  const inner = rest.slice(1, -1).trim();
  return inner === "" ? `{${own}}` : `{${own},${inner}}`;
}
