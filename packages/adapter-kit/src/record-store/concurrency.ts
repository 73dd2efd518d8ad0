import assert from "node:assert/strict";
import { append, insert, now, remove, update, type RecordStore, type Unit, type UnitResult } from "@sallyport/core/ports";
import { accepted, race, soon } from "../expectations.js";
import { entry, event, item, kitEntry, kitEvent, kitItem, kitShared, mine, system } from "./entities.js";
import { both, concern, type StoreSubject } from "./subject.js";
import { due } from "./take.js";

const repeat = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const wins = (results: readonly UnitResult[]): number => results.filter((result) => result.ok).length;
const unit = (...writes: Unit["writes"]): Unit => ({ scope: mine, writes });

/** Runs the body with both ways in, and closes the second. */
async function withBoth(subject: StoreSubject, body: (stores: readonly RecordStore[]) => Promise<void>): Promise<void> {
  const { stores, close } = await both(subject);
  try {
    await body(stores);
  } finally {
    await close();
  }
}

async function drain(store: RecordStore, limit: number): Promise<string[]> {
  const taken: string[] = [];
  for (;;) {
    const rows = await store.take(kitItem, { ...due, limit }, soon());
    if (rows.length === 0) return taken;
    taken.push(...rows.map((row) => row.id));
  }
}

