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
