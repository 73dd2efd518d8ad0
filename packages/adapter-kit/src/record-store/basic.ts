import assert from "node:assert/strict";
import { insert, now, nowPlus, remove, update } from "@sallyport/core/ports";
import { accepted, refused, rejectsWith, soon } from "../expectations.js";
import { entry, item, kitEntry, kitItem, kitShared, mine, system } from "./entities.js";
import { concern } from "./subject.js";

const extremes = {
  body: { text: "ünï 𝄞 \u0000 \ud800", list: [1, 1.5, -0, null, true, {}], nested: { ["__proto__"]: { a: 1 }, "": "" } },
  note: `long \u{10ffff} 'quoted' "twice" \\ ${"x".repeat(100_000)}`,
  spent: Number.MAX_SAFE_INTEGER,
  rank: -Number.MAX_SAFE_INTEGER,
};

export const basic = concern("basic", {
  "a row reads back whole, with what the store keeps": async ({ store }) => {
    const before = await store.now(soon());
    const result = await accepted(store, { scope: mine, writes: [insert(kitItem, item("a", { label: "L", active: false, body: [1] }))] });
    assert.deepEqual(result, { ok: true, versions: [1], skipped: [] });
    const row = await store.get(kitItem, "a", mine, soon());
    assert.ok(row !== null);
    const after = await store.now(soon());
    assert.ok(row.createdAtMs >= before && row.createdAtMs <= after, "createdAtMs is the store's clock");
    assert.equal(row.updatedAtMs, row.createdAtMs);
    const { createdAtMs: _createdAtMs, updatedAtMs: _updatedAtMs, ...rest } = row;
    assert.deepEqual(rest, { ...item("a", { label: "L", active: false, body: [1] }), version: 1 });
  },
  "a row that is not there is null": async ({ store }) => {
    assert.equal(await store.get(kitItem, "nobody", system, soon()), null);
  },
  "a field left out of an insert is null": async ({ store }) => {
    const { rank: _rank, body: _body, ...rest } = item("a");
    await accepted(store, { scope: mine, writes: [insert(kitItem, rest as ReturnType<typeof item>)] });
    const row = await store.get(kitItem, "a", mine, soon());
    assert.strictEqual(row?.rank, null);
    assert.strictEqual(row.body, null);
  },
  "extreme values read back exactly": async ({ store }) => {
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("a", extremes))] });
    const row = await store.get(kitItem, "a", mine, soon());
    assert.deepEqual(
      { note: row?.note, spent: row?.spent, rank: row?.rank },
      { note: extremes.note, spent: extremes.spent, rank: extremes.rank },
    );
    assert.equal(JSON.stringify(row?.body), JSON.stringify(extremes.body));
  },
  "text keeps its case, accents, spaces and emptiness": async ({ store }) => {
    const labels = ["a", "A", "á", "a ", " a", "", "%", "_"];
    await accepted(store, { scope: mine, writes: labels.map((label, i) => insert(kitItem, item(`i${i}`, { label, slug: label }))) });
    for (const [i, label] of labels.entries()) {
      const found = await store.find(kitItem, { where: { label }, orderBy: "label", limit: 10 }, mine, soon());
      assert.deepEqual(
        found.rows.map((row) => row.id),
        [`i${i}`],
        `one row has the label ${JSON.stringify(label)}`,
      );
    }
  },
  "json of every kind reads back as a value, null as null": async ({ store }) => {
    const bodies = [null, 0, "", "null", false, [], {}, "2026-01-01T00:00:00.000Z", { a: { b: [{}] } }];
    await accepted(store, { scope: mine, writes: bodies.map((body, i) => insert(kitItem, item(`i${i}`, { body }))) });
    for (const [i, body] of bodies.entries()) assert.deepEqual((await store.get(kitItem, `i${i}`, mine, soon()))?.body, body);
  },
  "a row given and a row taken share nothing with the store": async ({ store }) => {
    const given = item("a", { body: { list: [1] } });
    await accepted(store, { scope: mine, writes: [insert(kitItem, given)] });
    (given.body as { list: number[] }).list.push(2);
    const row = await store.get(kitItem, "a", mine, soon());
    assert.deepEqual(row?.body, { list: [1] });
    (row.body as { list: number[] }).list.push(3);
    row.status = "changed";
    const again = await store.get(kitItem, "a", mine, soon());
    assert.deepEqual([again?.body, again?.status], [{ list: [1] }, "pending"]);
  },
  "set replaces json whole": async ({ store }) => {
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("a", { body: { keep: 1, nested: { x: 1 } } }))] });
    await accepted(store, { scope: mine, writes: [update(kitItem, "a", { change: { set: { body: { nested: { y: 2 } } } } })] });
    assert.deepEqual((await store.get(kitItem, "a", mine, soon()))?.body, { nested: { y: 2 } });
  },
  "an update changes what it names, and moves version and updatedAtMs by itself": async ({ store }) => {
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("a", { label: "L", spent: 5 }))] });
    const first = await store.get(kitItem, "a", mine, soon());
    const result = await accepted(store, {
      scope: mine,
      writes: [update(kitItem, "a", { change: { set: { status: "running", label: null }, add: { spent: -7 } } })],
    });
    assert.deepEqual(result.versions, [2]);
    const row = await store.get(kitItem, "a", mine, soon());
    assert.ok(row !== null && first !== null && row.updatedAtMs >= first.updatedAtMs);
    assert.deepEqual(row, { ...first, status: "running", label: null, spent: -2, version: 2, updatedAtMs: row.updatedAtMs });
  },
  "a touch moves neither version nor updatedAtMs": async ({ store }) => {
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("a"))] });
    const first = await store.get(kitItem, "a", mine, soon());
    const result = await accepted(store, { scope: mine, writes: [update(kitItem, "a", { change: { set: { seenAtMs: 7 } } })] });
    assert.deepEqual(result.versions, [1]);
    assert.deepEqual(await store.get(kitItem, "a", mine, soon()), { ...first, seenAtMs: 7 });
    const mixed = await accepted(store, { scope: mine, writes: [update(kitItem, "a", { change: { set: { seenAtMs: 8, rank: 1 } } })] });
    assert.deepEqual(mixed.versions, [2]);
  },
  "null plus something stays null": async ({ store }) => {
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("a", { spent: null }))] });
    await accepted(store, { scope: mine, writes: [update(kitItem, "a", { change: { add: { spent: 3 } } })] });
    assert.equal((await store.get(kitItem, "a", mine, soon()))?.spent, null);
  },
  "the store's clock is resolved by the store, in inserts, changes and guards": async ({ store }) => {
    const before = await store.now(soon());
    await accepted(store, { scope: mine, writes: [insert(kitItem, { ...item("a"), readyAtMs: nowPlus(60_000) })] });
    await accepted(store, {
      scope: mine,
      writes: [update(kitItem, "a", { change: { set: { seenAtMs: now } }, where: { readyAtMs: { gt: now } } })],
    });
    const after = await store.now(soon());
    const row = await store.get(kitItem, "a", mine, soon());
    assert.ok(row !== null && row.readyAtMs >= before + 60_000 && row.readyAtMs <= after + 60_000);
    assert.ok(row.seenAtMs !== null && row.seenAtMs >= before && row.seenAtMs <= after);
    const late = { change: {}, where: { readyAtMs: { lte: nowPlus(-1) } } };
    assert.equal((await refused(store, { scope: mine, writes: [update(kitItem, "a", late)] })).why, "guard");
  },
  "a removed row is gone, and its id and unique values are free": async ({ store }) => {
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("a", { slug: "s" }))] });
    assert.deepEqual(await accepted(store, { scope: mine, writes: [remove(kitItem, "a")] }), { ok: true, versions: [0], skipped: [] });
    assert.equal(await store.get(kitItem, "a", mine, soon()), null);
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("a", { slug: "s" }))] });
  },
  "a ledger row reads back as written, and repeating it is skipped": async ({ store }) => {
    const unit = { scope: mine, writes: [insert(kitEntry, entry("e", 5, { amount: 9, paid: true }), "skip")] };
    assert.deepEqual(await accepted(store, unit), { ok: true, versions: [0], skipped: [] });
    assert.deepEqual(await accepted(store, unit), { ok: true, versions: [0], skipped: [0] });
    assert.deepEqual(await store.get(kitEntry, "e", mine, soon()), entry("e", 5, { amount: 9, paid: true }));
  },
  "an empty commit and an empty unit are accepted": async ({ store }) => {
    assert.deepEqual(await store.commit([], soon()), []);
    assert.deepEqual(await store.commit([{ scope: mine, writes: [] }], soon()), [{ ok: true, versions: [], skipped: [] }]);
  },
  "many units in one call answer in their order": async ({ store }) => {
    const units = Array.from({ length: 300 }, (_, i) => ({
      scope: mine,
      writes: [insert(kitShared, { id: `s${i % 299}`, name: `n${i}`, count: i })],
    }));
    const results = await store.commit(units, soon());
    assert.deepEqual(
      results.map((result) => result.ok),
      units.map((_, i) => i < 299),
    );
  },
});

export const closing = concern("closing", {
  "a closed store refuses every call, and closing twice is harmless": async ({ store }) => {
    await store.close();
    await store.close();
    await rejectsWith("store_unavailable", () => store.get(kitItem, "a", mine, soon()));
    await rejectsWith("store_unavailable", () => store.commit([{ scope: mine, writes: [insert(kitItem, item("a"))] }], soon()));
    await rejectsWith("store_unavailable", () => store.now(soon()));
  },
  "closing waits for what is under way": async ({ store }) => {
    const pending = Array.from({ length: 20 }, (_, i) => store.commit([{ scope: mine, writes: [insert(kitItem, item(`i${i}`))] }], soon()));
    const closing = store.close();
    const results = await Promise.all(pending);
    assert.ok(results.every(([result]) => result?.ok === true));
    await closing;
  },
});
