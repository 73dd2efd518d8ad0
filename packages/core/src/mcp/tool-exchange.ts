import type { Headers, Json, JsonObject, ToolEvent, ToolHead } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import { ByteWord } from "../util/encoding/byte-word.js";
import type { LiveCall } from "../policy/live-call.js";
import type { OpenCall } from "../policy/step.js";
import { noteToolCost } from "../policy/money/tool-price.js";
import { toolNotFound } from "./catalogue/unreachable.js";
import { fullName } from "./catalogue/view.js";
import type { SendOptions } from "./bridge/bridged-call.js";
import { isInputRequired } from "./bridge/input-required.js";
import type { Catalogue } from "./catalogue/catalogue.js";
import { textAt } from "./frames/json-scan.js";
import { stringMember, valueMember, type RpcMessage } from "./frames/message.js";
import type { UpstreamRequest } from "./lanes/lane.js";
import type { Connection } from "./lanes/own-request.js";
import { guardedExchange } from "./resilience/guarded-exchange.js";
import { wasNotHandled } from "./resilience/not-handled.js";
import { natureOf, type Nature } from "./resilience/repeatable.js";
import type { ListEntry } from "./upstream/list-entries.js";
import type { Upstream } from "./upstream/upstream.js";

export interface ToolExchangeOptions {
  readonly catalogue: Catalogue;
  readonly call: LiveCall<ToolHead>;
  readonly build: (connection: Connection, tool: ListEntry) => UpstreamRequest;
  readonly onNotice?: ((notice: RpcMessage) => void) | undefined;
  /** The same text for calls that say the same, whoever makes them; left out: it is like no other. */
  readonly same?: (() => string) | undefined;
  /** How this attempt goes, where it may outlive the request that makes it; left out: as the call. */
  readonly via?: Pick<SendOptions, "signal" | "deadlineMs" | "asker" | "onNotice"> | undefined;
}

/**
 * One tool call at its server: what is not in the catalogue can't be called. Never sent twice unless it certainly was not handled, or its operator lets it be.
 * Errors: `tool_not_found`, `tool_definition_changed`, `upstream_*`, `outcome_unknown` when nobody knows whether the server did it, `cancelled`.
 */
export async function exchangeTool(o: ToolExchangeOptions): Promise<{ readonly reply: RpcMessage; readonly connection: Connection }> {
  const { call, via } = o;
  const upstream = o.catalogue.get(call.head.server);
  if (upstream === undefined) throw toolNotFound(call.head.name);
  const tool = upstream.listsFor(call.caller).tools.get(call.head.tool) ?? (await findTool(upstream, call, via?.asker));
  // Its list may have been read while policy thought about it.
  o.catalogue.assertReachable({ server: upstream.name, name: tool.name }, call.caller);
  call.meter.provider = upstream.name;
  const nature = natureOf(tool, upstream.target.resilience);
  try {
    const build = (connection: Connection): UpstreamRequest => {
      // A new connection has read the list anew: what it shows now may wait for a person (T27).
      o.catalogue.assertReachable({ server: upstream.name, name: tool.name }, call.caller);
      return o.build(connection, tool);
    };
    const answered = await guardedExchange(upstream, build, {
      nature,
      same: o.same === undefined ? undefined : sameCall(call, o.same),
      onAttempt: () => call.meter.attempts++,
      deadlineMs: via?.deadlineMs ?? call.deadlineMs,
      signal: via?.signal ?? call.signal,
      asker: via?.asker,
      owner: call.caller.id,
      caller: call.caller,
      onNotice: via?.onNotice ?? o.onNotice,
    });
    const { reply } = answered;
    noteReply(call, reply);
    return answered;
  } catch (error) {
    if (nature === "unknown" && GatewayError.is(error, "upstream_rate_limited") && !wasNotHandled(error)) unsure.add(call);
    throw whatBecame(error, nature);
  }
}

/** Only calls of one caller are ever the same. */
function sameCall({ caller, head }: LiveCall<ToolHead>, said: () => string): () => string {
  return () => JSON.stringify([caller.id, head.tool, said()]);
}

/** What the call cost its caller, by its answer. An answer that wants input costs nothing yet. */
export function noteReply(call: LiveCall<ToolHead>, reply: RpcMessage): void {
  if (!isInputRequired(reply)) noteToolCost(call, { bytes: reply.bytes.length, isError: () => isErrorReply(reply) });
}

