import type { AnyEntity, Dated, Entity } from "../entities/index.js";
import { encodeCursor, type Clock, type RecordStore, type Scope, type Where } from "../ports/index.js";
import type { Page, Paged } from "../seams/index.js";

export interface LedgerScan<R extends Dated> {
  readonly entity: Entity<R>;
  /** What the store narrows by. */
  readonly where: Where<R>;
  readonly scope: Scope;
  /** What only the row itself says: such fields have no index, which would cost every call a write. */
  readonly matches: (row: R) => boolean;
}

/** Rows that a page looks at before it says that there are more. */
const MOST_SCANNED = 10_000;
const STORE_PAGE = 500;
const WITHIN_MS = 15_000;

/** One page of a ledger, newest first. Looks at so many rows at the most: a page may be short, and still have a next one. */
export async function scanPage<R extends Dated>(
  o: { store: RecordStore; clock: Clock },
  scan: LedgerScan<R>,
  page: Paged,
): Promise<Page<R>> {
  const found: R[] = [];
  let cursor = page.cursor;
  const query = { where: scan.where, orderBy: "atMs" as const, desc: true };
  for (let scanned = 0; scanned < MOST_SCANNED; ) {
    const { rows, next } = await o.store.find(scan.entity, { ...query, limit: STORE_PAGE, cursor }, scan.scope, {
      deadlineMs: o.clock.now() + WITHIN_MS,
    });
    for (const [i, row] of rows.entries()) {
      if (!scan.matches(row)) continue;
      found.push(row);
      if (found.length < page.limit) continue;
      const isLast = next === null && i === rows.length - 1;
      return { rows: found, next: isLast ? null : cursorAfter(scan, row) };
    }
    if (next === null) return { rows: found, next: null };
    cursor = next;
    scanned += rows.length;
  }
  return { rows: found, next: cursor ?? null };
}

/** All that match, newest first, a page of the store at a time. */
export async function* scanAll<R extends Dated>(
  o: { store: RecordStore; clock: Clock },
  scan: LedgerScan<R>,
): AsyncGenerator<readonly R[], void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await o.store.find(
      scan.entity,
      { where: scan.where, orderBy: "atMs" as keyof R & string, desc: true, limit: STORE_PAGE, cursor },
      scan.scope,
      { deadlineMs: o.clock.now() + WITHIN_MS },
    );
    yield page.rows.filter(scan.matches);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
}

function cursorAfter<R extends Dated>(scan: LedgerScan<R>, row: R): string {
  const query = { where: scan.where as Where<Record<string, unknown>>, orderBy: "atMs", desc: true, limit: STORE_PAGE };
  return encodeCursor(scan.entity as unknown as AnyEntity, query, { value: row.atMs, id: row.id });
}
