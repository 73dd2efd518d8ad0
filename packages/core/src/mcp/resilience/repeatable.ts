import type { Json, JsonObject } from "../../calls/index.js";
import type { ServerResilience } from "../../entities/index.js";
import { matchesAnyGlob } from "../../util/glob.js";
import { parseJson } from "../../util/json.js";
import type { ListEntry } from "../upstream/list-entries.js";

/** What the operator lets count: a tool that changes nothing, one that may be called twice with one effect, or one of which nothing is known. */
export type Nature = "read-only" | "idempotent" | "unknown";

/** A server's own word counts only where the operator trusts it (F66). */
export function natureOf(tool: ListEntry, rules: ServerResilience | undefined): Nature {
  if (rules === undefined) return "unknown";
  const hints = rules.trustAnnotations ? hintsOf(tool) : NO_HINTS;
  if (matchesAnyGlob(rules.readOnly ?? [], tool.name) || hints["readOnlyHint"] === true) return "read-only";
  return matchesAnyGlob(rules.idempotent ?? [], tool.name) || hints["idempotentHint"] === true ? "idempotent" : "unknown";
}

const NO_HINTS: JsonObject = {};
const kept = new WeakMap<ListEntry, JsonObject>();

function hintsOf(tool: ListEntry): JsonObject {
  let hints = kept.get(tool);
  if (hints === undefined) {
    const given = (parseJson(tool.raw) as JsonObject)["annotations"] as Json | undefined;
    hints = typeof given === "object" && given !== null && !Array.isArray(given) ? (given as JsonObject) : NO_HINTS;
    kept.set(tool, hints);
  }
  return hints;
}
