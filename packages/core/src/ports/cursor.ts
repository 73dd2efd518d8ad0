import { storedColumn, type AnyEntity } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { FindQuery } from "./record-store.js";

// A keyset cursor: where the page before ended, and which query it belongs to.

type Query = Omit<FindQuery<Record<string, unknown>>, "cursor">;
export interface Position {
  /** The value of the `orderBy` field in the last row seen, as it is kept. */
  readonly value: string | number | boolean | null;
  readonly id: string;
}

/** Keys in one order at every level: the same query gives the same text however it was written down. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, canonical(inner)]),
  );
}

/** FNV-1a of 32 bits: tells queries apart, guards nothing. */
function fingerprint(entity: AnyEntity, q: Query): string {
  const written = JSON.stringify([entity.name, canonical(q.where ?? {}), q.orderBy, q.desc === true]);
  let hash = 0x811c9dc5;
  for (let i = 0; i < written.length; i++) hash = Math.imul(hash ^ written.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(36);
}

const utf8 = new TextEncoder();

/** The cursor for what comes after this position in this query: base64url, opaque. */
export function encodeCursor(entity: AnyEntity, q: Query, position: Position): string {
  let binary = "";
  for (const byte of utf8.encode(JSON.stringify([fingerprint(entity, q), position.value, position.id])))
    binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function parse(cursor: string): unknown {
  try {
    const binary = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(binary, (char) => char.charCodeAt(0))));
  } catch {
    return null;
  }
}

function fits(entity: AnyEntity, name: string, value: unknown): value is Position["value"] {
  const column = storedColumn(entity, name);
  if (column === undefined) return false;
  if (value === null) return column.nullable;
  const { kind } = column.column;
  if (kind === "int") return Number.isSafeInteger(value);
  return typeof value === (kind === "bool" ? "boolean" : "string");
}

/** The place in the change log after which to go on. Errors: `bad_request` for what no `changes` has given. */
export function decodeChangesCursor(cursor: string): number {
  const place = /^\d{1,16}$/.test(cursor) ? Number(cursor) : Number.NaN;
  if (Number.isSafeInteger(place)) return place;
  throw new GatewayError("bad_request", "The cursor is not of the change log.", {
    hint: "Start again with null, and read everything once.",
  });
}

/** Errors: `bad_request` for a cursor that is damaged or of another query. */
export function decodeCursor(entity: AnyEntity, q: Query, cursor: string): Position {
  const parsed = parse(cursor);
  if (Array.isArray(parsed) && parsed.length === 3) {
    const [mark, value, id] = parsed as unknown[];
    if (mark === fingerprint(entity, q) && typeof id === "string" && fits(entity, q.orderBy, value)) return { value, id };
  }
  throw new GatewayError("bad_request", "The cursor is not of this list.", {
    hint: "Start again without a cursor, and give the filters and the order that the first page had.",
  });
}
