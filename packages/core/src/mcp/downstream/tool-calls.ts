import type { Caller, HttpAnswer, Json, ToolHead } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import type { Clock } from "../../ports/index.js";
import type { Bridge } from "../bridge/bridge.js";
import type { BridgedCall, SendOptions, TaskTerms } from "../bridge/bridged-call.js";
import type { Replied } from "../bridge/held-call.js";
import type { Put } from "../bridge/session-questions.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { toolNotFound } from "../catalogue/unreachable.js";
import { fullName, locate, type Located } from "../catalogue/view.js";
import { textAt, type JsonNode } from "../frames/json-scan.js";
import { member, readMessage, stringMember, upstreamPlan, type RpcMessage } from "../frames/message.js";
import { LOG_LEVELS, META, MODERN_VERSION } from "../frames/protocol.js";
import { replaceWith } from "../frames/splice.js";
import type { Connection } from "../lanes/own-request.js";
import { disagreement, mirror } from "../lanes/param-headers.js";
import { traceparentOf, tracestateOf } from "../../util/encoding/trace-parent.js";
import { purposeEdit, takeRpcPurpose } from "../purpose.js";
import { exchangeTool, traceOf } from "../tool-exchange.js";
import { resultSaid } from "../server-said.js";
import { leftBySteps, toolEvents } from "../tool-events.js";
import type { LongResults } from "../results/long-results.js";
import { guardedRequest } from "../policy/guarded-request.js";
import type { ToolPolicy } from "../tool-policy.js";
import type { ListEntry } from "../upstream/list-entries.js";
import { mismatch } from "./classify.js";
import { bridgedBytes, lacksCapability, noteBridged, retried } from "./bridged-answer.js";
import { decodedCall, encodeResult } from "./decoded-call.js";
import { relayNotice, relayReply, relayRequest } from "./relay.js";
import type { RpcCall } from "./request.js";
import { errorAnswer } from "./respond.js";
import { answerSoon } from "./tool-stream.js";

/** So long those have who look at the result of a task. */
const FINISH_MS = 60_000;

export interface ToolCallsOptions {
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly policy: ToolPolicy;
  readonly bridge: Bridge;
  readonly results: LongResults;
  readonly version: string;
}

/** `tools/call` over HTTP: policy, then the caller's bytes to the server and the server's bytes back. */
export class ToolCalls {
  readonly #o: ToolCallsOptions;
  constructor(options: ToolCallsOptions) {
    this.#o = options;
  }

  /** Errors: those of policy and of the way, to be told as JSON-RPC errors; the call is settled then. */
  async serve(given: RpcCall): Promise<HttpAnswer> {
    const name = stringMember(given.message.bytes, given.message.params, "name");
    if (name === null) throw new GatewayError("validation_failed", 'tools/call needs the tool\'s "name", a string.');
    const located = await this.#locate(given, name);
    const said = this.#withOrigin(given, located);
    const refused = this.#headersRefused(said, this.#o.catalogue.get(located.server)?.listsFor(given.o.caller).tools.get(located.name));
    if (refused !== null) return refused;
    const fill = this.#o.catalogue.fill(located);
    const rpc = fill === null ? said : { ...said, message: fill.fillMessage(said.message) };
    const { message } = rpc;
    const args = argumentsNode(message);
    const { server, name: tool } = located;
    const head: ToolHead = {
      kind: "tool",
      name: fullName(server, tool),
      server,
      tool,
      ...keyOf(message),
      bytes: args === null ? 0 : args.end - args.start,
    };
    const argumentsText = () => (args === null ? "{}" : textAt(message.bytes, args));
    const call = this.#o.policy.open({ head, o: rpc.o, signal: rpc.signal, arguments: argumentsText });
    if (this.#o.policy.hearsAnswer(call)) return this.#decoded(rpc, call);
    const answer = await this.#o.policy.run(call, () => this.#relay(rpc, call));
    const { status, headers, body, done } = answer;
    if (body.kind !== "events") return { status, headers, body, done };
    // A step answered by itself.
    const fit = (bytes: Uint8Array) => this.#fit(bytes, rpc, call);
    return decodedCall({
      ...{ clock: this.#o.clock, rpc, call, version: this.#o.version, fit },
      progressToken: rpc.takesStream ? progressToken(rpc) : null,
      run: () => answer,
    });
  }

  /** What the call says of itself in its message: the trace that it belongs to, and why it is made, which its server does not see. */
  #withOrigin(rpc: RpcCall, located: Located): RpcCall {
    const { message, o } = rpc;
    const meta = member(message.params, "_meta");
    const traceparent = meta === null ? null : traceparentOf(stringMember(message.bytes, meta, "traceparent"));
    const taken = this.#takesPurpose(located, o.caller) ? takeRpcPurpose(message) : null;
    if (traceparent === null && taken === null) return rpc;
    const before = o.origin ?? { source: "mcp" as const, purpose: null, traceparent: null, tracestate: null };
    const trace = traceparent === null ? {} : { traceparent, tracestate: tracestateOf(stringMember(message.bytes, meta, "tracestate")) };
    return {
      ...rpc,
      message: taken?.message ?? message,
      o: { ...o, origin: { ...before, ...trace, purpose: taken?.purpose ?? before.purpose } },
    };
  }

  /** A tool with an argument `purpose` of its own gets it. */
  #takesPurpose(located: Located, caller: Caller): boolean {
    const entry = this.#o.policy.takesPurpose() ? this.#o.catalogue.tool(located, caller) : undefined;
    return entry !== undefined && purposeEdit(entry) !== null;
  }

