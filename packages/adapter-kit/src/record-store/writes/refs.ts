import assert from "node:assert/strict";
import { insert, remove, update, type Unit } from "@sallyport/core/ports";
import { accepted, race, refused, soon } from "../../expectations.js";
import { item, kitItem, kitPart, mine, part, theirs } from "../entities.js";
import { both, concern } from "../subject.js";

const unit = (...writes: Unit["writes"]): Unit => ({ scope: mine, writes });

export const refs = concern("refs", {
  "a row is not inserted that would refer to none, and one that refers to nothing or to a row is": async ({ store }) => {
    const orphan = await refused(store, unit(insert(kitPart, part("p", "nobody"))));
    assert.deepEqual(orphan, { ok: false, failed: 0, why: "missing", current: null });
    const skipped = await refused(store, unit(insert(kitPart, part("p", "nobody"), "skip")));
    assert.equal(skipped.why, "missing", "skip is for rows that stand");
    assert.equal(await store.get(kitPart, "p", mine, soon()), null);
    await accepted(store, unit(insert(kitItem, item("a")), insert(kitPart, part("p", "a")), insert(kitPart, part("q", null))));
    assert.equal((await store.get(kitPart, "p", mine, soon()))?.itemId, "a");
  },
  "a row that refers before the other stands is refused, and all of its unit with it": async ({ store }) => {
    const result = await refused(store, unit(insert(kitItem, item("b")), insert(kitPart, part("p", "a")), insert(kitItem, item("a"))));
    assert.deepEqual([result.failed, result.why], [1, "missing"]);
    for (const id of ["a", "b"]) assert.equal(await store.get(kitItem, id, mine, soon()), null);
  },
  "a refused orphan that only skips takes back what its unit did before": async ({ store }) => {
    const result = await refused(store, unit(insert(kitItem, item("a"), "skip"), insert(kitPart, part("p", "nobody"), "skip")));
    assert.deepEqual([result.failed, result.why], [1, "missing"]);
    assert.equal(await store.get(kitItem, "a", mine, soon()), null);
  },
  "an update that would lead nowhere is refused and changes nothing; to another row, and to none, it is done": async ({ store }) => {
    await accepted(store, unit(insert(kitItem, item("a")), insert(kitItem, item("b")), insert(kitPart, part("p", "a"))));
    const lost = await refused(store, unit(update(kitPart, "p", { change: { set: { itemId: "nobody", size: 9 } } })));
    assert.deepEqual(lost, { ok: false, failed: 0, why: "missing", current: null });
    const before = await store.get(kitPart, "p", mine, soon());
    assert.deepEqual([before?.itemId, before?.size, before?.version], ["a", 0, 1]);
    await accepted(store, unit(update(kitPart, "p", { change: { set: { itemId: "b" } } })));
    await accepted(store, unit(remove(kitItem, "a")));
    await accepted(store, unit(update(kitPart, "p", { change: { set: { itemId: null } } })));
    await accepted(store, unit(remove(kitItem, "b")));
  },
  "a row that another refers to is not removed, and is shown as it stands": async ({ store }) => {
    await accepted(store, unit(insert(kitItem, item("a", { label: "kept" })), insert(kitPart, part("p", "a"))));
    const kept = await refused(store, unit(remove(kitItem, "a")));
    assert.deepEqual([kept.failed, kept.why, kept.current?.["label"]], [0, "guard", "kept"]);
    const second = await refused(store, unit(insert(kitItem, item("b")), remove(kitItem, "a", { ifVersion: 1 })));
    assert.deepEqual([second.failed, second.why], [1, "guard"]);
    assert.equal(await store.get(kitItem, "b", mine, soon()), null);
    assert.equal((await store.get(kitItem, "a", mine, soon()))?.label, "kept");
    const other = await refused(store, unit(remove(kitItem, "a", { ifVersion: 7 })));
    assert.equal(other.why, "version", "its own guard is looked at first");
  },
  "with what refers to it, first, a row is removed in one unit": async ({ store }) => {
    await accepted(store, unit(insert(kitItem, item("a")), insert(kitPart, part("p", "a")), insert(kitPart, part("q", "a"))));
    const parentFirst = await refused(store, unit(remove(kitItem, "a"), remove(kitPart, "p"), remove(kitPart, "q")));
    assert.deepEqual([parentFirst.failed, parentFirst.why], [0, "guard"]);
    await accepted(store, unit(remove(kitPart, "p"), update(kitPart, "q", { change: { set: { itemId: null } } }), remove(kitItem, "a")));
    assert.equal(await store.get(kitPart, "p", mine, soon()), null);
    assert.equal((await store.get(kitPart, "q", mine, soon()))?.itemId, null);
  },
  "a row of any project is one that is referred to, whoever asks": async ({ store }) => {
    await accepted(store, { scope: theirs, writes: [insert(kitItem, item("a", { projectId: "p2" }))] });
    await accepted(store, unit(insert(kitPart, part("p", "a"))));
    const kept = await refused(store, { scope: theirs, writes: [remove(kitItem, "a")] });
    assert.equal(kept.why, "guard");
    assert.equal((await refused(store, unit(remove(kitItem, "a")))).why, "missing", "outside the scope it is not there");
  },
  "a refused orphan never affects its neighbours": async ({ store }) => {
    await accepted(store, unit(insert(kitItem, item("a")), insert(kitPart, part("p", "a"))));
    const results = await store.commit(
      [
        unit(insert(kitPart, part("q", "a"))),
        unit(insert(kitPart, part("lost", "nobody"))),
        unit(remove(kitItem, "a")),
        unit(insert(kitPart, part("r", "a"))),
      ],
      soon(),
    );
    assert.deepEqual(
      results.map((result) => (result.ok ? "ok" : result.why)),
      ["ok", "missing", "guard", "ok"],
    );
  },
  "of a removal and rows that refer to it at once, no row is left leading nowhere": async (subject) => {
    const { stores, close } = await both(subject);
    const [store] = stores as [(typeof stores)[number]];
    for (let round = 0; round < 5; round++) {
      const id = `a${round}`;
      await accepted(store, unit(insert(kitItem, item(id))));
      const parts = Array.from({ length: 8 }, (_each, n) => unit(insert(kitPart, part(`${id}_${n}`, id))));
      const results = await race(stores, [...parts.slice(0, 4), unit(remove(kitItem, id)), ...parts.slice(4)]);
      const stands = (await store.get(kitItem, id, mine, soon())) !== null;
      const rows = (await store.find(kitPart, { where: { itemId: id }, orderBy: "id", limit: 100 }, mine, soon())).rows.length;
      const done = results.filter((result) => result.ok).length;
      if (stands) assert.deepEqual([rows, done], [8, 8], "it stays with all that refers to it");
      else assert.deepEqual([rows, done], [0, 1], "it goes before all of them");
    }
    await close();
  },
});
