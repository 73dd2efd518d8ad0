import type { JsonObject } from "../../../calls/index.js";
import { isObject, parseJsonText } from "../../../util/json.js";
import { fromBase64, toBase64 } from "./base64.js";
import type { CallVisitor, Place } from "./map-call.js";
import { mapJson } from "./map-json.js";

const RESULTS = { stage: "results", group: 0 } as const;
const TEXT_TYPE = /^(?:text\/|application\/(?:json|xml|yaml)\b)|\+(?:json|xml)\b/;

/**
 * The result of a tool, of a resource or of a prompt in MCP with every text visited: text blocks, embedded resources, structured content, links and fields that nobody knows. Pictures and
 * sound are not seen. The result itself when nothing changed.
 */
export function mapResult(raw: JsonObject, visitor: CallVisitor): JsonObject {
  const entries = Object.entries(raw);
  const mapped = entries.map(([name, value]) => {
    if (name === "structuredContent") return [name, structured(value, visitor)] as const;
    return [name, name === "_meta" ? value : walk(value, visitor, 0)] as const;
  });
  return mapped.some(([, value], i) => value !== entries[i]![1]) ? (Object.fromEntries(mapped) as JsonObject) : raw;
}

/** As the JSON that it is: who judges texts is given it whole. */
function structured(value: unknown, visitor: CallVisitor): unknown {
  const json = JSON.stringify(value) ?? "null";
  const said = visitor.text(json, { kind: "json", ...RESULTS });
  return said === json ? value : parseJsonText(said);
}

function walk(value: unknown, visitor: CallVisitor, depth: number): unknown {
  if (Array.isArray(value) && depth < 8) {
    const items = value.map((item) => walk(item, visitor, depth + 1));
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  if (!isObject(value) || depth >= 8) return aside(value, visitor);
  const type = value["type"];
  if ((type === "image" || type === "audio") && typeof value["data"] === "string") {
    visitor.unseen(`a block of type ${type}`, "results");
    return value;
  }
  const entries = Object.entries(value);
  const mapped = entries.map(([name, inner]) => {
    if (name === "text" && typeof inner === "string") return [name, say(inner, visitor)] as const;
    if (name === "blob" && typeof inner === "string") return [name, blob(inner, value["mimeType"], visitor)] as const;
    return [name, walk(inner, visitor, depth + 1)] as const;
  });
  return mapped.some(([, inner], i) => inner !== entries[i]![1]) ? Object.fromEntries(mapped) : value;
}

function say(text: string, visitor: CallVisitor): string {
  return text === "" ? text : visitor.text(text, { kind: "text", ...RESULTS });
}

function blob(data: string, type: unknown, visitor: CallVisitor): string {
  const text = typeof type === "string" && TEXT_TYPE.test(type) ? fromBase64(data) : null;
  if (text === null) {
    visitor.unseen("a resource of bytes", "results");
    return data;
  }
  const said = say(text, visitor);
  return said === text ? data : toBase64(said);
}

function aside(value: unknown, visitor: CallVisitor): unknown {
  const place: Place = { kind: "aside", ...RESULTS };
  return mapJson(value, {
    text: (text) => (text === "" ? text : visitor.text(text, place)),
    unseen: (what) => visitor.unseen(what, "results"),
  });
}
