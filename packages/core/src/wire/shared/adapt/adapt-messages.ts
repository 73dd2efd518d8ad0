import type { Message, ModelCall } from "../../../calls/index.js";
import { systemAtFront } from "./adapt-fields.js";
import type { Adapting } from "./adapting.js";
import { fitNames } from "./fit-names.js";
import { pairResults } from "./pair-results.js";
import { mapMedia } from "./url-media.js";

const nineCharacters = /^[a-zA-Z0-9]{9}$/;

/** The conversation in the target's terms: turns and results in order, ids that it takes, nothing of other protocols, no turn without content. */
export function adaptMessages(call: ModelCall, adapting: Adapting): readonly Message[] {
  if (call.messages.every(isPlain)) return systemAtFront(call.messages, adapting);
  const own = withoutForeign(withoutDetail(systemAtFront(withoutEmptyTexts(call.messages, adapting), adapting), adapting), adapting);
  return (keepsHistory(call, adapting) ? own : withFittedIds(pairResults(own, adapting.warn), adapting)).filter((message) =>
    isSaid(message, adapting),
  );
}

/** Said in words alone: there is nothing in it that a target could want otherwise. */
function isPlain(message: Message): boolean {
  if (message.content.length === 0) return false;
  for (const part of message.content) if (part.type !== "text" || part.text === "") return false;
  return true;
}

/** A part of the conversation is at the vendor: what seems to be missing is there, under the ids that it has. */
function keepsHistory(call: ModelCall, { target }: Adapting): boolean {
  const own = call.extras?.[target.protocol];
  return own !== undefined && (target.traits.keptHistory ?? []).some((field) => (own[field] ?? undefined) !== undefined);
}

function withoutDetail(messages: readonly Message[], { target, warn }: Adapting): readonly Message[] {
  if (target.traits.imageDetail === true) return messages;
  return mapMedia(messages, (part, field) => {
    if (part.detail === undefined) return part;
    if (part.detail !== "auto") warn(`${field}.detail`, "was left out: the target looks at pictures as it does");
    return { ...part, detail: undefined };
  });
}

/** Streams of some dialects end in a text of no length, which clients hand back beside the calls; it says nothing, and some vendors refuse it or take it for a turn of its own. */
function withoutEmptyTexts(messages: readonly Message[], { target }: Adapting): readonly Message[] {
  return messages.map((message) => {
    if (message.role !== "assistant" || !message.content.some(({ type }) => type === "tool-call")) return message;
    const content = message.content.filter(
      (part) => part.type !== "text" || part.text !== "" || part.opaque !== undefined || part.extras?.[target.protocol] !== undefined,
    );
    return content.length === message.content.length ? message : { ...message, content };
  });
}

function withoutForeign(messages: readonly Message[], { target, warn }: Adapting): readonly Message[] {
  return messages.map((message, i) => {
    if (message.role !== "assistant" && message.role !== "user") return message;
    const content = (message.content as readonly (typeof message.content)[number][]).filter((part, j) => {
      if (part.type !== "native" || part.protocol === target.protocol) return true;
      warn(`messages[${i}].content[${j}]`, `is an item of ${part.protocol} alone, and was left out`);
      return false;
    });
    return content.length === message.content.length ? message : ({ ...message, content } as Message);
  });
}

function withFittedIds(messages: readonly Message[], { target }: Adapting): readonly Message[] {
  const ids = messages.flatMap((message) =>
    message.content.flatMap((part) => (part.type === "tool-call" ? [part.id] : part.type === "tool-result" ? [part.callId] : [])),
  );
  const fitted = fitNames(ids, target.quirks.toolCallIds === "nine" ? nineCharacters : target.traits.toolCallId);
  if (fitted.size === 0) return messages;
  return messages.map((message) => {
    if (message.role === "tool")
      return { ...message, content: message.content.map((part) => ({ ...part, callId: fitted.get(part.callId) ?? part.callId })) };
    if (message.role !== "assistant") return message;
    const content = message.content.map((part) => (part.type === "tool-call" ? { ...part, id: fitted.get(part.id) ?? part.id } : part));
    return { ...message, content };
  });
}

/** Vendors refuse a turn without content; one that had only what was left out says nothing. */
function isSaid(message: Message, { target }: Adapting): boolean {
  if (message.role === "tool") return message.content.length > 0;
  if (message.role !== "assistant") return true;
  return (
    message.content.some((part) => part.type !== "text" || part.text !== "" || part.opaque !== undefined) ||
    message.extras?.[target.protocol] !== undefined
  );
}
