import type { Entity } from "../../../entities/index.js";
import { now, remove, type Scope, type Where } from "../../../ports/index.js";
import type { Services } from "../../../seams/index.js";

const WITHIN_MS = 5_000;
const PAGE = 200;
const MOST_PAGES = 50;

interface Expiring {
  readonly id: string;
  readonly expiresAtMs: number;
}

/** Removes rows whose time is over, by the store's clock. Every process does it. Errors: those of the store. */
export async function sweepExpired<R extends Expiring>(
  { store, clock }: Pick<Services, "store" | "clock">,
  entity: Entity<R>,
  scope: Scope,
): Promise<void> {
  const where = { expiresAtMs: { lte: now } } as Where<R>;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const within = { deadlineMs: clock.now() + WITHIN_MS };
    const { rows } = await store.find(entity, { where, orderBy: "expiresAtMs", limit: PAGE }, scope, within);
    const units = rows.map(({ id }) => ({ scope, writes: [remove(entity, id, { where })] }));
    if (units.length > 0) await store.commit(units, within);
    if (rows.length < PAGE) return;
  }
}
