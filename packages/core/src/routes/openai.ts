import type { DialectRoute } from "./route.js";

const chat = { face: "dialect", protocol: "openai-chat", permission: null } as const;
const responses = { face: "dialect", protocol: "openai-responses", permission: null } as const;

/** OpenAI's Chat Completions. Source: https://platform.openai.com/docs/api-reference/chat */
export const openaiRoutes = {
  chat: {
    ...chat,
    name: "openai.chat",
    method: "POST",
    path: "/v1/chat/completions",
    summary: "A chat completion, whole or streamed.",
    errors: ["forbidden", "model_not_found", "unsupported_feature"],
  },
} as const satisfies Record<string, DialectRoute>;

/** The models, in the dialect that the caller's headers speak: one path for every vendor's SDK. */
export const modelRoutes = {
  list: {
    ...chat,
    byHeaders: true,
    name: "models.list",
    method: "GET",
    path: "/v1/models",
    summary:
      "The models that the key may call; in Anthropic's shape with anthropic-version, in Google's with x-goog-api-key or ?key=, else in OpenAI's.",
    errors: [],
  },
  get: {
    ...chat,
    byHeaders: true,
    name: "models.get",
    method: "GET",
    path: "/v1/models/{model+}",
    summary: "One model; a slash in its id raw or as %2F.",
    errors: ["model_not_found"],
  },
} as const satisfies Record<string, DialectRoute>;

/** OpenAI's Responses. Source: https://platform.openai.com/docs/api-reference/responses */
export const responsesRoutes = {
  create: {
    ...responses,
    name: "responses.create",
    method: "POST",
    path: "/v1/responses",
    summary: "A response, whole or streamed; kept unless store is false, and made in the background when it is asked for.",
    errors: ["forbidden", "model_not_found", "unsupported_feature", "not_found"],
  },
  inputTokens: {
    ...responses,
    name: "responses.input-tokens",
    method: "POST",
    path: "/v1/responses/input_tokens",
    summary: "How many tokens the input of a response would be.",
    errors: ["forbidden", "model_not_found", "unsupported_feature", "not_found"],
  },
  compact: {
    ...responses,
    name: "responses.compact",
    method: "POST",
    path: "/v1/responses/compact",
    summary: "Refused, saying why: a conversation that one vendor sealed is of no use to any other.",
    errors: ["unsupported_feature"],
  },
  get: {
    ...responses,
    name: "responses.get",
    method: "GET",
    path: "/v1/responses/{id}",
    summary: "A kept response; with ?stream=true the events of one made in the background, from ?starting_after= on.",
    errors: ["not_found"],
  },
  delete: {
    ...responses,
    name: "responses.delete",
    method: "DELETE",
    path: "/v1/responses/{id}",
    summary: "Deletes a kept response.",
    errors: ["not_found"],
  },
  cancel: {
    ...responses,
    name: "responses.cancel",
    method: "POST",
    path: "/v1/responses/{id}/cancel",
    summary: "Ends a response that is made in the background.",
    errors: ["not_found"],
  },
  inputItems: {
    ...responses,
    name: "responses.input-items",
    method: "GET",
    path: "/v1/responses/{id}/input_items",
    summary: "What a kept response was made from, a page at a time.",
    errors: ["not_found"],
  },
} as const satisfies Record<string, DialectRoute>;
