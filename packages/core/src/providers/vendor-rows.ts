import type { ProtocolId } from "../calls/index.js";
import type { Quirks } from "../wire/shared/codec.js";
import type { MediaDialect } from "./media/index.js";

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
  /** How models that list the words for how much to think depart from the protocol, and how those do that reason and list none. */
  readonly ofModels?: { readonly withEfforts?: Quirks; readonly withoutEfforts?: Quirks };
  /** What a token costs that the vendor keeps for long, as a multiple of an input token: a rule of its price list that no model's row repeats. */
  readonly longCacheWrite?: string;
  /** How it is asked for pictures, sound and films; left out: it has none. */
  readonly media?: MediaDialect;
  /** What OpenTelemetry's conventions call it (`gen_ai.provider.name`, 1.45.0); left out: as we do. */
  readonly telemetryName?: string;
  /** It has the batches that its media dialect describes. Not said: many servers imitate the dialect and have none. */
  readonly batches?: true;
}

const bearer = { header: "authorization", prefix: "Bearer " };
/** Sources of each row: the vendor's API reference, read in November 2026. */
export const vendorRows = {
  // https://platform.openai.com/docs/api-reference
  openai: {
    title: "OpenAI",
    media: "openai",
    batches: true,
    protocols: ["openai-responses", "openai-chat"],
    baseUrl: "https://api.openai.com/v1",
    auth: bearer,
    needsKey: true,
    keyVariable: "OPENAI_API_KEY",
    quirks: { reasoningField: "none" },
    headers: [],
  },
  // A server of somebody's that says it speaks OpenAI's protocol: taken at its word.
  "openai-compatible": {
    title: "OpenAI-compatible",
    media: "openai",
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
    headers: [["anthropic-version", "2026-10-21"]],
    // https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking: those of before are told a budget; those of since take no sampling parameters
    ofModels: { withEfforts: { dropped: ["temperature", "topP", "topK"] }, withoutEfforts: { reasoningBy: "budget" } },
    // https://platform.claude.com/docs/en/build-with-claude/prompt-caching#pricing: an hour costs twice the input
    longCacheWrite: "2",
  },
  // https://ai.google.dev/api
  google: {
    title: "Google",
    telemetryName: "gcp.gemini",
    media: "google",
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
    telemetryName: "gcp.vertex_ai",
    media: "google",
    protocols: ["google-genai"],
    baseUrl: "https://aiplatform.googleapis.com",
    auth: bearer,
    needsKey: true,
    keyVariable: null,
    // With a project, the base URL ends in /v1/projects/{project}/locations/{location}/publishers/google and `quirks.modelsPath` is /models.
    quirks: { modelsPath: "/v1/publishers/google/models" },
    headers: [],
  },
  // https://docs.x.ai/docs/api-reference
  xai: {
    title: "xAI",
    telemetryName: "x_ai",
    media: "xai",
    protocols: ["openai-responses", "openai-chat"],
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
    quirks: {
      developerRole: false,
      maxTokensField: "max_tokens",
      reasoningRequest: "thinking",
      efforts: ["none", "low", "high", "max"],
      textTools: false,
      jsonObjectOnly: true,
      reasoningOnToolTurns: true,
      reasoningField: "reasoning_content",
    },
    headers: [],
  },
  // https://huggingface.co/docs/inference-providers/tasks/chat-completion
  huggingface: {
    title: "Hugging Face",
    media: "huggingface",
    protocols: ["openai-chat", "openai-responses"],
    baseUrl: "https://router.huggingface.co/v1",
    auth: bearer,
    needsKey: true,
    keyVariable: "HF_TOKEN",
    quirks: { developerRole: false, textTools: false, maxTokensField: "max_tokens" },
    headers: [],
  },
  // https://openrouter.ai/docs/api-reference/overview
  openrouter: {
    title: "OpenRouter",
    protocols: ["openai-chat", "openai-responses"],
    baseUrl: "https://openrouter.ai/api/v1",
    auth: bearer,
    needsKey: true,
    keyVariable: "OPENROUTER_API_KEY",
    quirks: { reasoningRequest: "reasoning", cacheMarks: "cache_control", textTools: false, topK: true },
    headers: [],
  },
  // https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle: the base URL is https://{resource}.openai.azure.com/openai/v1
  azure: {
    title: "Azure OpenAI",
    telemetryName: "azure.ai.openai",
    media: "openai",
    batches: true,
    protocols: ["openai-responses", "openai-chat"],
    baseUrl: null,
    auth: { header: "api-key", prefix: "" },
    needsKey: true,
    keyVariable: "AZURE_OPENAI_API_KEY",
    quirks: { reasoningField: "none" },
    headers: [],
  },
  // https://console.groq.com/docs/openai
  groq: {
    title: "Groq",
    media: "openai",
    batches: true,
    protocols: ["openai-chat", "openai-responses"],
    baseUrl: "https://api.groq.com/openai/v1",
    auth: bearer,
    needsKey: true,
    keyVariable: "GROQ_API_KEY",
    quirks: { developerRole: false, textTools: false, dropped: ["logprobs"] },
    headers: [],
  },
  // https://docs.mistral.ai/api
  mistral: {
    title: "Mistral",
    telemetryName: "mistral_ai",
    media: "openai",
    protocols: ["openai-chat"],
    baseUrl: "https://api.mistral.ai/v1",
    auth: bearer,
    needsKey: true,
    keyVariable: "MISTRAL_API_KEY",
    quirks: {
      developerRole: false,
      textTools: false,
      maxTokensField: "max_tokens",
      usageInStream: false,
      toolCallIds: "nine",
    },
    headers: [],
  },
  // https://docs.together.ai/reference/chat-completions-1
  together: {
    title: "Together",
    media: "openai",
    protocols: ["openai-chat"],
    baseUrl: "https://api.together.xyz/v1",
    auth: bearer,
    needsKey: true,
    keyVariable: "TOGETHER_API_KEY",
    quirks: { developerRole: false, textTools: false, maxTokensField: "max_tokens" },
    headers: [],
  },
  // https://docs.fireworks.ai/api-reference/post-chatcompletions
  fireworks: {
    title: "Fireworks",
    media: "openai",
    protocols: ["openai-chat", "openai-responses"],
    baseUrl: "https://api.fireworks.ai/inference/v1",
    auth: bearer,
    needsKey: true,
    keyVariable: "FIREWORKS_API_KEY",
    quirks: { developerRole: false, textTools: false, maxTokensField: "max_tokens" },
    headers: [],
  },
  // https://docs.ollama.com/api/openai-compatibility
  ollama: {
    title: "Ollama",
    protocols: ["openai-chat"],
    baseUrl: "http://127.0.0.1:11434/v1",
    auth: bearer,
    needsKey: false,
    keyVariable: null,
    quirks: { developerRole: false, textTools: false, maxTokensField: "max_tokens", mediaByUrl: false },
    headers: [],
  },
  // https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
  vllm: {
    title: "vLLM",
    media: "openai",
    protocols: ["openai-chat", "openai-responses"],
    baseUrl: "http://127.0.0.1:8000/v1",
    auth: bearer,
    needsKey: false,
    keyVariable: null,
    quirks: { developerRole: false, textTools: false, topK: true },
    headers: [],
  },
  // https://lmstudio.ai/docs/developer/openai-compat
  lmstudio: {
    title: "LM Studio",
    protocols: ["openai-chat", "openai-responses"],
    baseUrl: "http://127.0.0.1:1234/v1",
    auth: bearer,
    needsKey: false,
    keyVariable: null,
    quirks: { developerRole: false, textTools: false, maxTokensField: "max_tokens", mediaByUrl: false },
    headers: [],
  },
} as const satisfies Readonly<Record<string, VendorRow>>;

export type VendorId = keyof typeof vendorRows;

export function isVendorId(name: string): name is VendorId {
  return Object.hasOwn(vendorRows, name);
}
