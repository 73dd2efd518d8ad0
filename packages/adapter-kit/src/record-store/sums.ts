import assert from "node:assert/strict";
import { insert, type RecordStore } from "@sallyport/core/ports";
import { accepted, soon } from "../expectations.js";
import { entry, kitEntry, mine } from "./entities.js";
import { concern } from "./subject.js";

async function insertAll(store: RecordStore, rows: readonly ReturnType<typeof entry>[]): Promise<void> {
  const results = await store.commit(
    rows.map((row) => ({ scope: mine, writes: [insert(kitEntry, row)] })),
    soon(),
  );
  assert.ok(results.every((result) => result.ok));
}

export const sums = concern("sums", {
  "groups count and sum, and unknown is not zero": async ({ store }) => {
    await insertAll(store, [
      entry("a", 1, { kind: "x", amount: 1, tokens: 5 }),
      entry("b", 2, { kind: "x", amount: 2 }),
      entry("c", 3, { kind: "y" }),
      entry("d", 4, { kind: "y", paid: true, amount: -9 }),
    ]);
    assert.deepEqual(await store.sum(kitEntry, { by: ["kind"], sum: ["amount", "tokens"] }, mine, soon()), [
      { by: { kind: "x" }, count: 2, sums: { amount: 3n, tokens: 5n } },
      { by: { kind: "y" }, count: 2, sums: { amount: -9n, tokens: null } },
    ]);
    assert.deepEqual(await store.sum(kitEntry, { by: ["kind", "paid"], sum: ["amount"], where: { kind: "y" } }, mine, soon()), [
      { by: { kind: "y", paid: false }, count: 1, sums: { amount: null } },
      { by: { kind: "y", paid: true }, count: 1, sums: { amount: -9n } },
    ]);
  },
  "nothing to sum is no group": async ({ store }) => {
    assert.deepEqual(await store.sum(kitEntry, { by: ["kind"], sum: ["amount"] }, mine, soon()), []);
    assert.deepEqual(await store.sum(kitEntry, { by: [], sum: ["amount"] }, mine, soon()), []);
  },
  "a total without groups, within a time": async ({ store }) => {
    await insertAll(
      store,
      Array.from({ length: 10 }, (_, i) => entry(`e${i}`, i * 10, { amount: 1 })),
    );
    const total = await store.sum(kitEntry, { by: [], sum: ["amount"], where: { projectId: "p1", atMs: { gte: 30 } } }, mine, soon());
    assert.deepEqual(total, [{ by: {}, count: 7, sums: { amount: 7n } }]);
  },
  "buckets round time down": async ({ store }) => {
    const hour = 3_600_000;
    await insertAll(
      store,
      [0, 1, hour - 1, hour, 3 * hour + 5].map((atMs, i) => entry(`e${i}`, atMs, { amount: i + 1 })),
    );
    assert.deepEqual(await store.sum(kitEntry, { by: ["kind"], sum: ["amount"], bucketMs: hour }, mine, soon()), [
      { by: { kind: "a", bucketAtMs: 0 }, count: 3, sums: { amount: 6n } },
      { by: { kind: "a", bucketAtMs: hour }, count: 1, sums: { amount: 4n } },
      { by: { kind: "a", bucketAtMs: 3 * hour }, count: 1, sums: { amount: 5n } },
    ]);
  },
  "sums are exact past 53 and past 64 bits, of either sign": async ({ store }) => {
    const most = Number.MAX_SAFE_INTEGER;
    await insertAll(
      store,
      Array.from({ length: 1100 }, (_, i) => entry(`e${i}`, i, { amount: most, tokens: i % 2 === 0 ? -most : -1 })),
    );
    assert.deepEqual(await store.sum(kitEntry, { by: [], sum: ["amount", "tokens"] }, mine, soon()), [
      { by: {}, count: 1100, sums: { amount: BigInt(most) * 1100n, tokens: -BigInt(most) * 550n - 550n } },
    ]);
  },
  "pruning takes rows older than the instant, oldest first, as many as asked": async ({ store }) => {
    await insertAll(
      store,
      Array.from({ length: 10 }, (_, i) => entry(`e${i}`, i * 10)),
    );
    assert.equal(await store.prune(kitEntry, 50, 3, soon()), 3);
    assert.equal(await store.get(kitEntry, "e2", mine, soon()), null);
    assert.ok((await store.get(kitEntry, "e3", mine, soon())) !== null);
    assert.equal(await store.prune(kitEntry, 50, 100, soon()), 2);
    assert.deepEqual(await store.sum(kitEntry, { by: [], sum: [] }, mine, soon()), [{ by: {}, count: 5, sums: {} }]);
    await accepted(store, { scope: mine, writes: [insert(kitEntry, entry("e0", 1))] });
    assert.deepEqual((await store.find(kitEntry, { orderBy: "atMs", limit: 1 }, mine, soon())).rows, [entry("e0", 1)]);
  },
});
