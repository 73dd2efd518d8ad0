import { isObject } from "../../util/json.js";

/**
 * What a merge-patch makes of a value: objects are merged name by name, null takes away, everything else replaces. Neither argument is changed.
 * Source: RFC 7396 §2
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}
