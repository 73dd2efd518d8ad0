import type { Caller, Inbound } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";

/**
 * Which requests are under way for which credential, so that one that is revoked ends them. Costs a set entry a request; nothing is aborted unless a credential goes.
 */
export class LiveCalls {
  readonly #byCredential = new Map<string, Set<Inbound>>();

  enter(caller: Caller, inbound: Inbound): void {
    const id = credentialOf(caller);
    const calls = this.#byCredential.get(id);
    if (calls === undefined) this.#byCredential.set(id, new Set([inbound]));
    else calls.add(inbound);
  }

  leave(caller: Caller, inbound: Inbound): void {
    const id = credentialOf(caller);
    const calls = this.#byCredential.get(id);
    if (calls?.delete(inbound) === true && calls.size === 0) this.#byCredential.delete(id);
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

/** A key by its id, a user who signed in by the user's. */
function credentialOf(caller: Caller): string {
  return caller.keyId ?? caller.id;
}
