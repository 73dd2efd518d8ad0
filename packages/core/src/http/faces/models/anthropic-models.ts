import type { ListedModel } from "../../../seams/index.js";
import { invalidQuery, pageSize } from "../page-size.js";

/**
 * A page of models as Anthropic lists them: the newest first, `limit` (20) of them after `after_id` or before `before_id`.
 * Errors: `validation_failed`, also for an id that is not listed. Source: https://docs.anthropic.com/en/api/models-list
 */
export function anthropicPage(listed: readonly ListedModel[], query: URLSearchParams) {
  const all = [...listed].sort((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? -1 : 1));
  const limit = pageSize(query, "limit", { usual: 20, most: 1000 });
  const { after, before } = { after: placeOf(all, query, "after_id"), before: placeOf(all, query, "before_id") };
  if (after !== null && before !== null) throw invalidQuery("before_id", "cannot be given with after_id");
  const start = before === null ? (after ?? -1) + 1 : Math.max(0, before - limit);
  const end = before ?? Math.min(all.length, start + limit);
  const page = all.slice(start, end);
  return {
    data: page.map(anthropicModel),
    has_more: before === null ? end < all.length : start > 0,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}

/** What nobody said is null: the capabilities are Anthropic's own, which the catalogue does not tell one by one. */
export function anthropicModel(model: ListedModel) {
  return {
    type: "model",
    id: model.id,
    display_name: model.title,
    created_at: new Date(model.createdAtMs).toISOString(),
    capabilities: null,
    lifecycle: model.deprecated === true ? "deprecated" : "active",
    deprecated_at: null,
    retires_at: model.retiresAtMs === undefined || model.retiresAtMs === null ? null : new Date(model.retiresAtMs).toISOString(),
    line: null,
    max_input_tokens: model.contextTokens,
    max_tokens: model.maxOutputTokens,
  };
}

function placeOf(all: readonly ListedModel[], query: URLSearchParams, name: string): number | null {
  const id = query.get(name);
  if (id === null || id === "") return null;
  const place = all.findIndex((model) => model.id === id);
  if (place < 0) throw invalidQuery(name, "is no model that this key may call");
  return place;
}
