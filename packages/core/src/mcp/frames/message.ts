import { GatewayError } from "../../errors/index.js";
import { scanDeepJson, scanJson, scanPlan, stringAt, textAt, type JsonNode, type PlanSource, type ScanPlan } from "./json-scan.js";
import { META } from "./protocol.js";

/** One JSON-RPC 2.0 message as it came, with the places of what the proxy acts on. */
export interface RpcMessage {
  readonly bytes: Uint8Array;
  readonly kind: "request" | "notification" | "response";
  /** A string or a number; null for notifications, and for an error that belongs to no request. */
  readonly id: JsonNode | null;
  /** Empty for responses. */
  readonly method: string;
  readonly params: JsonNode | null;
  /** Of a response: exactly one of the two. */
  readonly result: JsonNode | null;
  readonly error: JsonNode | null;
}

function leaves<K extends string>(...keys: readonly K[]): Record<K, PlanSource> {
  return Object.fromEntries(keys.map((key) => [key, {}])) as Record<K, PlanSource>;
}
const envelope = leaves("jsonrpc", "id", "method", "params", "result", "error");
const hopMeta = leaves(META.protocolVersion, META.clientInfo, META.clientCapabilities, META.logLevel);

/** Messages from a caller: what is acted on is in `params` and its `_meta`. */
export const requestPlan = scanPlan({
  ...envelope,
  params: {
    _meta: { ...hopMeta, ...leaves("progressToken", "traceparent", "tracestate", META.idempotencyKey) },
    ref: { ...leaves("type", "name", "uri") },
    ...leaves(
      "name",
      "arguments",
      "uri",
      "cursor",
      "level",
      "protocolVersion",
      "requestId",
      "notifications",
      "taskId",
      "task",
      "argument",
      "context",
      "inputResponses",
      "requestState",
      "capabilities",
    ),
  },
});
const uri = leaves("uri");
const block = { ...leaves("type", "uri"), resource: uri };
/** Messages from an upstream: beside the head, every place where a resource's URI may stand. */
export const upstreamPlan = scanPlan({
  ...envelope,
  params: {
    _meta: leaves(META.subscriptionId),
    ...leaves("progressToken", "progress", "total", "message", "uri", "level", "requestId", "elicitationId"),
  },
  result: {
    _meta: leaves(META.serverInfo),
    content: { "*": block },
    contents: { "*": uri },
    messages: { "*": { content: { ...block, "*": block } } },
    ...leaves("resultType", "ttlMs", "cacheScope", "inputRequests", "requestState", "taskId", "result"),
  },
  error: leaves("code", "message", "data"),
});

/**
 * Reads a message's head in one pass. Errors: `invalid_json`; `bad_request` when it is JSON but no JSON-RPC 2.0 message, or names a member twice that is acted on, of a caller's message in any case.
 */
export function readMessage(bytes: Uint8Array, plan: ScanPlan): RpcMessage {
  return messageOf(bytes, scanJson(bytes, plan), plan);
}

/** The same of a server's message that may be nested as deep as it likes: only for readers that look for what is too deep by themselves. */
export function readDeepMessage(bytes: Uint8Array): RpcMessage {
  return messageOf(bytes, scanDeepJson(bytes, upstreamPlan).root, upstreamPlan);
}

function messageOf(bytes: Uint8Array, root: JsonNode, plan: ScanPlan): RpcMessage {
  if (bytes[root.start] !== 0x7b) throw notRpc(bytes[root.start] === 0x5b ? "JSON-RPC batches are not supported" : "it is not an object");
  const version = member(root, "jsonrpc");
  if (version === null || textAt(bytes, version) !== '"2.0"') throw notRpc('"jsonrpc" is not "2.0"');
  const id = readId(bytes, member(root, "id"));
  const method = member(root, "method");
  if (method === null) return readResponse(bytes, root, id);
  if (bytes[method.start] !== 0x22) throw notRpc('"method" is not a string');
  const params = member(root, "params");
  if (params !== null && bytes[params.start] !== 0x7b) throw notRpc('"params" is not an object');
  if (id === null && member(root, "id") !== null) throw notRpc('"id" is null');
  const kind = id === null ? "notification" : "request";
  if (plan === requestPlan) refuseLookAlikes(bytes, root, params);
  return { bytes, kind, id, method: stringAt(bytes, method.start, method.end), params, result: null, error: null };
}

