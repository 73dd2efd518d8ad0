import type { AnyEntity, Entity, Kept } from "../entities/index.js";
import { update, type Clock, type RecordStore } from "../ports/index.js";
import type { SealedVault } from "./sealed-vault.js";

export interface Resealed {
  /** Rows whose sealed values are under the newest key now. */
  readonly rows: number;
  /** Rows that were changed while this went on, or do not open: those stay as they are. */
  readonly left: number;
}

const PAGE = 200;
const WITHIN_MS = 10_000;
const scope = { system: "sealed values under a new key" };

/** The fields of an entity that hold sealed values. */
export function sealedFields(entity: AnyEntity): string[] {
  return Object.entries(entity.fields).flatMap(([name, field]) => (field.access === "secret" ? [name] : []));
}

/** Seals every stored secret with the newest key. Repeated, it goes on where it was ended. */
export async function resealAll(o: {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly entities: readonly AnyEntity[];
  readonly vault: SealedVault;
}): Promise<Resealed> {
  const total = { rows: 0, left: 0 };
  for (const entity of o.entities) {
    const fields = sealedFields(entity);
    if (fields.length === 0 || entity.kind === "ledger") continue;
    let cursor: string | undefined;
    do {
      const within = { deadlineMs: o.clock.now() + WITHIN_MS };
      const page = await o.store.find(entity as Entity<Kept>, { orderBy: "id", limit: PAGE, cursor }, scope, within);
      const changes = page.rows.map((row) => resealed(row as Kept & Record<string, unknown>, { entity, fields, vault: o.vault }));
      const units = changes.flatMap((change) => (change === null || change === "broken" ? [] : [{ scope, writes: [change] }]));
      const results = units.length === 0 ? [] : await o.store.commit(units, within);
      total.rows += results.filter(({ ok }) => ok).length;
      total.left += results.filter(({ ok }) => !ok).length + changes.filter((change) => change === "broken").length;
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
  }
  return total;
}

function resealed(
  row: Kept & Record<string, unknown>,
  o: { readonly entity: AnyEntity; readonly fields: readonly string[]; readonly vault: SealedVault },
): ReturnType<typeof update> | "broken" | null {
  const set: Record<string, string> = {};
  for (const column of o.fields) {
    const sealed = row[column];
    if (typeof sealed !== "string" || o.vault.isCurrent(sealed)) continue;
    const place = { table: o.entity.table, column, rowId: row.id };
    try {
      set[column] = o.vault.seal(o.vault.open(sealed, place), place);
    } catch {
      return "broken"; // heard of where it is used
    }
  }
  if (Object.keys(set).length === 0) return null;
  return update(o.entity as Entity<Kept & Record<string, unknown>>, row.id, { change: { set }, ifVersion: row.version });
}
