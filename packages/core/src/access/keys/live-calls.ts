import type { Caller, HttpAnswer, Inbound } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";

/**
 * A key is known by its id, a user who signed in by the user's. Which requests are under way for which credential, so that one that is revoked ends them. Costs a set entry a request; nothing is aborted unless a credential goes.
 */
export class LiveCalls {
  readonly #byCredential = new Map<string, Set<Inbound>>();

  /** Keeps the request until its answer's last byte is out. The answer is the same but for its `done`. */
  during(caller: Caller, inbound: Inbound, answer: HttpAnswer | Promise<HttpAnswer>): HttpAnswer | Promise<HttpAnswer> {
    const id = caller.keyId ?? caller.id;
    let calls = this.#byCredential.get(id);
    if (calls === undefined) this.#byCredential.set(id, (calls = new Set()));
    const own = calls;
    own.add(inbound);
    const leave = (): void => {
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
      const reason = new GatewayError("unauthenticated", "The credential of this call was revoked.", { hint: "Send another." });
      for (const inbound of calls) inbound.abort?.(reason);
    }
  }
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
