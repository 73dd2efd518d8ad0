import type { ModelHead, ProtocolId } from "../../calls/index.js";
import type { CacheRules, RouteRules } from "../../entities/index.js";
import type { Crypto } from "../../ports/index.js";
import { fromUtf8 } from "../../util/json.js";
import { canonicalJson } from "../../util/payload-hash.js";
import type { OpenCall } from "../step.js";
import { canonicalText } from "./canonical-text.js";

/** Another version's answers are not read. */
export const CACHE_VERSION = 1;
/** They say how the answer is to be sent, not what it is to be. */
const TRANSPORT: ReadonlySet<string> = new Set(["stream", "stream_options"]);

const encoder = new TextEncoder();

/** The address of an answer. */
export interface CacheKey {
  /** SHA-256 of all that may change the answer, in hex, whole. */
  readonly key: string;
  /** Whose answers these are: a list of the project, and where keys are kept apart of kind and id of the caller. Part of the key, and of what is kept under it. */
  readonly scope: string;
  /** What the answer was asked in; `neutral`: from code. */
  readonly dialect: ProtocolId | "neutral";
}

type Asked = Pick<OpenCall<ModelHead>, "head" | "caller" | "wire" | "isReplaced" | "content">;

/** Errors: a SyntaxError for a body that is no JSON. */
export function cacheKey(call: Asked, rules: RouteRules & { readonly cache: CacheRules }, crypto: Pick<Crypto, "sha256">): CacheKey {
  const { head, caller, wire } = call;
  const scope = scopeOf(caller, rules.cache.scope);
  const isWire = wire !== null && !call.isReplaced;
  const dialect = wire === null ? "neutral" : wire.protocol;
  const parts = [
    `sallyport response cache ${CACHE_VERSION}`,
    scope,
    dialect,
    head.operation,
    head.name,
    // What the route says: another target, another answer.
    rulesText(rules),
    isWire ? "as sent" : "as replaced",
    isWire ? (wire.path?.model ?? "") : "",
    isWire ? canonicalJson([...(wire.headers ?? [])].sort(byName)) : "",
    isWire ? canonicalText(fromUtf8(wire.bytes), TRANSPORT) : canonicalJson(call.content()),
  ];
  return { key: hex(crypto.sha256(encoder.encode(JSON.stringify(parts)))), scope, dialect };
}

/** Rules are made once and used by many calls. */
function rulesText(rules: RouteRules): string {
  let text = texts.get(rules);
  if (text === undefined) texts.set(rules, (text = canonicalJson(rules)));
  return text;
}
const texts = new WeakMap<RouteRules, string>();

function scopeOf(caller: Asked["caller"], by: CacheRules["scope"]): string {
  const project = caller.projects[0];
  return JSON.stringify(
    by === "project" ? [project] : [project, caller.keyId === undefined ? caller.kind : "key", caller.keyId ?? caller.id],
  );
}

function byName(a: readonly [string, string], b: readonly [string, string]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
