import type { Adjustment, Clock, Demand, Spending } from "@sallyport/core/ports";
import type { Send } from "../connection/link.js";
import type { KeySpace } from "../key-space.js";
import { spendIn } from "./spend-in.js";

export interface ShardedSpendOptions {
  readonly clock: Clock;
  readonly keys: KeySpace;
  readonly undo: (send: Send, adjustment: Adjustment) => Promise<void>;
}
interface Shard {
  /** Places among all demands. */
  readonly places: readonly number[];
  readonly demands: readonly Demand[];
}
interface Seen {
  readonly shard: Shard;
  readonly spending: Spending;
  /** Something was spent there. */
  readonly isSpent: boolean;
}

/** All or none over several slots of a cluster: a script for each, and what was spent is given back when another refuses. A refund that is lost is strict, never lax. */
export class ShardedSpend {
  readonly #o: ShardedSpendOptions;

  constructor(options: ShardedSpendOptions) {
    this.#o = options;
  }

  async spend(send: Send, demands: readonly Demand[]): Promise<Spending> {
    const seen: Seen[] = [];
    let refusal: Spending | null = null;
    // One after the other, by the clock of the first: `at` is one instant for all of them.
    let at = 0;
    try {
      for (const shard of this.#shardsOf(demands)) {
        const isAsked = refusal === null;
        const { spending } = await spendIn(send, isAsked ? shard.demands : shard.demands.map(looked), { ...this.#o, at });
        if (at === 0) at = spending.at;
        if (!spending.ok && isAsked) refusal = spending;
        seen.push({ shard, spending, isSpent: isAsked && spending.ok });
      }
    } catch (error) {
      await this.#undo(send, seen, at).catch(() => undefined); // strict: it counts for a window
      throw error;
    }
    if (refusal !== null) await this.#undo(send, seen, at).catch(() => undefined);
    return told(demands, { seen, refusal, at });
  }

  async #undo(send: Send, seen: readonly Seen[], at: number): Promise<void> {
    const demands = seen.flatMap(({ shard, isSpent }) => (isSpent ? shard.demands : [])).filter(({ cost }) => cost !== 0);
    await Promise.all(demands.map(({ key, cost }) => this.#o.undo(send, { key, delta: -cost, at })));
  }

  #shardsOf(demands: readonly Demand[]): readonly Shard[] {
    const shards = new Map<string, { places: number[]; demands: Demand[] }>();
    for (const [place, demand] of demands.entries()) {
      const name = this.#o.keys.shardOf(demand.key);
      const shard = shards.get(name) ?? { places: [], demands: [] };
      shards.set(name, shard);
      shard.places.push(place);
      shard.demands.push(demand);
    }
    return [...shards.values()];
  }
}

/** How much is left, without spending any. */
const looked = (demand: Demand): Demand => ({ ...demand, cost: 0 });

/** As one spending. What was spent and given back is left. */
function told(
  demands: readonly Demand[],
  o: { readonly seen: readonly Seen[]; readonly refusal: Spending | null; readonly at: number },
): Spending {
  const left = demands.map(() => 0);
  const freeAtMs = demands.map(() => 0);
  for (const { shard, spending, isSpent } of o.seen)
    for (const [i, place] of shard.places.entries()) {
      const refund = o.refusal !== null && isSpent ? sumOf(shard.demands, demands[place]?.key) : 0;
      left[place] = (spending.left[i] ?? 0) + refund;
      freeAtMs[place] = spending.freeAtMs[i] ?? 0;
    }
  if (o.refusal === null) return { ok: true, left, freeAtMs, at: o.at };
  return { ok: false, refusedBy: o.refusal.refusedBy, retryAtMs: o.refusal.retryAtMs, left, freeAtMs, at: o.at };
}

/** A key may be named twice. */
const sumOf = (demands: readonly Demand[], key: string | undefined): number =>
  demands.reduce((sum, demand) => sum + (demand.key === key ? demand.cost : 0), 0);