const headNames = foldedNames(requestPlan);
const paramsNames = foldedNames(innerPlan(requestPlan, "params"));
const refNames = foldedNames(innerPlan(innerPlan(requestPlan, "params"), "ref"));

/** Servers exist that read a member in any case: they would take one that nobody judged for the one that was (T43). */
function refuseLookAlikes(bytes: Uint8Array, root: JsonNode, params: JsonNode | null): void {
  refuseAnyCase(bytes, root, headNames);
  refuseAnyCase(bytes, params, paramsNames);
  refuseAnyCase(bytes, member(params, "ref"), refNames);
}

function refuseAnyCase(bytes: Uint8Array, object: JsonNode | null, names: ReadonlySet<string>): void {
  for (const kid of object?.kids ?? []) {
    if (kid.key !== "") continue;
    const key = keyAt(bytes, kid);
    if (names.has(folded(key)))
      throw new GatewayError("bad_request", `The member "${key.slice(0, 40)}" is written in another case than the one that is acted on.`);
  }
}

/** The key of a member that the plan does not name. */
export function keyAt(bytes: Uint8Array, { keyStart, start }: JsonNode): string {
  const text = textAt(bytes, { start: keyStart, end: start });
  return JSON.parse(text.slice(0, text.lastIndexOf('"') + 1)) as string;
}

/** The same text for keys that differ in case alone, with the letters that fold to others. */
export function folded(key: string): string {
  return key.toUpperCase().toLowerCase();
}
function foldedNames({ table }: ScanPlan): ReadonlySet<string> {
  return new Set(table.names.map(folded));
}
function innerPlan({ table, inner }: ScanPlan, key: string): ScanPlan {
  return inner[table.names.indexOf(key)]!;
}

function readResponse(bytes: Uint8Array, root: JsonNode, id: JsonNode | null): RpcMessage {
  const result = member(root, "result");
  const error = member(root, "error");
  if ((result === null) === (error === null)) throw notRpc('it has neither "method" nor exactly one of "result" and "error"');
  if (bytes[(result ?? error)!.start] !== 0x7b) throw notRpc('its "result" or "error" is not an object');
  if (id === null && error === null) throw notRpc('a result needs an "id"');
  return { bytes, kind: "response", id, method: "", params: null, result, error };
}

function readId(bytes: Uint8Array, id: JsonNode | null): JsonNode | null {
  if (id === null) return null;
  const first = bytes[id.start]!;
  if (first === 0x6e) return null;
  if (first !== 0x22 && first !== 0x2d && !(first >= 0x30 && first <= 0x39)) throw notRpc('"id" is neither a string nor a number');
  return id;
}

function notRpc(why: string): GatewayError {
  return new GatewayError("bad_request", `The message is not JSON-RPC 2.0: ${why}.`);
}

/** A member of an opened object, by a key that the plan names; or null. Errors: `bad_request` when it is there twice. */
export function member(object: JsonNode | null, key: string): JsonNode | null {
  if (object === null || object.kids === null) return null;
  let found: JsonNode | null = null;
  for (const kid of object.kids) {
    if (kid.key !== key) continue;
    if (found !== null) throw new GatewayError("bad_request", `The member "${key}" is there twice.`);
    found = kid;
  }
  return found;
}

/** The member's string, or null when it is absent or no string. */
export function stringMember(bytes: Uint8Array, object: JsonNode | null, key: string): string | null {
  const node = member(object, key);
  return node === null || bytes[node.start] !== 0x22 ? null : stringAt(bytes, node.start, node.end);
}

/** The member's value, or undefined. For small members only. */
export function valueMember(bytes: Uint8Array, object: JsonNode | null, key: string): unknown {
  const node = member(object, key);
  return node === null ? undefined : JSON.parse(textAt(bytes, node));
}

/** The id as JSON text: what an answer repeats. */
export function idText(message: RpcMessage): string {
  return message.id === null ? "null" : textAt(message.bytes, message.id);
}

/** The number, when the id is one that we could have given. */
export function numericId(message: RpcMessage): number | null {
  if (message.id === null || message.bytes[message.id.start] === 0x22) return null;
  const value = Number(textAt(message.bytes, message.id));
  return Number.isSafeInteger(value) ? value : null;
}
