import { z } from "zod";
import { accessSection } from "./sections/access.js";
import { limitsSection } from "./sections/limits.js";
import { mcpSection, mcpServersSection, type mcpServerSchema } from "./sections/mcp.js";
import { namespacesSection } from "./sections/mcp-shape.js";
import { sessionsSection } from "./sections/sessions.js";
import { durationMs, name, price, secret, url } from "./sections/values.js";
import { guardrailSchema, routeSchema } from "../entities/index.js";
import { auditSection, retentionSection, telemetrySection } from "./sections/telemetry.js";

export const vendors = [
  "openai",
  "openai-compatible",
  "anthropic",
  "google",
  "vertex",
  "xai",
  "deepseek",
  "huggingface",
  "openrouter",
  "azure",
  "groq",
  "mistral",
  "together",
  "fireworks",
  "ollama",
  "vllm",
  "lmstudio",
] as const;

/** They stand for many servers, so each provider of theirs has to say its own address. */
export const vendorsWithoutAddress: readonly Vendor[] = ["openai-compatible", "azure"];

const amounts = {
  input: price.optional(),
  output: price.optional(),
  cacheRead: price.optional(),
  cacheWrite: price.optional(),
  cacheWriteLong: price.optional(),
  audioInput: price.optional(),
  audioOutput: price.optional(),
  imageInput: price.optional(),
  imageOutput: price.optional(),
};
export const pricesSchema = z.strictObject({
  ...amounts,
  perCall: price.optional().describe("dollars for one, as all that begin with per"),
  perImage: price.optional(),
  perSecond: price.optional(),
  perCharacter: price.optional(),
  perSearch: price.optional(),
  tiers: z
    .array(z.strictObject({ aboveInputTokens: z.int().positive(), ...amounts }))
    .optional()
    .describe("other prices for the whole call once its input is larger"),
  serviceTiers: z.record(z.string(), price).optional().describe("by the tier that served: what all prices are multiplied by"),
});

export const quirksSchema = z.strictObject({
  maxTokensField: z.enum(["max_tokens", "max_completion_tokens"]).optional(),
  developerRole: z.boolean().optional(),
  usageInStream: z.boolean().optional(),
  reasoningField: z.enum(["reasoning_content", "reasoning", "none"]).optional(),
  modelsPath: z.string().startsWith("/").optional(),
  efforts: z.array(z.string()).optional(),
  dropped: z.array(z.enum(["temperature", "topP", "topK", "presencePenalty", "frequencyPenalty", "seed", "logprobs", "stop"])).optional(),
  mediaByUrl: z.boolean().optional(),
  jsonObjectOnly: z.boolean().optional(),
  reasoningOnToolTurns: z.boolean().optional(),
  systemAnywhere: z.boolean().optional(),
  toolCallIds: z.enum(["nine"]).optional(),
  textTools: z.boolean().optional(),
  topK: z.boolean().optional(),
  toolsWithHistory: z.boolean().optional(),
  reasoningBy: z.enum(["effort", "budget"]).optional(),
  reasoningRequest: z.enum(["reasoning_effort", "reasoning", "thinking"]).optional(),
  cacheMarks: z.enum(["prompt_cache_breakpoint", "cache_control", "none"]).optional(),
  sealedReasoning: z.boolean().optional(),
});

const modelEntry = z.union([
  z.string().min(1),
  z.strictObject({
    id: z.string().min(1),
    kind: z.enum(["chat", "embedding", "image", "speech", "transcription", "music", "video", "classifier"]).optional(),
    features: z.array(z.string()).optional(),
    contextTokens: z.int().positive().optional(),
    maxOutputTokens: z.int().positive().optional(),
    aliases: z.array(z.string().min(1)).optional(),
    deprecated: z.boolean().optional(),
    retiresAt: z.iso.date().nullable().optional(),
    successor: z.string().min(1).optional(),
    prices: pricesSchema.optional(),
  }),
]);

export const providerSchema = z.strictObject({
  vendor: z.enum(vendors).optional().describe("left out: the provider's own name, when it is a vendor's"),
  baseUrl: url.optional().describe("what the vendor's own SDK takes: with /v1 for OpenAI's dialects"),
  apiKey: secret.optional(),
  apiKeys: z
    .array(z.strictObject({ value: secret, weight: z.number().positive().optional() }))
    .min(1)
    .optional(),
  protocols: z
    .array(z.enum(["openai-chat", "openai-responses", "anthropic-messages", "google-genai"]))
    .min(1)
    .optional()
    .describe("what the server speaks, the preferred one first; left out: the vendor's"),
  rawIds: z
    .enum(["refuse", "allow"])
    .optional()
    .describe("whether a caller without the grant files:raw may name what lies at the vendor by the vendor's own ids"),
  quirks: quirksSchema.optional().describe("how the server departs from its protocol"),
  auth: z
    .strictObject({ header: z.string().min(1), prefix: z.string().optional() })
    .optional()
    .describe("the header that carries the key; left out: the vendor's"),
  headers: z.record(z.string(), secret).optional().describe("sent with every call"),
  models: z.array(modelEntry).optional().describe("added to the catalogue"),
});

