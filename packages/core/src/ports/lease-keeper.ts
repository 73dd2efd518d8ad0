import type { Key } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { CommitQueue } from "./commit-queue.js";
import type { Clock } from "./outside.js";
import type { Unit } from "./record-store.js";

/** A lease that this process holds on a row. */
export interface Lease {
  readonly id: Key;
  readonly leaseMs: number;
  /** The write that moves the end of the lease, guarded by the attempt and by the lease itself. */
  readonly renewal: () => Unit;
  /** Called at most once: the row belongs to somebody else, or soon may. Whatever it was held for has to stop. */
  readonly onLost: (why: GatewayError) => void;
}
export interface HeldLease {
  /** Renews now, whatever the schedule. Errors: `lease_lost`, those of the store. */
  renew(): Promise<void>;
  /** Another write has just renewed it; `sinceMs` is the monotonic time at which that was sent. */
  renewed(sinceMs: number): void;
  /** Stops renewing. Idempotent. */
  release(): void;
}

interface Entry {
  readonly lease: Lease;
  /** Monotonic time at which the last renewal that succeeded was sent: the lease ends `leaseMs` after it or later. */
  renewedAtMs: number;
  pending: Promise<void> | null;
}

/**
 * Renews leases: each after a third of its time, those of one moment in one commit. A lease whose renewal is refused is lost; so is one that could not be renewed
 * until its time was over on this process's monotonic clock, which starts no later than the store's. While the event loop is blocked nothing is renewed: work that computes for longer than its lease
 * loses it, and its writes are refused.
 */
export class LeaseKeeper {
  readonly #queue: CommitQueue;
  readonly #clock: Clock;
  readonly #held = new Set<Entry>();
  #tickMs = Number.POSITIVE_INFINITY;
  #cancelTick: (() => void) | null = null;

  constructor(o: { readonly queue: CommitQueue; readonly clock: Clock }) {
    this.#queue = o.queue;
    this.#clock = o.clock;
  }

  /** `sinceMs`: the monotonic time just before the lease was asked for. */
  hold(lease: Lease, sinceMs: number): HeldLease {
    const entry: Entry = { lease, renewedAtMs: sinceMs, pending: null };
    this.#held.add(entry);
    this.#arm(lease.leaseMs);
    return {
      renew: () => this.#renew(entry),
      renewed: (atMs) => void (entry.renewedAtMs = Math.max(entry.renewedAtMs, atMs)),
      release: () => void this.#held.delete(entry),
    };
  }

  #arm(leaseMs: number): void {
    const tickMs = Math.max(10, Math.floor(leaseMs / 6));
    if (this.#cancelTick !== null && tickMs >= this.#tickMs) return;
    this.#cancelTick?.();
    this.#tickMs = tickMs;
    this.#cancelTick = this.#clock.at(this.#clock.now() + tickMs, () => this.#tick());
  }

  #tick(): void {
    this.#cancelTick = null;
    const nowMs = this.#clock.monotonic();
    let shortestMs = Number.POSITIVE_INFINITY;
    for (const entry of this.#held) {
      const ageMs = nowMs - entry.renewedAtMs;
      if (ageMs >= entry.lease.leaseMs) {
        this.#lose(entry, "It could not be renewed before its time was over.");
        continue;
      }
      shortestMs = Math.min(shortestMs, entry.lease.leaseMs);
      // A failure is the next tick's business: there is time for two more before the lease ends.
      if (ageMs >= entry.lease.leaseMs / 3) this.#renew(entry).catch(() => undefined);
    }
    this.#tickMs = Number.POSITIVE_INFINITY;
    if (shortestMs < Number.POSITIVE_INFINITY) this.#arm(shortestMs);
  }

  #renew(entry: Entry): Promise<void> {
    entry.pending ??= this.#commit(entry).finally(() => (entry.pending = null));
    return entry.pending;
  }

  async #commit(entry: Entry): Promise<void> {
    const sentAtMs = this.#clock.monotonic();
    const result = await this.#queue.commit(entry.lease.renewal());
    if (result.ok) entry.renewedAtMs = Math.max(entry.renewedAtMs, sentAtMs);
    // Released meanwhile: the refusal may be the holder's own last write.
    else if (this.#held.has(entry)) throw this.#lose(entry, "Another process has taken it, or its time was over.");
  }

  #lose(entry: Entry, why: string): GatewayError {
    const error = new GatewayError("lease_lost", `This process no longer holds the lease of ${entry.lease.id}. ${why}`, {
      details: { id: entry.lease.id, leaseMs: entry.lease.leaseMs },
    });
    if (this.#held.delete(entry)) entry.lease.onLost(error);
    return error;
  }
}
