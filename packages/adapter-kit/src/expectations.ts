import assert from "node:assert/strict";
import { GatewayError, type ErrorCode, type RecordStore, type Unit, type UnitResult, type Within } from "@sallyport/core/ports";

/** Long enough for a loaded machine; a case that waits this long has failed. */
export function soon(): Within {
  return { deadlineMs: Date.now() + 15_000 };
}

export async function rejectsWith(code: ErrorCode, call: () => Promise<unknown>): Promise<GatewayError> {
  try {
    await call();
  } catch (error) {
    if (GatewayError.is(error, code)) return error;
    throw error;
  }
  assert.fail(`expected ${code}, but the call succeeded`);
}

export type Accepted = Extract<UnitResult, { ok: true }>;
export type Refused = Extract<UnitResult, { ok: false }>;

/** Commits one unit that must be accepted. */
export async function accepted(store: RecordStore, unit: Unit): Promise<Accepted> {
  const [result] = await store.commit([unit], soon());
  assert.ok(result?.ok === true, `expected the unit to be accepted, was ${JSON.stringify(result)}`);
  return result;
}

/** Commits one unit that must be refused. */
export async function refused(store: RecordStore, unit: Unit): Promise<Refused> {
  const [result] = await store.commit([unit], soon());
  assert.ok(result?.ok === false, `expected the unit to be refused, was ${JSON.stringify(result)}`);
  return result;
}

/** Commits all at once, each in a call of its own. */
export async function race(stores: readonly RecordStore[], units: readonly Unit[]): Promise<UnitResult[]> {
  const results = await Promise.all(units.map((unit, i) => (stores[i % stores.length] as RecordStore).commit([unit], soon())));
  return results.map((result) => result[0] as UnitResult);
}
