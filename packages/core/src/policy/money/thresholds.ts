import { budgetWindow, type BudgetWindowRow } from "../../entities/index.js";
import { update, type Clock, type RecordStore } from "../../ports/index.js";
import type { EventHub } from "../../seams/index.js";
import { decimalUsd } from "../../util/encoding/decimal-usd.js";

export interface ThresholdsOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly events: EventHub;
  /** How soon after money was spent a window is looked at. */
  readonly lookMs: number;
}

const WITHIN_MS = 5_000;

/**
 * Tells once in a window and for each threshold that so much of a budget is spent, whichever process spent it: only who moves the window's `firedPercent` tells. Windows are looked at soon after money was spent from
 * them, not with every call.
 */
export class Thresholds {
  readonly #o: ThresholdsOptions;
  readonly #spent = new Map<string, readonly number[]>();
  #cancel: (() => void) | null = null;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: ThresholdsOptions) {
    this.#o = options;
  }

  /** Money was spent from a window of a budget with these thresholds, ascending. */
  spent(windowId: string, thresholds: readonly number[]): void {
    if (thresholds.length === 0) return;
    this.#spent.set(windowId, thresholds);
    this.#cancel ??= this.#o.clock.at(this.#o.clock.now() + this.#o.lookMs, () => void this.look());
  }

  /** Looks at every window that money was spent from since the last look. Never rejects. */
  look(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    const due = [...this.#spent];
    this.#spent.clear();
    return (this.#looking = this.#looking
      .then(async () => {
        for (const [id, thresholds] of due) await this.#lookAt(id, thresholds);
      })
      .catch((error: unknown) => {
        for (const [id, thresholds] of due) if (!this.#spent.has(id)) this.#spent.set(id, thresholds);
        this.#o.events.emit("internal.error", { where: "looking at what is spent of budgets", error });
      }));
  }

  stop(): Promise<void> {
    return this.look();
  }

  async #lookAt(id: string, thresholds: readonly number[]): Promise<void> {
    const within = { deadlineMs: this.#o.clock.now() + WITHIN_MS };
    const scope = { system: "looking at what is spent of a budget" };
    for (;;) {
      const row = await this.#o.store.get(budgetWindow, id, scope, within);
      if (row === null) return;
      const crossed = thresholds.filter((percent) => percent > row.firedPercent && isReached(row, percent));
      if (crossed.length === 0) return;
      const change = { set: { firedPercent: crossed.at(-1)! } };
      const unit = { scope, writes: [update(budgetWindow, id, { change, where: { firedPercent: row.firedPercent } })] };
      const [result] = await this.#o.store.commit([unit], within);
      if (result?.ok !== true) continue; // another process told of it: perhaps more is reached by now
      for (const percent of crossed) this.#tell(row, percent);
      return;
    }
  }

  #tell(row: BudgetWindowRow, percent: number): void {
    this.#o.events.emit("budget.threshold", {
      budgetId: row.budgetId,
      windowId: row.id,
      projectId: row.projectId,
      percent,
      spentUsd: decimalUsd(row.spentNanoUsd),
      limitUsd: decimalUsd(row.limitNanoUsd),
      resetsAtMs: row.endMs,
    });
  }
}

/** In integers: a percentage of an amount is exact. */
function isReached({ spentNanoUsd, limitNanoUsd }: BudgetWindowRow, percent: number): boolean {
  return BigInt(spentNanoUsd) * 100n >= BigInt(limitNanoUsd) * BigInt(percent);
}
