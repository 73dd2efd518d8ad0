import { dataKey, type DataKeyRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { insert, now, update, type Clock, type Crypto, type RecordStore, type Within } from "../ports/index.js";
import { fromBase64Url, toBase64Url } from "../util/encoding/base64url.js";

/** A key of 32 bytes and the name that it goes by. */
export interface NamedKey {
  readonly id: string;
  readonly bytes: Uint8Array;
}
/** The keys of a store, unwrapped. */
export interface OpenKeys {
  /** What keys for other purposes are derived from. */
  readonly root: Uint8Array;
  readonly active: NamedKey;
  /** Every data key by its id, the active one too. */
  readonly data: ReadonlyMap<string, Uint8Array>;
}
export interface KeyRingOptions {
  readonly store: RecordStore;
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** 32 bytes: what everything is wrapped with from now on. */
  readonly secret: Uint8Array;
  /** Those before it, the newest first: what they wrapped is wrapped anew at the next start. */
  readonly previous: readonly Uint8Array[];
}

const ROOT = "root";
const KEY_BYTES = 32;
const WITHIN_MS = 10_000;
const ATTEMPTS = 5;
const scope = { system: "the keys that stored secrets are sealed with" };
const encoder = new TextEncoder();

/**
 * Reads the store's keys, and makes them when there are none. Rows that an earlier secret wrapped are wrapped with the present one. Of N processes that start at once, all end with the same keys.
 * Errors: `misconfigured` when a row was wrapped with a secret that was not given, so that a wrong secret is heard of at the start; those of the store.
 */
export async function openKeys(o: KeyRingOptions): Promise<OpenKeys> {
  const { opened } = await opening(o);
  return openKeysOf(opened);
}

async function opening(o: KeyRingOptions): Promise<{ readonly opened: readonly Opened[] }> {
  const wrappers = [o.secret, ...o.previous].map((secret) => wrapperOf(o.crypto, secret));
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const within = { deadlineMs: o.clock.now() + WITHIN_MS };
    const rows = await readKeys(o.store, within);
    const missing = missingRows(rows, o, wrappers[0]!);
    if (missing.length > 0) {
      await o.store.commit([{ scope, writes: missing.map((row) => insert(dataKey, row, "skip")) }], within);
      continue; // another process may have been first: what stands is what counts
    }
    const opened = rows.map((row) => ({ row, bytes: unwrap(o.crypto, row, wrappers) }));
    await rewrap(o, { opened, wrapper: wrappers[0]! }, within);
    return { opened };
  }
  throw new GatewayError("conflict", "The store's keys were changed by another process each time they were to be read.");
}

/** Keys that are in no store and end with the process: for a gateway that was given no secret. `before`: a rotation, whose keys still open. */
export function processKeys(o: Pick<KeyRingOptions, "crypto" | "secret">, before?: OpenKeys): OpenKeys {
  const active = { id: `p${toBase64Url(o.crypto.random(6))}`, bytes: o.crypto.random(KEY_BYTES) };
  return { root: o.secret, active, data: new Map([...(before?.data ?? []), [active.id, active.bytes]]) };
}

/**
 * A key that is to seal after the present one; from now on it opens. Of N processes that ask at once all get the same one, and one that stands from a rotation that broke off is it.
 * Errors: those of the store.
 */
export async function addNextKey(o: KeyRingOptions): Promise<void> {
  const within = { deadlineMs: o.clock.now() + WITHIN_MS };
  const { opened } = await opening(o);
  if (opened.some(({ row }) => row.state === "next")) return;
  const active = opened.find(({ row }) => row.state === "active")!;
  // Named after the one before it: whoever is second finds it taken.
  const id = `k${toBase64Url(o.crypto.hmac(active.bytes, encoder.encode("successor")).slice(0, 6))}`;
  await o.store.commit(
    [{ scope, writes: [insert(dataKey, newRow(o, wrapperOf(o.crypto, o.secret), { id, state: "next" }), "skip")] }],
    within,
  );
}

/** How far the rotation of a store's keys is. */
export interface RotationState {
  /** The store's time, Unix ms. */
  readonly nowMs: number;
  readonly next: DataKeyRow | undefined;
  readonly active: readonly DataKeyRow[];
  readonly retired: readonly DataKeyRow[];
}
export async function rotationState(o: Pick<KeyRingOptions, "store" | "clock">): Promise<RotationState> {
  const within = { deadlineMs: o.clock.now() + WITHIN_MS };
  const nowMs = await o.store.now(within);
  const rows = await readKeys(o.store, within);
  const of = (state: DataKeyRow["state"]): DataKeyRow[] => rows.filter((row) => row.state === state);
  return { nowMs, next: of("next")[0], active: of("active"), retired: of("retired") };
}

/** The next key seals from now on, and the one before only opens. Of N processes one does it; the others find it done. */
export async function activateNextKey(o: Pick<KeyRingOptions, "store" | "clock">, { next, active }: RotationState): Promise<void> {
  if (next === undefined) return;
  const retire = active.map((row) =>
    update(dataKey, row.id, { change: { set: { state: "retired", retiredAtMs: now } }, ifVersion: row.version }),
  );
  const activate = update(dataKey, next.id, { change: { set: { state: "active" } }, ifVersion: next.version });
  await o.store.commit([{ scope, writes: [...retire, activate] }], { deadlineMs: o.clock.now() + WITHIN_MS });
}

