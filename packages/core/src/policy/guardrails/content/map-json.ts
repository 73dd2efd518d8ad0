import type { ProtocolId } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";

/** Deeper than any call that means something; what is deeper is not seen. */
const MAX_DEPTH = 100;
/** Bytes, not text. */
const BASE64_URL = /^data:[\w.+-]+\/[\w.+-]+(?:;[\w=.-]+)*;base64,[A-Za-z0-9+/=\s]*$/;

export interface JsonVisitor {
  /** Reads a text and gives what stands in its place: the same one, when nothing is to change. */
  text(text: string): string;
  /** Something that is not visited: what is nested too deeply, and bytes. */
  unseen(what: string): void;
  /** Members that are left alone where they are strings: what only a vendor can open, in items of its own. */
  readonly sealed?: ReadonlySet<string> | undefined;
  /** A text that looks like bytes is read as the text that it is: for what a model is told word by word. */
  readonly isProse?: boolean | undefined;
}

/** A JSON value with every text and name in it visited, in a fixed order; the value itself when none changed. */
export function mapJson<T>(value: T, visitor: JsonVisitor): T {
  const { sealed, isProse = false } = visitor;
  return map(value, 0) as T;

  function map(inner: unknown, depth: number): unknown {
    if (typeof inner === "string") return mapText(inner);
    if (typeof inner !== "object" || inner === null) return inner;
    if (depth >= MAX_DEPTH) {
      visitor.unseen("a value that is nested too deeply");
      return inner;
    }
    if (Array.isArray(inner)) {
      const items = inner.map((item) => map(item, depth + 1));
      return items.some((item, i) => item !== inner[i]) ? items : inner;
    }
    if (!isObject(inner)) return inner;
    const entries = Object.entries(inner);
    const mapped = entries.map(([name, item]) => {
      const isSealed = typeof item === "string" && sealed?.has(name) === true;
      return [visitor.text(name), isSealed ? item : map(item, depth + 1)] as const;
    });
    return mapped.some(([name, item], i) => name !== entries[i]![0] || item !== entries[i]![1]) ? Object.fromEntries(mapped) : inner;
  }

  function mapText(text: string): string {
    if (isProse || !isBytes(text)) return visitor.text(text);
    visitor.unseen("a value of bytes");
    return text;
  }
}

/** What only its vendor can open, in items of its protocol. */
export function sealedIn(protocol: ProtocolId): ReadonlySet<string> | undefined {
  return SEALED[protocol];
}
const SEALED: Partial<Record<ProtocolId, ReadonlySet<string>>> = {
  "openai-responses": new Set(["encrypted_content"]),
  "anthropic-messages": new Set(["encrypted_content", "signature"]),
  "google-genai": new Set(["thoughtSignature", "thought_signature"]),
};

function isBytes(text: string): boolean {
  return text.startsWith("data:") && BASE64_URL.test(text);
}
