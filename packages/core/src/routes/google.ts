import type { DialectRoute } from "./route.js";

const google = { face: "dialect", protocol: "google-genai", permission: null } as const;
const call = {
  ...google,
  method: "POST",
  summary:
    "{model}:generateContent, :streamGenerateContent, :countTokens, :embedContent, :batchEmbedContents, …; a slash in the model's id raw or as %2F.",
  errors: ["forbidden", "model_not_found", "unsupported_feature"],
} as const;

/** Google's Gemini API. Source: https://ai.google.dev/api */
export const googleRoutes = {
  betaCall: { ...call, name: "google.beta-call", path: "/v1beta/models/{call+}" },
  call: { ...call, name: "google.call", path: "/v1/models/{call+}" },
  betaModels: {
    ...google,
    name: "google.beta-models",
    method: "GET",
    path: "/v1beta/models",
    summary: "The models that the key may call.",
    errors: [],
  },
  betaModel: {
    ...google,
    name: "google.beta-model",
    method: "GET",
    path: "/v1beta/models/{model+}",
    summary: "One model; a slash in its id raw or as %2F.",
    errors: ["model_not_found"],
  },
} as const satisfies Record<string, DialectRoute>;
