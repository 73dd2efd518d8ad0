import type { Headers } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { outerUri, type View } from "../catalogue/view.js";
import type { JsonNode } from "../frames/json-scan.js";
import { stringAt } from "../frames/json-scan.js";
import { member, stringMember, valueMember, type RpcMessage } from "../frames/message.js";
import { META, RPC, isHopKey, severity, type Era } from "../frames/protocol.js";
import { insertMembers, rebuild, replaceWith, splice, utf8, type Edit } from "../frames/splice.js";
import type { UpstreamRequest } from "../lanes/lane.js";
import { metaFor, traceMembers, type Connection } from "../lanes/own-request.js";
import type { LogFilter } from "./request.js";
import { resultBytes, serverInfoMember } from "./respond.js";

export interface RelayOptions {
  /** The caller's message, `params` present. */
  readonly message: RpcMessage;
  /** What else changes in it: names and URIs. */
  readonly edits: readonly Edit[];
  /** The name or URI as the server knows it. */
  readonly subject: string | null;
  /** The caller wants to hear of progress. */
  readonly progress: boolean;
  /** The log level that a caller since 2026-07-28 asked for. */
  readonly logLevel: string | null;
  /** `traceparent` and `tracestate` of our own span; they stand in the place of the caller's. */
  readonly trace?: Headers | undefined;
  /** JSON text of what the caller can be asked; left out: nothing. */
  readonly capabilities?: string | undefined;
}

/**
 * A caller's request for the next hop, with `Mcp-Param-*` headers if the tool wants any: its bytes with our id, the server's own names, and of `_meta` what belongs to a hop written anew. All else stays as it came.
 */
export function relayRequest(connection: Connection, o: RelayOptions, headers: Headers = []): UpstreamRequest {
  const { message } = o;
  return {
    method: message.method,
    subject: o.subject,
    headers,
    trace: o.trace,
    version: connection.era === "modern" ? connection.version : null,
    encode: (id) => {
      const edits = [...o.edits, replaceWith(message.id!, String(id))];
      const meta = metaEdit(connection, o, id);
      if (meta !== null) edits.push(meta);
      return splice(message.bytes, edits);
    },
  };
}

function metaEdit(connection: Connection, o: RelayOptions, id: number): Edit | null {
  const members: string[] = [];
  if (connection.meta !== "") members.push(metaFor(connection, o.capabilities));
  if (o.progress) members.push(`"progressToken":${id}`);
  if (connection.era === "modern" && o.logLevel !== null) members.push(`"${META.logLevel}":"${o.logLevel}"`);
  const traced = o.trace !== undefined && o.trace.length > 0;
  if (traced) members.push(...traceMembers(o.trace!));
  const meta = member(o.message.params, "_meta");
  if (meta === null) return members.length === 0 ? null : insertMembers(o.message.params!, `"_meta":{${members.join(",")}}`);
  if (meta.kids === null) throw new GatewayError("validation_failed", '"_meta" is not an object.');
  if (members.length === 0 && !meta.kids.some((kid) => isHopKey(kid.key))) return null;
  const drop = traced ? (key: string) => isHopKey(key) || TRACE_KEYS.has(key) : isHopKey;
  return rebuild(o.message.bytes, meta, { drop, members });
}
const TRACE_KEYS: ReadonlySet<string> = new Set(["traceparent", "tracestate"]);

export interface ReplyOptions {
  /** The caller's id, as JSON text. */
  readonly id: string;
  readonly era: Era;
  readonly view: View;
  readonly server: string;
  /** Of this gateway. */
  readonly version: string;
  /** The method's result says how long it may be kept. */
  readonly cacheable: boolean;
  /** Of a server that needs input: what the caller carries in the place of the server's own state. */
  readonly state?: string | null;
  /** Of a server's task: what the caller knows it by. */
  readonly taskId?: string | undefined;
}
type Met = Pick<Connection, "era">;

/**
 * A server's answer for the caller: its bytes with the caller's id, URIs that lead through us, and what the caller's era adds or lacks.
 * Errors: `upstream_protocol` when the server wants something that it was told we can't give.
 */
export function relayReply(reply: RpcMessage, connection: Met, o: ReplyOptions): Uint8Array {
  try {
    return splice(reply.bytes, replyEdits(reply, connection, o));
  } catch (error) {
    if (!GatewayError.is(error, "bad_request")) throw error;
    throw new GatewayError("upstream_protocol", "The server's answer names a member twice.", { cause: error });
  }
}

function replyEdits(reply: RpcMessage, connection: Met, o: ReplyOptions): Edit[] {
  const { bytes } = reply;
  const edits: Edit[] = [];
  if (reply.id === null) edits.push(...nullId(reply, o.id));
  else edits.push(replaceWith(reply.id, o.id));
  if (reply.error !== null) {
    const code = member(reply.error, "code");
    if (o.era === "modern" && valueMember(bytes, reply.error, "code") === RPC.resourceNotFound)
      edits.push(replaceWith(code!, String(RPC.invalidParams)));
    return edits;
  }
  const result = reply.result!;
  const { state } = o;
  const asks = state !== undefined && state !== null;
  if (!asks && o.taskId === undefined) refuseQuestions(reply, result);
  if (o.era === "modern") edits.push(...modernEdits(bytes, result, { ...o, cacheable: o.cacheable && !asks }));
  else if (connection.era === "modern") edits.push(...withoutResultType(result));
  if (o.view.bare === null)
    for (const node of uriNodes(bytes, result))
      edits.push(replaceWith(node, JSON.stringify(outerUri(o.view, o.server, stringAt(bytes, node.start, node.end)))));
  return edits;
}

