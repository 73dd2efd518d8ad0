import { GatewayError } from "../errors/index.js";
import { findJsonFault } from "../util/json-checks/json-fault.js";
import { Secret } from "../util/secret.js";
import { crossChecks, isVendor } from "./problems/checks.js";
import { formatPath, isPlainObject, valueAt, type ConfigPath } from "./config-path.js";
import { describeIssues } from "./problems/describe-issues.js";
import { environmentLayer } from "./environment.js";
import { layerOf, mergeLayers, placeOf, type Layer, type Merged } from "./layers.js";
import { configError, type Problem, type Source } from "./problems/problems.js";
import { configSchema, type Config, type ConfigInput } from "./schema.js";
import { markFilled, substitute, type Environment, type Substitution } from "./substitute.js";

export interface ConfigFile {
  /** As messages name it. */
  readonly path: string;
  /** JSON. */
  readonly text: string;
}
export interface ConfigSources {
  readonly file?: ConfigFile | undefined;
  /** Left out: no variables at all. */
  readonly env?: Environment | undefined;
  /** What is given in code: it wins over all others. */
  readonly code?: ConfigInput | undefined;
}
/** A valid configuration, and where each of its values came from. Immutable. */
export interface LoadedConfig {
  readonly config: Config;
  readonly merged: Merged;
  /** Strings that variables were put into, by formatted path: as they were written. */
  readonly templates: ReadonlyMap<string, string>;
  /** What each source gave. */
  readonly layers: ConfigLayers;
}
/** The sources of a configuration, their variables filled in, each over the one before it. */
export interface ConfigLayers {
  readonly file?: Layer | undefined;
  readonly environment?: Layer | undefined;
  /** Settings that were stored; `loadConfig` knows none. */
  readonly database?: Layer | undefined;
  readonly code?: Layer | undefined;
  /** What variables were put into, in all of them. */
  readonly substitutions: ReadonlyMap<string, Substitution>;
}

/**
 * Defaults, then the file, then the environment, then code: what comes later wins, value by value. `${NAME}` and `${NAME:-default}` in the strings of file and
 * code are replaced from the environment; what an earlier result holds is taken as it stands. Pure: reads nothing but its argument.
 * Errors: `invalid_config` with every problem at once (path, source, what is wrong, the fix; `details.problems`); never a secret's value.
 */
export function loadConfig({ file, env = {}, code }: ConfigSources): LoadedConfig {
  const substitutions = new Map<string, Substitution>();
  const layers: { file?: Layer; code?: Layer } = {};
  const problems: Problem[] = [];
  const read = (value: unknown, source: Source): Layer => {
    const result = substitute(value, env);
    for (const [path, substitution] of result.substitutions) substitutions.set(path, substitution);
    problems.push(...result.problems.map((problem) => ({ ...problem, source })));
    return layerOf(result.value, source, result.substitutions);
  };
  if (file !== undefined) layers.file = read(parseFile(file), { kind: "file", file: file.path });
  if (code !== undefined) layers.code = read(code, { kind: "code" });
  if (problems.length > 0) throw configError(problems);

  const written = [layers.file, layers.code].filter((layer) => layer !== undefined);
  const environment = environmentLayer(env, mergeLayers(written).value);
  return mergeConfig({ ...layers, environment, substitutions });
}

/** One configuration of its sources. Errors: `invalid_config` with every problem at once. */
export function mergeConfig(layers: ConfigLayers): LoadedConfig {
  const { file, environment, database, code, substitutions } = layers;
  const merged = mergeLayers([file, environment, database, code].filter((layer) => layer !== undefined));
  const config = validate(merged, substitutions);
  const templates = new Map([...substitutions].map(([path, { template }]) => [path, template]));
  return Object.freeze({ config: deepFreeze(config), merged, templates, layers });
}

function parseFile({ path, text }: ConfigFile): unknown {
  const source: Source = { kind: "file", file: path };
  const bare = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const fault = findJsonFault(bare);
  if (fault !== null)
    throw new GatewayError("invalid_config", `${path} is not valid JSON: line ${fault.line}, column ${fault.column}: ${fault.what}.`, {
      hint: `${fault.fix.charAt(0).toUpperCase()}${fault.fix.slice(1)}.`,
      details: { file: path, line: fault.line, column: fault.column },
    });
  const value: unknown = JSON.parse(bare);
  if (!isPlainObject(value))
    throw configError([{ path: [], what: "an object { … } was expected", fix: "put the settings into one object", source }]);
  return value;
}

function validate(merged: Merged, substitutions: ReadonlyMap<string, Substitution>): Config {
  let input: unknown = merged.value;
  let result = configSchema.safeParse(input);
  if (!result.success) {
    input = convert(
      input,
      result.error.issues.map((issue) => issue.path as ConfigPath),
      substitutions,
    );
    result = configSchema.safeParse(input);
  }
  const problems = result.success
    ? crossChecks(result.data)
    : describeIssues(result.error.issues, { root: configSchema, input, showable: (path) => !substitutions.has(formatPath(path)) });
  if (problems.length > 0 || !result.success)
    throw configError(problems.map((problem) => ({ ...problem, source: placeOf(merged, problem.path) })));
  return complete(result.data);
}

/** Where a value of another type is wanted, a string that was one variable as a whole may stand for a number or a boolean. */
function convert(input: unknown, paths: readonly ConfigPath[], substitutions: ReadonlyMap<string, Substitution>): unknown {
  const copy = structuredCopy(input);
  for (const path of paths) {
    const text = valueAt(copy, path);
    if (typeof text !== "string" || substitutions.get(formatPath(path))?.whole !== true) continue;
    const value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text === "true" ? true : text === "false" ? false : text;
    const owner = valueAt(copy, path.slice(0, -1)) as Record<string | number, unknown>;
    owner[path[path.length - 1] as string | number] = value;
  }
  return copy;
}

/** Plain objects and lists are copied, all else is shared. */
function structuredCopy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(structuredCopy);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, structuredCopy(item)]));
}

/** Each provider says its vendor. */
function complete(config: Config): Config {
  const providers = Object.fromEntries(
    Object.entries(config.providers).map(([name, provider]) => [
      name,
      isVendor(name) ? { ...provider, vendor: provider.vendor ?? name } : provider,
    ]),
  );
  return { ...config, providers };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value) || value instanceof Secret) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  markFilled(value);
  return Object.freeze(value);
}
