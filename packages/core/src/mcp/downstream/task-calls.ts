import { mayDo } from "../../access/grants.js";
import type { HttpAnswer, JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { takesTasks, bridgeable, missingFor, TASKS } from "../bridge/capabilities.js";
import { inputRequestsOf } from "../bridge/input-required.js";
import { responsesOf } from "../bridge/members.js";
import { missingCapability } from "../bridge/missing-capability.js";
import type { Ended } from "../bridge/parked/parked-texts.js";
import type { FoundTask, Tasks } from "../bridge/parked/tasks.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { textAt } from "../frames/json-scan.js";
import { member, readMessage, stringMember, upstreamPlan, type RpcMessage } from "../frames/message.js";
import { META } from "../frames/protocol.js";
import { replaceWith, splice, utf8 } from "../frames/splice.js";
import { authoriseReading } from "../tool-policy.js";
import { relayReply, relayRequest } from "./relay.js";
import type { RpcCall } from "./request.js";
import { jsonAnswer, resultBytes, rpcError, serverInfoMember } from "./respond.js";

export interface TaskCallsOptions {
  readonly catalogue: Catalogue;
  readonly tasks: Tasks;
  /** Resolves when a task may have moved. */
  readonly changed: (signal: AbortSignal) => Promise<void>;
  readonly version: string;
}

/** `tasks/get`, `tasks/update` and `tasks/cancel` of clients that declared the extension. Source: MCP extension io.modelcontextprotocol/tasks, 2026-07-28. */
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
    if (found.kind === "theirs") return this.#relay(rpc, found, taskId);
    if (method === "tasks/get") return this.#answer(rpc, this.told(rpc, found));
    if (method === "tasks/cancel") await this.#o.tasks.cancel(found.row);
    else {
      const responses = member(params, "inputResponses");
      if (responses === null || bytes[responses.start] !== 0x7b)
        throw new GatewayError("validation_failed", 'tasks/update needs "inputResponses", an object.');
      await this.#o.tasks.update(found.row, responsesOf(textAt(bytes, responses)));
    }
    return this.#answer(rpc, "");
  }

  /**
   * Tells of a task as it moves, and at once how it stands, until its end or the signal's abort. False: there is no such task of ours for this caller; a server's own task is polled. Errors: those of the store.
   */
  async watch(rpc: RpcCall, taskId: string, o: { readonly push: (task: string) => void; readonly signal: AbortSignal }): Promise<boolean> {
    const look = async () => this.#o.tasks.find(taskId, { callerId: rpc.o.caller.id, address: rpc.view.key });
    const first = await look();
    if (first?.kind !== "ours" || !mayDo(rpc.o.caller, "mcp", first.tool)) return false;
    const follow = async (): Promise<void> => {
      let version = 0;
      for (let found: FoundTask | null = first; found?.kind === "ours" && !o.signal.aborted; found = await look()) {
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
    return this.#o.tasks.told(row, (ended) => this.#ended(rpc, row.server, ended));
  }

  #ended(rpc: RpcCall, server: string, ended: Exclude<Ended, { kind: "cancelled" }>) {
    if (ended.kind === "error") {
      const error = rpcError(ended.error, rpc.o.requestId);
      return { status: "failed" as const, member: `"statusMessage":${JSON.stringify(error.message)},"error":${JSON.stringify(error)}` };
    }
    const { reply, connection } = ended.replied;
    const relayed = readMessage(relayReply(reply, connection, { ...this.#reply(rpc, server), id: "0" }), upstreamPlan);
    if (relayed.error !== null) return { status: "failed" as const, member: `"error":${textAt(relayed.bytes, relayed.error)}` };
    return { status: "completed" as const, member: `"result":${textAt(relayed.bytes, relayed.result!)}` };
  }

  #reply(rpc: RpcCall, server: string) {
    return { id: rpc.id, era: rpc.era, view: rpc.view, server, version: this.#o.version, cacheable: false };
  }

  #answer(rpc: RpcCall, members: string): HttpAnswer {
    const rest = members === "" ? "" : `,${members}`;
    return jsonAnswer(200, resultBytes(rpc.id, utf8(`{"resultType":"complete","_meta":{${serverInfoMember(this.#o.version)}}${rest}}`)));
  }

  /** A server's own task: its id in the place of our handle, and back. */
  async #relay(rpc: RpcCall, task: Extract<FoundTask, { kind: "theirs" }>, handle: string): Promise<HttpAnswer> {
    const upstream = this.#o.catalogue.get(task.server);
    if (upstream === undefined) throw new GatewayError("validation_failed", "The server of this task is not there any more.");
    const { message, o, signal } = rpc;
    const edits = [replaceWith(member(message.params, "taskId")!, JSON.stringify(task.taskId))];
    const declared = declaredBy(rpc);
    const relayed = { message, edits, subject: task.taskId, progress: false, logLevel: null, capabilities: JSON.stringify(declared) };
    const { reply, connection } = await upstream.exchange((to) => relayRequest(to, relayed), {
      ...{ deadlineMs: o.deadlineMs, signal, owner: o.caller.id, caller: o.caller },
    });
    if (reply.result !== null)
      for (const question of inputRequestsOf(reply).values()) {
        const missing = missingFor(question, declared);
        if (missing !== null) throw missingCapability(missing);
      }
    const bytes = relayReply(reply, connection, { ...this.#reply(rpc, task.server), taskId: handle });
    return jsonAnswer(200, reply.result === null ? bytes : this.#withInner(rpc, task.server, { bytes, era: connection.era }));
  }

  /** The result that a task ended with leads through us as any result does. */
  #withInner(rpc: RpcCall, server: string, o: { readonly bytes: Uint8Array; readonly era: RpcCall["era"] }): Uint8Array {
    const outer = readMessage(o.bytes, upstreamPlan);
    const inner = member(outer.result, "result");
    if (inner === null || o.bytes[inner.start] !== 0x7b) return o.bytes;
    const alone = readMessage(utf8(`{"jsonrpc":"2.0","id":0,"result":${textAt(o.bytes, inner)}}`), upstreamPlan);
    const mapped: RpcMessage = readMessage(relayReply(alone, o, { ...this.#reply(rpc, server), id: "0" }), upstreamPlan);
    return splice(o.bytes, [replaceWith(inner, textAt(mapped.bytes, mapped.result!))]);
  }
}

/** Errors: `unsupported_feature`, told as -32021. */
export function refuseUndeclaredTasks(rpc: RpcCall): void {
  if (!takesTasks(declaredBy(rpc))) throw missingCapability({ extensions: { [TASKS]: {} } });
}

function declaredBy({ message: { bytes, params } }: RpcCall) {
  const node = member(member(params, "_meta"), META.clientCapabilities);
  return bridgeable(node === null ? {} : (JSON.parse(textAt(bytes, node)) as JsonObject));
}
