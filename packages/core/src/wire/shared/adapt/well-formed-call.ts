import type { Message, ModelCall } from "../../../calls/index.js";
import { toWellFormedJson } from "../../../util/well-formed.js";
import type { Adapting } from "./adapting.js";

/** An escaped surrogate pair, an escaped half of one, or any other escape: a backslash that is itself escaped begins none. */
const escapes = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|[^])/g;

/** Vendors refuse half a surrogate pair, which has no UTF-8 form: U+FFFD stands for it, with a warning. The call itself when it has none. */
export function wellFormedCall(call: ModelCall, { warn }: Adapting): ModelCall {
  const unescaped = call.messages.some(({ role }) => role === "assistant") ? withoutEscapes(call) : call;
  const mended = toWellFormedJson(unescaped);
  if (mended !== call) warn("messages", "hold halves of surrogate pairs, which were sent as U+FFFD");
  return mended;
}

function withoutEscapes(call: ModelCall): ModelCall {
  const messages = call.messages.map(withoutEscapedHalves);
  return messages.some((message, i) => message !== call.messages[i]) ? { ...call, messages } : call;
}

/** Arguments of calls are JSON text: what they escape comes to light when a codec parses it. */
function withoutEscapedHalves(message: Message): Message {
  if (message.role !== "assistant") return message;
  const content = message.content.map((part) => {
    if (part.type !== "tool-call" || part.input === "text" || !/\\u[dD]/.test(part.arguments)) return part;
    const text = part.arguments.replace(escapes, (found) => (/^\\u[^\\]{4}$/.test(found) ? "\\ufffd" : found));
    return text === part.arguments ? part : { ...part, arguments: text };
  });
  return content.some((part, i) => part !== message.content[i]) ? { ...message, content } : message;
}
