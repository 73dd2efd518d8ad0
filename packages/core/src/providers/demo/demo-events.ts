import type { FinishReason, ModelCall, ModelEvent } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { newId } from "../../util/ids.js";

/** What a demo model decided to answer. */
export type DemoAnswer =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tool-call"; readonly id: string; readonly name: string; readonly arguments: string };

/** Pieces between two turns of the event loop: a long answer lets the rest of the process, and a cancellation, in. */
const PIECES_A_TURN = 64;

/**
 * A demo model's answer as events, word by word. Its tokens are words: runs of characters that are no white space, of every text in the request and of the answer. `maxOutputTokens` cuts the
 * answer off after so many words, with the finish reason `length`.
 */
export async function* demoEvents(
  call: ModelCall,
  o: { readonly model: string; readonly answer: DemoAnswer; readonly signal: AbortSignal },
): AsyncGenerator<ModelEvent> {
  const { answer, signal } = o;
  yield { type: "start", id: newId("demo"), model: o.model, createdAtMs: Date.now() };
  let reason: FinishReason = "stop";
  let outputTokens: number;
  if (answer.kind === "text") {
    const pieces = answer.text.match(/\s*\S+\s*$|\s*\S+|\s+$/g) ?? [];
    const words = answer.text.trim() === "" ? 0 : pieces.length;
    const allowed = Math.min(words, call.maxOutputTokens ?? Infinity);
    if (allowed < words) reason = "length";
    yield { type: "text-start", index: 0, block: 0 };
    for (const [place, text] of pieces.slice(0, words === 0 ? 1 : allowed).entries()) {
      if (place % PIECES_A_TURN === PIECES_A_TURN - 1) await turn();
      if (signal.aborted) throw cancelled(signal.reason);
      yield { type: "text-delta", index: 0, block: 0, text };
    }
    yield { type: "text-end", index: 0, block: 0 };
    outputTokens = allowed;
  } else {
    reason = "tool-calls";
    outputTokens = wordsOf(`${answer.name} ${answer.arguments}`);
    yield { type: "tool-call-start", index: 0, block: 0, id: answer.id, name: answer.name };
    yield { type: "tool-call-delta", index: 0, block: 0, text: answer.arguments };
    yield { type: "tool-call-end", index: 0, block: 0 };
  }
  yield { type: "finish", index: 0, reason };
  yield { type: "usage", usage: { inputTokens: inputWords(call), outputTokens } };
}

function inputWords(call: ModelCall): number {
  let words = 0;
  for (const message of call.messages)
    for (const part of message.content) {
      if (part.type === "text") words += wordsOf(part.text);
      else if (part.type === "tool-call") words += wordsOf(`${part.name} ${part.arguments}`);
      else if (part.type === "tool-result") for (const inner of part.content) words += inner.type === "text" ? wordsOf(inner.text) : 0;
    }
  return words;
}

function wordsOf(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function cancelled(reason: unknown): GatewayError {
  return GatewayError.is(reason) ? reason : new GatewayError("cancelled", "The call was cancelled.", { cause: reason });
}
