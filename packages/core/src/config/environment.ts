import { isPlainObject, valueAt, type ConfigPath } from "./config-path.js";
import { formatPath } from "./config-path.js";
import type { Layer } from "./layers.js";
import type { Vendor } from "./schema.js";
import type { Environment } from "./substitute.js";
import { Secret } from "../util/secret.js";

interface VendorVariable {
  readonly variable: string;
  /** Of the vendor, and of the provider that is made for it. */
  readonly vendor: Vendor;
}
/** The vendors' own variables: one that is set makes a provider of the vendor's name, or gives it its key. */
export const vendorVariables: readonly VendorVariable[] = [
  { variable: "OPENAI_API_KEY", vendor: "openai" },
  { variable: "ANTHROPIC_API_KEY", vendor: "anthropic" },
  { variable: "GEMINI_API_KEY", vendor: "google" },
  { variable: "XAI_API_KEY", vendor: "xai" },
  { variable: "DEEPSEEK_API_KEY", vendor: "deepseek" },
  { variable: "HF_TOKEN", vendor: "huggingface" },
  { variable: "OPENROUTER_API_KEY", vendor: "openrouter" },
  { variable: "GROQ_API_KEY", vendor: "groq" },
  { variable: "MISTRAL_API_KEY", vendor: "mistral" },
  { variable: "TOGETHER_API_KEY", vendor: "together" },
  { variable: "FIREWORKS_API_KEY", vendor: "fireworks" },
];

interface SettingVariable {
  readonly variable: string;
  readonly path: ConfigPath;
  read(text: string): unknown;
}
const asText = (text: string): string => text;
/** What is no number stays text, and validation says so. */
const asNumber = (text: string): unknown => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text);

export const settingVariables: readonly SettingVariable[] = [
  { variable: "HOST", path: ["server", "host"], read: asText },
  { variable: "PORT", path: ["server", "port"], read: asNumber },
  { variable: "DATABASE_URL", path: ["storage", "url"], read: asText },
  { variable: "REDIS_URL", path: ["redis", "url"], read: asText },
  { variable: "LANGFUSE_PUBLIC_KEY", path: ["telemetry", "langfuse", "publicKey"], read: asText },
  { variable: "LANGFUSE_SECRET_KEY", path: ["telemetry", "langfuse", "secretKey"], read: (text) => new Secret(text) },
  { variable: "LANGFUSE_HOST", path: ["telemetry", "langfuse", "baseUrl"], read: asText },
  { variable: "RATE_LIMIT_DEFAULT_RPM", path: ["limits", "perKey", "requestsPerMinute"], read: asNumber },
  { variable: "LOG_LEVEL", path: ["logging", "level"], read: (text) => text.toLowerCase() },
];

/**
 * The layer of the environment. An empty variable counts as not set. A vendor's key goes only to a provider of that vendor: when `written` (the file and the
 * code, merged) gives the vendor's name to a provider of another one, the key stays out of it.
 */
export function environmentLayer(env: Environment, written: unknown): Layer {
  const value: Record<string, unknown> = {};
  const variables = new Map<string, string>();
  const give = (path: ConfigPath, item: unknown, variable: string): void => {
    let object = value;
    for (const key of path.slice(0, -1)) {
      const inner = object[key];
      object = object[key] = isPlainObject(inner) ? inner : {};
    }
    object[path[path.length - 1] as string] = item;
    for (let length = 1; length <= path.length; length++) variables.set(formatPath(path.slice(0, length)), variable);
  };

  for (const { variable, vendor } of vendorVariables) {
    const key = env[variable]?.trim();
    const declared = valueAt(written, ["providers", vendor, "vendor"]);
    if (key && (declared === undefined || declared === vendor)) give(["providers", vendor, "apiKey"], new Secret(key), variable);
  }
  for (const { variable, path, read } of settingVariables) {
    const text = env[variable]?.trim();
    if (text) give(path, read(text), variable);
  }
  return {
    value,
    sourceOf: (path) => ({ kind: "environment", variable: variables.get(formatPath(path)) ?? "" }),
  };
}
