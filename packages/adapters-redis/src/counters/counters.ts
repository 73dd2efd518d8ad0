import type { Adjustment, Clock, Counters, Demand, Slot, Spending, Within } from "@sallyport/core/ports";
import type { Link, Send } from "../connection/link.js";
import type { KeySpace } from "../key-space.js";
import { ShardedSpend } from "./sharded-spend.js";
import { spendIn } from "./spend-in.js";
import { adjustScript, holdScript } from "./window-scripts.js";

const RELEASE_MS = 1_000;
/** A slot that is held longer ends then; whoever still has it has renewed it. */
const LONGEST_SLOT_MS = 7 * 24 * 3_600_000;

/** Windows roll by the server's own clock, so that those of its clients need not agree. One script counts all demands of a call; on a cluster, one for each slot that they lie on. */
export class RedisCounters implements Counters {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #keys: KeySpace;
  readonly #sharded: ShardedSpend;
  /** The server said that it is one of a cluster. */
  #isCluster = false;

  constructor(link: Link, o: { readonly clock: Clock; readonly keys: KeySpace }) {
    this.#link = link;
    this.#clock = o.clock;
    this.#keys = o.keys;
    this.#sharded = new ShardedSpend({ ...o, undo: (send, adjustment) => this.#adjust(send, adjustment) });
  }

  async spend(demands: readonly Demand[], w: Within): Promise<Spending> {
    if (demands.length === 0) return { ok: true, left: [], freeAtMs: [], at: 0 };
    return this.#link.ask(w, async (send) => {
      if (this.#isCluster) return this.#sharded.spend(send, demands);
      try {
        return (await spendIn(send, demands, { keys: this.#keys, clock: this.#clock, at: 0 })).spending;
      } catch (error) {
        if (!(error instanceof Error && error.message.includes("CROSSSLOT"))) throw error;
        this.#isCluster = true;
        return this.#sharded.spend(send, demands);
      }
    });
  }

  async adjust(adjustment: Adjustment, w: Within): Promise<void> {
    await this.#link.ask(w, (send) => this.#adjust(send, adjustment));
  }

  async hold(key: string, slot: Slot, w: Within): Promise<boolean> {
    const held = await this.#link.ask(w, (send) => {
      const forMs = Math.min(Math.ceil(slot.untilMs - this.#clock.now()), LONGEST_SLOT_MS);
      return holdScript.run(send, [this.#slot(key)], [slot.holder, String(slot.max), String(forMs)]);
    });
    return held === 1;
  }

  async release(key: string, holder: string): Promise<void> {
    await this.#link.ask({ deadlineMs: this.#clock.now() + RELEASE_MS }, (send) => send(["ZREM", this.#slot(key), holder]));
  }

  async #adjust(send: Send, { key, delta, at }: Adjustment): Promise<void> {
    await adjustScript.run(send, [this.#keys.sharded("window", key)], [String(delta), String(at)]);
  }

  #slot(key: string): string {
    return this.#keys.single("slots", key);
  }
}