  /** Errors: `tool_not_found`, `tool_definition_changed`, `validation_failed` for arguments that are none. */
  async #locate({ view, message, o, signal }: RpcCall, name: string): Promise<Located> {
    argumentsNode(message);
    const { deadlineMs, caller } = o;
    const located = locate(view, name) ?? (await this.#o.catalogue.seek(view, { kind: "tools", name }, { deadlineMs, signal, caller }));
    if (located === null || this.#o.catalogue.get(located.server) === undefined) throw toolNotFound(name);
    this.#o.catalogue.assertReachable(located, caller);
    return located;
  }

  #relay(rpc: RpcCall, call: LiveCall<ToolHead>) {
    const token = rpc.takesStream ? progressToken(rpc) : null;
    let status = 200;
    return answerSoon({
      ...{ clock: this.#o.clock, call, id: rpc.id, takesStream: rpc.takesStream, status: () => status },
      encodeNotice: (notice) => relayNotice(notice, { token, logs: rpc.logs }),
      work: async (onNotice, put) => {
        const message = await this.#looked(rpc, call);
        const send = (via: SendOptions) => this.#send(rpc, call, { message, via });
        const bridged = await this.#o.bridge.run({ ...this.#bridged(rpc, call), onNotice, put, send });
        noteBridged(call, bridged);
        if (bridged.kind === "reply" && lacksCapability(bridged.replied.reply)) status = 400;
        const { id, era, view } = rpc;
        const { version } = this.#o;
        const bytes = bridgedBytes(bridged, { id, era, view, server: call.head.server, version, cacheable: false });
        return this.#fit(bytes, rpc, call);
      },
    });
  }

  /** A repetition of a call with a key gets its result, so that such a call is no task. */
  #bridged(rpc: RpcCall, call: LiveCall<ToolHead>): Omit<BridgedCall, "send" | "onNotice" | "put"> {
    const { catalogue, policy } = this.#o;
    const tasks: TaskTerms = {
      tool: call.head.name,
      isLegacy: () => catalogue.get(call.head.server)?.connectionFor(call.caller)?.era === "legacy",
      finish: (replied, signal) => this.#finished(rpc, call, { replied, signal }),
    };
    return { ...bridgedCall(rpc, call), tasks: call.head.idempotencyKey === undefined ? tasks : null, guard: () => policy.asking(call) };
  }

