import type { JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { QuestionGuard } from "../../policy/guardrails/guard-call.js";
import { parseJsonText } from "../../util/json.js";
import { RPC } from "../frames/protocol.js";
import { guardedAnswer, guardedQuestion } from "./guarded-texts.js";
import type { Asker, Question, QuestionAnswer } from "./question.js";

export interface GuardedAskerOptions {
  /** As of now; null: nobody looks. */
  readonly guard: () => QuestionGuard | null;
  /** Answers are looked at too; false: they were, where they came in. */
  readonly seesAnswers: boolean;
  /** A guardrail does not let a question or an answer pass: the call is over. */
  readonly end: (error: GatewayError) => void;
}

/** Whoever made a call, behind its guardrails, which do not look at what this gateway asks by itself. */
export class GuardedAsker implements Asker {
  readonly #asker: Asker;
  readonly #o: GuardedAskerOptions;
  /** Ids of errands to pages as the client knows them, by the server's. */
  readonly #errands = new Map<unknown, unknown>();

  constructor(asker: Asker, options: GuardedAskerOptions) {
    this.#asker = asker;
    this.#o = options;
  }

  get capabilities(): Asker["capabilities"] {
    return this.#asker.capabilities;
  }

  ask(question: Question, signal: AbortSignal): Promise<QuestionAnswer> {
    const guard = question.isOurs === true ? null : this.#o.guard();
    return guard === null ? this.#asker.ask(question, signal) : this.#ask(question, signal, guard);
  }

  completed(elicitationId: string): void {
    const known = this.#errands.has(elicitationId) ? this.#errands.get(elicitationId) : elicitationId;
    if (typeof known === "string") this.#asker.completed(known);
  }

  async #ask(question: Question, signal: AbortSignal, guard: QuestionGuard): Promise<QuestionAnswer> {
    try {
      const left = await guardedQuestion(question, guard, signal);
      if (left.params !== question.params) this.#errands.set(errandOf(question), errandOf(left));
      const answer = await this.#asker.ask(left, signal);
      return this.#o.seesAnswers ? await guarded(answer, guard, signal) : answer;
    } catch (error) {
      if (!signal.aborted) this.#o.end(GatewayError.from(error));
      // The server hears first that nobody waits for its call any more.
      return untilAborted(signal);
    }
  }
}

function errandOf({ params }: Question): unknown {
  return (parseJsonText(params!) as JsonObject)["elicitationId"];
}

async function guarded(answer: QuestionAnswer, guard: QuestionGuard, signal: AbortSignal): Promise<QuestionAnswer> {
  if ("result" in answer) return { result: await guardedAnswer(answer.result, guard, signal) };
  const { code, ...said } = answer.error;
  return { error: { code, ...((await guard.answer(said, signal)) as typeof said) } };
}

function untilAborted(signal: AbortSignal): Promise<QuestionAnswer> {
  const over = { error: { code: RPC.serverError, message: "The call that this was asked for is over." } };
  if (signal.aborted) return Promise.resolve(over);
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(over), { once: true }));
}
