import { isObject } from "../../../util/json.js";
import { utf8 } from "../../../util/json.js";
import { rawJsonAt } from "../../shared/raw-json.js";

/** JSON texts of parts by the place of the content and of the part in it: `0.2`. */
export interface PartTexts {
  readonly args: ReadonlyMap<string, string>;
  readonly responses: ReadonlyMap<string, string>;
}
const none: ReadonlyMap<string, string> = new Map();
const decoder = new TextDecoder();

/**
 * The arguments and results of functions as they stand in the bytes, without white space: as text they keep the digits of big numbers and the order of keys.
 */
export function partTexts(bytes: Uint8Array, root: "contents" | "candidates"): PartTexts {
  const text = decoder.decode(bytes);
  const path = root === "contents" ? ["contents", "*", "parts", "*"] : ["candidates", "*", "content", "parts", "*"];
  const at = (names: readonly string[], key: string): ReadonlyMap<string, string> => {
    const found = names.filter((name) => text.includes(name)).map((name) => rawJsonAt(bytes, [...path, name, key]));
    return found.length === 0 ? none : new Map(found.flatMap((map) => [...map]).map(([place, json]) => [place, compactJson(json)]));
  };
  return { args: at(["functionCall", "function_call"], "args"), responses: at(["functionResponse", "function_response"], "response") };
}

/** The member of an object's JSON text, as text. */
export function memberText(objectText: string, key: string): string | undefined {
  return rawJsonAt(utf8(objectText), [key]).get("");
}

/** JSON text without the white space between its values: vendors print their answers in lines. */
function compactJson(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_all, string: string | undefined) => string ?? "");
}

/** Whether a text is a whole JSON object. */
export function isObjectText(text: string): boolean {
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}