/** An error that its sender could not assign has a null id, where nothing was noted. */
function nullId(reply: RpcMessage, id: string): Edit[] {
  const at = reply.error!.keyStart;
  return [
    { start: 0, end: at, bytes: utf8(`{"jsonrpc":"2.0","id":${id},`) },
    { start: reply.error!.end, end: reply.bytes.length, bytes: utf8("}") },
  ];
}

/** What needs input and is not passed on as that would leave the caller with what it cannot answer. */
function refuseQuestions(reply: RpcMessage, result: JsonNode): void {
  const type = stringMember(reply.bytes, result, "resultType");
  if (type === null || type === "complete") return;
  throw new GatewayError(
    "upstream_protocol",
    `The server answered with a result of type "${type.slice(0, 40)}", for which this gateway declared no capability.`,
  );
}

function modernEdits(bytes: Uint8Array, result: JsonNode, o: ReplyOptions): Edit[] {
  const { state = null } = o;
  const edits: Edit[] = [];
  const add: string[] = [];
  const task = o.taskId === undefined ? null : member(result, "taskId");
  if (task !== null) edits.push(replaceWith(task, JSON.stringify(o.taskId)));
  const theirs = state === null ? null : member(result, "requestState");
  if (theirs !== null) edits.push(replaceWith(theirs, JSON.stringify(state)));
  else if (state !== null) add.push(`"requestState":${JSON.stringify(state)}`);
  if (member(result, "resultType") === null) add.push('"resultType":"complete"');
  if (o.cacheable) {
    if (member(result, "ttlMs") === null) add.push('"ttlMs":0');
    const scope = member(result, "cacheScope");
    // What a caller may see depends on its grants: nobody else may be served from what it kept.
    if (scope === null) add.push('"cacheScope":"private"');
    else edits.push(replaceWith(scope, '"private"'));
  }
  const meta = member(result, "_meta");
  if (meta === null) add.push(`"_meta":{${serverInfoMember(o.version)}}`);
  else if (meta.kids !== null)
    edits.push(rebuild(bytes, meta, { drop: (key) => key === META.serverInfo, members: [serverInfoMember(o.version)] }));
  if (add.length > 0) edits.push(insertMembers(result, add.join(",")));
  return edits;
}

/** A result that wants input for a server that waits for it. */
export function inputBytes(
  o: Pick<ReplyOptions, "id" | "version">,
  asked: { readonly requests: string; readonly state: string },
): Uint8Array {
  const { requests, state } = asked;
  const members = `"resultType":"input_required","inputRequests":${requests},"requestState":${JSON.stringify(state)},"_meta":{${serverInfoMember(o.version)}}`;
  return resultBytes(o.id, utf8(`{${members}}`));
}

/** A result that goes on as a task of ours; `members`: of the task, without braces. */
export function taskBytes(o: Pick<ReplyOptions, "id" | "version">, members: string): Uint8Array {
  return resultBytes(o.id, utf8(`{"resultType":"task","_meta":{${serverInfoMember(o.version)}},${members}}`));
}

function withoutResultType(result: JsonNode): Edit[] {
  const kids = result.kids!;
  const at = kids.findIndex((kid) => kid.key === "resultType");
  if (at < 0) return [];
  const kid = kids[at]!;
  const next = kids[at + 1];
  const previous = kids[at - 1];
  const start = next === undefined && previous !== undefined ? previous.end : kid.keyStart;
  return [{ start, end: next?.keyStart ?? kid.end, bytes: utf8("") }];
}

/** Every place of a result where the URI of a resource stands that the caller may ask us for. */
function uriNodes(bytes: Uint8Array, result: JsonNode): JsonNode[] {
  const found: JsonNode[] = [];
  for (const block of member(result, "content")?.kids ?? []) blockUris(bytes, block, found);
  for (const contents of member(result, "contents")?.kids ?? []) addUri(bytes, contents, found);
  for (const message of member(result, "messages")?.kids ?? []) {
    const content = member(message, "content");
    if (content === null) continue;
    if (bytes[content.start] === 0x5b) for (const block of content.kids ?? []) blockUris(bytes, block, found);
    else blockUris(bytes, content, found);
  }
  return found;
}

function blockUris(bytes: Uint8Array, block: JsonNode, found: JsonNode[]): void {
  const type = stringMember(bytes, block, "type");
  if (type === "resource_link") addUri(bytes, block, found);
  else if (type === "resource") addUri(bytes, member(block, "resource"), found);
}

function addUri(bytes: Uint8Array, owner: JsonNode | null, found: JsonNode[]): void {
  const uri = member(owner, "uri");
  if (uri !== null && bytes[uri.start] === 0x22) found.push(uri);
}

/**
 * A server's notification in the course of a call, for the caller; null when the caller asked for none of its kind.
 * `token` is the caller's own progress token as JSON text; null when it gave none.
 */
export function relayNotice(notice: RpcMessage, o: { readonly token: string | null; readonly logs: LogFilter }): Uint8Array | null {
  if (notice.method === "notifications/progress") {
    const token = member(notice.params, "progressToken");
    return o.token === null || token === null ? null : splice(notice.bytes, [replaceWith(token, o.token)]);
  }
  if (notice.method !== "notifications/message") return null;
  return passesFilter(notice, o.logs) ? notice.bytes : null;
}

export function passesFilter(notice: RpcMessage, logs: LogFilter): boolean {
  if (typeof logs === "string") return logs === "all";
  const level = stringMember(notice.bytes, notice.params, "level");
  return level !== null && severity(level) >= logs.least;
}
