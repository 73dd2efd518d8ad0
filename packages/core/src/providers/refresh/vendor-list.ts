import type { ProtocolId } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { isObject } from "../../util/json.js";
import type { Quirks } from "../../wire/shared/codec.js";
import type { ListedModelOptions } from "../provider.js";

/** A model as its vendor lists it: only what the list says. */
export type VendorModel = Exclude<ListedModelOptions, string> & { readonly code: string };

/** How one protocol lists its models, a page at a time. */
export interface VendorList {
  /** Below the base URL, with its query. `after`: what the page before said. */
  path(after: string | null, quirks: Quirks): string;
  read(page: Record<string, unknown>): { readonly models: readonly VendorModel[]; readonly after: string | null };
}

const PAGE = 1000;

/** https://platform.openai.com/docs/api-reference/models/list; never in pages. */
const openai: VendorList = {
  path: () => "/models",
  read: (page) => ({ models: items(page, "data").map((item) => ({ code: text(item, "id") })), after: null }),
};

/** https://platform.claude.com/docs/en/api/models-list */
const anthropic: VendorList = {
  path: (after) => `/v1/models?limit=${PAGE}${after === null ? "" : `&after_id=${encodeURIComponent(after)}`}`,
  read: (page) => ({
    models: items(page, "data").map((item) => ({ code: text(item, "id"), ...said("title", item["display_name"]) })),
    after: page["has_more"] === true && typeof page["last_id"] === "string" ? page["last_id"] : null,
  }),
};

/** https://ai.google.dev/api/models#method:-models.list */
const google: VendorList = {
  path: (after, quirks) =>
    `${quirks.modelsPath ?? "/v1beta/models"}?pageSize=${PAGE}${after === null ? "" : `&pageToken=${encodeURIComponent(after)}`}`,
  read: (page) => ({
    models: items(page, "models").map((item) => ({
      code: text(item, "name").replace(/^models\//, ""),
      ...said("title", item["displayName"]),
      ...count("contextTokens", item["inputTokenLimit"]),
      ...count("maxOutputTokens", item["outputTokenLimit"]),
    })),
    after: typeof page["nextPageToken"] === "string" && page["nextPageToken"] !== "" ? page["nextPageToken"] : null,
  }),
};

export const vendorLists: Readonly<Record<ProtocolId, VendorList>> = {
  "openai-chat": openai,
  "openai-responses": openai,
  "anthropic-messages": anthropic,
  "google-genai": google,
};

function items(page: Record<string, unknown>, key: string): readonly Record<string, unknown>[] {
  const list = page[key];
  // Google leaves an empty list out.
  if (list === undefined && key === "models") return [];
  if (!Array.isArray(list)) throw unexpected(`has no list "${key}"`);
  return list.filter(isObject);
}

function text(item: Record<string, unknown>, key: string): string {
  const value = item[key];
  if (typeof value !== "string" || value === "") throw unexpected(`has a model without "${key}"`);
  return value;
}

function said(name: "title", value: unknown): { readonly title?: string } {
  return typeof value === "string" && value !== "" ? { [name]: value } : {};
}

function count(
  name: "contextTokens" | "maxOutputTokens",
  value: unknown,
): { readonly contextTokens?: number; readonly maxOutputTokens?: number } {
  return Number.isSafeInteger(value) && (value as number) > 0 ? { [name]: value as number } : {};
}

function unexpected(what: string): GatewayError {
  return new GatewayError("upstream_protocol", `The vendor's list of models ${what}.`);
}
