import type { ProtocolId } from "../calls/index.js";
import type { Quirks } from "../wire/shared/codec.js";

/**
 * A vendor is a row: which protocol it speaks, where, how it takes its key, and how it departs from the protocol. Nothing outside this file compares with a vendor's
 * id; what shared code needs to know is a field here.
 */
export interface VendorRow {
  readonly title: string;
  /**
   * What it speaks at its base URL; at least one. A caller who speaks one of them is relayed in it; everybody else is translated into the first.
   */
  readonly protocols: readonly ProtocolId[];
  /** What the vendor's own SDK takes; null: each provider says its own. */
  readonly baseUrl: string | null;
  /** The header that carries the key, and what stands before it. */
  readonly auth: { readonly header: string; readonly prefix: string };
  /** It answers nobody without a key. */
  readonly needsKey: boolean;
  /** The environment variable that people keep its key in, for hints. */
  readonly keyVariable: string | null;
  readonly quirks: Quirks;
  /** Headers that every call carries beside ours. */
  readonly headers: readonly (readonly [string, string])[];
}

const bearer = { header: "authorization", prefix: "Bearer " };
/** Sources of each row: the vendor's API reference, read in November 2026. */
export const vendorRows = {
  // https://platform.openai.com/docs/api-reference
  openai: {
    title: "OpenAI",
    protocols: ["openai-chat"],
    baseUrl: "https://api.openai.com/v1",
    auth: bearer,
    needsKey: true,
    keyVariable: "OPENAI_API_KEY",
    quirks: {},
    headers: [],
  },
  // A server of somebody's that says it speaks OpenAI's protocol: taken at its word.
  "openai-compatible": {
    title: "OpenAI-compatible",
    protocols: ["openai-chat"],
    baseUrl: null,
    auth: bearer,
    needsKey: false,
    keyVariable: null,
    quirks: {},
    headers: [],
  },
  // https://platform.claude.com/docs/en/api/overview
  anthropic: {
    title: "Anthropic",
    protocols: ["anthropic-messages"],
    baseUrl: "https://api.anthropic.com",
    auth: { header: "x-api-key", prefix: "" },
    needsKey: true,
    keyVariable: "ANTHROPIC_API_KEY",
    quirks: {},
    headers: [["anthropic-version", "2023-06-01"]],
  },
  // https://ai.google.dev/api
  google: {
    title: "Google",
    protocols: ["google-genai"],
    baseUrl: "https://generativelanguage.googleapis.com",
    auth: { header: "x-goog-api-key", prefix: "" },
    needsKey: true,
    keyVariable: "GEMINI_API_KEY",
    quirks: {},
    headers: [],
  },
  // https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference: the global endpoint
  vertex: {
    title: "Vertex AI",
    protocols: ["google-genai"],
    baseUrl: "https://aiplatform.googleapis.com",
    auth: bearer,
    needsKey: true,
    keyVariable: null,
    quirks: {},
    headers: [],
  },
  // https://docs.x.ai/docs/api-reference
  xai: {
    title: "xAI",
    protocols: ["openai-chat"],
    baseUrl: "https://api.x.ai/v1",
    auth: bearer,
    needsKey: true,
    keyVariable: "XAI_API_KEY",
    quirks: { developerRole: false },
    headers: [],
  },
  // https://api-docs.deepseek.com/api/create-chat-completion
  deepseek: {
    title: "DeepSeek",
    protocols: ["openai-chat"],
    baseUrl: "https://api.deepseek.com/v1",
    auth: bearer,
    needsKey: true,
    keyVariable: "DEEPSEEK_API_KEY",
    quirks: { developerRole: false, maxTokensField: "max_tokens" },
    headers: [],
  },
  // https://huggingface.co/docs/inference-providers/tasks/chat-completion
  huggingface: {
    title: "Hugging Face",
    protocols: ["openai-chat"],
    baseUrl: "https://router.huggingface.co/v1",
    auth: bearer,
    needsKey: true,
    keyVariable: "HF_TOKEN",
    quirks: { developerRole: false, maxTokensField: "max_tokens" },
    headers: [],
  },
  // https://openrouter.ai/docs/api-reference/overview
  openrouter: {
    title: "OpenRouter",
    protocols: ["openai-chat"],
    baseUrl: "https://openrouter.ai/api/v1",
    auth: bearer,
    needsKey: true,
    keyVariable: "OPENROUTER_API_KEY",
    quirks: {},
    headers: [],
  },
} as const satisfies Readonly<Record<string, VendorRow>>;

export type VendorId = keyof typeof vendorRows;

export function isVendorId(name: string): name is VendorId {
  return Object.hasOwn(vendorRows, name);
}
