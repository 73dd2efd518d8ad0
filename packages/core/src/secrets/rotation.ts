import type { AnyEntity } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { activateNextKey, rotationState, spendKeys, type KeyRingOptions } from "./key-ring.js";
import { resealAll, type Resealed } from "./reseal.js";
import type { SealedVault } from "./sealed-vault.js";

/**
 * As long as a node may take to follow the store's keys: its poll of one second, and what the store takes to answer. A key is known this long before anybody seals with it; and once it was put aside this
 * long ago, nobody does any more.
 */
export const SETTLE_MS = 3_000;
/** Rows that others change while they are sealed anew are met in the next pass; one that does not open never is. */
const PASSES_AFTER_SETTLING = 3;

export interface RotationOptions extends KeyRingOptions {
  readonly entities: readonly AnyEntity[];
  readonly vault: SealedVault;
  readonly settleMs: number;
  /** Takes over the keys as they are in the store now. */
  readonly refresh: () => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Carries a rotation to its end from wherever it is, whoever began it: waits until all nodes know the next key, makes it the active one, seals what stands anew, and once more when nobody can seal with the
 * one before any longer. Any number of nodes may do so at once; each step is guarded. Resolves with what this call did. Errors: `shutting_down`, those of the store.
 */
export async function finishRotation(o: RotationOptions): Promise<Resealed> {
  let rows = 0;
  let left = 0;
  for (let passes = 0; passes < PASSES_AFTER_SETTLING; ) {
    const state = await rotationState(o);
    if (state.next !== undefined) {
      const waitMs = state.next.createdAtMs + o.settleMs - state.nowMs;
      if (waitMs > 0) await pause(o, waitMs);
      else await activateNextKey(o, state);
      await o.refresh();
      continue;
    }
    if (state.retired.length === 0) return { rows, left: 0 };
    await o.refresh();
    const done = await resealAll(o);
    rows += done.rows;
    left = done.left;
    const settledAtMs = Math.max(...state.retired.map(({ retiredAtMs }) => retiredAtMs ?? 0)) + o.settleMs;
    if (state.nowMs < settledAtMs) await pause(o, settledAtMs - state.nowMs);
    else if (left === 0) await spendKeys(o, state.retired);
    else passes++;
  }
  return { rows, left };
}

/** Whether a rotation has begun and is not at its end. */
export async function isUnfinished(o: Pick<KeyRingOptions, "store" | "clock">): Promise<boolean> {
  const { next, retired } = await rotationState(o);
  return next !== undefined || retired.length > 0;
}

function pause({ clock, signal }: RotationOptions, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      cancel();
      reject(new GatewayError("shutting_down", "The gateway closed before the rotation was at its end; another one finishes it."));
    };
    const cancel = clock.at(clock.now() + ms, () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
