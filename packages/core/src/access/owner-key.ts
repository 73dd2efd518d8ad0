import { DEFAULT_PROJECT } from "../calls/index.js";
import { gatewayKey, plainKey, type GatewayKeyRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { insert, update, type Clock, type Crypto, type RecordStore, type UnitResult, type Write } from "../ports/index.js";
import type { Secret } from "../util/secret.js";
import { keyDigest } from "./key-digest.js";
import type { LateKey } from "./purpose-keys.js";
import { templateIn } from "./placeholders.js";

/** There is one owner, so its row has one id: of two processes that start at once, one makes the key. */
export const OWNER_KEY_ID = "key_owner";
const MIN_LENGTH = 32;
const scope = { system: "start-up: the owner's key" };
const WITHIN_MS = 10_000;
const ATTEMPTS = 5;

export interface OwnerKeyOptions {
  /** The purpose key `gateway-keys`. */
  readonly pepper: LateKey;
  /** As the operator gave it. */
  readonly ownerKey?: Secret | string | undefined;
}

/**
 * The owner has a key when this resolves. Given a key, that one: another that was stored is replaced, and stops being valid. Given none, the stored one stays; when there is
 * none, one is made and returned as `shownOnce`: nobody can read it again. Only a keyed digest is stored.
 * Concurrency: of N processes starting on one store, exactly one gets `shownOnce`.
 * Errors: `invalid_config` when the given key is refused; those of the store.
 */
export async function ensureOwnerKey(
  services: { readonly store: RecordStore; readonly crypto: Crypto; readonly clock: Clock },
  options: OwnerKeyOptions,
): Promise<{ readonly shownOnce?: string }> {
  const given = typeof options.ownerKey === "object" ? options.ownerKey.reveal() : options.ownerKey;
  if (given !== undefined) refuseWeakOwnerKey(given);
  const { store, clock } = services;
  const toDigest = keyDigest(services.crypto, options.pepper);
  const within = { deadlineMs: clock.now() + WITHIN_MS };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = await store.get(gatewayKey, OWNER_KEY_ID, scope, within);
    if (stored !== null && (given === undefined || stored.digest === toDigest(given))) return {};
    const key = given ?? makeKey(services.crypto);
    const write =
      stored === null
        ? insert(gatewayKey, ownerRow(toDigest(key)))
        : update(gatewayKey, OWNER_KEY_ID, { change: { set: { digest: toDigest(key), enabled: true } }, ifVersion: stored.version });
    const result = await commitOne(store, write, within);
    if (result.ok) return given === undefined ? { shownOnce: key } : {};
    if (result.why === "taken" && result.current !== null && result.current["id"] !== OWNER_KEY_ID)
      throw new GatewayError("invalid_config", "The owner key is refused: it is the key of somebody else already.", { hint: HOW_TO });
  }
  throw new GatewayError("conflict", "The owner key was changed by another process each time it was to be stored.", {
    hint: "Start one process first, with the key that all of them shall have.",
  });
}

const HOW_TO = "Make one with `openssl rand -base64 32`, or leave it out: one is made and shown once.";

/** Errors: `invalid_config` for a key that is too short, does not fit in a header, or that a template left there; any other 32 printable characters are taken. The message never shows it. */
export function refuseWeakOwnerKey(key: string): void {
  const weakness = weaknessOf(key);
  if (weakness === null) return;
  throw new GatewayError("invalid_config", `The owner key (SALLYPORT_OWNER_KEY, or ownerKey in code) is refused: ${weakness}.`, {
    hint: HOW_TO,
  });
}

function weaknessOf(key: string): string | null {
  if (key.length < MIN_LENGTH) return `it has ${key.length} characters, at least ${MIN_LENGTH} are needed`;
  if (!/^[\x20-\x7e]*$/.test(key)) return "it holds a character that is not printable ASCII, and cannot be sent in a header";
  if (key.trim() !== key) return "it begins or ends with a space, which a header does not keep";
  return templateIn(key);
}

/** 192 random bits. */
function makeKey(crypto: Crypto): string {
  const text = String.fromCharCode(...crypto.random(24));
  return `sallyport_owner_${btoa(text).replaceAll("+", "-").replaceAll("/", "_")}`;
}

function ownerRow(digest: string): Omit<GatewayKeyRow, "version" | "createdAtMs" | "updatedAtMs"> {
  return {
    ...plainKey,
    id: OWNER_KEY_ID,
    name: "owner",
    kind: "owner",
    digest,
    projectId: DEFAULT_PROJECT,
    scopes: ["*"],
  };
}

async function commitOne(store: RecordStore, write: Write, within: { readonly deadlineMs: number }): Promise<UnitResult> {
  const [result] = await store.commit([{ scope, writes: [write] }], within);
  if (result === undefined) throw new GatewayError("internal", "The store answered no result for a unit.");
  return result;
}
