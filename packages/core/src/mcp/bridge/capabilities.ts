import type { Json, JsonObject } from "../../calls/index.js";
import { isObject } from "../../util/json.js";
import type { ClientCapabilities, Question } from "./question.js";

/** The tasks extension of 2026-07-28. */
export const TASKS = "io.modelcontextprotocol/tasks";

/** What this gateway says that it can be asked, when it greets a server up to 2025-11-25: it passes questions on to whoever calls, and refuses those that a caller cannot answer. */
export const BRIDGED = { sampling: { tools: {}, context: {} }, elicitation: { form: {}, url: {} }, roots: {} } as const;

/**
 * What of a client's capabilities holds for the server behind us: those whose questions we pass on. A client that declared an empty `elicitation` takes forms, as before there were others.
 */
export function bridgeable(declared: ClientCapabilities): ClientCapabilities {
  const out: Record<string, Json> = {};
  const { sampling, elicitation, roots, extensions } = declared;
  if (isObject(sampling)) out["sampling"] = pick(sampling as JsonObject, ["tools", "context"]);
  if (isObject(elicitation)) {
    const modes = pick(elicitation as JsonObject, ["form", "url"]);
    out["elicitation"] = Object.keys(modes).length === 0 ? { form: {} } : modes;
  }
  if (isObject(roots)) out["roots"] = {};
  if (isObject(extensions) && isObject((extensions as JsonObject)[TASKS])) out["extensions"] = { [TASKS]: {} };
  return out;
}

/** What a client would have had to declare to be asked this, in the shape of capabilities; null: it declared it. Takes what `bridgeable` gives. */
export function missingFor(question: Question, declared: ClientCapabilities): JsonObject | null {
  switch (question.method) {
    case "roots/list":
      return isObject(declared["roots"]) ? null : { roots: {} };
    case "elicitation/create": {
      const mode = modeOf(question);
      return isObject((declared["elicitation"] as JsonObject | undefined)?.[mode]) ? null : { elicitation: { [mode]: {} } };
    }
    case "sampling/createMessage": {
      const sampling = declared["sampling"];
      if (!isObject(sampling)) return { sampling: wantsTools(question) ? { tools: {} } : {} };
      return wantsTools(question) && !isObject((sampling as JsonObject)["tools"]) ? { sampling: { tools: {} } } : null;
    }
  }
}

export function takesTasks(declared: ClientCapabilities): boolean {
  return isObject((declared["extensions"] as JsonObject | undefined)?.[TASKS]);
}

/** Whether there is anything that such a client can be asked. */
export function canBeAsked(declared: ClientCapabilities): boolean {
  return ["sampling", "elicitation", "roots"].some((kind) => isObject(declared[kind]));
}

export function paramsOf(question: Question): JsonObject {
  return question.params === null ? {} : (JSON.parse(question.params) as JsonObject);
}

function modeOf(question: Question): "form" | "url" {
  return paramsOf(question)["mode"] === "url" ? "url" : "form";
}
function wantsTools(question: Question): boolean {
  const params = paramsOf(question);
  return params["tools"] !== undefined || params["toolChoice"] !== undefined;
}
function pick(object: JsonObject, keys: readonly string[]): Record<string, Json> {
  return Object.fromEntries(keys.flatMap((key) => (isObject(object[key]) ? [[key, {}]] : [])));
}
