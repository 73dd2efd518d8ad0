import type { ModelCall, ModelEvent } from "../calls/index.js";
import { GatewayError, type ErrorCode } from "../errors/index.js";

/** One answer of a scripted model: a text, one tool call or several, both, or an error instead of an answer. */
export type Turn =
  | string
  | ScriptedCall
  | readonly ScriptedCall[]
  | { readonly text: string; readonly calls: readonly ScriptedCall[] }
  | { readonly error: ErrorCode; readonly message?: string };
export interface ScriptedCall {
  readonly tool: string;
  readonly args?: unknown;
  /** Made from the place in the script when left out. */
  readonly id?: string;
}

/** A model that answers its calls with the turns of a script, in order. */
export interface ScriptedModel {
  (call: ModelCall, o: { readonly model: string; readonly signal: AbortSignal }): AsyncIterable<ModelEvent>;
  /** Every call so far, as the model saw it. */
  readonly calls: readonly ModelCall[];
  /** Turns that were not asked for yet. */
  readonly left: number;
}

/**
 * `script({ tool: "x", args: {} }, "done")`: the first call is answered with that tool call, the second with the text. Texts are streamed word by word.
 * Tokens are counted as words. Fits `answer` of a provider, and `model` of `createTestGateway`.
 * Errors: a call after the last turn fails with `misconfigured`, saying how many turns there were.
 */
export function script(...turns: readonly Turn[]): ScriptedModel {
  const calls: ModelCall[] = [];
  const answer = (call: ModelCall, o: { readonly model: string; readonly signal: AbortSignal }): AsyncIterable<ModelEvent> => {
    const place = calls.push(call) - 1;
    return events(turns, place, { call, ...o });
  };
  return Object.defineProperties(answer, {
    calls: { get: () => calls },
    left: { get: () => Math.max(0, turns.length - calls.length) },
  }) as ScriptedModel;
}

async function* events(
  turns: readonly Turn[],
  place: number,
  o: { readonly call: ModelCall; readonly model: string; readonly signal: AbortSignal },
): AsyncGenerator<ModelEvent> {
  const turn = turns[place];
  if (turn === undefined)
    throw new GatewayError("misconfigured", `The script has ${turns.length} turns, and the model was called ${place + 1} times.`, {
      hint: "Add a turn, or find out why it was called again.",
    });
  if (typeof turn === "object" && "error" in turn)
    throw new GatewayError(turn.error, turn.message ?? "The script answers with this error.");
  const { text, calls } = partsOf(turn);
  yield { type: "start", id: `script_${place + 1}`, model: o.model, createdAtMs: 0 };
  let block = 0;
  if (text !== null) yield* textEvents(text, block++, o.signal);
  for (const call of calls) yield* callEvents(call, block++, place);
  yield { type: "finish", index: 0, reason: calls.length > 0 ? "tool-calls" : "stop" };
  yield { type: "usage", usage: { inputTokens: words(JSON.stringify(o.call.messages)), outputTokens: words(text ?? "") + calls.length } };
}

function partsOf(turn: Exclude<Turn, { readonly error: ErrorCode }>): {
  readonly text: string | null;
  readonly calls: readonly ScriptedCall[];
} {
  if (typeof turn === "string") return { text: turn, calls: [] };
  if ("tool" in turn) return { text: null, calls: [turn] };
  return "text" in turn ? turn : { text: null, calls: turn };
}

function* textEvents(text: string, block: number, signal: AbortSignal): Generator<ModelEvent> {
  yield { type: "text-start", index: 0, block };
  for (const piece of text.match(/\s*\S+\s*$|\s*\S+|\s+/g) ?? []) {
    if (signal.aborted) throw new GatewayError("cancelled", "The call was cancelled.");
    yield { type: "text-delta", index: 0, block, text: piece };
  }
  yield { type: "text-end", index: 0, block };
}

function* callEvents(call: ScriptedCall, block: number, place: number): Generator<ModelEvent> {
  yield { type: "tool-call-start", index: 0, block, id: call.id ?? `call_${place + 1}_${block}`, name: call.tool };
  yield { type: "tool-call-delta", index: 0, block, text: JSON.stringify(call.args ?? {}) };
  yield { type: "tool-call-end", index: 0, block };
}

function words(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}
