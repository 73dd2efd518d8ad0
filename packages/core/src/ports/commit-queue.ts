import { GatewayError } from "../errors/index.js";
import type { Clock } from "./outside.js";
import type { RecordStore, Unit, UnitResult } from "./record-store.js";

export interface CommitQueueOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  /** Units of one commit at the most: bounds how long a synchronous store blocks the loop. 64 when left out. */
  readonly maxUnits?: number | undefined;
  /** How long one commit may take, ms. 10,000 when left out. */
  readonly timeoutMs?: number | undefined;
}

interface Waiting {
  readonly unit: Unit;
  readonly resolve: (result: UnitResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits units together that are ready at the same time: while one commit is in flight the next gathers. Each caller gets the result of its own unit; units of different callers
 * stay independent, and their order is that of the calls: one that the store cannot take fails alone. When a commit as a whole fails, every caller of it sees the store's error and repeats, or not, by what it knows of its own unit.
 */
export class CommitQueue {
  readonly #o: CommitQueueOptions;
  readonly #maxUnits: number;
  readonly #timeoutMs: number;
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(options: CommitQueueOptions) {
    this.#o = options;
    this.#maxUnits = options.maxUnits ?? 64;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
  }

  /** Errors: those of `RecordStore.commit`. */
  commit(unit: Unit): Promise<UnitResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ unit, resolve, reject });
      if (this.#busy) return;
      this.#busy = true;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // lets what is ready in this turn join the first commit
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#maxUnits);
      await this.#commit(batch);
    }
    this.#busy = false;
  }

  async #commit(batch: Waiting[]): Promise<void> {
    try {
      const within = { deadlineMs: this.#o.clock.now() + this.#timeoutMs };
      const results = await this.#o.store.commit(
        batch.map((waiting) => waiting.unit),
        within,
      );
      for (let i = 0; i < batch.length; i++) batch[i]!.resolve(results[i]!);
    } catch (error) {
      const fault = faultyUnit(error, batch.length);
      if (fault === null) for (const waiting of batch) waiting.reject(error);
      else {
        batch.splice(fault, 1)[0]!.reject(error);
        if (batch.length > 0) await this.#commit(batch);
      }
    }
  }
}

/** The unit that a store refused to begin with, and nothing of the batch was applied: the others can be sent again without it. null: the failure was of all. */
export function faultyUnit(error: unknown, units: number): number | null {
  if (!GatewayError.is(error) || error.details?.["outcome"] !== "none") return null;
  const unit = error.details["unit"];
  return typeof unit === "number" && unit >= 0 && unit < units ? unit : null;
}
