import { isObject } from "../../../util/json.js";

/** Deeper than any call that means something; what is deeper is not seen. */
const MAX_DEPTH = 100;
/** What only a vendor can open. */
const SEALED = new Set(["encrypted_content", "signature", "thoughtSignature", "thought_signature"]);
/** Bytes, not text. */
const BASE64_URL = /^data:[\w.+-]+\/[\w.+-]+(?:;[\w=.-]+)*;base64,[A-Za-z0-9+/=\s]*$/;

/** Reads a text and gives what stands in its place: the same one, when nothing is to change. */
export type VisitText = (text: string) => string;

/** A JSON value with every text and name in it visited, in a fixed order; the value itself when none changed. `onDeep` is called for what is nested too deeply to be visited. */
export function mapJson<T>(value: T, visit: VisitText, onDeep: () => void): T {
  return map(value, 0) as T;

  function map(inner: unknown, depth: number): unknown {
    if (typeof inner === "string") return isBytes(inner) ? inner : visit(inner);
    if (typeof inner !== "object" || inner === null) return inner;
    if (depth >= MAX_DEPTH) {
      onDeep();
      return inner;
    }
    if (Array.isArray(inner)) {
      const items = inner.map((item) => map(item, depth + 1));
      return items.some((item, i) => item !== inner[i]) ? items : inner;
    }
    if (!isObject(inner)) return inner;
    const entries = Object.entries(inner);
    const mapped = entries.map(([name, item]) => [visit(name), SEALED.has(name) ? item : map(item, depth + 1)] as const);
    return mapped.some(([name, item], i) => name !== entries[i]![0] || item !== entries[i]![1]) ? Object.fromEntries(mapped) : inner;
  }
}

function isBytes(text: string): boolean {
  return text.startsWith("data:") && BASE64_URL.test(text);
}
