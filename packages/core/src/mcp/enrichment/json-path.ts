import type { Json, JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";

const STEP = /\.([^.[\]]+)|\[(\d+)\]/gy;

/** What a path of `$`, `.key` and `[n]` leads to; undefined: nothing is there. Only what an object itself has. */
export function follow(path: string, root: Json): Json | undefined {
  let at: Json | undefined = root;
  STEP.lastIndex = 1;
  while (STEP.lastIndex < path.length) {
    const step = STEP.exec(path);
    if (step === null) return undefined;
    at = step[1] === undefined ? itemOf(at, Number(step[2])) : memberOf(at, step[1]);
    if (at === undefined) return undefined;
  }
  return at;
}

function itemOf(value: Json | undefined, index: number): Json | undefined {
  return Array.isArray(value) ? (value as readonly Json[])[index] : undefined;
}

function memberOf(value: Json | undefined, key: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The bindings with each path replaced by what it leads to in `scope`, at any depth. Errors: `validation_failed` for a path that leads nowhere.
 */
export function bind(value: Json, scope: JsonObject): Json {
  if (typeof value === "string") return bindText(value, scope);
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => bind(item, scope));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, bind(inner as Json, scope)]));
}

function bindText(text: string, scope: JsonObject): Json {
  if (text.startsWith("$$")) return text.slice(1);
  if (!text.startsWith("$.") && !text.startsWith("$[")) return text;
  const bound = follow(text, scope);
  if (bound === undefined) throw new GatewayError("validation_failed", `${text.slice(0, 200)} leads to nothing.`);
  return bound;
}

/**
 * `target` with `value` at the keys of `path`; objects on the way are made where there is nothing. Nothing that is given is changed. Errors: `validation_failed` where something else than an object is on the way.
 */
export function mergeAt(target: JsonObject, path: string, value: Json): JsonObject {
  const [key, ...rest] = path.split(".") as [string, ...string[]];
  if (rest.length === 0) return { ...target, [key]: value };
  const inner = Object.hasOwn(target, key) ? (target[key] as Json) : {};
  if (!isObject(inner)) throw new GatewayError("validation_failed", `There is something else than an object at "${key}" of the result.`);
  return { ...target, [key]: mergeAt(inner, rest.join("."), value) };
}

/** The result with what a rule adds; one that is no object stands beside it as `upstream`. */
export function mergeInto(response: Json, path: string, value: Json): JsonObject {
  return mergeAt(isObject(response) ? response : { upstream: response }, path, value);
}
