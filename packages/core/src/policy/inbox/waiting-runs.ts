import { inboxItem, interrupt, type InterruptRow } from "../../entities/index.js";
import { remove } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";

const SCOPE = { system: "runs that wait for people" } as const;
const WITHIN_MS = 10_000;
const PAGE = 500;

/** Runs that wait for items of the inbox. Whoever decides wakes them; what a process left undone that ended right after it decided, another one finds. */
export class WaitingRuns {
  readonly #services: Services;
  /** Where the next look goes on. */
  #cursor: string | undefined;

  constructor(services: Services) {
    this.#services = services;
  }

  /** The item is decided. Errors: those of the store. */
  async wake(itemId: string): Promise<void> {
    for (;;) {
      const { rows } = await this.#find({ itemId }, undefined);
      for (const row of rows) await this.#go(row);
      if (rows.length < PAGE) return;
    }
  }

  /** Looks at the next 500. Errors: those of the store. */
  async look(): Promise<void> {
    const { rows, next } = await this.#find({}, this.#cursor);
    this.#cursor = next ?? undefined;
    if (rows.length === 0) return;
    const query = {
      where: { id: { in: [...new Set(rows.map(({ itemId }) => itemId))] }, status: "pending" as const },
      orderBy: "id" as const,
      limit: PAGE,
    };
    const pending = await this.#services.store.find(inboxItem, query, SCOPE, this.#within());
    const open = new Set(pending.rows.map(({ id }) => id));
    for (const row of rows) if (!open.has(row.itemId)) await this.#go(row);
  }

  /** The run waited when the row was written: it is woken by this, or was before. */
  async #go(row: InterruptRow): Promise<void> {
    await this.#services.seams.runs.get().wake(row.runId, row.projectId);
    await this.#services.store.commit([{ scope: SCOPE, writes: [remove(interrupt, row.id)] }], this.#within());
  }

  #find(where: { readonly itemId?: string }, cursor: string | undefined) {
    return this.#services.store.find(interrupt, { where, orderBy: "id", limit: PAGE, cursor }, SCOPE, this.#within());
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}
