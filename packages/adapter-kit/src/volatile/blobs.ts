import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Blobs, Within } from "@sallyport/core/ports";
import { registerCases, type Case, type Make, type TestFunction } from "../contract.js";
import { rejectsWith } from "../expectations.js";
import { casesOf, repeat, type Time } from "./subject.js";

/** A place for blobs that holds none yet. */
export interface BlobsSubject extends Time {
  readonly blobs: Blobs;
}

const within = (time: Time): Within => ({ deadlineMs: time.now() + 15_000 });
const room = { maxBytes: 1_000_000 };

async function* source(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    await Promise.resolve();
    yield chunk;
  }
}
const bytes = (length: number, from = 0): Uint8Array => Uint8Array.from({ length }, (_, i) => (i + from) % 251);

async function whole(blob: AsyncIterable<Uint8Array> | null): Promise<Buffer | null> {
  if (blob === null) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Everything that `Blobs` promises. */
export const blobsCases: readonly Case<BlobsSubject>[] = casesOf<BlobsSubject>("blobs", {
  "a blob reads back whole and in part, with its length and digest": async (s) => {
    const all = bytes(300_000);
    const put = await s.blobs.put("k", source(all.slice(0, 7), all.slice(7, 200_000), all.slice(200_000)), room, within(s));
    assert.deepEqual(put, { bytes: 300_000, sha256: createHash("sha256").update(all).digest("hex") });
    assert.ok((await whole(await s.blobs.open("k", null, within(s))))?.equals(all));
    for (const [from, to] of [
      [0, 10],
      [5, 5],
      [100_000, 250_000],
      [299_999, undefined],
      [250_000, 999_999],
      [400_000, undefined],
    ] as const) {
      const part = await whole(await s.blobs.open("k", to === undefined ? { from } : { from, to }, within(s)));
      assert.ok(part?.equals(all.subarray(from, to)), `from ${from} to ${to}`);
    }
  },
  "an empty blob is one": async (s) => {
    assert.equal((await s.blobs.put("k", source(), room, within(s))).bytes, 0);
    assert.equal((await whole(await s.blobs.open("k", null, within(s))))?.length, 0);
  },
  "what is not there is null, and removing it twice is harmless": async (s) => {
    assert.equal(await s.blobs.open("k", null, within(s)), null);
    await s.blobs.put("k", source(bytes(3)), room, within(s));
    await s.blobs.remove("k", within(s));
    await s.blobs.remove("k", within(s));
    assert.equal(await s.blobs.open("k", null, within(s)), null);
  },
  "a key is written once": async (s) => {
    await s.blobs.put("k", source(bytes(3)), room, within(s));
    await rejectsWith("conflict", () => s.blobs.put("k", source(bytes(5)), room, within(s)));
    assert.equal((await whole(await s.blobs.open("k", null, within(s))))?.length, 3);
  },
  "of twenty that write one key one succeeds, and its bytes stand": async (s) => {
    const results = await Promise.allSettled(repeat(20, (i) => s.blobs.put("k", source(bytes(1000, i), bytes(1000, i)), room, within(s))));
    const winners = results.flatMap((result, i) => (result.status === "fulfilled" ? [i] : []));
    assert.equal(winners.length, 1);
    const from = winners[0] as number;
    assert.ok((await whole(await s.blobs.open("k", null, within(s))))?.equals(Buffer.concat([bytes(1000, from), bytes(1000, from)])));
  },
  "too large a blob leaves nothing, and its key is free": async (s) => {
    await rejectsWith("payload_too_large", () => s.blobs.put("k", source(bytes(6), bytes(5)), { maxBytes: 10 }, within(s)));
    assert.equal(await s.blobs.open("k", null, within(s)), null);
    assert.equal((await s.blobs.put("k", source(bytes(6), bytes(4)), { maxBytes: 10 }, within(s))).bytes, 10);
  },
  "a source that breaks off leaves nothing, and its error comes through": async (s) => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield bytes(5);
      await Promise.resolve();
      throw new Error("the source broke");
    }
    await assert.rejects(s.blobs.put("k", broken(), room, within(s)), /the source broke/);
    assert.equal(await s.blobs.open("k", null, within(s)), null);
    await s.blobs.put("k", source(bytes(1)), room, within(s));
  },
  "a source that stalls is left at the deadline, or when the caller leaves": async (s) => {
    const stalled: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    };
    const abort = new AbortController();
    const left = rejectsWith("cancelled", () => s.blobs.put("a", stalled, room, { ...within(s), signal: abort.signal }));
    abort.abort();
    await left;
    const late = rejectsWith("deadline_exceeded", () => s.blobs.put("b", stalled, room, { deadlineMs: s.now() + 200 }));
    await s.pass(300);
    await late;
    for (const key of ["a", "b"]) assert.equal(await s.blobs.open(key, null, within(s)), null);
  },
  "bytes given and bytes read share nothing with the blob": async (s) => {
    const given = bytes(3);
    await s.blobs.put("k", source(given), room, within(s));
    given[0] = 99;
    for await (const chunk of (await s.blobs.open("k", null, within(s))) ?? []) chunk[1] = 99;
    assert.deepEqual([...((await whole(await s.blobs.open("k", null, within(s)))) ?? [])], [0, 1, 2]);
  },
});

export function blobsContract(runner: { readonly test: TestFunction; readonly make: Make<BlobsSubject> }): void {
  registerCases(blobsCases, runner);
}
