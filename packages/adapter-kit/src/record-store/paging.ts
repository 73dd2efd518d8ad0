import assert from "node:assert/strict";
import { insert, remove, update, type FindQuery, type RecordStore } from "@sallyport/core/ports";
import { accepted, rejectsWith, soon } from "../expectations.js";
import { item, kitItem, mine, system, type KitItem } from "./entities.js";
import { concern } from "./subject.js";

type Query = Omit<FindQuery<KitItem>, "cursor">;

async function insertAll(store: RecordStore, rows: readonly Partial<KitItem>[]): Promise<void> {
  await accepted(store, {
    scope: mine,
    writes: rows.map((row, i) => insert(kitItem, item(row.id ?? `i${String(i).padStart(3, "0")}`, row))),
  });
}

async function pages(store: RecordStore, q: Query, between: (page: number) => Promise<void> = async () => undefined): Promise<KitItem[]> {
  const all: KitItem[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 1000; page++) {
    const found: { rows: KitItem[]; next: string | null } = await store.find(kitItem, { ...q, cursor }, mine, soon());
    assert.ok(found.rows.length <= q.limit, "no page is longer than its limit");
    all.push(...found.rows);
    if (found.next === null) return all;
    assert.equal(found.rows.length, q.limit, "a page before the last is full");
    cursor = found.next;
    await between(page);
  }
  assert.fail("the pages do not end");
}

const ids = (rows: readonly KitItem[]): string[] => rows.map((row) => row.id);

