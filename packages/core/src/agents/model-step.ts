import { Fold, type AnswerPart, type FinishReason, type LiveAnswer, type ModelCall, type ModelEvent, type Usage } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import type { Clock } from "../ports/index.js";
import type { CallOptions, ModelCaller } from "../seams/index.js";
import { newId } from "../util/ids.js";
import { untilAborted } from "../util/until-aborted.js";
import { toWellFormedJson } from "../util/well-formed.js";
import { WholeCharacters } from "./whole-characters.js";

export interface ModelStepOptions {
  readonly models: ModelCaller;
  readonly call: ModelCall;
  readonly options: CallOptions;
  readonly clock: Clock;
  /** Text of the answer as it comes; a promise asks to wait with the next. */
  readonly onDelta: (kind: "text" | "reasoning", text: string) => void | Promise<void>;
  /** What an answer cost that did not come to its end. */
  readonly onWaste: (usage: Usage) => void;
  /** The answer broke off and is asked for again: what came so far is void. */
  readonly onRestart: () => void;
}
export interface ModelStep {
  readonly content: readonly AnswerPart[];
  readonly finishReason: FinishReason;
  readonly cutCall: boolean;
  readonly usage: Usage;
}

/** Answers that broke off after they had begun are asked for again: a model call has no effect but its cost, and nobody else can repeat it. */
const MAX_RESTARTS = 2;
const RESTART_MS = [500, 2000] as const;

/**
 * One model call of a run. Errors: the signal's reason, what the seam throws, `upstream_interrupted` and `upstream_timeout` when the answer broke off three times.
 */
export async function modelStep(o: ModelStepOptions): Promise<ModelStep> {
  for (let restarts = 0; ; restarts++) {
    const fold = new Fold();
    try {
      const cutCall = await readAnswer(o, fold);
      const first = fold.answer().candidates[0];
      if (first === undefined) throw new GatewayError("upstream_protocol", "The model's answer has no content.");
      if (first.finishReason === "interrupted" || first.finishReason === "cancelled")
        throw new GatewayError("upstream_interrupted", "The model's answer broke off before it was complete.");
      return { content: withOwnIds(toWellFormedJson(first.content)), finishReason: first.finishReason, cutCall, usage: fold.usage };
    } catch (error) {
      o.onWaste(fold.usage);
      const brokeOff = GatewayError.is(error, "upstream_interrupted") || (GatewayError.is(error, "upstream_timeout") && fold.text !== "");
      if (!brokeOff || restarts >= MAX_RESTARTS || o.options.signal.aborted) throw error;
      await pause(o, RESTART_MS[restarts] ?? 0);
      o.onRestart();
    }
  }
}

/** Whether a tool call was begun and not ended. */
async function readAnswer(o: ModelStepOptions, fold: Fold): Promise<boolean> {
  const { signal } = o.options;
  const answer = await callUntilAborted(o);
  if (answer.body.kind !== "events") {
    answer.done("failed", "internal");
    throw new GatewayError("internal", "A model call in neutral shape was not answered with events.");
  }
  const events = answer.body.events[Symbol.asyncIterator]();
  const deltas = new Deltas(o.onDelta);
  let openCalls = 0;
  try {
    for (;;) {
      const next = await untilAborted(events.next(), signal);
      if (next.done === true) break;
      const event = next.value;
      fold.push(event);
      if (event.type === "tool-call-start" && event.index === 0) openCalls++;
      else if (event.type === "tool-call-end" && event.index === 0) openCalls--;
      else {
        const wait = deltas.tell(event);
        if (wait !== undefined) await wait;
      }
    }
  } catch (error) {
    answer.done(signal.aborted ? "left" : "failed", signal.aborted ? "cancelled" : GatewayError.from(error).code);
    // The signal has told the source already; a source that is silent would keep us waiting.
    void events.return?.().catch(() => undefined);
    throw error;
  }
  answer.done("sent");
  return openCalls > 0;
}

async function callUntilAborted(o: ModelStepOptions): Promise<LiveAnswer<ModelEvent>> {
  const pending = o.models.call(o.call, o.options);
  try {
    return await untilAborted(pending, o.options.signal);
  } catch (error) {
    pending.then(
      (late) => late.done("left", "cancelled"),
      () => undefined,
    );
    throw error;
  }
}

/** Tells the text of the first candidate as it comes, in whole characters. */
class Deltas {
  readonly #onDelta: ModelStepOptions["onDelta"];
  readonly #text = new WholeCharacters();
  #kind: "text" | "reasoning" = "text";

  constructor(onDelta: ModelStepOptions["onDelta"]) {
    this.#onDelta = onDelta;
  }

  tell(event: ModelEvent): void | Promise<void> {
    switch (event.type) {
      case "text-delta":
      case "refusal-delta":
        return event.index === 0 ? this.#piece("text", event.text) : undefined;
      case "reasoning-delta":
        return event.index === 0 ? this.#piece("reasoning", event.text) : undefined;
      case "text-end":
      case "refusal-end":
      case "reasoning-end":
      case "finish":
        return event.index === 0 ? this.#hand(this.#text.end()) : undefined;
      default:
        return;
    }
  }

  #piece(kind: "text" | "reasoning", piece: string): void | Promise<void> {
    const rest = kind === this.#kind ? "" : this.#text.end();
    const wait = this.#hand(rest);
    this.#kind = kind;
    const text = this.#text.push(piece);
    return wait === undefined ? this.#hand(text) : wait.then(() => this.#hand(text));
  }

  #hand(text: string): void | Promise<void> {
    return text === "" ? undefined : this.#onDelta(this.#kind, text);
  }
}

/**
 * Tool calls by ids that are unique within the answer: an exact repetition of a call is dropped, another call under the same id or under none gets an id of ours.
 */
function withOwnIds(content: readonly AnswerPart[]): readonly AnswerPart[] {
  const seen = new Map<string, string>();
  const parts: AnswerPart[] = [];
  for (const part of content) {
    if (part.type !== "tool-call") {
      parts.push(part);
      continue;
    }
    const what = JSON.stringify([part.name, part.arguments]);
    if (part.id !== "" && seen.get(part.id) === what) continue;
    const id = part.id === "" || seen.has(part.id) ? newId("call") : part.id;
    seen.set(id, what);
    parts.push(id === part.id ? part : { ...part, id });
  }
  return parts;
}

function pause(o: ModelStepOptions, ms: number): Promise<void> {
  const { clock, options } = o;
  return untilAborted(new Promise<void>((resolve) => clock.at(clock.now() + ms, resolve)), options.signal);
}
