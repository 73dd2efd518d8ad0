import type { Message, ModelCall } from "../../calls/index.js";

const BYTES_PER_TOKEN = 4;
const encoder = new TextEncoder();
/** What vendors charge for a picture of ordinary size, give or take: far from its bytes. */
const TOKENS_PER_MEDIA = 1_000;

/** What a call would be counted as by a vendor that cannot be asked: a quarter of the bytes of its texts, tools included. */
export function estimateTokens(call: ModelCall): number {
  let bytes = 0;
  let media = 0;
  const add = (text: string): void => void (bytes += encoder.encode(text).length);
  const addPart = (part: Message["content"][number]): void => {
    if (part.type === "media") media++;
    else if (part.type === "native") add(JSON.stringify(part));
    else if (part.type === "tool-call") add(part.name + part.arguments);
    else if (part.type === "tool-result") for (const inner of part.content) addPart(inner);
    else add(part.text);
  };
  for (const message of call.messages) for (const part of message.content) addPart(part);
  for (const tool of call.tools ?? []) add(JSON.stringify(tool));
  return Math.ceil(bytes / BYTES_PER_TOKEN) + media * TOKENS_PER_MEDIA;
}
