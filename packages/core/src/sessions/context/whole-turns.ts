import type { Message, ToolCallPart, ToolResultPart } from "../../calls/index.js";

/**
 * Messages that a model can be sent: every tool call has its result right after it, and every result its call. A call whose result is missing is left out, as is a result without its call, and a message
 * that then says nothing; all else stays as it is, in its order. What is whole comes back as it was given.
 */
export function wholeTurns(messages: readonly Message[]): Message[] {
  const whole: Message[] = [];
  for (let i = 0; i < messages.length; i++) {
    const one = messages[i] as Message;
    if (one.role === "tool") continue; // those that answer something were taken with their call
    const calls = one.role === "assistant" ? callsOf(one) : [];
    if (calls.length === 0) {
      if (one.content.length > 0) whole.push(one);
      continue;
    }
    const results: Extract<Message, { role: "tool" }>[] = [];
    while (messages[i + 1]?.role === "tool") results.push(messages[++i] as (typeof results)[number]);
    whole.push(...answered(one as Extract<Message, { role: "assistant" }>, results));
  }
  return whole;
}

function answered(asked: Extract<Message, { role: "assistant" }>, results: readonly Extract<Message, { role: "tool" }>[]): Message[] {
  const wanted = new Set(callsOf(asked).map(({ id }) => id));
  const found = new Set<string>();
  const kept: Message[] = [];
  for (const one of results) {
    const content = one.content.filter(({ callId }) => wanted.has(callId) && !found.has(callId) && found.add(callId));
    if (content.length > 0) kept.push(content.length === one.content.length ? one : { ...one, content });
  }
  if (found.size === wanted.size) return [asked, ...kept];
  const content = asked.content.filter((part) => part.type !== "tool-call" || found.has(part.id));
  // Reasoning that led to nothing but calls that are gone is of no use to anybody, and refused by some vendors.
  const says = content.some(({ type }) => type !== "reasoning");
  return says ? [{ ...asked, content }, ...kept] : [];
}

export function callsOf(message: Message): readonly ToolCallPart[] {
  return message.role === "assistant" ? message.content.filter((part): part is ToolCallPart => part.type === "tool-call") : [];
}
export function resultsOf(message: Message): readonly ToolResultPart[] {
  return message.role === "tool" ? message.content : [];
}