  /** What became of a call that went on as a task, in its caller's terms. Errors: those of the steps that look at answers. */
  async #finished(
    rpc: RpcCall,
    call: LiveCall<ToolHead>,
    o: { readonly replied: Replied; readonly signal: AbortSignal },
  ): Promise<Replied> {
    const { policy, clock, version } = this.#o;
    const { reply, connection } = o.replied;
    const { id, era, view } = rpc;
    const said = { id, era, view, server: call.head.server, version, cacheable: false };
    let bytes: Uint8Array;
    if (policy.hearsAnswer(call)) {
      const leg = call.leg({ signal: o.signal, deadlineMs: clock.now() + FINISH_MS });
      const left = await policy.late(leg, resultSaid(leg, o.replied));
      if (left.type !== "result") throw new GatewayError("internal", "A step made no result of a result.");
      bytes = encodeResult({ rpc, call: leg, version, onStatus: () => undefined }, left);
    } else bytes = relayReply(reply, connection, said);
    const fitting = await this.#fit(bytes, rpc, call);
    return { reply: readMessage(fitting, upstreamPlan), connection: { era } };
  }

  /** What is too long for its caller is kept, and cut. */
  #fit(bytes: Uint8Array, rpc: RpcCall, call: LiveCall<ToolHead>): Uint8Array | Promise<Uint8Array> {
    return this.#o.results.fit(bytes, () => {
      const { server, tool, name } = call.head;
      const entry = this.#o.catalogue.tool({ server, name: tool }, call.caller);
      const revision = rpc.era === "modern" ? MODERN_VERSION : (rpc.request.header("mcp-protocol-version") ?? null);
      return { caller: call.caller, tool: name, hasOutputSchema: entry?.hasOutputSchema === true, revision };
    });
  }

  /** The request as guardrails leave what it says beside its arguments. Errors: theirs. */
  #looked({ message }: RpcCall, call: LiveCall<ToolHead>): RpcMessage | Promise<RpcMessage> {
    const guard = this.#o.policy.asking(call);
    return guard === null ? message : guardedRequest(message, guard, call.signal);
  }

  /** One attempt at the server. */
  #send(
    rpc: RpcCall,
    call: LiveCall<ToolHead>,
    { message: looked, via }: { readonly message: RpcMessage; readonly via: SendOptions },
  ): Promise<{ readonly reply: RpcMessage; readonly connection: Connection }> {
    const progress = rpc.takesStream && progressToken(rpc) !== null;
    const logLevel = wantedLevel(rpc.logs);
    const message = retried(leftBySteps(call, looked), via.retry);
    const { tool, idempotencyKey } = call.head;
    const name = member(message.params, "name")!;
    const edits = stringMember(message.bytes, message.params, "name") === tool ? [] : [replaceWith(name, JSON.stringify(tool))];
    const relayed = { message, edits, subject: tool, progress, logLevel, trace: traceOf(call), capabilities: via.capabilities };
    return exchangeTool({
      ...{ catalogue: this.#o.catalogue, call, via },
      // What is heard of its progress, or carries a key of its own, is nobody else's.
      same: progress || idempotencyKey !== undefined || message !== rpc.message ? undefined : () => textAt(message.bytes, message.params!),
      build: (to, { paramHeaders }) => relayRequest(to, relayed, paramHeaders.length === 0 ? [] : mirror(paramHeaders, parsed(message))),
    });
  }

  /** A step looks at the answer. */
  #decoded(rpc: RpcCall, call: LiveCall<ToolHead>): Promise<HttpAnswer> {
    const token = rpc.takesStream ? progressToken(rpc) : null;
    const { clock, bridge, policy, version } = this.#o;
    const exchange = async (onNotice: (notice: RpcMessage) => void, put: Put | undefined) => {
      const message = await this.#looked(rpc, call);
      const send = (via: SendOptions) => this.#send(rpc, call, { message, via });
      return bridge.run({ ...this.#bridged(rpc, call), send, onNotice, put });
    };
    return decodedCall({
      ...{ clock, rpc, call, version, progressToken: token, fit: (bytes: Uint8Array) => this.#fit(bytes, rpc, call) },
      run: (put) => policy.run(call, () => toolEvents({ call, exchange: (onNotice) => exchange(onNotice, put) })),
    });
  }

  #headersRefused(rpc: RpcCall, tool: ListEntry | undefined): HttpAnswer | null {
    if (rpc.request.isChannel === true || rpc.era === "legacy" || tool === undefined || tool.paramHeaders.length === 0) return null;
    const what = disagreement(tool.paramHeaders, parsed(rpc.message), (name) => rpc.request.header(name));
    if (what === null) return null;
    const { refusal } = mismatch(what, "Mcp-Param");
    return errorAnswer(refusal.status, rpc.id, refusal.error);
  }
}

/** The key of a call that its caller may repeat. Errors: `validation_failed`. */
function keyOf({ bytes, params }: RpcMessage): Pick<ToolHead, "idempotencyKey"> {
  const meta = member(params, "_meta");
  const node = meta === null ? null : member(meta, META.idempotencyKey);
  if (node === null) return {};
  const key = stringMember(bytes, meta, META.idempotencyKey);
  if (key === null || key.length === 0 || key.length > 200)
    throw new GatewayError("validation_failed", `"${META.idempotencyKey}" is a text of 1 to 200 characters.`);
  return { idempotencyKey: key };
}

/** null: it gives none. Errors: `validation_failed` when they are no object. */
function argumentsNode({ bytes, params }: RpcCall["message"]): JsonNode | null {
  const args = member(params, "arguments");
  if (args !== null && bytes[args.start] !== 0x7b) throw new GatewayError("validation_failed", '"arguments" is not an object.');
  return args;
}

/** What a server of 2026-07-28 is asked to log: it logs nothing unasked. A client of older revisions that set no level leaves the choice to the server, so to us. */
function wantedLevel(logs: RpcCall["logs"]): string | null {
  if (logs === "none") return null;
  return logs === "all" ? "info" : (LOG_LEVELS[logs.least] ?? null);
}

function parsed(message: RpcMessage): Json {
  const args = argumentsNode(message);
  return args === null ? {} : (JSON.parse(textAt(message.bytes, args)) as Json);
}

function progressToken(rpc: RpcCall): string | null {
  const token = member(member(rpc.message.params, "_meta"), "progressToken");
  return token === null ? null : textAt(rpc.message.bytes, token);
}

/** What of a call decides whom it is bridged for. A retry is of the call when it asks for the same. */
function bridgedCall(rpc: RpcCall, call: LiveCall<ToolHead>) {
  const args = argumentsNode(rpc.message);
  const asked = () => `[${JSON.stringify(call.head.tool)},${args === null ? "{}" : textAt(rpc.message.bytes, args)}]`;
  return { rpc, server: call.head.server, asked, signal: call.signal, deadlineMs: call.deadlineMs };
}
