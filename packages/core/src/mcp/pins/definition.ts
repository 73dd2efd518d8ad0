import type { Json, JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { toHex } from "../../util/encoding/hex.js";
import { parseCallerJson } from "../../util/json-checks/caller-json.js";
import { canonicalJson } from "../../util/payload-hash.js";
import { folded } from "../frames/message.js";
import type { Sha256 } from "../shape/outer-names.js";
import type { ListEntry } from "../upstream/list-entries.js";

/** A tool as its server shows it now. */
export interface SeenTool {
  readonly pinId: string;
  readonly tool: string;
  readonly digest: string;
  /** Canonical JSON. */
  readonly text: () => string;
}

/** What a model, or whoever approves, is told of a tool. */
const SAID: ReadonlySet<string> = new Set(["name", "title", "description", "inputSchema", "outputSchema", "annotations"].map(folded));
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * The definition as it is pinned: canonical JSON of what is said to models and people, under keys in any case; icons and `_meta` may change as they like. One that says a key twice is read in one way here, and perhaps in another by a client:
 * it is pinned to the letter.
 */
export function pinnedText({ raw }: ListEntry): string {
  const whole = parseOnce(raw);
  if (whole === null) return JSON.stringify(decoder.decode(raw));
  return canonicalJson(Object.fromEntries(Object.entries(whole).filter(([key]) => SAID.has(folded(key)))));
}

/** null: it says a key twice. */
function parseOnce(raw: Uint8Array): JsonObject | null {
  try {
    return parseCallerJson(raw) as JsonObject;
  } catch (error) {
    if (GatewayError.is(error, "validation_failed")) return null;
    throw error;
  }
}

/** SHA-256 in hex. */
export function digestOf(text: string, sha256: Sha256): string {
  return toHex(sha256(encoder.encode(text)));
}

export interface Difference {
  /** JSON Pointer (RFC 6901). */
  readonly path: string;
  /** Left out: it was not there. */
  readonly before?: Json;
  /** Left out: it is not there any more. */
  readonly after?: Json;
}

const MOST = 500;

/** What differs between two values, each difference as deep as it goes; where there are more than 500, the two as one: nothing that a person decides on is left out. */
export function differences(before: Json | undefined, after: Json | undefined): Difference[] {
  const found: Difference[] = [];
  compare({ before, after, path: "" }, found);
  return found.length <= MOST ? found : [{ path: "", ...said(before, after) }];
}

function compare(
  at: { readonly before: Json | undefined; readonly after: Json | undefined; readonly path: string },
  found: Difference[],
): void {
  const { before, after, path } = at;
  if (found.length > MOST || canonicalJson(before) === canonicalJson(after)) return;
  if (!isContainer(before) || !isContainer(after) || Array.isArray(before) !== Array.isArray(after)) {
    found.push({ path, ...said(before, after) });
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)]).values())
    compare(
      { before: own(before, key), after: own(after, key), path: `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}` },
      found,
    );
}

function said(before: Json | undefined, after: Json | undefined): Omit<Difference, "path"> {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

function own(value: object, key: string): Json | undefined {
  return Object.hasOwn(value, key) ? (value as Readonly<Record<string, Json>>)[key] : undefined;
}

function isContainer(value: Json | undefined): value is JsonObject | Json[] {
  return typeof value === "object" && value !== null;
}
