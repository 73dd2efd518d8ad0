import type { Config } from "../config/schema.js";
import { allEntities, type AnyEntity } from "../entities/index.js";
import type { Services } from "../seams/index.js";
import { GatewayError } from "../errors/index.js";

const DAY_MS = 86_400_000;
const EVERY_MS = 3_600_000;
/** Not with the start of the process, when all of them start together. */
const FIRST_MS = 60_000;
const BATCH = 500;
/** Of one ledger in one sweep: what is left waits for the next, so that no sweep holds the store for long. */
const MOST_BATCHES = 40;
const WITHIN_MS = 10_000;

/**
 * Deletes rows of ledgers that are older than `retention` says, the oldest first, a batch at a time, each hour. Every node does it: a row is deleted once, whoever comes first. Never keeps the process
 * alive.
 */
export class Retention {
  readonly #services: Pick<Services, "store" | "clock" | "log">;
  readonly #days: () => Config["retention"];
  #cancel = (): void => undefined;
  #closed = false;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(services: Pick<Services, "store" | "clock" | "log">, days: () => Config["retention"]) {
    this.#services = services;
    this.#days = days;
  }

  start(): void {
    this.#next(FIRST_MS);
  }

  /** Waits for the batch that is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#sweeping;
  }

  /** One sweep of all ledgers; how many rows went, by the ledger's name. Errors: those of the store. */
  async sweep(): Promise<Readonly<Record<string, number>>> {
    const { store, clock } = this.#services;
    const nowMs = await store.now({ deadlineMs: clock.now() + WITHIN_MS });
    const gone: Record<string, number> = {};
    for (const entity of allEntities) {
      if (entity.kind !== "ledger") continue;
      const days = daysOf(this.#days(), entity);
      for (let batch = 0; batch < MOST_BATCHES && !this.#closed; batch++) {
        const count = await store.prune(entity, nowMs - days * DAY_MS, BATCH, { deadlineMs: clock.now() + WITHIN_MS });
        gone[entity.name] = (gone[entity.name] ?? 0) + count;
        if (count < BATCH) break;
      }
    }
    return gone;
  }

  #next(inMs: number): void {
    const { clock, log } = this.#services;
    if (this.#closed) return;
    this.#cancel = clock.at(clock.now() + inMs, () => {
      this.#sweeping = this.sweep()
        .then(
          () => undefined,
          (error: unknown) => log.warn("old rows were not deleted; it is tried again", { code: GatewayError.from(error).code }),
        )
        .then(() => this.#next(EVERY_MS));
    });
  }
}

/** A ledger that has no number of its own is kept as long as the audit. */
function daysOf(days: Config["retention"], entity: AnyEntity): number {
  const own = (days as Readonly<Record<string, number>>)[`${entity.name}Days`];
  return own ?? days.auditDays;
}