const IS_ERROR = new ByteWord('"isError"');

function isErrorReply(reply: RpcMessage): boolean {
  if (reply.error !== null || reply.result === null) return true;
  // Most results say nothing of it, and may be long.
  if (!IS_ERROR.isIn(reply.bytes)) return false;
  return (JSON.parse(textAt(reply.bytes, reply.result)) as JsonObject)["isError"] === true;
}

async function findTool(upstream: Upstream, call: LiveCall<ToolHead>, asker: SendOptions["asker"]): Promise<ListEntry> {
  const { tool } = call.head;
  await upstream.lookAgain("tools", { deadlineMs: call.deadlineMs, signal: call.signal, caller: call.caller, asker });
  const found = upstream.listsFor(call.caller).tools.get(tool);
  if (found === undefined) throw toolNotFound(fullName(upstream.name, tool));
  return found;
}

/** What goes to the server so that it can join the call's trace; none when nobody traces, or servers are not told. */
export function traceOf(call: LiveCall<ToolHead>): Headers {
  return call.trace?.toServers === true ? call.trace.headers : NO_HEADERS;
}
const NO_HEADERS: Headers = [];

const unsure = new WeakSet<OpenCall<ToolHead>>();

/** Its server refused it, and not in a way that proves that nothing was done. */
export function mayHaveRun(call: OpenCall<ToolHead>): boolean {
  return unsure.has(call);
}

/** After it was sent, a failure of the way is not a failure of the tool: it may have been run. A tool that may be called again is only busy with a 503. */
function whatBecame(error: unknown, nature: Nature): unknown {
  if (!GatewayError.is(error)) return error;
  const isBusy = nature !== "unknown" && error.details?.["status"] === 503;
  const reached = error.code === "upstream_unavailable" && !wasNotHandled(error) && !isBusy;
  if (error.code !== "upstream_interrupted" && !reached) return error;
  return new GatewayError("outcome_unknown", `${error.message} Nobody knows whether the tool ran.`, {
    cause: error,
    hint: "Look whether its effect is there before you call it again.",
  });
}

/** The answer as the neutral event; `state`: what the caller carries for a server that needs input; `isTask`: it may be a task. A JSON-RPC error becomes a result that is an error: whoever called learns what the server said. */
export function toolEvent(reply: RpcMessage, state: string | null = null, isTask = false): Extract<ToolEvent, { type: "result" }> {
  if (reply.error !== null) {
    const code = valueMember(reply.bytes, reply.error, "code");
    const text = stringMember(reply.bytes, reply.error, "message") ?? "The server refused the call.";
    const data = valueMember(reply.bytes, reply.error, "data") as Json | undefined;
    return {
      type: "result",
      result: {
        isError: true,
        raw: {
          content: [{ type: "text", text }],
          isError: true,
          _meta: {
            "sallyport/rpcErrorCode": typeof code === "number" ? code : null,
            ...(data === undefined ? {} : { "sallyport/rpcErrorData": data }),
          },
        },
      },
    };
  }
  const raw = JSON.parse(textAt(reply.bytes, reply.result!)) as JsonObject;
  if (state !== null) return { type: "result", result: { isError: false, raw: { ...raw, requestState: state } } };
  const type = raw["resultType"];
  if (type !== undefined && type !== "complete" && !(isTask && type === "task"))
    throw new GatewayError(
      "upstream_protocol",
      "The server asked a question in answer to a call, for which this gateway declared no capability.",
    );
  return { type: "result", result: { isError: raw["isError"] === true, raw } };
}

/** Progress as the neutral event; null for any other notice. */
export function progressEvent(notice: RpcMessage): Extract<ToolEvent, { type: "progress" }> | null {
  if (notice.method !== "notifications/progress") return null;
  const progress = valueMember(notice.bytes, notice.params, "progress");
  if (typeof progress !== "number") return null;
  const total = valueMember(notice.bytes, notice.params, "total");
  const message = stringMember(notice.bytes, notice.params, "message");
  return { type: "progress", progress, ...(typeof total === "number" ? { total } : {}), ...(message === null ? {} : { message }) };
}
