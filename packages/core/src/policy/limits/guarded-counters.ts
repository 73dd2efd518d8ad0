import { GatewayError } from "../../errors/index.js";
import type { Adjustment, Clock, Counters, CountersNow, Demand, Slot, Spending, Within } from "../../ports/index.js";
import type { Log } from "../../util/log.js";
import { PortGuard, REST_MS } from "../../ports/port-guard.js";
import { HeardWindows } from "./heard-windows.js";
import { OwedCounts, type Asked, type Owing } from "./owed-counts.js";

export interface GuardedCountersOptions {
  readonly counters: Counters;
  /** Of this process: stand in when `counters` are away. Not asked when `counters` never wait. */
  readonly local: CountersNow;
  readonly clock: Clock;
  readonly log: Log;
  /** What holds while the counters are away: this process counts alone, or calls that are limited are refused. */
  readonly whenDown: () => "local" | "refuse";
  /** How many processes count, this one among them; one when left out. */
  readonly nodes?: (() => number) | undefined;
  /** The server of the counters: why it is away (null: it answers), and when it was last lost, Unix ms: what it counted may be gone. */
  readonly shared?: { readonly away: GatewayError | null; readonly lostAtMs: number | null } | undefined;
}

const meanwhile = { local: "this process counts limits alone", refuse: "calls that are limited are refused" } as const;

/**
 * Counters that always answer within 60 ms. Those that wait are asked after this process's own, which every call passes: so a node never lets more than the limit through by itself, whether the
 * shared ones are there, away, or come and go. While they are away it allows its share of a limit, and of what they said was left; they are told of it when they answer again. For a window after their server was lost
 * it allows no more than its share beside them: so all nodes together pass at the most twice the limit in any window, however often that happens (docs/decisions/0023-without-redis.md).
 * Errors: `overloaded` when the counters are away and calls are to be refused then.
 */
export class GuardedCounters {
  readonly #o: GuardedCountersOptions;
  readonly #guard: PortGuard;
  readonly #heard: HeardWindows;
  readonly #owed: OwedCounts;

