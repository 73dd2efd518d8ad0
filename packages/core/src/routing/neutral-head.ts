import type { Message, ModelCall, ModelHead, ProtocolId } from "../calls/index.js";

/**
 * What policy may know of a call that came in neutral shape: it has no bytes, so their number is that of the characters of its texts and arguments.
 * `protocol` is the one it will be spoken to in.
 */
export function neutralHead(call: ModelCall, o: { readonly name: string; readonly protocol: ProtocolId }): ModelHead {
  return {
    kind: "model",
    protocol: o.protocol,
    operation: "generate",
    name: o.name,
    stream: true,
    maxOutputTokens: call.maxOutputTokens,
    choices: call.n,
    bytes: call.messages.reduce((sum, message) => sum + sizeOf(message), 0),
  };
}

function sizeOf(message: Message): number {
  let size = 0;
  for (const part of message.content) {
    if (part.type === "tool-call") size += part.name.length + part.arguments.length;
    else if (part.type === "tool-result") for (const inner of part.content) size += "text" in inner ? inner.text.length : 0;
    else if (part.type !== "media" && part.type !== "native") size += part.text.length;
  }
  return size;
}