export const concurrency = concern("concurrency", {
  "of fifty racers on one version one wins": (subject) =>
    withBoth(subject, async (stores) => {
      await accepted(subject.store, unit(insert(kitItem, item("a"))));
      const results = await race(
        stores,
        repeat(50, (i) => unit(update(kitItem, "a", { change: { set: { label: `w${i}` } }, ifVersion: 1 }))),
      );
      assert.equal(wins(results), 1);
      const winner = results.findIndex((result) => result.ok);
      const row = await subject.store.get(kitItem, "a", mine, soon());
      assert.deepEqual([row?.label, row?.version], [`w${winner}`, 2]);
      for (const result of results) assert.ok(result.ok || (result.why === "version" && result.current?.["label"] === `w${winner}`));
    }),
  "of fifty racers on one guard one wins": (subject) =>
    withBoth(subject, async (stores) => {
      await accepted(subject.store, unit(insert(kitItem, item("a"))));
      const claim = (i: number): Unit =>
        unit(update(kitItem, "a", { change: { set: { status: "running", label: `w${i}` } }, where: { status: "pending" } }));
      const results = await race(stores, repeat(50, claim));
      assert.equal(wins(results), 1);
      assert.equal((await subject.store.get(kitItem, "a", mine, soon()))?.label, `w${results.findIndex((result) => result.ok)}`);
    }),
  "of fifty inserts of one unique value one stands, refused or skipped": (subject) =>
    withBoth(subject, async (stores) => {
      const refusing = await race(
        stores,
        repeat(50, (i) => unit(insert(kitItem, item(`a${i}`, { slug: "s" })))),
      );
      assert.equal(wins(refusing), 1);
      const skipping = await race(
        stores,
        repeat(50, (i) => unit(insert(kitItem, item(`b${i}`, { slug: "t" }), "skip"))),
      );
      assert.equal(wins(skipping), 50);
      assert.equal(skipping.filter((result) => result.ok && result.skipped.length === 0).length, 1);
    }),
  "of fifty removes one succeeds": (subject) =>
    withBoth(subject, async (stores) => {
      await accepted(subject.store, unit(insert(kitItem, item("a"))));
      const results = await race(
        stores,
        repeat(50, () => unit(remove(kitItem, "a"))),
      );
      assert.equal(wins(results), 1);
      for (const result of results) assert.ok(result.ok || result.why === "missing");
    }),
  "two hundred racers on a bounded add accept exactly what the limit allows": (subject) =>
    withBoth(subject, async (stores) => {
      await accepted(subject.store, unit(insert(kitItem, item("window"))));
      const reserve = (i: number): Unit =>
        unit(
          insert(kitShared, { id: `r${i}`, name: `r${i}`, count: i }),
          update(kitItem, "window", { change: { add: { spent: 3 } }, where: { spent: { lte: 150 - 3 } } }),
        );
      const results = await race(stores, repeat(200, reserve));
      assert.equal(wins(results), 50);
      assert.equal((await subject.store.get(kitItem, "window", mine, soon()))?.spent, 150);
      const reservations = await subject.store.find(kitShared, { orderBy: "count", limit: 1000 }, mine, soon());
      assert.equal(reservations.rows.length, 50, "a refused unit leaves no reservation");
    }),
  "no add is lost": (subject) =>
    withBoth(subject, async (stores) => {
      await accepted(subject.store, unit(insert(kitItem, item("a"))));
      await race(
        stores,
        repeat(200, () => unit(update(kitItem, "a", { change: { add: { spent: 1, attempt: -1 } } }))),
      );
      const row = await subject.store.get(kitItem, "a", mine, soon());
      assert.deepEqual([row?.spent, row?.attempt, row?.version], [200, -200, 201]);
    }),
  "racing appends are gapless, and each knows its place": (subject) =>
    withBoth(subject, async (stores) => {
      const results = await race(
        stores,
        repeat(100, (i) => unit(append(kitEvent, "s", { entries: [event(i), event(i + 1000)] }))),
      );
      assert.equal(wins(results), 100);
      const read = await subject.store.read(kitEvent, "s", { afterSeq: 0, limit: 1000 }, mine, soon());
      assert.deepEqual(
        read.map(({ seq }) => seq),
        repeat(200, (i) => i + 1),
      );
      for (const [i, result] of results.entries()) {
        assert.ok(result.ok && result.firstSeq !== undefined);
        assert.deepEqual([read[result.firstSeq - 1]?.entry.n, read[result.firstSeq]?.entry.n], [i, i + 1000]);
      }
    }),
  "of fifty appends after one seq one wins": (subject) =>
    withBoth(subject, async (stores) => {
      const results = await race(
        stores,
        repeat(50, (i) => unit(append(kitEvent, "s", { entries: [event(i)], ifLast: 0 }))),
      );
      assert.equal(wins(results), 1);
      for (const result of results) assert.ok(result.ok || result.why === "last");
    }),
  "no row is taken twice": (subject) =>
    withBoth(subject, async (stores) => {
      await accepted(
        subject.store,
        unit(...repeat(200, (i) => insert(kitItem, item(`i${i}`, { priority: i % 3, kind: i % 2 === 0 ? "a" : "b" })))),
      );
      const taken = await Promise.all(repeat(8, (i) => drain(stores[i % stores.length] as RecordStore, i % 2 === 0 ? 1 : 7)));
      const all = taken.flat();
      assert.equal(all.length, 200, "every row was taken once");
      assert.equal(new Set(all).size, 200, "no row was taken twice");
      const rows = await subject.store.find(kitItem, { where: { status: "running" }, orderBy: "priority", limit: 1000 }, system, soon());
      assert.ok(rows.rows.every((row) => row.attempt === 1));
    }),
  "pages stay whole while others insert": (subject) =>
    withBoth(subject, async (stores) => {
      const store = subject.store;
      await accepted(store, unit(...repeat(100, (i) => insert(kitItem, item(`old${String(i).padStart(3, "0")}`, { rank: i * 2 })))));
      let inserting = true;
      const other = stores.at(-1) as RecordStore;
      const writer = (async () => {
        for (let i = 0; inserting && i < 2000; i++)
          await other.commit([unit(insert(kitItem, item(`new${i}`, { rank: (i * 37) % 200 })))], soon());
      })();
      const seen: string[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await store.find(kitItem, { orderBy: "rank", limit: 7, cursor }, mine, soon());
        seen.push(...page.rows.map((row) => row.id));
        if (page.next === null) break;
        cursor = page.next;
      }
      inserting = false;
      await writer;
      assert.equal(new Set(seen).size, seen.length, "no row twice");
      assert.equal(seen.filter((id) => id.startsWith("old")).length, 100, "none skipped that was there throughout");
    }),
  "a group with a refused unit, raced, leaves nothing half done": (subject) =>
    withBoth(subject, async (stores) => {
      const group = (i: number): Unit[] => [
        unit(insert(kitEntry, entry(`e${i}a`, i, { amount: 1 })), insert(kitEntry, entry(`e${i}b`, i, { amount: 1 }))),
        unit(insert(kitEntry, entry(`e${i}c`, i, { amount: 1000 })), insert(kitShared, { id: `s${i}`, name: "only one", count: i })),
        unit(append(kitEvent, `s${i % 3}`, { entries: [event(i)] }), insert(kitEntry, entry(`e${i}d`, i, { amount: 1 }))),
      ];
      const results = await Promise.all(repeat(40, (i) => (stores[i % stores.length] as RecordStore).commit(group(i), soon())));
      assert.ok(results.every(([first, , third]) => first?.ok === true && third?.ok === true));
      assert.equal(results.filter(([, second]) => second?.ok === true).length, 1);
      const [total] = await subject.store.sum(kitEntry, { by: [], sum: ["amount"] }, mine, soon());
      assert.deepEqual(total, { by: {}, count: 121, sums: { amount: 1120n } });
    }),
  "leases raced over by renewing and taking never have two holders": (subject) =>
    withBoth(subject, async (stores) => {
      await accepted(subject.store, unit(insert(kitItem, item("a"))));
      const lapsed = { ...due, change: { set: { status: "running", readyAtMs: now }, add: { attempt: 1 } } };
      const taken = (await Promise.all(repeat(40, (i) => (stores[i % stores.length] as RecordStore).take(kitItem, lapsed, soon())))).flat();
      assert.deepEqual([...new Set(taken.map((row) => row.attempt))].length, taken.length, "each holder has an attempt of its own");
      const finish = (attempt: number): Unit =>
        unit(update(kitItem, "a", { change: { set: { status: "done" } }, where: { attempt, status: "running" } }));
      const results = await race(
        stores,
        taken.map((row) => finish(row.attempt)),
      );
      assert.equal(wins(results), 1, "only the last holder finishes");
    }),
});
