import { GatewayError } from "../../errors/index.js";
import type { Adjustment, Clock, Counters, CountersNow, Demand, Slot, Spending, Within } from "../../ports/index.js";
import type { Log } from "../../util/log.js";

export interface GuardedCountersOptions {
  readonly counters: Counters;
  /** Of this process: stand in when `counters` are away. Not asked when `counters` never wait. */
  readonly local: CountersNow;
  readonly clock: Clock;
  readonly log: Log;
  /** What holds while the counters are away: this process counts alone, or calls that are limited are refused. */
  readonly whenDown: () => "local" | "refuse";
}

/** Longer than this nobody waits for a counter. */
const ASK_MS = 50;
/** After a failure the counters are left alone for this long. */
const REST_MS = 1_000;

/**
 * Counters that always answer within 50 ms. Those that wait are asked after this process's own, which every call passes: so a node never lets more than the limit through by itself, whether the
 * shared ones are there, away, or come and go.
 * Errors: `overloaded` when the counters are away and calls are to be refused then.
 */
export class GuardedCounters {
  readonly #o: GuardedCountersOptions;
  #restUntilMs = 0;
  #isAway = false;

  constructor(options: GuardedCountersOptions) {
    this.#o = options;
  }

  /** Of counters that never wait; then nothing else here is used. */
  get now(): CountersNow | undefined {
    return this.#o.counters.now;
  }

  /** The shared counters do not answer: each process counts for itself, or refuses. */
  get isAway(): boolean {
    return this.#isAway;
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
    const { clock } = this.#o;
    const nowMs = clock.now();
    if (nowMs >= this.#restUntilMs) {
      try {
        const answer = await this.#inTime(ask, nowMs + ASK_MS);
        this.#back();
        return answer;
      } catch (error) {
        this.#restUntilMs = clock.now() + REST_MS;
        this.#away(error);
      }
    }
    if (isAfter || this.#o.whenDown() === "local") return null;
    throw new GatewayError("overloaded", "Limits cannot be counted: the counters do not answer.", {
      hint: "The gateway recovers by itself when they answer again; limits.onCountersDown says what holds until then.",
      retryAfterMs: REST_MS,
    });
  }

  #inTime<T>(ask: (within: Within) => Promise<T>, deadlineMs: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const late = new GatewayError("deadline_exceeded", "The counters did not answer in time.");
      const cancel = this.#o.clock.at(deadlineMs, () => reject(late));
      ask({ deadlineMs })
        .then(resolve, reject)
        .finally(() => cancel());
    });
  }

  #away(error: unknown): void {
    if (this.#isAway) return;
    this.#isAway = true;
    const policy = this.#o.whenDown();
    const message =
      policy === "local"
        ? "the counters do not answer: until they do, this process counts limits alone"
        : "the counters do not answer: until they do, calls that are limited are refused";
    this.#o.log.warn(message, { code: GatewayError.from(error).code });
  }

  #back(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#o.log.info("the counters answer again");
  }
}

/** What was spent, and where. */
export interface Counted extends Spending {
  /** As `at`, of this process's own counters. */
  readonly localAt: number;
  /** The shared counters have it too. */
  readonly isShared: boolean;
}