/** Nothing is sealed with these any more. */
export async function spendKeys(o: Pick<KeyRingOptions, "store" | "clock">, rows: readonly DataKeyRow[]): Promise<void> {
  const units = rows.map((row) => ({
    scope,
    writes: [update(dataKey, row.id, { change: { set: { state: "spent" } }, ifVersion: row.version })],
  }));
  await o.store.commit(units, { deadlineMs: o.clock.now() + WITHIN_MS });
}

async function readKeys(store: RecordStore, within: Within): Promise<DataKeyRow[]> {
  const { rows } = await store.find(dataKey, { orderBy: "id", limit: 1_000 }, scope, within);
  return rows;
}

type NewRow = Omit<DataKeyRow, "version" | "createdAtMs" | "updatedAtMs">;

function missingRows(rows: readonly DataKeyRow[], o: KeyRingOptions, wrapper: NamedKey): NewRow[] {
  const missing: NewRow[] = [];
  if (!rows.some(({ state }) => state === "root"))
    // What a store's keys were derived from before it had this row.
    missing.push({
      id: ROOT,
      state: "root",
      ...wrap(o.crypto, { id: ROOT, bytes: o.previous.at(-1) ?? o.secret }, wrapper),
      retiredAtMs: null,
    });
  // The first has one id, so that of two processes one makes it.
  if (!rows.some(({ state }) => state === "active")) missing.push(newRow(o, wrapper, rows.length <= 1 ? { id: "k1" } : {}));
  return missing;
}

function newRow(o: KeyRingOptions, wrapper: NamedKey, of: { readonly id?: string; readonly state?: "next" }): NewRow {
  const id = of.id ?? `k${toBase64Url(o.crypto.random(6))}`;
  return { id, state: of.state ?? "active", ...wrap(o.crypto, { id, bytes: o.crypto.random(KEY_BYTES) }, wrapper), retiredAtMs: null };
}

/** The key that a secret wraps with. Source: HKDF (RFC 5869) as in access/purpose-keys.ts, a purpose of its own. */
function wrapperOf(crypto: Crypto, secret: Uint8Array): NamedKey {
  const extracted = crypto.hmac(encoder.encode("sallyport/v1"), secret);
  const bytes = crypto.hmac(extracted, encoder.encode("key-wrapping\x01"));
  return { bytes, id: toBase64Url(crypto.hmac(bytes, encoder.encode("id")).slice(0, 9)) };
}

function wrap(crypto: Crypto, key: NamedKey, wrapper: NamedKey): Pick<DataKeyRow, "wrapped" | "wrappedBy"> {
  return { wrapped: toBase64Url(crypto.seal(wrapper.bytes, key.bytes, aadOf(key.id, wrapper.id))), wrappedBy: wrapper.id };
}

function unwrap(crypto: Crypto, row: DataKeyRow, wrappers: readonly NamedKey[]): Uint8Array {
  const wrapper = wrappers.find(({ id }) => id === row.wrappedBy);
  if (wrapper === undefined)
    throw new GatewayError("misconfigured", "The store's keys were wrapped with another secret than the one that was given.", {
      hint: "Give the secret that this store was made with; to change it, give the old one too (SALLYPORT_PREVIOUS_SECRETS, or previousSecrets in code).",
    });
  const sealed = fromBase64Url(row.wrapped);
  const bytes = sealed === null ? null : crypto.open(wrapper.bytes, sealed, aadOf(row.id, wrapper.id));
  if (bytes === null || bytes.length !== KEY_BYTES)
    throw new GatewayError("state_corrupt", `The store's key ${row.id} does not open: it was changed.`, {
      hint: "Restore the table data_keys.",
    });
  return bytes;
}

function aadOf(id: string, wrapperId: string): Uint8Array {
  return encoder.encode(`data_keys|wrapped|${id}|${wrapperId}`);
}

interface Opened {
  readonly row: DataKeyRow;
  readonly bytes: Uint8Array;
}

async function rewrap(
  o: KeyRingOptions,
  found: { readonly opened: readonly Opened[]; readonly wrapper: NamedKey },
  within: Within,
): Promise<void> {
  const units = found.opened
    .filter(({ row }) => row.wrappedBy !== found.wrapper.id)
    .map(({ row, bytes }) => {
      const set = wrap(o.crypto, { id: row.id, bytes }, found.wrapper);
      return { scope, writes: [update(dataKey, row.id, { change: { set }, ifVersion: row.version })] };
    });
  // One that was refused, another process wraps at the same time.
  if (units.length > 0) await o.store.commit(units, within);
}

function openKeysOf(opened: readonly Opened[]): OpenKeys {
  const root = opened.find(({ row }) => row.state === "root")!;
  // Two that were made active at once both seal; either opens.
  const active = opened.find(({ row }) => row.state === "active")!;
  const data = opened.filter(({ row }) => row.state !== "root").map(({ row, bytes }) => [row.id, bytes] as const);
  return { root: root.bytes, active: { id: active.row.id, bytes: active.bytes }, data: new Map(data) };
}