export const configSchema = z.strictObject({
  server: z
    .strictObject({
      host: z.string().min(1).default("127.0.0.1"),
      port: z.int().min(0).max(65_535).default(4747),
      allowedHosts: z.array(z.string()).default([]).describe("Host headers answered beside loopback names"),
      allowedOrigins: z.array(z.string()).default([]).describe("web origins that may call, exact, or * for any"),
      trustProxy: z.boolean().default(false),
      docs: z.boolean().default(true).describe("whether /openapi.json and /docs are there; they describe the routes and show no data"),
      maxBodyBytes: z.int().min(1024).max(1_073_741_824).default(20_971_520),
      timeouts: z
        .strictObject({
          requestMs: durationMs.default(600_000),
          firstByteMs: durationMs.default(120_000),
          idleMs: durationMs.default(120_000),
          connectMs: durationMs.default(10_000),
          shutdownMs: durationMs.default(10_000),
        })
        .prefault({}),
    })
    .prefault({}),
  storage: z
    .strictObject({
      url: z
        .string()
        .regex(/^(sqlite:.+|memory:|mysql:\/\/.+|mariadb:\/\/.+)$/, "sqlite:<file>, memory: or mysql://user:password@host/database"),
      migrate: z
        .enum(["auto", "check", "off"])
        .optional()
        .describe("auto, when left out, applies missing migrations at the start; check refuses to start then; off looks at nothing"),
      tablePrefix: z
        .string()
        .regex(/^\w{1,24}$/, "at most 24 letters, digits and _")
        .optional()
        .describe("MySQL and MariaDB: stands before the name of every table"),
    })
    .optional(),
  redis: z.strictObject({ url: z.string().regex(/^rediss?:\/\/.+/, "redis://host:6379 or rediss://host:6379") }).optional(),
  logging: z
    .strictObject({
      level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
      format: z.enum(["text", "json"]).default("text"),
    })
    .prefault({}),
  sessions: sessionsSection,
  providers: z.record(name, providerSchema).default({}),
  routes: z.record(name, routeSchema).default({}),
  guardrails: z.record(name, guardrailSchema).default({}),
  mcpServers: mcpServersSection,
  mcp: mcpSection,
  namespaces: namespacesSection,
  network: z.strictObject({ allowPrivate: z.boolean().default(false) }).prefault({}),
  approvals: z
    .strictObject({
      tools: z
        .record(
          z.string().min(1),
          z.strictObject({ class: z.enum(["safe", "sensitive", "dangerous"]), requiresApproval: z.boolean().optional() }),
        )
        .default({})
        .describe(
          "by server__tool, with * for any: how much care a tool needs; a person approves each call of a dangerous one, and of a sensitive one that says so",
        ),
      unknown: z
        .enum(["allow", "built-in", "ask"])
        .default("allow")
        .describe("tools that nobody classified: called, judged by the first word of their name, or asked for"),
      expiresMs: durationMs.default(86_400_000).describe("how long a person has to decide, and an approved call to be made"),
      fourEyes: z.boolean().default(false).describe("nobody decides on a call of their own"),
    })
    .prefault({}),
  access: accessSection,
  limits: limitsSection,
  money: z
    .strictObject({
      unknownPrice: z
        .enum(["refuse", "allow"])
        .default("refuse")
        .describe(
          "what a hard budget does with a call whose price nobody knows; allowed, it goes on as long as anything is left, and counts as nothing",
        ),
    })
    .prefault({}),
  telemetry: telemetrySection,
  audit: auditSection,
  retention: retentionSection,
});

/** What a person writes: `sallyport.config.json`, or the object given to `new Gateway()`. */
export type ConfigInput = z.input<typeof configSchema>;
/** The configuration with every default filled in. */
export type Config = z.output<typeof configSchema>;
export type ProviderConfig = z.output<typeof providerSchema>;
export type McpServerConfig = z.output<typeof mcpServerSchema>;
export type Vendor = (typeof vendors)[number];
