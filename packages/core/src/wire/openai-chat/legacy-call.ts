import type { ToolCallPart } from "../../calls/index.js";
import { chatExtras } from "./extras.js";

/** Calls of the time before `tool_calls` have no id; a turn makes one of them at most, so that call and result find each other by this. */
export const legacyCallId = "function_call";

/** What a call is to whoever declared its tool in `functions`. */
export const legacyCall = { id: legacyCallId, extras: { "openai-chat": { type: "function_call" } } } as const;

/** A call that goes back in `function_call`. */
export function isLegacyCall(part: { readonly type: string; readonly extras?: ToolCallPart["extras"] }): boolean {
  return part.type === "tool-call" && chatExtras(part)["type"] === "function_call";
}
