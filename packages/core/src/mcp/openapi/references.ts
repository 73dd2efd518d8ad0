import type { JsonObject } from "../../calls/index.js";

/** References that lead to references: more are a circle. */
const MAX_STEPS = 32;

/** Follows references within a document, by JSON pointers. Nothing else is ever read (T18). */
export class References {
  constructor(readonly document: JsonObject) {}

  /** The object that stands there, or that it refers to; null: none of the kind, a circle, or somewhere else. */
  object(value: unknown): JsonObject | null {
    let found = value;
    for (let step = 0; step < MAX_STEPS; step++) {
      if (typeof found !== "object" || found === null || Array.isArray(found)) return null;
      const { $ref } = found as { readonly $ref?: unknown };
      if ($ref === undefined) return found as JsonObject;
      if (typeof $ref !== "string") return null;
      found = this.at($ref);
    }
    return null;
  }

  /** What stands at `#/a/b`; undefined for nothing, and for what is not within the document. Source: RFC 6901. */
  at(reference: string): unknown {
    if (!reference.startsWith("#/")) return undefined;
    let found: unknown = this.document;
    for (const part of reference.slice(2).split("/")) {
      const key = decoded(part);
      if (typeof found !== "object" || found === null || key === null || !Object.hasOwn(found, key)) return undefined;
      found = (found as Readonly<Record<string, unknown>>)[key];
    }
    return found;
  }
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return null;
  }
}
