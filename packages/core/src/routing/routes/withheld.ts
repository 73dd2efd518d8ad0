import type { Answer, ModelEvent } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Codec } from "../../wire/shared/codec.js";
import { failureClass } from "../attempts/failure-class.js";
import type { Once } from "../attempts/try-target.js";

type Whole = Answer<ModelEvent>;

/**
 * Attempts of a call whose route falls back when a vendor withholds content. Vendors often say so within an answer that is otherwise in order: such a whole answer, with nothing but withheld candidates, counts as a
 * failed attempt. When no target does better, the answer is given as it was. Streams are not looked into: they have begun.
 */
export class Withheld {
  readonly #codec: Codec;
  #last: Whole | null = null;

  /** `codec`: of the caller's dialect, in which the answers are. */
  constructor(codec: Codec) {
    this.#codec = codec;
  }

  once(ask: Once<Whole>): Once<Whole> {
    return async (attempt) => {
      const answer = await ask(attempt);
      if (answer.body.kind !== "bytes" || !this.#isWithheld(answer.body.bytes)) return answer;
      this.#last = answer;
      const { target } = attempt;
      throw new GatewayError("upstream_rejected", `${target.provider.name} withheld its answer: its content filter objected.`, {
        details: { reason: "content_filter", provider: target.provider.name, model: target.code },
      });
    };
  }

  /** The answer that the call ends with when it failed for its content; else the failure is thrown on. */
  orThrow(error: unknown): Whole {
    if (this.#last !== null && GatewayError.is(error) && failureClass(error) === "content-filter") return this.#last;
    throw error;
  }

  #isWithheld(bytes: Uint8Array): boolean {
    const { candidates } = this.#codec.decodeAnswer(bytes);
    return candidates.length > 0 && candidates.every(({ finishReason }) => finishReason === "content-filter");
  }
}
