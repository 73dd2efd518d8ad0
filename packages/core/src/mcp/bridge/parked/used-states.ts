import { usedRequestState } from "../../../entities/index.js";
import { GatewayError, type ErrorCode } from "../../../errors/index.js";
import { insert, nowPlus, remove } from "../../../ports/index.js";
import type { Services } from "../../../seams/index.js";
import { wasNotHandled } from "../../resilience/not-handled.js";
import type { OpenedState } from "./request-state.js";
import { sweepExpired } from "./sweep-expired.js";

const WITHIN_MS = 5_000;
/** A process whose clock is behind by no more than this finds the row of each state that it would open. */
const LATE_CLOCK_MS = 600_000;
const SCOPE = { system: "request states that were used" };
/** Request states that were used, one row each: of all requests with one state, at whatever process, one goes on. */
export class UsedStates {
  readonly #services: Pick<Services, "store" | "clock">;
  constructor(services: Pick<Services, "store" | "clock">) {
    this.#services = services;
  }

  /** Errors: `validation_failed` when it was used before; those of the store. */
  async use({ id, expiresAtMs }: OpenedState): Promise<void> {
    const { store, clock } = this.#services;
    const row = { id, expiresAtMs: nowPlus(Math.max(0, expiresAtMs - clock.now()) + LATE_CLOCK_MS) };
    const [result] = await store.commit([{ scope: SCOPE, writes: [insert(usedRequestState, row)] }], this.#within());
    if (result?.ok !== true) throw usedAlready();
  }

  /** What was begun with it failed: when the server did nothing, its client may come with it again. Never rejects. */
  async failed({ id }: OpenedState, error: unknown): Promise<void> {
    if (!wasRefused(error)) return;
    // A state that stays used is refused, and no more.
    await this.#services.store.commit([{ scope: SCOPE, writes: [remove(usedRequestState, id)] }], this.#within()).catch(() => undefined);
  }

  /** Removes those that would not open any more. Errors: those of the store. */
  sweep(): Promise<void> {
    return sweepExpired(this.#services, usedRequestState, SCOPE);
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}

const REFUSED_HERE: ReadonlySet<ErrorCode> = new Set(["overloaded", "upstream_credential", "authorization_required"]);

/** The server certainly did nothing. */
function wasRefused(error: unknown): boolean {
  return wasNotHandled(error) || (GatewayError.is(error) && REFUSED_HERE.has(error.code));
}

/** A second request with one state. Whether its first was answered is for its client to know: what came of it is told once. */
export function usedAlready(): GatewayError {
  return new GatewayError("validation_failed", "The requestState was used already, or the call that it belongs to is over.", {
    hint: "If the answer was lost, look whether the call's effect is there; else make it anew, without the state. With an idempotency key, a repetition is answered with what was kept.",
    details: { reason: "request_state_used" },
  });
}
