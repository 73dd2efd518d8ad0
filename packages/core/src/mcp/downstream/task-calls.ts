import type { HttpAnswer, JsonObject, ToolHead } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import { takesTasks, bridgeable, missingFor, TASKS } from "../bridge/capabilities.js";
import { guardedRequests, guardedResponses } from "../bridge/guarded-texts.js";
import { inputRequestsOf } from "../bridge/input-required.js";
import { responsesOf } from "../bridge/members.js";
import { missingCapability } from "../bridge/missing-capability.js";
import type { Ended } from "../bridge/parked/parked-texts.js";
import type { FoundTask, Tasks } from "../bridge/parked/tasks.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { splitName } from "../catalogue/view.js";
import { textAt, type JsonNode } from "../frames/json-scan.js";
import { member, readMessage, requestPlan, stringMember, upstreamPlan, type RpcMessage } from "../frames/message.js";
import { META, MODERN_VERSION } from "../frames/protocol.js";
import { replaceWith, splice, utf8 } from "../frames/splice.js";
import type { LongResults } from "../results/long-results.js";
import { guardedRequest } from "../policy/guarded-request.js";
import type { MayUse } from "../subscribers/notifier.js";
import { authoriseReading, type ToolPolicy } from "../tool-policy.js";
import { readBytes } from "../results/read-bytes.js";
import { relayReply, relayRequest } from "./relay.js";
import type { RpcCall } from "./request.js";
import { jsonAnswer, resultBytes, rpcError, serverInfoMember } from "./respond.js";

export interface TaskCallsOptions {
  readonly catalogue: Catalogue;
  readonly policy: ToolPolicy;
  readonly results: LongResults;
  readonly tasks: Tasks;
  readonly mayUse: MayUse;
  /** Resolves when a task may have moved. */
  readonly changed: (signal: AbortSignal) => Promise<void>;
  readonly version: string;
}

/**
 * `tasks/get`, `tasks/update` and `tasks/cancel` of clients that declared the extension. They cost nothing; what they bring passes the same guardrails as the call would have: of a task of ours the result once, when it is there (`ToolCalls`), of a
 * server's task whatever it says, each time that it says it. Source: MCP extension io.modelcontextprotocol/tasks, 2026-07-28.
 */
export class TaskCalls {
  readonly #o: TaskCallsOptions;
  constructor(options: TaskCallsOptions) {
    this.#o = options;
  }

  /**
   * Errors: `unsupported_feature` for a client that did not declare the extension; `validation_failed` for a task that is not there for this caller; `forbidden` when the caller may not call its tool any more; those of the way and of the store.
   */
  async serve(rpc: RpcCall): Promise<HttpAnswer> {
    refuseUndeclaredTasks(rpc);
    const { bytes, params, method } = rpc.message;
    const taskId = stringMember(bytes, params, "taskId");
    if (taskId === null) throw new GatewayError("validation_failed", `${method} needs the "taskId", a string.`);
    const found = await this.#o.tasks.find(taskId, { callerId: rpc.o.caller.id, address: rpc.view.key });
    if (found === null) throw new GatewayError("validation_failed", "There is no such task: it is over, or belongs to somebody else.");
    authoriseReading(rpc.o, found.tool);
    const call = this.#open(rpc, found);
    const answer = found.kind === "theirs" ? await this.#relay(rpc, { found, handle: taskId, call }) : await this.#ours(rpc, found, call);
    return call.told === null ? answer : { ...answer, headers: [...answer.headers, ...call.told] };
  }

