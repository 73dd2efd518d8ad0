import { gatewayKey, type GatewayKeyRow } from "../entities/index.js";
import type { RecordStore, Within } from "../ports/index.js";

const PAGE = 500;

/** Every enabled key by its id: what a Snapshot holds. Reads in pages; a key added meanwhile is seen now or by the next change that is followed. */
export async function readKeys(store: RecordStore, within: Within): Promise<ReadonlyMap<string, GatewayKeyRow>> {
  const keys = new Map<string, GatewayKeyRow>();
  let cursor: string | undefined;
  do {
    const page = await store.find(gatewayKey, { orderBy: "id", limit: PAGE, cursor }, { system: "the snapshot's keys" }, within);
    for (const row of page.rows) if (row.enabled) keys.set(row.id, row);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return keys;
}
