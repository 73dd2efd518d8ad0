import assert from "node:assert/strict";
import type { Cache, Within } from "@sallyport/core/ports";
import { registerCases, type Case, type Make, type TestFunction } from "../contract.js";
import { rejectsWith } from "../expectations.js";
import { casesOf, repeat, type Time } from "./subject.js";

/** A cache that holds nothing yet. */
export interface CacheSubject extends Time {
  readonly cache: Cache;
}

const within = (time: Time): Within => ({ deadlineMs: time.now() + 15_000 });
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const plain = (value: Uint8Array | null): number[] | null => (value === null ? null : [...value]);
const soon = (time: Time): { expiresAtMs: number } => ({ expiresAtMs: time.now() + 1000 });

const basic = casesOf<CacheSubject>("basic", {
  "a value reads back byte by byte, an empty one too": async (s) => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    for (const value of [all, bytes()]) {
      await s.cache.set("k", value, soon(s), within(s));
      assert.deepEqual(plain(await s.cache.get("k", within(s))), [...value]);
    }
  },
  "what is not there is null": async (s) => {
    assert.equal(await s.cache.get("nobody", within(s)), null);
  },
  "a value given and a value taken share nothing with the cache": async (s) => {
    const value = bytes(1, 2);
    await s.cache.set("k", value, soon(s), within(s));
    value[0] = 9;
    const read = await s.cache.get("k", within(s));
    assert.deepEqual(plain(read), [1, 2]);
    if (read !== null) read[1] = 9;
    assert.deepEqual(plain(await s.cache.get("k", within(s))), [1, 2]);
  },
  "remove says whether there was something, and with a value only removes that": async (s) => {
    await s.cache.set("k", bytes(1, 2), soon(s), within(s));
    for (const other of [bytes(1), bytes(1, 2, 3), bytes(2, 1), bytes()]) assert.equal(await s.cache.remove("k", other, within(s)), false);
    assert.deepEqual(plain(await s.cache.get("k", within(s))), [1, 2]);
    assert.equal(await s.cache.remove("k", bytes(1, 2), within(s)), true);
    assert.equal(await s.cache.get("k", within(s)), null);
    assert.equal(await s.cache.remove("k", null, within(s)), false);
    await s.cache.set("k", bytes(1), soon(s), within(s));
    assert.equal(await s.cache.remove("k", null, within(s)), true);
  },
  "a deadline that has passed is said so": async (s) => {
    const late = { deadlineMs: s.now() - 1 };
    await rejectsWith("deadline_exceeded", () => s.cache.get("k", late));
    await rejectsWith("deadline_exceeded", () => s.cache.set("k", bytes(1), soon(s), late));
    await rejectsWith("deadline_exceeded", () => s.cache.add("k", bytes(1), soon(s), late));
    await rejectsWith("deadline_exceeded", () => s.cache.remove("k", null, late));
  },
});

const expiry = casesOf<CacheSubject>("expiry", {
  "a value is never read past its expiry": async (s) => {
    await s.cache.set("k", bytes(1), { expiresAtMs: s.now() + 500 }, within(s));
    assert.deepEqual(plain(await s.cache.get("k", within(s))), [1]);
    await s.pass(600);
    assert.equal(await s.cache.get("k", within(s)), null);
    assert.equal(await s.cache.remove("k", null, within(s)), false);
    await s.cache.set("past", bytes(1), { expiresAtMs: s.now() - 1 }, within(s));
    assert.equal(await s.cache.get("past", within(s)), null);
  },
  "an expiry is an instant, to the millisecond, however short or far": async (s) => {
    await s.cache.set("short", bytes(1), { expiresAtMs: s.now() + 150 }, within(s));
    await s.cache.set("far", bytes(2), { expiresAtMs: s.now() + 10 * 365 * 24 * 3_600_000 }, within(s));
    assert.equal(await s.cache.add("lease", bytes(3), { expiresAtMs: s.now() + 150 }, within(s)), true);
    await s.pass(170);
    assert.equal(await s.cache.get("short", within(s)), null);
    assert.equal(await s.cache.get("lease", within(s)), null);
    assert.deepEqual(plain(await s.cache.get("far", within(s))), [2]);
  },
  "reading does not put the expiry off, and setting again does": async (s) => {
    await s.cache.set("k", bytes(1), { expiresAtMs: s.now() + 1000 }, within(s));
    await s.pass(600);
    assert.deepEqual(plain(await s.cache.get("k", within(s))), [1]);
    await s.pass(600);
    assert.equal(await s.cache.get("k", within(s)), null);
    await s.cache.set("k", bytes(1), { expiresAtMs: s.now() + 500 }, within(s));
    await s.cache.set("k", bytes(2), { expiresAtMs: s.now() + 2000 }, within(s));
    await s.pass(800);
    assert.deepEqual(plain(await s.cache.get("k", within(s))), [2]);
  },
  "add sets what is absent or expired, and touches nothing else": async (s) => {
    assert.equal(await s.cache.add("k", bytes(1), { expiresAtMs: s.now() + 500 }, within(s)), true);
    assert.equal(await s.cache.add("k", bytes(2), { expiresAtMs: s.now() + 60_000 }, within(s)), false);
    assert.deepEqual(plain(await s.cache.get("k", within(s))), [1]);
    await s.pass(600);
    assert.equal(await s.cache.add("k", bytes(3), { expiresAtMs: s.now() + 500 }, within(s)), true);
    assert.deepEqual(plain(await s.cache.get("k", within(s))), [3]);
  },
});

const racing = casesOf<CacheSubject>("concurrency", {
  "of fifty that add one succeeds, and its value stands": async (s) => {
    const results = await Promise.all(repeat(50, (i) => s.cache.add("k", bytes(i), soon(s), within(s))));
    assert.equal(results.filter(Boolean).length, 1);
    assert.deepEqual(plain(await s.cache.get("k", within(s))), [results.indexOf(true)]);
  },
  "of fifty that remove one value one succeeds": async (s) => {
    await s.cache.set("k", bytes(1), soon(s), within(s));
    const results = await Promise.all(repeat(50, (i) => s.cache.remove("k", i % 2 === 0 ? bytes(1) : null, within(s))));
    assert.equal(results.filter(Boolean).length, 1);
  },
});

/** Everything that `Cache` promises. */
export const cacheCases: readonly Case<CacheSubject>[] = [...basic, ...expiry, ...racing];

export function cacheContract(runner: { readonly test: TestFunction; readonly make: Make<CacheSubject> }): void {
  registerCases(cacheCases, runner);
}
