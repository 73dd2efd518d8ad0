import type { DialectRoute } from "./route.js";

const openai = { face: "dialect", protocol: "openai-chat", permission: null } as const;
const call = { ...openai, method: "POST", errors: ["forbidden", "model_not_found", "unsupported_feature", "missing_dependency"] } as const;

/** What OpenAI's dialect has beside chat that one call answers. Source: https://platform.openai.com/docs/api-reference */
export const oneCallRoutes = {
  embeddings: { ...call, name: "openai.embeddings", path: "/v1/embeddings", summary: "Vectors of texts." },
  images: { ...call, name: "openai.images", path: "/v1/images/generations", summary: "Pictures from a prompt." },
  imageEdits: { ...call, name: "openai.image-edits", path: "/v1/images/edits", summary: "Pictures from pictures; a form, or JSON." },
  speech: { ...call, name: "openai.speech", path: "/v1/audio/speech", summary: "A text spoken, or played." },
  transcriptions: { ...call, name: "openai.transcriptions", path: "/v1/audio/transcriptions", summary: "What was said; a form." },
  translations: { ...call, name: "openai.translations", path: "/v1/audio/translations", summary: "What was said, in English; a form." },
  moderations: { ...call, name: "openai.moderations", path: "/v1/moderations", summary: "Whether texts and pictures may be shown." },
} as const satisfies Record<string, DialectRoute>;

const found = { ...openai, errors: ["not_found"] } as const;

/** Films: begun by one call and asked after. Source: https://platform.openai.com/docs/api-reference/videos, whose shape stands although the vendor's own service has ended. */
export const videoRoutes = {
  create: {
    ...call,
    name: "openai.videos.create",
    path: "/v1/videos",
    summary: "Begins a film; a form, or JSON. Idempotency-Key is heeded.",
  },
  list: { ...found, name: "openai.videos.list", method: "GET", path: "/v1/videos", summary: "Films, a page at a time." },
  get: { ...found, name: "openai.videos.get", method: "GET", path: "/v1/videos/{id}", summary: "How far a film is." },
  content: {
    ...openai,
    name: "openai.videos.content",
    method: "GET",
    path: "/v1/videos/{id}/content",
    summary: "The film.",
    errors: ["not_found", "conflict", "upstream_rejected", "unsupported_feature"],
  },
  cancel: {
    ...found,
    name: "openai.videos.cancel",
    method: "POST",
    path: "/v1/videos/{id}/cancel",
    summary: "Ends a film that is being made.",
  },
  delete: { ...found, name: "openai.videos.delete", method: "DELETE", path: "/v1/videos/{id}", summary: "Ends and forgets a film." },
} as const satisfies Record<string, DialectRoute>;

/** Files. Source: https://platform.openai.com/docs/api-reference/files */
export const fileRoutes = {
  create: { ...found, name: "openai.files.create", method: "POST", path: "/v1/files", summary: "Keeps a file; a form." },
  list: { ...found, name: "openai.files.list", method: "GET", path: "/v1/files", summary: "Files, a page at a time." },
  get: { ...found, name: "openai.files.get", method: "GET", path: "/v1/files/{id}", summary: "What is known of a file." },
  content: { ...found, name: "openai.files.content", method: "GET", path: "/v1/files/{id}/content", summary: "The file." },
  delete: { ...found, name: "openai.files.delete", method: "DELETE", path: "/v1/files/{id}", summary: "Forgets a file." },
} as const satisfies Record<string, DialectRoute>;

/** Batches over an uploaded file. Source: https://platform.openai.com/docs/api-reference/batch */
export const batchRoutes = {
  create: {
    ...openai,
    name: "openai.batches.create",
    method: "POST",
    path: "/v1/batches",
    summary: "Begins a batch over an uploaded file of requests.",
    errors: ["not_found", "forbidden", "model_not_found", "unsupported_feature"],
  },
  list: { ...found, name: "openai.batches.list", method: "GET", path: "/v1/batches", summary: "Batches, a page at a time." },
  get: { ...found, name: "openai.batches.get", method: "GET", path: "/v1/batches/{id}", summary: "How far a batch is." },
  cancel: { ...found, name: "openai.batches.cancel", method: "POST", path: "/v1/batches/{id}/cancel", summary: "Ends a batch." },
} as const satisfies Record<string, DialectRoute>;

const anthropic = { face: "dialect", protocol: "anthropic-messages", permission: null, errors: ["not_found"] } as const;

/** Anthropic's batches, whose requests come with the call. Source: https://docs.anthropic.com/en/api/creating-message-batches */
export const messageBatchRoutes = {
  create: {
    ...anthropic,
    name: "anthropic.batches.create",
    method: "POST",
    path: "/v1/messages/batches",
    summary: "Begins a batch of messages.",
    errors: ["forbidden", "model_not_found", "unsupported_feature"],
  },
  list: {
    ...anthropic,
    name: "anthropic.batches.list",
    method: "GET",
    path: "/v1/messages/batches",
    summary: "Batches, a page at a time.",
  },
  get: { ...anthropic, name: "anthropic.batches.get", method: "GET", path: "/v1/messages/batches/{id}", summary: "How far a batch is." },
  cancel: {
    ...anthropic,
    name: "anthropic.batches.cancel",
    method: "POST",
    path: "/v1/messages/batches/{id}/cancel",
    summary: "Ends a batch.",
  },
  results: {
    ...anthropic,
    name: "anthropic.batches.results",
    method: "GET",
    path: "/v1/messages/batches/{id}/results",
    summary: "What became of each message, as JSON lines.",
    errors: ["not_found", "conflict"],
  },
  delete: {
    ...anthropic,
    name: "anthropic.batches.delete",
    method: "DELETE",
    path: "/v1/messages/batches/{id}",
    summary: "Forgets a batch that is over.",
    errors: ["not_found", "conflict"],
  },
} as const satisfies Record<string, DialectRoute>;

const google = { face: "dialect", protocol: "google-genai", permission: null, method: "GET", errors: ["not_found"] } as const;

/** Google's long-running operations, which films are. Source: https://ai.google.dev/gemini-api/docs/video */
export const googleOperationRoutes = {
  betaOperation: { ...google, name: "google.beta-operation", path: "/v1beta/operations/{id}", summary: "How far a film is." },
  operation: { ...google, name: "google.operation", path: "/v1/operations/{id}", summary: "How far a film is." },
  betaFile: {
    ...google,
    name: "google.beta-file",
    path: "/v1beta/files/{file}",
    summary: "{id}:download gives the film.",
    errors: ["not_found", "conflict", "upstream_rejected"],
  },
} as const satisfies Record<string, DialectRoute>;