  constructor(options: GuardedCountersOptions) {
    this.#o = options;
    const { clock, log } = options;
    this.#guard = new PortGuard({
      clock,
      onAway: ({ code }) => log.warn(`the counters do not answer: until they do, ${meanwhile[options.whenDown()]}`, { code }),
      onBack: () => {
        log.info("the counters answer again");
        void this.#owed.settle();
      },
    });
    this.#heard = new HeardWindows(clock);
    this.#owed = new OwedCounts({ counters: options.counters, clock, ask: (ask) => this.#ask(ask) });
  }

  /** Of counters that never wait; then nothing else here is used. */
  get now(): CountersNow | undefined {
    return this.#o.counters.now;
  }

  /** The shared counters do not answer: each process counts for itself, or refuses. */
  get isAway(): boolean {
    const { shared } = this.#o;
    // A server that answers by itself is there, though nobody has asked for a count since.
    return this.#guard.isAway && (this.#guard.isResting || shared === undefined || shared.away !== null);
  }

  async spend(demands: readonly Demand[]): Promise<Counted> {
    const allowed = this.#allowedHere(demands);
    const own = this.#o.local.spend(allowed);
    if (!own.ok) return { ...own, localAt: own.at, isShared: false };
    let isCounted = false;
    try {
      const asked = await this.#ask((within) => this.#o.counters.spend(demands, within));
      if (asked.value === undefined && this.#o.whenDown() === "refuse") throw notCounted();
      const counted = asked.value ?? this.#alone(own, demands, allowed);
      if (asked.value !== undefined) this.#heard.note(demands, asked.value);
      isCounted = counted.ok;
      // What they may have counted without an answer is not counted again: they nearly always have.
      const owing = asked.value === undefined && asked.isUnsent && isCounted ? this.#owed.spend(demands) : [];
      return { ...counted, localAt: own.at, isShared: asked.value !== undefined, owing };
    } finally {
      if (!isCounted) for (const { key, cost } of demands) this.#o.local.adjust({ key, delta: -cost, at: own.at });
    }
  }

  async adjust(adjustment: Omit<Adjustment, "at">, counted: Counted): Promise<void> {
    this.#o.local.adjust({ ...adjustment, at: counted.localAt });
    const owing = counted.owing?.find(({ key }) => key === adjustment.key);
    if (owing?.at === null) return void (owing.cost = Math.max(0, owing.cost + adjustment.delta));
    if (owing === undefined && !counted.isShared) return;
    const shared = { ...adjustment, at: owing?.at ?? counted.at };
    const asked = await this.#ask((within) => this.#o.counters.adjust(shared, within));
    if (isUnsent(asked)) this.#owed.adjust(shared);
  }

  async hold(key: string, slot: Slot): Promise<boolean> {
    const { local, counters } = this.#o;
    if (this.#guard.isResting && this.#o.whenDown() === "local") return local.hold(key, { ...slot, max: this.#shareOf(slot.max) });
    if (!local.hold(key, slot)) return false;
    let isHeld = false;
    let mayBeHeldThere = false;
    try {
      const asked = await this.#ask((within) => counters.hold(key, slot, within));
      mayBeHeldThere = asked.value === undefined && !asked.isUnsent;
      if (asked.value === undefined && this.#o.whenDown() === "refuse") throw notCounted();
      isHeld = asked.value ?? this.#holdAlone(key, slot);
      return isHeld;
    } finally {
      if (!isHeld) local.release(key, slot.holder);
      if (!isHeld && mayBeHeldThere) this.#owed.release(key, slot.holder);
    }
  }

  /** Also of a slot that nobody is known to hold. */
  async release(key: string, holder: string): Promise<void> {
    this.#o.local.release(key, holder);
    const asked = await this.#ask(async () => ({ done: await this.#o.counters.release(key, holder) }));
    if (asked.value === undefined) this.#owed.release(key, holder);
  }

  #holdAlone(key: string, slot: Slot): boolean {
    const { local } = this.#o;
    local.release(key, slot.holder);
    return local.hold(key, { ...slot, max: this.#shareOf(slot.max) });
  }

  #shareOf(limit: number): number {
    return Math.ceil(limit / Math.max(1, this.#o.nodes?.() ?? 1));
  }

  /** What this process may let through beside the shared counters: its share, as long as what they counted before may be missing. */
  #allowedHere(demands: readonly Demand[]): readonly Demand[] {
    const lostAtMs = this.#o.shared?.lostAtMs ?? null;
    if (lostAtMs === null) return demands;
    const nowMs = this.#o.clock.now();
    return demands.map((demand) => (nowMs < lostAtMs + demand.windowMs ? { ...demand, limit: this.#shareOf(demand.limit) } : demand));
  }

  /** What was allowed here before it turned out that nobody else counts it: no more than the share, and than this process's part of what was left. */
  #alone(own: Spending, demands: readonly Demand[], allowed: readonly Demand[]): Spending {
    const nodes = Math.max(1, this.#o.nodes?.() ?? 1);
    for (const [i, demand] of demands.entries()) {
      const { key, cost, limit } = demand;
      const isOver = cost > 0 && (allowed[i]?.limit ?? limit) - (own.left[i] ?? 0) > this.#shareOf(limit);
      const fullUntilMs = this.#heard.fullUntilMs(demand, nodes);
      if (isOver || fullUntilMs !== null) return { ...own, ok: false, refusedBy: key, retryAtMs: fullUntilMs ?? own.freeAtMs[i] };
    }
    this.#heard.passed(demands);
    return own;
  }

  /** What they answer, if they do. */
  async #ask<T>(ask: (within: Within) => Promise<T>): Promise<Asked<T>> {
    let isUnsent = true;
    const answer = await this.#guard.ask(async (within) => {
      isUnsent = false;
      try {
        return { value: await ask(within) };
      } catch (error) {
        isUnsent = GatewayError.from(error).details?.["outcome"] === "none";
        throw error;
      }
    });
    return answer ?? { isUnsent };
  }
}

const notCounted = (): GatewayError =>
  new GatewayError("overloaded", "Limits cannot be counted: the counters do not answer.", {
    hint: "The gateway recovers by itself when they answer again; limits.onCountersDown says what holds until then.",
    retryAfterMs: REST_MS,
  });

const isUnsent = (asked: Asked<unknown>): boolean => "isUnsent" in asked && asked.isUnsent;

/** What was spent, and where. */
export interface Counted extends Spending {
  /** As `at`, of this process's own counters. */
  readonly localAt: number;
  /** The shared counters have it too. */
  readonly isShared: boolean;
  /** What they have yet to be told of it. */
  readonly owing?: readonly Owing[] | undefined;
}
