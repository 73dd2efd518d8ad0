import type { ListedModel } from "../../../seams/index.js";
import { invalidQuery, pageSize } from "../page-size.js";

const MOST = 1000;

/**
 * A page of models as Google lists them: `pageSize` (50) of them from `pageToken` on, ordered by name. A larger page than 1,000 is cut to that, as Google does.
 * Errors: `validation_failed`. Source: https://ai.google.dev/api/models
 */
export function googlePage(listed: readonly ListedModel[], query: URLSearchParams) {
  const size = Math.min(pageSize(query, "pageSize", { usual: 50, most: 999_999 }), MOST);
  const token = query.get("pageToken") ?? "";
  const start = token === "" ? 0 : listed.findIndex(({ id }) => id > token);
  if (token !== "" && !listed.some(({ id }) => id === token)) throw invalidQuery("pageToken", "is not the token of a page of this list");
  const page = start < 0 ? [] : listed.slice(start, start + size);
  const next = start >= 0 && start + size < listed.length ? page.at(-1)!.id : undefined;
  return { models: page.map(googleModel), ...(next === undefined ? {} : { nextPageToken: next }) };
}

/** What nobody said is left out. */
export function googleModel(model: ListedModel) {
  return {
    name: `models/${model.id}`,
    version: "",
    displayName: model.title,
    ...(model.contextTokens === null ? {} : { inputTokenLimit: model.contextTokens }),
    ...(model.maxOutputTokens === null ? {} : { outputTokenLimit: model.maxOutputTokens }),
    supportedGenerationMethods: methodsOf(model),
    ...(model.features?.includes("reasoning") === true ? { thinking: true } : {}),
  };
}

function methodsOf(model: ListedModel): readonly string[] {
  switch (model.kind ?? "chat") {
    case "chat":
      return ["generateContent", "streamGenerateContent", "countTokens"];
    case "embedding":
      return ["embedContent", "batchEmbedContents"];
    case "image":
      return ["predict"];
    case "video":
      return ["predictLongRunning"];
    default:
      return [];
  }
}
