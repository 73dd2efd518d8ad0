import type { Message } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import type { Block } from "../cache-control.js";
import { messagesExtras } from "../extras.js";
import { encodeAssistantPart, encodeResult, encodeText, encodeUserPart, shortest } from "./encode-blocks.js";
import { kept, type Encoding } from "./encoding.js";

interface Turn {
  readonly role: "user" | "assistant" | "system";
  readonly content: Block[];
  own: Readonly<Record<string, unknown>>;
}

/** The system prompt, which is what the conversation begins with, and the turns. */
export interface EncodedMessages {
  readonly system: Block[];
  readonly messages: unknown[];
}

/**
 * The conversation as turns that alternate: what one side says in several messages is one turn, with the results of tools in front. Blank texts are left out, and turns
 * that then say nothing. A system message further on stays in its place.
 */
export function encodeMessages(messages: readonly Message[], encoding: Encoding): EncodedMessages {
  const first = messages.findIndex((message) => message.role !== "system" && message.role !== "developer");
  const begin = first < 0 ? messages.length : first;
  const system = messages.slice(0, begin).flatMap((message, i) => encodeParts(message, `messages[${i}]`, encoding));
  const turns: Turn[] = [];
  messages.slice(begin).forEach((message, i) => addTurn(turns, message, { path: `messages[${begin + i}]`, encoding }));
  trimPrefill(turns.at(-1), encoding);
  return { system, messages: turns.map(({ role, content, own }) => ({ ...own, role, content: shortest(content) })) };
}

function addTurn(turns: Turn[], message: Message, o: { readonly path: string; readonly encoding: Encoding }): void {
  const content = encodeParts(message, o.path, o.encoding);
  if ("name" in message && message.name !== undefined)
    o.encoding.warn({ field: `${o.path}.name`, what: "was left out: Messages has no names of speakers" });
  if (content.length === 0) {
    o.encoding.warn({ field: o.path, what: "says nothing that the vendor takes, and was left out" });
    return;
  }
  const { content: _content, ...own } = messagesExtras(message);
  const role = message.role === "assistant" ? "assistant" : message.role === "user" || message.role === "tool" ? "user" : "system";
  const last = turns.at(-1);
  if (last?.role !== role) turns.push({ role, content, own });
  else {
    last.content.push(...content);
    last.own = { ...last.own, ...own };
  }
}

function encodeParts(message: Message, path: string, encoding: Encoding): Block[] {
  const at = (i: number) => `${path}.content[${i}]`;
  const blocks = (): (Block | null)[] => {
    switch (message.role) {
      case "system":
      case "developer": {
        const { content: own } = messagesExtras(message);
        if (Array.isArray(own)) return (own as unknown[]).filter(isObject).map((block) => kept({ ...block }, encoding));
        return message.content.map((part, i) => encodeText(part, at(i), encoding));
      }
      case "user":
        return message.content.map((part, i) => encodeUserPart(part, at(i), encoding));
      case "assistant":
        return message.content.map((part, i) => encodeAssistantPart(part, at(i), encoding));
      case "tool":
        return message.content.map((part, i) => encodeResult(part, at(i), encoding));
    }
  };
  return blocks().filter((block) => block !== null);
}

/** An answer that is to be continued may not end in blanks. */
function trimPrefill(last: Turn | undefined, { warn }: Encoding): void {
  const block = last?.role === "assistant" ? last.content.at(-1) : undefined;
  if (block?.["type"] !== "text" || typeof block["text"] !== "string") return;
  const text = block["text"].trimEnd();
  if (text === block["text"]) return;
  block["text"] = text;
  warn({ field: "messages", what: "end in blanks of the assistant, which were left out" });
}
