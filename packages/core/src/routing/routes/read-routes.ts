import { route, type RouteRow } from "../../entities/index.js";
import type { RecordStore, Within } from "../../ports/index.js";

const PAGE = 500;

/** Every stored route: what a Snapshot is merged from. Reads in pages; a route added meanwhile is seen now or by the next change that is followed. */
export async function readRoutes(store: RecordStore, within: Within): Promise<readonly RouteRow[]> {
  const rows: RouteRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.find(route, { orderBy: "id", limit: PAGE, cursor }, { system: "the snapshot's routes" }, within);
    rows.push(...page.rows);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return rows;
}
