import assert from "node:assert/strict";
import { insert, remove, update, type RecordStore } from "@sallyport/core/ports";
import { accepted, refused, rejectsWith, soon } from "../expectations.js";
import { entry, item, kitEntry, kitItem, kitShared, mine } from "./entities.js";
import { due } from "./take.js";
import { concern } from "./subject.js";

/** The newest version of each row after the cursor. */
async function follow(store: RecordStore, after: string | null, limit = 100): Promise<{ versions: Record<string, number>; next: string }> {
  const versions: Record<string, number> = {};
  let next = after;
  for (;;) {
    const found = await store.changes(next, limit, soon());
    for (const { entity, id, version } of found.items) versions[`${entity} ${id}`] = version;
    if (found.next === next || found.items.length === 0) return { versions, next: found.next };
    next = found.next;
  }
}

export const changeLog = concern("changes", {
  "from now on: nothing yet, then every change of watched rows, removals as version 0": async ({ store }) => {
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("old"))] });
    const start = await store.changes(null, 10, soon());
    assert.deepEqual(start.items, []);
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("a")), insert(kitItem, item("b"))] });
    await accepted(store, { scope: mine, writes: [update(kitItem, "a", { change: { add: { spent: 1 } } }), remove(kitItem, "b")] });
    const { versions, next } = await follow(store, start.next, 1);
    assert.deepEqual(versions, { "kitItem a": 2, "kitItem b": 0 });
    assert.deepEqual((await follow(store, next)).versions, {});
    await store.take(kitItem, { ...due, where: { ...due.where, id: "a" } }, soon());
    assert.deepEqual((await follow(store, next)).versions, { "kitItem a": 3 });
  },
  "touches, ledgers, unwatched rows, skips and refused units leave no trace": async ({ store }) => {
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("a"))] });
    const { next } = await store.changes(null, 10, soon());
    await accepted(store, { scope: mine, writes: [update(kitItem, "a", { change: { set: { seenAtMs: 1 } } })] });
    await accepted(store, {
      scope: mine,
      writes: [insert(kitItem, item("a"), "skip"), insert(kitEntry, entry("e", 1)), insert(kitShared, { id: "s", name: "n", count: 1 })],
    });
    await refused(store, { scope: mine, writes: [insert(kitItem, item("b")), remove(kitItem, "nobody")] });
    assert.deepEqual((await follow(store, next)).versions, {});
  },
  "a cursor that was not given is bad_request": async ({ store }) => {
    for (const cursor of ["", "x", "-1", "1.5", "1e3", "9".repeat(20), " 1"])
      await rejectsWith("bad_request", () => store.changes(cursor, 10, soon()));
  },
  "a cursor beyond all that there is: the store lacks writes that it had, says so once, and goes on from what there is": async ({
    store,
  }) => {
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("a"))] });
    const { next } = await store.changes(null, 10, soon());
    assert.equal((await store.changes(next, 10, soon())).isOlder, undefined);
    assert.deepEqual(await store.changes(String(Number(next) + 1), 10, soon()), { items: [], next, isOlder: true });
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("b"))] });
    assert.deepEqual((await follow(store, next)).versions, { "kitItem b": 1 });
  },
  "a reader far behind learns the newest version of every row": async ({ store }) => {
    const { next } = await store.changes(null, 10, soon());
    await accepted(store, { scope: mine, writes: ["a", "b", "c"].map((id) => insert(kitItem, item(id))) });
    for (let i = 0; i < 60; i++)
      await store.commit(
        Array.from({ length: 50 }, (_, n) => ({
          scope: mine,
          writes: [update(kitItem, n % 2 === 0 ? "a" : "b", { change: { add: { spent: 1 } } })],
        })),
        soon(),
      );
    assert.deepEqual((await follow(store, next)).versions, { "kitItem a": 1501, "kitItem b": 1501, "kitItem c": 1 });
  },
});
