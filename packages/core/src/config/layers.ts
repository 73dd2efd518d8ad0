import { formatPath, isPlainObject, type ConfigPath } from "./config-path.js";
import type { Source } from "./problems/problems.js";
import type { Substitution } from "./substitute.js";

/** One source of configuration, its variables filled in. */
export interface Layer {
  readonly value: unknown;
  sourceOf(path: ConfigPath): Source;
}
export interface Merged {
  readonly value: Record<string, unknown>;
  /** By formatted path, for whatever one layer gave as one piece, and for each value inside it. What has no entry is a default. */
  readonly sources: ReadonlyMap<string, Source>;
  /** By formatted path of an object that layers share: the last layer that had a part in it. */
  readonly touched: ReadonlyMap<string, Source>;
}

/** Their entries are one piece each: half a server of one layer and half of another is no server. */
const wholePieces = new Set(["mcpServers", "routes", "guardrails", "namespaces"]);

export function layerOf(value: unknown, source: Source, substitutions: ReadonlyMap<string, Substitution> = new Map()): Layer {
  return {
    value,
    sourceOf(path) {
      const substitution = substitutions.get(formatPath(path));
      if (substitution === undefined || (source.kind !== "file" && source.kind !== "code")) return source;
      return { ...source, variables: substitution.variables };
    },
  };
}

/**
 * Later layers win, key by key: objects are merged, all else is replaced, lists too. An entry of `mcpServers`, `routes`, `guardrails` and `namespaces` is replaced whole; a
 * provider's `apiKey` and `apiKeys` are one thing, so a layer that gives either replaces both.
 */
export function mergeLayers(layers: readonly Layer[]): Merged {
  const sources = new Map<string, Source>();
  const touched = new Map<string, Source>();
  let merged: unknown = {};
  for (const layer of layers) merged = merge(merged, layer.value, { layer, path: [], sources, touched });
  return { value: isPlainObject(merged) ? merged : {}, sources, touched };
}

interface Step {
  readonly layer: Layer;
  readonly path: ConfigPath;
  readonly sources: Map<string, Source>;
  readonly touched: Map<string, Source>;
}

function merge(below: unknown, above: unknown, step: Step): unknown {
  const { layer, path, sources, touched } = step;
  const replaced = path.length === 2 && wholePieces.has(String(path[0]));
  if (!isPlainObject(above) || replaced) {
    forget(sources, path);
    note(above, step);
    return above;
  }
  if (below !== undefined && !isPlainObject(below)) return below; // of a wrong type: validation says so, with its own source
  const result: Record<string, unknown> = { ...below };
  touched.set(formatPath(path), layer.sourceOf(path));
  if (path.length === 2 && path[0] === "providers" && ("apiKey" in above || "apiKeys" in above)) {
    for (const key of ["apiKey", "apiKeys"]) {
      delete result[key];
      forget(sources, [...path, key]);
    }
  }
  for (const [key, value] of Object.entries(above)) result[key] = merge(result[key], value, { ...step, path: [...path, key] });
  return result;
}

/** Notes the source of a piece and of every string inside that has one of its own. */
function note(value: unknown, step: Step): void {
  const { layer, path, sources } = step;
  sources.set(formatPath(path), layer.sourceOf(path));
  const entries = Array.isArray(value)
    ? value.map((item, index) => [index, item] as const)
    : isPlainObject(value)
      ? Object.entries(value)
      : [];
  for (const [key, item] of entries) note(item, { ...step, path: [...path, key] });
}

function forget(sources: Map<string, Source>, path: ConfigPath): void {
  const prefix = formatPath(path);
  for (const key of sources.keys()) if (key === prefix || key.startsWith(`${prefix}.`) || key.startsWith(`${prefix}[`)) sources.delete(key);
}

/** Where the value at the path came from. */
export function sourceOf(merged: Merged, path: ConfigPath): Source {
  return merged.sources.get(formatPath(path)) ?? { kind: "default" };
}

/** Where somebody has to look who mends the value at the path, also one that is missing: its own source, or that of the nearest object above. */
export function placeOf(merged: Merged, path: ConfigPath): Source | undefined {
  for (let length = path.length; length >= 0; length--) {
    const key = formatPath(path.slice(0, length));
    const source = merged.sources.get(key) ?? merged.touched.get(key);
    if (source !== undefined) return source;
  }
  return undefined;
}
