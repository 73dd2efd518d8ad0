import type { Message, ModelCall } from "../../calls/index.js";
import { JsonScanner, KeyTable } from "../../util/json-scanner.js";
import { fromUtf8 } from "../../util/json.js";
import { stableHash } from "../../util/stable-hash.js";

/** What tells one conversation from another, the same in each turn and each process. A number that guards nothing: a caller may choose it. */
export interface Conversation {
  /** Of the name that the caller gave the conversation; null: none. */
  readonly session: number | null;
  /** Of that name, else of how the conversation begins; null: it has no beginning. */
  readonly prefix: number | null;
}

/** What of one text or picture is looked at: beginnings differ early. */
const MOST_BYTES = 16_384;

/** A text may be cut within a character. */
const lenient = new TextDecoder();

const topKeys = new KeyTable([
  ...["prompt_cache_key", "system", "instructions", "systemInstruction", "system_instruction", "messages", "input", "contents"],
]);
const messageKeys = new KeyTable(["role", "content", "parts", "text"]);
/** Marks of a prompt's cache move from turn to turn, and a text alone may be written as a list of one text. */
const ignoredKeys = new KeyTable(["cache_control", "type", "role"]);

/**
 * The conversation of a call in the bytes of any of our dialects, which are known to be JSON: what the caller calls it (`session`, else the field `prompt_cache_key`), and its first system and
 * user message. Nothing is decoded but the beginnings of these texts; how they are formatted, and where a prompt's cache is marked in them, is left out.
 */
export function conversationOfBytes(bytes: Uint8Array, session: string | undefined): Conversation {
  const scanner = new JsonScanner(bytes);
  const system: string[] = [];
  const turns: string[] = [];
  let name = session;
  if (scanner.peek() !== 0x7b) return { session: null, prefix: null };
  scanner.enterObject();
  for (let key = scanner.nextKey(topKeys); key !== JsonScanner.end; key = scanner.nextKey(topKeys)) {
    const field = key === JsonScanner.other ? "" : topKeys.names[key]!;
    if (field === "prompt_cache_key") {
      const own = readText(scanner, bytes);
      name ??= own;
    } else if (field === "messages" || field === "contents" || field === "input") readTurns(scanner, bytes, turns);
    else if (field === "") scanner.skip();
    else readPieces(scanner, bytes, system);
  }
  return conversation(name, [...system, ...turns]);
}

/** The same of a call in neutral shape; it is not the number that its bytes would have had. */
export function conversationOfCall(call: ModelCall, session: string | undefined): Conversation {
  const pieces: string[] = [];
  for (const message of call.messages) {
    if (message.role === "system" || message.role === "developer" || message.role === "user") pieces.push(...piecesOf(message));
    if (message.role === "user") break;
  }
  return conversation(session ?? call.promptCacheKey, pieces);
}

function conversation(name: string | undefined, pieces: readonly string[]): Conversation {
  const session = name === undefined || name === "" ? null : stableHash(name.slice(0, MOST_BYTES));
  return { session, prefix: session ?? (pieces.length === 0 ? null : stableHash(pieces.join("\u0000"))) };
}

function piecesOf(message: Extract<Message, { role: "system" | "developer" | "user" }>): string[] {
  return message.content.map((part) => {
    if (part.type === "text") return part.text.slice(0, MOST_BYTES);
    if (part.type === "native") return JSON.stringify(part.item).slice(0, MOST_BYTES);
    return (part.source.kind === "url" ? part.source.url : part.source.kind === "base64" ? part.source.data : part.source.id).slice(
      0,
      MOST_BYTES,
    );
  });
}

/** The turns up to the first of the user; the others are walked over. */
function readTurns(scanner: JsonScanner, bytes: Uint8Array, pieces: string[]): void {
  if (scanner.peek() !== 0x5b) return readPieces(scanner, bytes, pieces);
  let isOver = false;
  scanner.enterArray();
  while (scanner.nextElement()) {
    if (isOver || scanner.peek() !== 0x7b) scanner.skip();
    else isOver = readTurn(scanner, bytes, pieces);
  }
}

/** Whether it was the user's. A turn without a role is (Google). */
function readTurn(scanner: JsonScanner, bytes: Uint8Array, pieces: string[]): boolean {
  const own: string[] = [];
  let role = "user";
  scanner.enterObject();
  for (let key = scanner.nextKey(messageKeys); key !== JsonScanner.end; key = scanner.nextKey(messageKeys)) {
    if (key === JsonScanner.other) scanner.skip();
    else if (messageKeys.names[key] === "role") role = readText(scanner, bytes) ?? role;
    else readPieces(scanner, bytes, own);
  }
  if (role === "user" || role === "system" || role === "developer") pieces.push(...own);
  return role === "user";
}

/** Every text and number of a value, in order, without those that say how it is written or cached. */
function readPieces(scanner: JsonScanner, bytes: Uint8Array, pieces: string[]): void {
  const first = scanner.peek();
  if (first === 0x5b) {
    scanner.enterArray();
    while (scanner.nextElement()) readPieces(scanner, bytes, pieces);
  } else if (first === 0x7b) {
    scanner.enterObject();
    for (let key = scanner.nextKey(ignoredKeys); key !== JsonScanner.end; key = scanner.nextKey(ignoredKeys)) {
      if (key === JsonScanner.other) readPieces(scanner, bytes, pieces);
      else scanner.skip();
    }
  } else {
    const start = scanner.pos;
    scanner.skip();
    pieces.push(lenient.decode(bytes.subarray(start, Math.min(scanner.pos, start + MOST_BYTES))));
  }
}

function readText(scanner: JsonScanner, bytes: Uint8Array): string | undefined {
  const isText = scanner.peek() === 0x22;
  const start = scanner.pos;
  scanner.skip();
  return isText ? (JSON.parse(fromUtf8(bytes.subarray(start, scanner.pos))) as string) : undefined;
}
