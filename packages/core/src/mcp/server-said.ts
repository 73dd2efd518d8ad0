import type { JsonObject, ToolEvent, ToolHead } from "../calls/index.js";
import type { OpenCall } from "../policy/step.js";
import type { Replied } from "./bridge/held-call.js";
import type { RpcMessage } from "./frames/message.js";
import { progressEvent, toolEvent } from "./tool-exchange.js";

/** What a caller knows something of its server's by. */
export interface Known {
  /** Of a server that needs input: what its caller carries in the place of the server's own. */
  readonly state: string | null;
  /** Of a task. */
  readonly taskId?: string | undefined;
}
const NOTHING: Known = { state: null };

/** What was answered to a call, byte for byte, beside the copy of it that steps look at. */
export interface Said extends Known {
  readonly replied: Replied;
  /** The copy, as no step has changed it yet. */
  readonly raw: JsonObject;
}
const answers = new WeakMap<OpenCall<ToolHead>, Said>();
const notices = new WeakMap<ToolEvent, RpcMessage>();

/** The answer as an event for steps, which tell of it what they change; all else goes on as it was said. Errors: those of `toolEvent`. */
export function resultSaid(call: OpenCall<ToolHead>, replied: Replied, known: Known = NOTHING): ToolEvent {
  const { state, taskId } = known;
  const event = toolEvent(replied.reply, state, taskId !== undefined);
  answers.set(call, { replied, state, taskId, raw: event.result.raw });
  return event;
}

/** Undefined: nothing yet, or by none that speaks the protocol. */
export function saidTo(call: OpenCall<ToolHead>): Said | undefined {
  return answers.get(call);
}

/** The same of progress; null for any other notice. */
export function progressSaid(notice: RpcMessage): ToolEvent | null {
  const event = progressEvent(notice);
  if (event !== null) notices.set(event, notice);
  return event;
}

/** What an event was made of; undefined: a step made it. */
export function noticeOf(event: ToolEvent): RpcMessage | undefined {
  return notices.get(event);
}
