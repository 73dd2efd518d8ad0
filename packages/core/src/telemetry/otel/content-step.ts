import { Fold, type CallHead, type ModelAnswer, type ModelEvent, type ModelHead } from "../../calls/index.js";
import type { OpenCall, Step } from "../../policy/step.js";

/** What models answered, for as long as the call lives. */
export class AnswersSeen {
  readonly #folds = new WeakMap<OpenCall<CallHead>, Fold>();

  /** Reads the answers of calls in passing, as their callers get them. Only where content is told: every call is decoded for it. */
  readonly step: Step<ModelHead, ModelEvent> = {
    name: "telemetry-content",
    sees: (head) => (head.operation === "generate" ? "read" : "head"),
    events: (call, source) => this.#read(call, source),
  };

  /** null: the call had no answer that could be read. What broke off is there as far as it came. */
  of(call: OpenCall<CallHead>): ModelAnswer | null {
    try {
      return this.#folds.get(call)?.answer() ?? null;
    } catch {
      // It ended before it began.
      return null;
    }
  }

  async *#read(call: OpenCall<ModelHead>, source: AsyncIterable<ModelEvent>): AsyncGenerator<ModelEvent> {
    const fold = new Fold();
    this.#folds.set(call, fold);
    for await (const event of source) {
      fold.push(event);
      yield event;
    }
  }
}
