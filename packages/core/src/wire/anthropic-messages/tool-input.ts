import { isObject } from "../../util/json.js";
import { RawJson } from "../shared/raw-json.js";

/**
 * The input of a call, which has to be an object here: the JSON text as the model wrote it. What is none stands as a text in an object, under the name that the vendor
 * gives it (https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming).
 */
export function toolInput(text: string): { readonly input: RawJson; readonly valid: boolean } {
  if (text.trim() === "") return { input: new RawJson("{}"), valid: true };
  if (isJsonObject(text)) return { input: new RawJson(text), valid: true };
  return { input: new RawJson(JSON.stringify({ INVALID_JSON: text })), valid: false };
}

/** Whether a text is a whole JSON object: no proper prefix of one is one. */
export function isJsonObject(text: string): boolean {
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}
