import { isPlainObject, formatPath, type ConfigPath } from "./config-path.js";
import type { Problem } from "./problems/problems.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A string that named environment variables, before they were put in. */
export interface Substitution {
  readonly variables: readonly string[];
  /** As it was written, so that it can be shown. */
  readonly template: string;
  /** The whole string is one variable: it may stand for a number or a boolean. */
  readonly whole: boolean;
}
export interface Substituted {
  readonly value: unknown;
  /** By formatted path. */
  readonly substitutions: ReadonlyMap<string, Substitution>;
  readonly problems: readonly Problem[];
}

const MAX_DEPTH = 16;
const variable = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/** Objects whose strings are filled in already: a `${` in them was meant. */
const filled = new WeakSet<object>();

export function markFilled(value: object): void {
  filled.add(value);
}

/**
 * A copy in which `${NAME}` and `${NAME:-default}` of every string are replaced by the environment's value; `$${` stands for a plain `${`. An empty
 * variable counts as not set. What was put in is not looked at again, nor is what a
 * configuration holds that was loaded before. Instances of classes and keys of objects stay as they are.
 */
export function substitute(root: unknown, env: Environment): Substituted {
  const substitutions = new Map<string, Substitution>();
  const problems: Problem[] = [];

  const walk = (value: unknown, path: ConfigPath): unknown => {
    if (path.length > MAX_DEPTH) {
      problems.push({ path: path.slice(0, 3), what: "is nested too deep", fix: "look for an object that contains itself" });
      return null;
    }
    if (typeof value === "string") return fill(value, path);
    if (typeof value === "object" && value !== null && filled.has(value)) return value;
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]));
    if (!isPlainObject(value)) return value;
    const copy: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) {
      if (key === "__proto__") problems.push({ path: [...path, key], what: "is not a usable name", fix: "choose another name" });
      else if (item !== undefined) copy[key] = walk(item, [...path, key]);
    }
    return copy;
  };

  const fill = (template: string, path: ConfigPath): string => {
    if (!template.includes("${")) return template;
    const variables: string[] = [];
    const text = template.replace(variable, (match, name: string | undefined, fallback: string | undefined) => {
      if (match === "$${") return "${";
      if (name === undefined) {
        problems.push({
          path,
          what: 'has a "${" that begins no variable',
          fix: "write ${NAME} or ${NAME:-default}, or $${ for a plain ${",
        });
        return "";
      }
      variables.push(name);
      const found = env[name];
      if (found !== undefined && found !== "") return found;
      if (fallback === undefined)
        problems.push({
          path,
          what: `the environment variable ${name} is ${found === undefined ? "not set" : "empty"}`,
          fix: `set ${name}, or give a default: \${${name}:-…}`,
        });
      return fallback ?? "";
    });
    if (variables.length > 0) {
      const whole = variables.length === 1 && /^\$\{[^}]*\}$/.test(template);
      substitutions.set(formatPath(path), { variables, template, whole });
    }
    return text;
  };

  return { value: walk(root, []), substitutions, problems };
}
