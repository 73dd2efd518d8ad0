import type { Caller, HttpAnswer, Inbound } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";

export interface LiveCallsOptions {
  readonly clock: Clock;
  /** From when on the caller's credential is valid no longer by itself, Unix ms; Infinity: no end is known. */
  readonly untilMs: (caller: Caller) => number;
}

/**
 * A key is known by its id, a user who signed in by the user's. Which requests are under way for which credential, so that one that is revoked, or whose time is over, ends them: calls and standing streams alike. Costs a set entry a request, and a
 * timer where the credential has an end.
 */
export class LiveCalls {
  readonly #o: LiveCallsOptions;
  readonly #byCredential = new Map<string, Set<Inbound>>();

  constructor(options: LiveCallsOptions) {
    this.#o = options;
  }

  /** Keeps the request until its answer's last byte is out. The answer is the same but for its `done`. */
  during(caller: Caller, inbound: Inbound, answer: HttpAnswer | Promise<HttpAnswer>): HttpAnswer | Promise<HttpAnswer> {
    const id = caller.keyId ?? caller.id;
    let calls = this.#byCredential.get(id);
    if (calls === undefined) this.#byCredential.set(id, (calls = new Set()));
    const own = calls;
    own.add(inbound);
    const untilMs = this.#o.untilMs(caller);
    const cancel = untilMs === Infinity ? null : this.#o.clock.at(untilMs, () => inbound.abort?.(ended("is over")));
    const leave = (): void => {
      cancel?.();
      own.delete(inbound);
      if (own.size === 0 && this.#byCredential.get(id) === own) this.#byCredential.delete(id);
    };
    if (!(answer instanceof Promise)) return untilDone(answer, leave);
    return answer.then(
      (given) => untilDone(given, leave),
      (error: unknown) => {
        leave();
        throw error;
      },
    );
  }

  /** Ends the calls of every credential that is no longer valid. */
  sweep(isValid: (credentialId: string) => boolean): void {
    for (const [id, calls] of this.#byCredential) {
      if (isValid(id)) continue;
      for (const inbound of calls) inbound.abort?.(ended("was revoked"));
    }
  }
}

function ended(how: string): GatewayError {
  return new GatewayError("unauthenticated", `The credential of this call ${how}.`, { hint: "Send another." });
}

function untilDone(answer: HttpAnswer, leave: () => void): HttpAnswer {
  const { status, headers, body, done } = answer;
  return {
    status,
    headers,
    body,
    done: (how, code) => {
      leave();
      done(how, code);
    },
  };
}
