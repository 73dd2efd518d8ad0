import type { Clock, Demand, Spending } from "../../ports/index.js";

interface Heard {
  /** What all processes together had left. */
  readonly left: number;
  /** When the first of what counts leaves, and there is more again, Unix ms. */
  readonly untilMs: number;
  /** What this process has let through alone since. */
  alone: number;
}

/** How many keys are remembered; the oldest goes first. */
const MOST = 10_000;

/** What the shared counters said last of each key: they are believed while they do not answer. Of what was left then this process may take its part. */
export class HeardWindows {
  readonly #clock: Clock;
  readonly #heard = new Map<string, Heard>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(demands: readonly Demand[], { left, freeAtMs }: Pick<Spending, "left" | "freeAtMs">): void {
    for (let i = 0; i < demands.length; i++) {
      const { key } = demands[i]!;
      if (!this.#heard.has(key) && this.#heard.size >= MOST) for (const oldest of this.#heard.keys()) if (this.#heard.delete(oldest)) break;
      this.#heard.set(key, { left: left[i]!, untilMs: freeAtMs[i]!, alone: 0 });
    }
  }

  /** Until when there is no room here for this demand, Unix ms; null: there is, or nothing is known. */
  fullUntilMs({ key, cost }: Demand, nodes: number): number | null {
    const heard = this.#heard.get(key);
    if (heard === undefined || cost === 0 || heard.untilMs <= this.#clock.now()) return null;
    return heard.alone + cost > Math.ceil(heard.left / nodes) ? heard.untilMs : null;
  }

  passed(demands: readonly Demand[]): void {
    for (const { key, cost } of demands) {
      const heard = this.#heard.get(key);
      if (heard !== undefined) heard.alone += cost;
    }
  }
}
