import type { JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { scanDeepJson, scanPlan, stringAt, textAt, type JsonNode, type ScanPlan, type Span } from "../frames/json-scan.js";
import { maxJsonDepth } from "../../util/json-scanner.js";
import { member, stringMember } from "../frames/message.js";
import { paramHeaders, type ParamHeader } from "../lanes/param-headers.js";

/** The four lists of a server, by the name that their member has in the answer. */
export type ListKind = "tools" | "resources" | "resourceTemplates" | "prompts";

export interface ListSpec {
  readonly kind: ListKind;
  readonly method: string;
  /** The member that names an entry. */
  readonly key: "name" | "uri" | "uriTemplate";
  /** The capability that a server with this list declares. */
  readonly capability: "tools" | "resources" | "prompts";
  readonly plan: ScanPlan;
}
function spec(kind: ListKind, method: string, o: Pick<ListSpec, "key" | "capability">): ListSpec {
  return {
    kind,
    method,
    ...o,
    plan: scanPlan({
      result: { nextCursor: {}, ttlMs: {}, cacheScope: {}, [kind]: { "*": { [o.key]: {}, inputSchema: {}, outputSchema: {} } } },
    }),
  };
}
export const LISTS: Readonly<Record<ListKind, ListSpec>> = {
  tools: spec("tools", "tools/list", { key: "name", capability: "tools" }),
  resources: spec("resources", "resources/list", { key: "uri", capability: "resources" }),
  resourceTemplates: spec("resourceTemplates", "resources/templates/list", { key: "uriTemplate", capability: "resources" }),
  prompts: spec("prompts", "prompts/list", { key: "name", capability: "prompts" }),
};

/** One definition exactly as its server sent it, and where in it the name stands that we replace. */
export interface ListEntry {
  /** The tool's or prompt's name, the resource's URI or template, as its server knows it. */
  readonly name: string;
  readonly raw: Uint8Array;
  /** The JSON string of the name, quotes included. */
  readonly at: Span;
  /** What has to be mirrored in headers when the tool is called over HTTP; only for tools that ask for it. */
  readonly paramHeaders: readonly ParamHeader[];
  /** A tool that says what its structured content is. */
  readonly hasOutputSchema?: boolean;
}

export interface ListPage {
  readonly entries: readonly ListEntry[];
  readonly nextCursor: string | null;
  /** Entries that were left out, and why. */
  readonly rejected: readonly string[];
  /** How long the server lets it be kept, as it says since 2026-07-28; 0: not at all, or it does not say. */
  readonly ttlMs: number;
  /** The server says that it is the same for everybody. */
  readonly isPublic: boolean;
}

const MAX_ENTRY_BYTES = 262_144;
const MAX_NAME = 512;
/** What callers may use and how it is shown changes besides: no list is kept longer, whatever its server says. */
const MAX_TTL_MS = 3_600_000;

/**
 * Reads one page of a list. An entry that no client could use (too large, nested too deeply, nameless, without an object schema) is left out so that the others stay usable.
 * Errors: `upstream_protocol` when the answer is an error or has no such list.
 */
export function readPage(bytes: Uint8Array, list: ListSpec): ListPage {
  const { root, deepAt } = scanDeepJson(bytes, list.plan);
  const result = member(root, "result");
  const items = member(result, list.kind);
  if (items === null || items.kids === null)
    throw new GatewayError("upstream_protocol", `The server's answer to ${list.method} holds no list.`);
  const entries: ListEntry[] = [];
  const rejected: string[] = [];
  let next = 0;
  for (const item of items.kids) {
    while (next < deepAt.length && deepAt[next]! < item.start) next++;
    const isDeep = next < deepAt.length && deepAt[next]! < item.end;
    const entry = isDeep ? tooDeep(bytes, item, list) : readEntry(bytes, item, list);
    if (typeof entry === "string") rejected.push(entry);
    else entries.push(entry);
  }
  const cursor = member(result, "nextCursor");
  const nextCursor = cursor !== null && bytes[cursor.start] === 0x22 ? stringAt(bytes, cursor.start, cursor.end) : null;
  const isPublic = stringMember(bytes, result, "cacheScope") === "public";
  return { entries, nextCursor, rejected, ttlMs: ttlOf(bytes, member(result, "ttlMs")), isPublic };
}

function ttlOf(bytes: Uint8Array, node: JsonNode | null): number {
  const value = node === null ? 0 : Number(textAt(bytes, node));
  return value > 0 ? Math.min(Math.floor(value), MAX_TTL_MS) : 0;
}

function tooDeep(bytes: Uint8Array, { kids }: JsonNode, list: ListSpec): string {
  const key = kids?.find((kid) => kid.key === list.key);
  const name = key === undefined || bytes[key.start] !== 0x22 ? "" : stringAt(bytes, key.start, key.end);
  return `${name === "" || name.length > MAX_NAME || hasControl(name) ? "an entry" : name}: nested deeper than ${maxJsonDepth} levels`;
}

function readEntry(bytes: Uint8Array, item: JsonNode, list: ListSpec): ListEntry | string {
  if (item.kids === null) return "an entry that is not an object";
  const keys = item.kids.filter((kid) => kid.key === list.key);
  const key = keys[0];
  if (key === undefined || keys.length > 1 || bytes[key.start] !== 0x22) return `an entry without one "${list.key}"`;
  const name = stringAt(bytes, key.start, key.end);
  if (name === "" || name.length > MAX_NAME || hasControl(name))
    return `an entry whose "${list.key}" is empty, longer than ${MAX_NAME} or has control characters`;
  if (item.end - item.start > MAX_ENTRY_BYTES) return `${name}: larger than ${MAX_ENTRY_BYTES} bytes`;
  const raw = bytes.slice(item.start, item.end);
  const at = { start: key.start - item.start, end: key.end - item.start };
  if (list.kind !== "tools") return { name, raw, at, paramHeaders: [] };
  const schema = item.kids.find((kid) => kid.key === "inputSchema");
  if (schema === undefined || bytes[schema.start] !== 0x7b) return `${name}: no "inputSchema"`;
  const parsed = JSON.parse(textAt(bytes, schema)) as JsonObject;
  if (parsed["type"] !== "object") return `${name}: the "inputSchema" is not of type object`;
  const headers = paramHeaders(parsed);
  return headers === null
    ? `${name}: an "x-mcp-header" that the protocol does not allow`
    : { name, raw, at, paramHeaders: headers, hasOutputSchema: item.kids.some((kid) => kid.key === "outputSchema") };
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x20 || c === 0x7f) return true;
  }
  return false;
}
