import type { Json, ToolHead } from "../../calls/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import { changedText } from "../frames/changed-text.js";
import { member, readMessage, requestPlan, type RpcMessage } from "../frames/message.js";
import { insertMembers, replaceWith, splice } from "../frames/splice.js";
import { argumentsOf } from "../tool-events.js";

/** A `tools/call` with what steps changed of its arguments; all else as its caller sent it. */
export function leftBySteps(call: LiveCall<ToolHead>, message: RpcMessage): RpcMessage {
  if (!call.isReplaced) return message;
  const left = argumentsOf(call);
  const { bytes, params } = message;
  const args = member(params, "arguments");
  if (args === null) return readMessage(splice(bytes, [insertMembers(params!, `"arguments":${left}`)]), requestPlan);
  const text = changedText(bytes.subarray(args.start, args.end), JSON.parse(left) as Json);
  return text === null ? message : readMessage(splice(bytes, [replaceWith(args, text)]), requestPlan);
}
