import type { ToolHead } from "../../calls/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import { noteToolCost } from "../../policy/money/tool-price.js";
import type { Bridged } from "../bridge/bridged-call.js";
import { withRetry, type Retry } from "../bridge/members.js";
import { member, valueMember, type RpcMessage } from "../frames/message.js";
import { META, RPC } from "../frames/protocol.js";
import { noteReply } from "../tool-exchange.js";
import { inputBytes, relayReply, taskBytes, type ReplyOptions } from "./relay.js";

/** What a bridged call came to, in its caller's terms. */
export function bridgedBytes(bridged: Bridged, o: ReplyOptions): Uint8Array {
  if (bridged.kind === "input") return inputBytes(o, bridged);
  if (bridged.kind === "task") return taskBytes(o, bridged.members);
  const { reply, connection } = bridged.replied;
  return relayReply(reply, connection, { ...o, state: bridged.state, taskId: bridged.taskId });
}

/** The request that is answered pays for the answer, also when another one began the call. */
export function noteBridged(call: LiveCall<ToolHead>, bridged: Bridged): void {
  call.meter.provider = call.head.server;
  if (bridged.kind === "input") return;
  // What it comes to is told to requests that cost nothing: it is paid for now, as a call without a result.
  if (bridged.kind === "task") return noteToolCost(call, { bytes: 0, isError: () => false });
  if (bridged.isLate) noteReply(call, bridged.replied.reply);
  if (bridged.replied.reply.error !== null) call.failed("tool_failed");
}

/** The caller's message for a server, with what belongs to this attempt; the message itself for a first one. */
export function retried(message: RpcMessage, retry: Retry): RpcMessage {
  const { params } = message;
  const isFirst = member(params, "inputResponses") === null && member(params, "requestState") === null && !wishesTask(params);
  return isFirst && retry.inputResponses === null && retry.requestState === null ? message : withRetry(message, retry);
}

/** Since 2026-07-28 the server alone decides what is a task. */
function wishesTask(params: RpcMessage["params"]): boolean {
  return member(params, "task") !== null && member(member(params, "_meta"), META.protocolVersion) !== null;
}

/** An error that the protocol wants told by the status as well. */
export function lacksCapability({ bytes, error }: RpcMessage): boolean {
  return error !== null && valueMember(bytes, error, "code") === RPC.missingCapability;
}
