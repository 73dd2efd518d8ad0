import type { Entity, Kept } from "../entities/index.js";
import type { RecordStore, Within } from "../ports/index.js";

/** The stored records that calls are decided by, as one snapshot has them: limits, budgets, guardrails and their like. */
export interface Records {
  /** Every row of the entity. The same array as long as none of them changed: what is compiled from it is kept beside it, in a WeakMap. Empty for an entity that snapshots do not follow. */
  of<R extends Kept>(entity: Entity<R>): readonly R[];
}

const none: readonly never[] = Object.freeze([]);

/** A snapshot of a store without such records. */
export const noRecords: Records = { of: () => none };

/** The rows by their entity's name. */
export function recordsOf(rows: ReadonlyMap<string, readonly Kept[]>): Records {
  return { of: <R extends Kept>(entity: Entity<R>) => (rows.get(entity.name) ?? none) as readonly R[] };
}

const PAGE = 500;

/** Every row of an entity, in pages; one added meanwhile is seen now or by the next change that is followed. */
export async function readRows<R extends Kept>(store: RecordStore, entity: Entity<R>, within: Within): Promise<readonly R[]> {
  const rows: R[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.find(
      entity,
      { orderBy: "id", limit: PAGE, cursor },
      { system: `the snapshot's rows of ${entity.name}` },
      within,
    );
    rows.push(...page.rows);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return rows;
}

export function sameRows(a: readonly Kept[], b: readonly Kept[]): boolean {
  if (a.length !== b.length) return false;
  const versions = new Map(b.map((row) => [row.id, row.version]));
  return a.every((row) => versions.get(row.id) === row.version);
}