export const paging = concern("paging", {
  "pages hold every row once, in order, ties by id, nulls first, both ways": async ({ store }) => {
    const rows = Array.from({ length: 40 }, (_, i) => ({
      id: `i${String((i * 7) % 40).padStart(2, "0")}`,
      rank: i % 5 === 0 ? null : i % 4,
    }));
    await insertAll(store, rows);
    const expected = [...rows].sort((a, b) => (a.rank ?? -1) - (b.rank ?? -1) || (a.id < b.id ? -1 : 1)).map((row) => row.id);
    for (const limit of [1, 3, 7, 40, 41]) {
      assert.deepEqual(ids(await pages(store, { orderBy: "rank", limit })), expected, `up, ${limit} a page`);
      assert.deepEqual(ids(await pages(store, { orderBy: "rank", desc: true, limit })), [...expected].reverse(), `down, ${limit} a page`);
    }
  },
  "text is ordered by code point, whatever its case": async ({ store }) => {
    const labels = ["B", "a", "b", "A", "é", "", "z", "\u{ffee}", "\u{1f600}", "aa", "a b"];
    await insertAll(
      store,
      labels.map((label, i) => ({ id: `i${i}`, label })),
    );
    const byCodePoint = [...labels].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const found = await pages(store, { orderBy: "label", limit: 3 });
    assert.deepEqual(
      found.map((row) => row.label),
      byCodePoint,
    );
  },
  "a filter in every form narrows the pages": async ({ store }) => {
    await insertAll(
      store,
      Array.from({ length: 20 }, (_, i) => ({
        rank: i,
        status: i % 2 === 0 ? "even" : "odd",
        active: i < 5,
        label: i === 7 ? "seven" : null,
      })),
    );
    const ranks = async (where: NonNullable<Query["where"]>): Promise<(number | null)[]> =>
      (await pages(store, { where, orderBy: "rank", limit: 3 })).map((row) => row.rank);
    assert.deepEqual(await ranks({ status: "even", rank: { gte: 10 } }), [10, 12, 14, 16, 18]);
    assert.deepEqual(await ranks({ status: { in: ["odd", "none"] }, rank: { lt: 6 } }), [1, 3, 5]);
    assert.deepEqual(await ranks({ active: true }), [0, 1, 2, 3, 4]);
    assert.deepEqual(await ranks({ label: "seven" }), [7]);
    assert.deepEqual(await ranks({ label: null, rank: { gt: 5, ...{} } }), [6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    assert.deepEqual(await ranks({ any: [{ rank: 3 }, { label: "seven" }, { rank: { gte: 19 } }] }), [3, 7, 19]);
    assert.deepEqual(await ranks({ rank: { in: [] } }), []);
    assert.deepEqual(await ranks({ any: [] }), []);
    assert.deepEqual(await ranks({ projectId: "p1", rank: { lte: 1 } }), [0, 1]);
    assert.deepEqual(await ranks({ projectId: "p2" }), []);
  },
  "rows inserted and removed meanwhile neither repeat nor hide the others": async ({ store }) => {
    await insertAll(
      store,
      Array.from({ length: 30 }, (_, i) => ({ id: `i${String(i).padStart(3, "0")}`, rank: i * 10 })),
    );
    const seen = await pages(store, { orderBy: "rank", limit: 4 }, async (page) => {
      await accepted(store, {
        scope: mine,
        writes: [
          insert(kitItem, item(`before${page}`, { rank: page })),
          insert(kitItem, item(`behind${page}`, { rank: page * 40 - 5 })),
          insert(kitItem, item(`ahead${page}`, { rank: 295 + page })),
        ],
      });
      if (page === 2) await accepted(store, { scope: mine, writes: [remove(kitItem, "i000"), remove(kitItem, "i011")] });
    });
    const unique = new Set(ids(seen));
    assert.equal(unique.size, seen.length, "no row twice");
    for (let i = 0; i < 30; i++) assert.ok(unique.has(`i${String(i).padStart(3, "0")}`), `i${i} was not skipped`);
  },
  "pages go on past a row that was the last of a page and is gone": async ({ store }) => {
    await insertAll(
      store,
      Array.from({ length: 9 }, (_, i) => ({ id: `i${i}`, rank: 1 })),
    );
    const seen = await pages(store, { orderBy: "rank", limit: 3 }, async (page) => {
      await accepted(store, { scope: mine, writes: [remove(kitItem, `i${page * 3 + 2}`)] });
    });
    assert.equal(seen.length, 9);
  },
  "a cursor of another query, or a damaged one, is bad_request": async ({ store }) => {
    await insertAll(
      store,
      Array.from({ length: 5 }, (_, i) => ({ rank: i })),
    );
    const { next } = await store.find(kitItem, { where: { status: "pending" }, orderBy: "rank", limit: 2 }, mine, soon());
    assert.ok(next !== null);
    const queries: Query[] = [
      { where: { status: "other" }, orderBy: "rank", limit: 2 },
      { orderBy: "rank", limit: 2 },
      { where: { status: "pending" }, orderBy: "label", limit: 2 },
      { where: { status: "pending" }, orderBy: "rank", desc: true, limit: 2 },
    ];
    for (const q of queries) await rejectsWith("bad_request", () => store.find(kitItem, { ...q, cursor: next }, mine, soon()));
    for (const cursor of ["", "nonsense", `${next}x`, next.slice(0, -2), "W10", "ééé"])
      await rejectsWith("bad_request", () =>
        store.find(kitItem, { where: { status: "pending" }, orderBy: "rank", limit: 2, cursor }, mine, soon()),
      );
    const another = await store.find(kitItem, { where: { status: "pending" }, orderBy: "rank", limit: 3, cursor: next }, mine, soon());
    assert.deepEqual(
      another.rows.map((row) => row.rank),
      [2, 3, 4],
    );
  },
  "by id, by creation, and over all projects": async ({ store }) => {
    for (const id of ["c", "a", "b"]) await accepted(store, { scope: system, writes: [insert(kitItem, item(id, { projectId: id }))] });
    assert.deepEqual(ids((await store.find(kitItem, { orderBy: "id", limit: 10 }, system, soon())).rows), ["a", "b", "c"]);
    const byTime = (await store.find(kitItem, { orderBy: "createdAtMs", limit: 10 }, system, soon())).rows;
    assert.deepEqual(
      [...byTime].sort((x, y) => x.createdAtMs - y.createdAtMs || (x.id < y.id ? -1 : 1)),
      byTime,
    );
    assert.equal(byTime.length, 3);
  },
  "a changed row is found by its new values alone": async ({ store }) => {
    await insertAll(store, [{ id: "a", label: "old", rank: 1 }]);
    await accepted(store, { scope: mine, writes: [update(kitItem, "a", { change: { set: { label: "new", rank: 2 } } })] });
    const found = async (where: NonNullable<Query["where"]>): Promise<number> =>
      (await pages(store, { where, orderBy: "rank", limit: 5 })).length;
    assert.deepEqual(
      [await found({ label: "old" }), await found({ label: "new" }), await found({ rank: 1 }), await found({ rank: 2 })],
      [0, 1, 0, 1],
    );
  },
});
