import assert from "node:assert/strict";
import { append, insert, remove, update } from "@sallyport/core/ports";
import { accepted, refused, soon } from "../expectations.js";
import { entry, event, item, kitEntry, kitEvent, kitItem, kitShared, mine, system, theirs } from "./entities.js";
import { concern } from "./subject.js";

const nobody = { projects: [] };
const everyone = { projects: ["p1", "p2"] };

export const scope = concern("scope", {
  "a row outside the scope cannot be seen": async ({ store }) => {
    await accepted(store, { scope: theirs, writes: [insert(kitItem, item("a", { projectId: "p2", rank: 1 }))] });
    for (const seeing of [theirs, everyone, system]) {
      assert.equal((await store.get(kitItem, "a", seeing, soon()))?.id, "a");
      assert.equal((await store.find(kitItem, { orderBy: "rank", limit: 5 }, seeing, soon())).rows.length, 1);
    }
    for (const blind of [mine, nobody]) {
      assert.equal(await store.get(kitItem, "a", blind, soon()), null);
      assert.deepEqual(await store.find(kitItem, { orderBy: "rank", limit: 5 }, blind, soon()), { rows: [], next: null });
      assert.deepEqual((await store.find(kitItem, { where: { projectId: "p2" }, orderBy: "rank", limit: 5 }, blind, soon())).rows, []);
      assert.deepEqual((await store.find(kitItem, { where: { id: "a" }, orderBy: "id", limit: 5 }, blind, soon())).rows, []);
    }
  },
  "a row outside the scope is missing to updates and removes": async ({ store }) => {
    await accepted(store, { scope: theirs, writes: [insert(kitItem, item("a", { projectId: "p2" }))] });
    for (const write of [
      update(kitItem, "a", { change: { set: { status: "stolen" } } }),
      update(kitItem, "a", { change: { set: { projectId: "p1" } } }),
      update(kitItem, "a", { change: {}, ifVersion: 7 }),
      remove(kitItem, "a"),
    ])
      assert.deepEqual(await refused(store, { scope: mine, writes: [write] }), { ok: false, failed: 0, why: "missing", current: null });
    assert.equal((await store.get(kitItem, "a", theirs, soon()))?.status, "pending");
  },
  "no row is written outside the scope or moved out of it": async ({ store }) => {
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("a"))] });
    for (const write of [
      insert(kitItem, item("b", { projectId: "p2" })),
      insert(kitEntry, entry("e", 1, { projectId: "p2" }), "skip"),
      append(kitEvent, "s", { entries: [event(1), event(2, { projectId: "p2" })] }),
      update(kitItem, "a", { change: { set: { projectId: "p2" } } }),
      update(kitItem, "a", { change: { set: { projectId: "p2" } }, where: { attempt: 9 }, ifVersion: 9 }),
    ])
      assert.deepEqual(await refused(store, { scope: mine, writes: [write] }), { ok: false, failed: 0, why: "missing", current: null });
    await accepted(store, { scope: system, writes: [update(kitItem, "a", { change: { set: { projectId: "p2" } } })] });
    assert.equal(await store.get(kitItem, "a", mine, soon()), null);
    assert.deepEqual(await store.read(kitEvent, "s", { afterSeq: 0, limit: 5 }, system, soon()), []);
  },
  "a value taken outside the scope is refused without showing the row": async ({ store }) => {
    await accepted(store, { scope: theirs, writes: [insert(kitItem, item("a", { projectId: "p2" }))] });
    assert.deepEqual(await refused(store, { scope: mine, writes: [insert(kitItem, item("a"))] }), {
      ok: false,
      failed: 0,
      why: "taken",
      current: null,
    });
  },
  "a stream outside the scope is neither read nor appended to": async ({ store }) => {
    await accepted(store, { scope: theirs, writes: [append(kitEvent, "s", { entries: [event(1, { projectId: "p2" })] })] });
    assert.deepEqual(await store.read(kitEvent, "s", { afterSeq: 0, limit: 5 }, mine, soon()), []);
    assert.deepEqual(await store.read(kitEvent, "s", { afterSeq: 0, limit: 5, last: true }, mine, soon()), []);
    const result = await refused(store, { scope: mine, writes: [append(kitEvent, "s", { entries: [event(2)] })] });
    assert.deepEqual(result, { ok: false, failed: 0, why: "missing", current: null });
    assert.equal((await store.read(kitEvent, "s", { afterSeq: 0, limit: 5 }, theirs, soon())).length, 1);
  },
  "sums count only what the scope sees": async ({ store }) => {
    await accepted(store, {
      scope: system,
      writes: [insert(kitEntry, entry("a", 1, { amount: 1 })), insert(kitEntry, entry("b", 1, { amount: 10, projectId: "p2" }))],
    });
    const total = async (seeing: typeof mine | typeof system) =>
      (await store.sum(kitEntry, { by: [], sum: ["amount"] }, seeing, soon())).map((row) => row.sums["amount"]);
    assert.deepEqual([await total(mine), await total(theirs), await total(everyone), await total(system)], [[1n], [10n], [11n], [11n]]);
  },
  "rows of no project are seen by every scope": async ({ store }) => {
    await accepted(store, { scope: nobody, writes: [insert(kitShared, { id: "a", name: "n", count: 1 })] });
    for (const seeing of [mine, nobody, system]) assert.equal((await store.get(kitShared, "a", seeing, soon()))?.name, "n");
    await accepted(store, { scope: theirs, writes: [update(kitShared, "a", { change: { add: { count: 1 } } })] });
  },
});
