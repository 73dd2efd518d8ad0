import assert from "node:assert/strict";
import { append, erase, insert, update, type ReadQuery, type RecordStore } from "@sallyport/core/ports";
import { accepted, refused, soon } from "../expectations.js";
import { event, item, kitEvent, kitItem, mine, theirs } from "./entities.js";
import { concern } from "./subject.js";

const put = (store: RecordStore, stream: string, ns: readonly number[], ifLast?: number) =>
  accepted(store, { scope: mine, writes: [append(kitEvent, stream, { entries: ns.map((n) => event(n)), ifLast })] });

async function seqs(store: RecordStore, q: ReadQuery, stream = "s"): Promise<number[]> {
  const read = await store.read(kitEvent, stream, q, mine, soon());
  return read.map(({ seq }) => seq);
}

export const logs = concern("logs", {
  "entries read back in order, with their seqs from 1 and the store's clock": async ({ store }) => {
    const before = await store.now(soon());
    assert.deepEqual(await put(store, "s", [10, 11]), { ok: true, versions: [0], skipped: [], firstSeq: 1 });
    assert.equal((await put(store, "s", [12])).firstSeq, 3);
    assert.equal((await put(store, "other", [99])).firstSeq, 1);
    const read = await store.read(kitEvent, "s", { afterSeq: 0, limit: 10 }, mine, soon());
    const after = await store.now(soon());
    assert.deepEqual(
      read.map(({ seq, entry }) => [seq, entry]),
      [10, 11, 12].map((n, i) => [i + 1, event(n)]),
    );
    for (const { atMs } of read) assert.ok(atMs >= before && atMs <= after);
  },
  "reading goes on after a seq, or begins with the newest": async ({ store }) => {
    await put(store, "s", [1, 2, 3, 4, 5]);
    assert.deepEqual(await seqs(store, { afterSeq: 2, limit: 2 }), [3, 4]);
    assert.deepEqual(await seqs(store, { afterSeq: 5, limit: 2 }), []);
    assert.deepEqual(await seqs(store, { afterSeq: 99, limit: 2 }), []);
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 2, last: true }), [4, 5]);
    assert.deepEqual(await seqs(store, { afterSeq: 4, limit: 2, last: true }), [5]);
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 5 }, "nobody"), []);
  },
  "reading ends at a seq, from either side": async ({ store }) => {
    await put(store, "s", [1, 2, 3, 4, 5]);
    assert.deepEqual(await seqs(store, { afterSeq: 1, upToSeq: 3, limit: 9 }), [2, 3]);
    assert.deepEqual(await seqs(store, { afterSeq: 0, upToSeq: 4, limit: 2, last: true }), [3, 4]);
    assert.deepEqual(await seqs(store, { afterSeq: 0, upToSeq: 0, limit: 9 }), []);
    assert.deepEqual(await seqs(store, { afterSeq: 0, upToSeq: 99, limit: 9, last: true }), [1, 2, 3, 4, 5]);
  },
  "reading gives no more at once than so many bytes, but always an entry": async ({ store }) => {
    const sizes = [300, 1_000, 100, 100, 2_000, 10];
    const entries = sizes.map((size, i) => event(i, { body: "x".repeat(size) }));
    await accepted(store, { scope: mine, writes: [append(kitEvent, "s", { entries })] });
    const upTo = (maxBytes: number, q: Partial<ReadQuery> = {}) => seqs(store, { afterSeq: 0, limit: 9, maxBytes, ...q });
    assert.deepEqual(await upTo(1_000_000), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(await upTo(500), [1]);
    assert.deepEqual(await upTo(500, { afterSeq: 1 }), [2]);
    assert.deepEqual(await upTo(500, { afterSeq: 2 }), [3, 4]);
    assert.deepEqual(await upTo(500, { afterSeq: 2, limit: 1 }), [3]);
    assert.deepEqual(await upTo(1_500, { last: true }), [6]);
    assert.deepEqual(await upTo(1_500, { last: true, upToSeq: 5 }), [5]);
    assert.deepEqual(await upTo(1_400, { last: true, upToSeq: 4 }), [2, 3, 4]);
    assert.deepEqual(await upTo(1, { last: true, afterSeq: 6 }), []);
    // Seen as another's, they are not there to be counted.
    assert.deepEqual(await store.read(kitEvent, "s", { afterSeq: 0, limit: 9, maxBytes: 10_000 }, theirs, soon()), []);
  },
  "ifLast names the newest seq, or the unit is refused and shows the newest entry": async ({ store }) => {
    await put(store, "s", [1], 0);
    await put(store, "s", [2, 3], 1);
    for (const ifLast of [0, 2, 4]) {
      const result = await refused(store, { scope: mine, writes: [append(kitEvent, "s", { entries: [event(9)], ifLast })] });
      assert.deepEqual([result.failed, result.why], [0, "last"]);
      assert.deepEqual({ seq: result.current?.["seq"], n: result.current?.["n"] }, { seq: 3, n: 3 });
    }
    const empty = await refused(store, { scope: mine, writes: [append(kitEvent, "new", { entries: [event(9)], ifLast: 1 })] });
    assert.deepEqual([empty.why, empty.current], ["last", null]);
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 9 }), [1, 2, 3]);
  },
  "no entries are a guard alone": async ({ store }) => {
    await put(store, "s", [1]);
    const result = await accepted(store, { scope: mine, writes: [append(kitEvent, "s", { entries: [], ifLast: 1 })] });
    assert.deepEqual(result, { ok: true, versions: [0], skipped: [] });
    assert.equal((await refused(store, { scope: mine, writes: [append(kitEvent, "s", { entries: [], ifLast: 0 })] })).why, "last");
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 9 }), [1]);
  },
  "firstSeq is of the first append that had entries": async ({ store }) => {
    await put(store, "b", [1, 2]);
    const result = await accepted(store, {
      scope: mine,
      writes: [
        insert(kitItem, item("a")),
        append(kitEvent, "a", { entries: [] }),
        append(kitEvent, "b", { entries: [event(3)] }),
        append(kitEvent, "a", { entries: [event(1)] }),
      ],
    });
    assert.deepEqual(result, { ok: true, versions: [1, 0, 0, 0], skipped: [], firstSeq: 3 });
  },
  "an append that is refused takes back what its unit wrote before, wherever it stands": async ({ store }) => {
    await put(store, "s", [1]);
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("a"))] });
    const change = { change: { add: { spent: 1 } } };
    const late = append(kitEvent, "s", { entries: [event(2)], ifLast: 0 });
    const fine = append(kitEvent, "t", { entries: [event(1)], ifLast: 0 });
    for (const [writes, failed] of [
      [[update(kitItem, "a", change), late], 1],
      [[update(kitItem, "a", change), fine, late], 2],
      [[fine, late, update(kitItem, "a", change)], 1],
      [[fine, append(kitEvent, "t", { entries: [event(2)], ifLast: 0 })], 1],
    ] as const) {
      const result = await refused(store, { scope: mine, writes });
      assert.deepEqual([result.failed, result.why], [failed, "last"]);
    }
    assert.equal((await store.get(kitItem, "a", mine, soon()))?.version, 1);
    assert.deepEqual([await seqs(store, { afterSeq: 0, limit: 9 }), await seqs(store, { afterSeq: 0, limit: 9 }, "t")], [[1], []]);
    const both = await accepted(store, {
      scope: mine,
      writes: [update(kitItem, "a", change), fine, append(kitEvent, "s", { entries: [event(2)], ifLast: 1 })],
    });
    assert.deepEqual([both.versions, both.firstSeq], [[2, 0, 0], 1]);
  },
  "the first refusal is the one that is told": async ({ store }) => {
    await put(store, "s", [1]);
    const late = append(kitEvent, "s", { entries: [event(2)], ifLast: 0 });
    const result = await refused(store, { scope: mine, writes: [update(kitItem, "nobody", { change: {} }), late] });
    assert.deepEqual([result.failed, result.why], [0, "missing"]);
  },
  "several appends to one stream in one unit follow each other": async ({ store }) => {
    await accepted(store, {
      scope: mine,
      writes: [append(kitEvent, "s", { entries: [event(1)] }), append(kitEvent, "s", { entries: [event(2)], ifLast: 1 })],
    });
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 9 }), [1, 2]);
  },
  "pruning takes old entries, as many as asked, and seqs go on": async ({ store }) => {
    await put(store, "s", [1, 2, 3]);
    await put(store, "t", [1]);
    const later = (await store.now(soon())) + 1000;
    assert.equal(await store.prune(kitEvent, later - 100_000, 10, soon()), 0);
    assert.equal(await store.prune(kitEvent, later, 2, soon()), 2);
    assert.equal(await store.prune(kitEvent, later, 10, soon()), 2);
    assert.equal(await store.prune(kitEvent, later, 10, soon()), 0);
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 9 }), []);
    assert.equal((await put(store, "s", [4], 3)).firstSeq, 4);
    assert.equal((await put(store, "t", [2])).firstSeq, 2);
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 9 }), [4]);
  },
  "pruning takes the oldest entries first, of whichever stream": async ({ store }) => {
    await put(store, "z", [1]);
    await put(store, "y", [1]);
    const first = await store.now(soon());
    while ((await store.now(soon())) <= first) await new Promise((resolve) => setTimeout(resolve, 2));
    await put(store, "z", [2]);
    await put(store, "a", [1]);
    assert.equal(await store.prune(kitEvent, first + 60_000, 2, soon()), 2);
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 9 }, "z"), [2]);
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 9 }, "y"), []);
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 9 }, "a"), [1]);
  },
  "an erased stream is as if it had never been": async ({ store }) => {
    await put(store, "s", [1, 2, 3]);
    await put(store, "t", [1]);
    assert.deepEqual(await accepted(store, { scope: mine, writes: [erase(kitEvent, "s")] }), { ok: true, versions: [0], skipped: [] });
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 9 }), []);
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 9 }, "t"), [1]);
    await accepted(store, { scope: mine, writes: [erase(kitEvent, "s"), erase(kitEvent, "nobody")] });
    assert.equal((await put(store, "s", [7], 0)).firstSeq, 1);
    await accepted(store, { scope: mine, writes: [erase(kitEvent, "s"), append(kitEvent, "s", { entries: [event(8)], ifLast: 0 })] });
    assert.deepEqual(
      (await store.read(kitEvent, "s", { afterSeq: 0, limit: 9 }, mine, soon())).map(({ seq, entry }) => [seq, entry.n]),
      [[1, 8]],
    );
  },
  "the beginning of a stream can be erased, and seqs go on": async ({ store }) => {
    await put(store, "s", [1, 2, 3]);
    await accepted(store, { scope: mine, writes: [erase(kitEvent, "s", { upToSeq: 2 })] });
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 9 }), [3]);
    await accepted(store, { scope: mine, writes: [erase(kitEvent, "s", { upToSeq: 9 })] });
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 9 }), []);
    assert.equal((await put(store, "s", [4], 3)).firstSeq, 4);
    await accepted(store, { scope: mine, writes: [erase(kitEvent, "s", { upToSeq: 4 }), erase(kitEvent, "s")] });
    assert.equal((await put(store, "s", [5], 0)).firstSeq, 1);
  },
  "a stream of another project is not erased": async ({ store }) => {
    await put(store, "s", [1]);
    const result = await refused(store, { scope: theirs, writes: [erase(kitEvent, "s")] });
    assert.deepEqual([result.failed, result.why], [0, "missing"]);
    assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 9 }), [1]);
  },
  "an erasure of a unit that is refused is taken back": async ({ store }) => {
    await put(store, "s", [1, 2]);
    const missing = update(kitItem, "nobody", { change: { set: { status: "gone" } } });
    for (const first of [erase(kitEvent, "s"), erase(kitEvent, "s", { upToSeq: 1 })]) {
      await refused(store, { scope: mine, writes: [first, append(kitEvent, "s", { entries: [event(3)] }), missing] });
      assert.deepEqual(await seqs(store, { afterSeq: 0, limit: 9 }), [1, 2]);
    }
    assert.equal((await put(store, "s", [3], 2)).firstSeq, 3);
  },
  "a long stream reads in pieces": async ({ store }) => {
    for (let i = 0; i < 10; i++)
      await put(
        store,
        "s",
        Array.from({ length: 50 }, (_, n) => i * 50 + n + 1),
      );
    const all: number[] = [];
    for (let after = 0; ; after = all.at(-1) as number) {
      const piece = await store.read(kitEvent, "s", { afterSeq: after, limit: 64 }, mine, soon());
      if (piece.length === 0) break;
      all.push(...piece.map(({ seq, entry }) => (assert.equal(entry.n, seq), seq)));
    }
    assert.deepEqual(
      all,
      Array.from({ length: 500 }, (_, i) => i + 1),
    );
  },
});
