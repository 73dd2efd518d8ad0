import type { Json, JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Operation, Slot } from "./operations.js";

/** What is sent, beside the headers of the server. */
export interface BuiltRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | null;
}

/**
 * The request of one call: each argument goes into exactly its own slot, encoded for it, and nothing else goes anywhere (T20).
 * Errors: `validation_failed` naming the argument that is missing, unknown, of a wrong kind, or has control characters where none may stand.
 */
export function buildRequest(operation: Operation, args: JsonObject, base: string): BuiltRequest {
  refuseUnknown(operation, args);
  const query: string[] = [];
  const headers: (readonly [string, string])[] = [];
  let { path } = operation;
  for (const slot of operation.slots) {
    const value = args[slot.argument];
    if (value === undefined || value === null) {
      if (slot.required) throw refused(slot.argument, "is missing");
      continue;
    }
    if (slot.in === "path") path = path.replaceAll(`{${slot.name}}`, () => pathText(slot, value));
    else if (slot.in === "query") query.push(...queryPairs(slot, value));
    else headers.push([slot.name.toLowerCase(), headerText(slot, value)]);
  }
  const body = bodyOf(operation, args["body"]);
  if (body !== null) headers.push(["content-type", operation.body!.contentType]);
  const search = query.length === 0 ? "" : `?${query.join("&")}`;
  return { method: operation.method, url: `${base.replace(/\/+$/, "")}${path}${search}`, headers, body };
}

function refuseUnknown({ slots, body }: Operation, args: JsonObject): void {
  for (const name of Object.keys(args)) {
    if (slots.some(({ argument }) => argument === name) || (name === "body" && body !== null)) continue;
    throw refused(name, "is no argument of this tool");
  }
}

function refused(name: string, what: string): GatewayError {
  return new GatewayError("validation_failed", `${name.slice(0, 100)}: ${what}.`, { details: { field: name.slice(0, 100) } });
}

/** A value without parts as text. Errors: `validation_failed`. */
function plain(slot: Slot, value: Json): string {
  if (typeof value === "object" && value !== null) throw refused(slot.argument, "is a list or an object where a single value goes");
  const text = String(value);
  // eslint-disable-next-line no-control-regex -- these are what must not pass
  if (/[\u0000-\u001f\u007f]/.test(text)) throw refused(slot.argument, "has control characters");
  return text;
}

function pathText(slot: Slot, value: Json): string {
  const parts = Array.isArray(value) ? value.map((one) => plain(slot, one)) : [plain(slot, value)];
  const text = parts.map(encode).join(",");
  // A dot segment would lead to another path than the operation's.
  if (text === "" || text === "." || text === "..") throw refused(slot.argument, "is nothing that can stand in a path");
  return text;
}

function queryPairs(slot: Slot, value: Json): string[] {
  const name = encode(slot.name);
  if (Array.isArray(value)) {
    const texts = value.map((one) => encode(plain(slot, one)));
    if (slot.explode) return texts.map((text) => `${name}=${text}`);
    const separator = slot.style === "spaceDelimited" ? "%20" : slot.style === "pipeDelimited" ? "%7C" : ",";
    return texts.length === 0 ? [] : [`${name}=${texts.join(separator)}`];
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, one]) => one !== null);
    const text = (one: Json): string => encode(plain(slot, one));
    if (slot.style === "deepObject") return entries.map(([key, one]) => `${name}%5B${encode(key)}%5D=${text(one)}`);
    if (slot.explode) return entries.map(([key, one]) => `${encode(key)}=${text(one)}`);
    return [`${name}=${entries.flatMap(([key, one]) => [encode(key), text(one)]).join(",")}`];
  }
  return [`${name}=${encode(plain(slot, value))}`];
}

function headerText(slot: Slot, value: Json): string {
  const text = Array.isArray(value) ? value.map((one) => plain(slot, one)).join(",") : plain(slot, value);
  if (!/^[\x20-\x7e]*$/.test(text)) throw refused(slot.argument, "has characters that no header can carry");
  return text.trim();
}

/** Percent-encoded for any slot of an address: only letters, digits and `-_.~` stand as they are. Errors: `validation_failed` for a lone surrogate. */
function encode(text: string): string {
  try {
    return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  } catch (cause) {
    throw new GatewayError("validation_failed", "An argument is not well-formed text.", { cause });
  }
}

function bodyOf({ body }: Operation, value: Json | undefined): Uint8Array | null {
  if (body === null) return null;
  if (value === undefined) {
    if (body.required) throw refused("body", "is missing");
    return null;
  }
  const encoder = new TextEncoder();
  if (body.kind === "json") return encoder.encode(JSON.stringify(value));
  if (body.kind === "text") {
    if (typeof value !== "string") throw refused("body", "is not text");
    return encoder.encode(value);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refused("body", "is not an object");
  const form = new URLSearchParams();
  for (const [key, one] of Object.entries(value))
    for (const part of Array.isArray(one) ? one : [one])
      if (part !== null) form.append(key, typeof part === "object" ? JSON.stringify(part) : String(part));
  return encoder.encode(form.toString());
}
