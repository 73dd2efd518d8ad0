import assert from "node:assert/strict";
import { append, insert, moveIn, update, type RecordStore } from "@sallyport/core/ports";
import { accepted, refused, soon } from "../../expectations.js";
import { event, item, kitEvent, kitItem, kitShared, mine, system } from "../entities.js";
import { concern } from "../subject.js";

const long = { createdAtMs: 1_000, updatedAtMs: 2_000 };

async function instants(store: RecordStore, id: string): Promise<(number | undefined)[]> {
  const row = await store.get(kitItem, id, mine, soon());
  return [row?.version, row?.createdAtMs, row?.updatedAtMs];
}

/** What comes from another store. */
export const moved = concern("moved", {
  "a row that another store had keeps its instants, and is changed as any other": async ({ store }) => {
    const result = await accepted(store, { scope: mine, writes: [moveIn(kitItem, item("a", { readyAtMs: 7 }), long)] });
    assert.deepEqual(result, { ok: true, versions: [1], skipped: [] });
    assert.deepEqual(await instants(store, "a"), [1, 1_000, 2_000]);
    await accepted(store, { scope: mine, writes: [update(kitItem, "a", { change: { set: { rank: 1 } } })] });
    const [version, createdAtMs, updatedAtMs] = await instants(store, "a");
    assert.deepEqual([version, createdAtMs], [2, 1_000]);
    assert.ok((updatedAtMs ?? 0) > 2_000);
    const moves = await store.changes(null, 1, soon());
    await accepted(store, { scope: mine, writes: [moveIn(kitItem, item("b"), long)] });
    assert.deepEqual((await store.changes(moves.next, 10, soon())).items, [{ entity: "kitItem", id: "b", version: 1 }]);
  },
  "rows with and without instants of their own stand side by side, in one unit and in one commit": async ({ store }) => {
    const before = await store.now(soon());
    const units = ["a", "b", "c", "d", "e", "f"].map((id, i) => ({
      scope: mine,
      writes: [
        i % 2 === 0 ? moveIn(kitItem, item(id), { createdAtMs: i, updatedAtMs: i + 10 }) : insert(kitItem, item(id)),
        i % 2 === 1 ? moveIn(kitItem, item(`${id}2`), { createdAtMs: i, updatedAtMs: i + 10 }) : insert(kitItem, item(`${id}2`)),
      ],
    }));
    for (const { ok } of await store.commit(units, soon())) assert.equal(ok, true);
    for (const [i, id] of ["a", "b", "c", "d", "e", "f"].entries()) {
      const [old, fresh] = i % 2 === 0 ? [id, `${id}2`] : [`${id}2`, id];
      assert.deepEqual(await instants(store, old), [1, i, i + 10]);
      const [, createdAtMs, updatedAtMs] = await instants(store, fresh);
      assert.ok((createdAtMs ?? 0) >= before);
      assert.equal(createdAtMs, updatedAtMs);
    }
    const page = await store.find(kitItem, { orderBy: "createdAtMs", limit: 3 }, mine, soon());
    assert.deepEqual(
      page.rows.map(({ createdAtMs }) => createdAtMs),
      [0, 1, 2],
    );
  },
  "one whose id or unique value is taken is refused, whatever its instants": async ({ store }) => {
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("a", { slug: "s" }))] });
    for (const row of [item("a"), item("b", { slug: "s" })]) {
      const result = await refused(store, { scope: mine, writes: [moveIn(kitItem, row, long)] });
      assert.deepEqual([result.why, result.current?.["id"]], ["taken", "a"]);
    }
    assert.notEqual((await instants(store, "a"))[1], 1_000);
  },
  "entries that another store had keep theirs, and later ones have the store's": async ({ store }) => {
    const entries = [1, 2, 3].map((n) => event(n));
    await accepted(store, { scope: mine, writes: [append(kitEvent, "s", { entries, atMs: [30, 10, 20], ifLast: 0 })] });
    await accepted(store, { scope: mine, writes: [append(kitEvent, "s", { entries: [event(4)], ifLast: 3 })] });
    const read = await store.read(kitEvent, "s", { afterSeq: 0, limit: 10 }, mine, soon());
    assert.deepEqual(
      read.slice(0, 3).map(({ seq, atMs, entry }) => [seq, atMs, entry.n]),
      [
        [1, 30, 1],
        [2, 10, 2],
        [3, 20, 3],
      ],
    );
    assert.ok((read[3]?.atMs ?? 0) > 1_000_000);
    // Retention goes by them.
    assert.equal(await store.prune(kitEvent, 15, 10, soon()), 1);
    assert.deepEqual(
      (await store.read(kitEvent, "s", { afterSeq: 0, limit: 10 }, mine, soon())).map(({ seq }) => seq),
      [1, 3, 4],
    );
  },
  "what is no instant is refused before anything is written": async ({ store }) => {
    for (const write of [
      moveIn(kitItem, item("a"), { createdAtMs: 1.5, updatedAtMs: 2 }),
      moveIn(kitShared, { id: "a", name: "n", count: 0 }, { createdAtMs: 1, updatedAtMs: -1 }),
      append(kitEvent, "s", { entries: [event(1)], atMs: [] }),
      append(kitEvent, "s", { entries: [event(1)], atMs: [Number.NaN] }),
    ])
      await assert.rejects(store.commit([{ scope: system, writes: [write] }], soon()), { code: "internal" });
    assert.equal(await store.get(kitItem, "a", mine, soon()), null);
  },
});
