import { Secret } from "../util/secret.js";
import { formatPath, isPlainObject, type ConfigPath } from "./config-path.js";
import { placeOf, sourceOf } from "./layers.js";
import { describeSource, type Source } from "./problems/problems.js";
import type { LoadedConfig } from "./load-config.js";

export interface EffectiveValue {
  /** `server.port`, `providers.openai.apiKey`. */
  readonly path: string;
  /** To be shown: secrets are masked, credentials in addresses too. */
  readonly value: string | number | boolean | null;
  readonly source: Source;
  /** The source in words: "default", "sallyport.config.json", "the environment variable PORT", "code". */
  readonly from: string;
}

/** Every value that holds, defaults included, with its source; nothing secret. In the order of the schema. */
export function effective({ config, merged, templates }: LoadedConfig): EffectiveValue[] {
  const values: EffectiveValue[] = [];
  const visit = (value: unknown, path: ConfigPath): void => {
    const entries = Array.isArray(value) ? value.map((item, i) => [i, item] as const) : isPlainObject(value) ? Object.entries(value) : null;
    if (entries !== null && entries.length > 0) {
      for (const [key, item] of entries) visit(item, [...path, key]);
      return;
    }
    if (value === undefined) return;
    const name = formatPath(path);
    const shown = entries !== null ? (Array.isArray(value) ? "[]" : "{}") : shownValue(value, path, templates.get(name));
    // A provider's vendor is filled in from its name: whoever wrote the name gave it.
    const source = path[0] === "providers" && path.length > 1 ? (placeOf(merged, path) ?? sourceOf(merged, path)) : sourceOf(merged, path);
    values.push({ path: name, value: shown, source, from: describeSource(source) || source.kind });
  };
  visit(config, []);
  return values;
}

/** A value as people may see it: secrets are masked, credentials in addresses too. */
export function shownValue(value: unknown, path: ConfigPath, template: string | undefined): string | number | boolean | null {
  if (value instanceof Secret) return maskSecret(value);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  if (typeof value !== "string") return typeof value;
  if (template !== undefined && path[0] === "mcpServers") return template;
  return maskAddress(value);
}

/** Enough to tell two secrets apart: the last four characters of a long one, nothing of a short one. */
function maskSecret(secret: Secret): string {
  if (secret.reference !== null) return secret.reference;
  const text = secret.reveal();
  return text.length < 20 ? "***" : `***${text.slice(-4)}`;
}

/** Without credentials and the values of the query. */
function maskAddress(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/).*@/i, "$1***@").replace(/\?.*$/, (query) => query.replace(/=[^&]*/g, "=***"));
}