  /** Policy of a call that is long under way: nothing of it is counted again. */
  #open(rpc: RpcCall, found: FoundTask): LiveCall<ToolHead> {
    const { server, name } = splitName(found.tool)!;
    const head: ToolHead = { kind: "tool", name: found.tool, server, tool: name, bytes: 0 };
    return this.#o.policy.open({ head, o: rpc.o, signal: rpc.signal, arguments: () => "{}" });
  }

  async #ours(rpc: RpcCall, found: Extract<FoundTask, { kind: "ours" }>, call: LiveCall<ToolHead>): Promise<HttpAnswer> {
    const { method } = rpc.message;
    if (method === "tasks/get") return this.#answer(rpc, this.told(rpc, found));
    if (method === "tasks/cancel") await this.#o.tasks.cancel(found.row);
    else {
      const responses = responsesNode(rpc);
      const text = textAt(rpc.message.bytes, responses);
      const guard = this.#o.policy.asking(call);
      await this.#o.tasks.update(found.row, responsesOf(guard === null ? text : await guardedResponses(text, guard, rpc.signal)));
    }
    return this.#answer(rpc, "");
  }

  /**
   * Tells of a task as it moves, and at once how it stands, until its end, the signal's abort, or when the caller may not use its tool any more. False: there is no such task of ours for this caller; a server's own task is polled. Errors: those of the store.
   */
  async watch(rpc: RpcCall, taskId: string, o: { readonly push: (task: string) => void; readonly signal: AbortSignal }): Promise<boolean> {
    const look = async () => this.#o.tasks.find(taskId, { callerId: rpc.o.caller.id, address: rpc.view.key });
    const first = await look();
    if (first?.kind !== "ours" || !this.#o.mayUse(rpc.o.caller, first.tool)) return false;
    const follow = async (): Promise<void> => {
      let version = 0;
      for (let found: FoundTask | null = first; found?.kind === "ours" && !o.signal.aborted; found = await look()) {
        if (!this.#o.mayUse(rpc.o.caller, found.tool)) return;
        if (found.row.version !== version) o.push(this.told(rpc, found));
        version = found.row.version;
        if (found.row.state === "told" || found.row.state === "lost") return;
        await this.#o.changed(o.signal);
      }
    };
    // Who hears nothing more asks.
    follow().catch(() => undefined);
    return true;
  }

  /** A task of ours as `tasks/get` and notifications have it, without braces. */
  told(rpc: RpcCall, { row }: Extract<FoundTask, { kind: "ours" }>): string {
    return this.#o.tasks.told(row, (ended) => this.#ended(rpc, ended));
  }

  #ended(rpc: RpcCall, ended: Exclude<Ended, { kind: "cancelled" }>) {
    if (ended.kind === "error") {
      const error = rpcError(ended.error, rpc.o.requestId);
      return { status: "failed" as const, member: `"statusMessage":${JSON.stringify(error.message)},"error":${JSON.stringify(error)}` };
    }
    const { bytes, error, result } = ended.replied.reply;
    if (error !== null) return { status: "failed" as const, member: `"error":${textAt(bytes, error)}` };
    return { status: "completed" as const, member: `"result":${textAt(bytes, result!)}` };
  }

  #reply(rpc: RpcCall, server: string) {
    return { id: rpc.id, era: rpc.era, view: rpc.view, server, version: this.#o.version, cacheable: false };
  }

  #answer(rpc: RpcCall, members: string): HttpAnswer {
    const rest = members === "" ? "" : `,${members}`;
    return jsonAnswer(200, resultBytes(rpc.id, utf8(`{"resultType":"complete","_meta":{${serverInfoMember(this.#o.version)}}${rest}}`)));
  }

  /** A server's own task: its id in the place of our handle, and back. */
  async #relay(rpc: RpcCall, { found, handle, call }: TheirTask): Promise<HttpAnswer> {
    const upstream = this.#o.catalogue.get(found.server);
    if (upstream === undefined) throw new GatewayError("validation_failed", "The server of this task is not there any more.");
    const { o, signal } = rpc;
    const message = await this.#answered(rpc, call);
    const edits = [replaceWith(member(message.params, "taskId")!, JSON.stringify(found.taskId))];
    const declared = declaredBy(rpc);
    const relayed = { message, edits, subject: found.taskId, progress: false, logLevel: null, capabilities: JSON.stringify(declared) };
    const { reply, connection } = await upstream.exchange((to) => relayRequest(to, relayed), {
      ...{ deadlineMs: o.deadlineMs, signal, owner: o.caller.id, caller: o.caller },
    });
    if (reply.result !== null)
      for (const question of inputRequestsOf(reply).values()) {
        const missing = missingFor(question, declared);
        if (missing !== null) throw missingCapability(missing);
      }
    const said = await this.#lookedAt(reply, call);
    const bytes = relayReply(said, connection, { ...this.#reply(rpc, found.server), taskId: handle });
    return jsonAnswer(200, said.result === null ? bytes : await this.#withInner(rpc, call, { bytes, era: connection.era, handle }));
  }

  /** The request with its answers as guardrails leave them. */
  async #answered({ message: given, signal }: RpcCall, call: LiveCall<ToolHead>): Promise<RpcMessage> {
    const guard = this.#o.policy.asking(call);
    if (guard === null) return given;
    const message = await guardedRequest(given, guard, signal);
    const { bytes, params } = message;
    const responses = member(params, "inputResponses");
    if (responses === null) return message;
    if (bytes[responses.start] !== 0x7b) throw new GatewayError("validation_failed", '"inputResponses" is not an object.');
    const left = await guardedResponses(textAt(bytes, responses), guard, signal);
    return readMessage(splice(bytes, [replaceWith(responses, left)]), requestPlan);
  }

  /** What a server says of its task, as guardrails leave it. */
  async #lookedAt(reply: RpcMessage, call: LiveCall<ToolHead>): Promise<RpcMessage> {
    const guard = this.#o.policy.asking(call);
    if (guard === null) return reply;
    if (reply.result !== null) return guardedRequests(reply, guard, call.signal);
    return readMessage(await readBytes(reply.bytes, (error) => guard.question(error, call.signal)), upstreamPlan);
  }

  /** The result that a task ended with leads through us as any result does, and is cut as any is. */
  async #withInner(
    rpc: RpcCall,
    call: LiveCall<ToolHead>,
    o: { readonly bytes: Uint8Array; readonly era: RpcCall["era"]; readonly handle: string },
  ): Promise<Uint8Array> {
    const { server, tool } = call.head;
    const outer = readMessage(o.bytes, upstreamPlan);
    const inner = member(outer.result, "result");
    if (inner === null || o.bytes[inner.start] !== 0x7b) return o.bytes;
    const alone = readMessage(utf8(`{"jsonrpc":"2.0","id":0,"result":${textAt(o.bytes, inner)}}`), upstreamPlan);
    const fitting = await this.#o.results.fit(relayReply(alone, o, { ...this.#reply(rpc, server), id: "0" }), () => ({
      ...{ caller: rpc.o.caller, tool: call.head.name, revision: MODERN_VERSION, sameAs: o.handle },
      hasOutputSchema: this.#o.catalogue.tool({ server, name: tool }, rpc.o.caller)?.hasOutputSchema === true,
    }));
    const mapped = readMessage(fitting, upstreamPlan);
    return splice(o.bytes, [replaceWith(inner, textAt(mapped.bytes, mapped.result!))]);
  }
}

interface TheirTask {
  readonly found: Extract<FoundTask, { kind: "theirs" }>;
  /** What its caller knows it by. */
  readonly handle: string;
  readonly call: LiveCall<ToolHead>;
}

/** Errors: `validation_failed`. */
function responsesNode({ message: { bytes, params } }: RpcCall): JsonNode {
  const responses = member(params, "inputResponses");
  if (responses !== null && bytes[responses.start] === 0x7b) return responses;
  throw new GatewayError("validation_failed", 'tasks/update needs "inputResponses", an object.');
}

/** Errors: `unsupported_feature`, told as -32021. */
export function refuseUndeclaredTasks(rpc: RpcCall): void {
  if (!takesTasks(declaredBy(rpc))) throw missingCapability({ extensions: { [TASKS]: {} } });
}

function declaredBy({ message: { bytes, params } }: RpcCall) {
  const node = member(member(params, "_meta"), META.clientCapabilities);
  return bridgeable(node === null ? {} : (JSON.parse(textAt(bytes, node)) as JsonObject));
}
