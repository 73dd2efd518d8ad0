import type { ObjectPage } from "../../../seams/index.js";
import type { Exchange } from "../../exchange.js";
import { invalidQuery, pageSize } from "../page-size.js";

/** `limit`, `order` and `after`, as OpenAI's lists have them. */
export function objectPage(x: Exchange, sizes: { readonly usual: number; readonly most: number }): ObjectPage {
  const query = new URLSearchParams(x.inbound.query);
  const order = query.get("order") ?? "desc";
  if (order !== "asc" && order !== "desc") throw invalidQuery("order", 'must be "asc" or "desc"');
  const after = query.get("after") ?? "";
  return { limit: pageSize(query, "limit", sizes), order, ...(after === "" ? {} : { after }) };
}

/** A page as OpenAI shows it. */
export function listView<T extends { readonly id: string }>(items: readonly T[], hasMore: boolean): object {
  return { object: "list", data: items, first_id: items[0]?.id ?? null, last_id: items.at(-1)?.id ?? null, has_more: hasMore };
}

/** Unix seconds of an instant; null stays null. */
export function seconds(ms: number): number;
export function seconds(ms: number | null): number | null;
export function seconds(ms: number | null): number | null {
  return ms === null ? null : Math.floor(ms / 1000);
}
