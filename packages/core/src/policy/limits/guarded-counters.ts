import { GatewayError } from "../../errors/index.js";
import type { Adjustment, Clock, Counters, CountersNow, Demand, Slot, Spending, Within } from "../../ports/index.js";
import type { Log } from "../../util/log.js";
import { PortGuard, REST_MS } from "../port-guard.js";

export interface GuardedCountersOptions {
  readonly counters: Counters;
  /** Of this process: stand in when `counters` are away. Not asked when `counters` never wait. */
  readonly local: CountersNow;
  readonly clock: Clock;
  readonly log: Log;
  /** What holds while the counters are away: this process counts alone, or calls that are limited are refused. */
  readonly whenDown: () => "local" | "refuse";
}

const meanwhile = { local: "this process counts limits alone", refuse: "calls that are limited are refused" } as const;

/**
 * Counters that always answer within 50 ms. Those that wait are asked after this process's own, which every call passes: so a node never lets more than the limit through by itself, whether the
 * shared ones are there, away, or come and go.
 * Errors: `overloaded` when the counters are away and calls are to be refused then.
 */
export class GuardedCounters {
  readonly #o: GuardedCountersOptions;
  readonly #guard: PortGuard;

  constructor(options: GuardedCountersOptions) {
    this.#o = options;
    const { clock, log } = options;
    this.#guard = new PortGuard({
      clock,
      onAway: ({ code }) => log.warn(`the counters do not answer: until they do, ${meanwhile[options.whenDown()]}`, { code }),
      onBack: () => log.info("the counters answer again"),
    });
  }

  /** Of counters that never wait; then nothing else here is used. */
  get now(): CountersNow | undefined {
    return this.#o.counters.now;
  }

  /** The shared counters do not answer: each process counts for itself, or refuses. */
  get isAway(): boolean {
    return this.#guard.isAway;
  }

  async spend(demands: readonly Demand[]): Promise<Counted> {
    const own = this.#o.local.spend(demands);
    if (!own.ok) return { ...own, localAt: own.at, isShared: false };
    let isCounted = false;
    try {
      const shared = await this.#ask((within) => this.#o.counters.spend(demands, within));
      isCounted = shared?.ok ?? true;
      return { ...(shared ?? own), localAt: own.at, isShared: shared !== null };
    } finally {
      if (!isCounted) for (const { key, cost } of demands) this.#o.local.adjust({ key, delta: -cost, at: own.at });
    }
  }

  async adjust(adjustment: Omit<Adjustment, "at">, counted: Counted): Promise<void> {
    this.#o.local.adjust({ ...adjustment, at: counted.localAt });
    if (counted.isShared) await this.#ask((within) => this.#o.counters.adjust({ ...adjustment, at: counted.at }, within), true);
  }

  async hold(key: string, slot: Slot): Promise<boolean> {
    if (!this.#o.local.hold(key, slot)) return false;
    let isHeld = false;
    try {
      isHeld = (await this.#ask((within) => this.#o.counters.hold(key, slot, within))) ?? true;
      return isHeld;
    } finally {
      if (!isHeld) this.#o.local.release(key, slot.holder);
    }
  }

  async release(key: string, holder: string): Promise<void> {
    this.#o.local.release(key, holder);
    await this.#ask(() => this.#o.counters.release(key, holder), true);
  }

  /** null: they did not answer, or are left alone for having failed to. `isAfter`: nobody waits for the call any more, so nothing is refused. */
  async #ask<T>(ask: (within: Within) => Promise<T>, isAfter = false): Promise<T | null> {
    const answer = await this.#guard.ask(async (within) => ({ value: await ask(within) }));
    if (answer !== undefined) return answer.value;
    if (isAfter || this.#o.whenDown() === "local") return null;
    throw new GatewayError("overloaded", "Limits cannot be counted: the counters do not answer.", {
      hint: "The gateway recovers by itself when they answer again; limits.onCountersDown says what holds until then.",
      retryAfterMs: REST_MS,
    });
  }
}

/** What was spent, and where. */
export interface Counted extends Spending {
  /** As `at`, of this process's own counters. */
  readonly localAt: number;
  /** The shared counters have it too. */
  readonly isShared: boolean;
}
