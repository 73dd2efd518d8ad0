import assert from "node:assert/strict";
import { append, insert, remove, update, type RecordStore, type Unit } from "@sallyport/core/ports";
import { accepted, refused, soon } from "../../expectations.js";
import { event, item, kitEvent, kitItem, kitShared, mine, system, theirs, type KitItem } from "../entities.js";
import { concern } from "../subject.js";

type Guard = NonNullable<Parameters<typeof update<KitItem>>[2]["where"]>;

const unit = (...writes: Unit["writes"]): Unit => ({ scope: mine, writes });
const change = { set: { status: "changed" } };

async function holds(store: RecordStore, id: string, where: Guard): Promise<boolean> {
  const [result] = await store.commit([unit(update(kitItem, id, { change: {}, where }))], soon());
  assert.ok(result !== undefined && (result.ok || result.why === "guard"), JSON.stringify(result));
  return result.ok;
}

export const guards = concern("guards", {
  "a guard decides, in every form, and null only meets null": async ({ store }) => {
    await accepted(store, unit(insert(kitItem, item("a", { rank: 5, label: "m", active: true, attempt: 2 })), insert(kitItem, item("n"))));
    const yes: Guard[] = [
      { rank: 5 },
      { rank: { in: [4, 5] } },
      { rank: { lt: 6 } },
      { rank: { lte: 5 } },
      { rank: { gt: 4 } },
      { rank: { gte: 5 } },
      { label: { gt: "a" } },
      { active: true },
      { seenAtMs: null },
      { attempt: 2, rank: 5 },
      { any: [{ rank: 1 }, { label: "m" }] },
      { any: [{ any: [{ rank: 5 }] }] },
      { id: "a" },
      { version: 1 },
      { status: "pending", any: [{ rank: null }, { rank: { gte: 5 } }] },
    ]; // prettier-ignore
    const no: Guard[] = [
      { rank: 4 },
      { rank: { in: [] } },
      { rank: { in: [1, 2] } },
      { rank: { lt: 5 } },
      { rank: { gt: 5 } },
      { label: { lt: "a" } },
      { active: false },
      { rank: null },
      { attempt: 2, rank: 4 },
      { any: [] },
      { any: [{ rank: 1 }, { label: "n" }] },
      { rank: 5, any: [{ rank: 1 }] },
      { version: 2 },
    ]; // prettier-ignore
    for (const where of yes) assert.ok(await holds(store, "a", where), `holds: ${JSON.stringify(where)}`);
    for (const where of no) assert.ok(!(await holds(store, "a", where)), `does not hold: ${JSON.stringify(where)}`);
    for (const where of [{ rank: 0 }, { rank: { lt: 9 } }, { rank: { gte: -9 } }, { rank: { in: [0] } }])
      assert.ok(!(await holds(store, "n", where)), `null does not meet ${JSON.stringify(where)}`);
    assert.ok(await holds(store, "n", { rank: null, label: null }));
  },
  "a guard that does not hold refuses the update and the remove, and shows the row": async ({ store }) => {
    await accepted(store, unit(insert(kitItem, item("a"))));
    const row = await store.get(kitItem, "a", mine, soon());
    for (const write of [update(kitItem, "a", { change, where: { attempt: 1 } }), remove(kitItem, "a", { where: { attempt: 1 } })])
      assert.deepEqual(await refused(store, unit(write)), { ok: false, failed: 0, why: "guard", current: row });
    assert.deepEqual(await store.get(kitItem, "a", mine, soon()), row);
  },
  "another version refuses the update and the remove, and shows the row": async ({ store }) => {
    await accepted(store, unit(insert(kitItem, item("a"))));
    await accepted(store, unit(update(kitItem, "a", { change, ifVersion: 1 })));
    const row = await store.get(kitItem, "a", mine, soon());
    for (const write of [update(kitItem, "a", { change, ifVersion: 1 }), remove(kitItem, "a", { ifVersion: 3 })])
      assert.deepEqual(await refused(store, unit(write)), { ok: false, failed: 0, why: "version", current: row });
    assert.equal((await accepted(store, unit(remove(kitItem, "a", { ifVersion: 2 })))).versions[0], 0);
  },
  "the version is looked at before the guard": async ({ store }) => {
    await accepted(store, unit(insert(kitItem, item("a"))));
    assert.equal((await refused(store, unit(update(kitItem, "a", { change, ifVersion: 9, where: { attempt: 9 } })))).why, "version");
  },
  "a row that is not there is missing": async ({ store }) => {
    for (const write of [
      update(kitItem, "x", { change }),
      remove(kitItem, "x"),
      update(kitItem, "x", { change, ifVersion: 1, where: { attempt: 0 } }),
    ])
      assert.deepEqual(await refused(store, unit(write)), { ok: false, failed: 0, why: "missing", current: null });
  },
  "a taken id or unique value refuses the insert and shows who holds it": async ({ store }) => {
    await accepted(store, unit(insert(kitItem, item("a", { slug: "s" }))));
    const row = await store.get(kitItem, "a", mine, soon());
    for (const taken of [item("a"), item("b", { slug: "s" })])
      assert.deepEqual(await refused(store, unit(insert(kitItem, taken))), { ok: false, failed: 0, why: "taken", current: row });
    await accepted(store, { scope: theirs, writes: [insert(kitItem, item("c", { slug: "s", projectId: "p2" }))] });
  },
  "an update that takes a unique value is refused like an insert": async ({ store }) => {
    await accepted(store, unit(insert(kitShared, { id: "a", name: "A", count: 0 }), insert(kitShared, { id: "b", name: "B", count: 0 })));
    const holder = await store.get(kitShared, "a", mine, soon());
    const result = await refused(store, unit(update(kitShared, "b", { change: { set: { name: "A" } } })));
    assert.deepEqual(result, { ok: false, failed: 0, why: "taken", current: holder });
    await accepted(store, unit(update(kitShared, "b", { change: { set: { name: "B" } } })));
  },
  "nulls in a unique constraint are distinct": async ({ store }) => {
    await accepted(store, unit(insert(kitItem, item("a")), insert(kitItem, item("b"))));
  },
  "skip leaves the row that stands and lets the unit go on": async ({ store }) => {
    await accepted(store, unit(insert(kitItem, item("a", { slug: "s", label: "first" }))));
    const result = await accepted(
      store,
      unit(
        insert(kitItem, item("b", { slug: "s", label: "second" }), "skip"),
        insert(kitItem, item("a", { label: "third" }), "skip"),
        insert(kitItem, item("c")),
      ),
    );
    assert.deepEqual(result, { ok: true, versions: [0, 0, 1], skipped: [0, 1] });
    assert.equal((await store.get(kitItem, "a", mine, soon()))?.label, "first");
    assert.equal(await store.get(kitItem, "b", mine, soon()), null);
    assert.ok((await store.get(kitItem, "c", mine, soon())) !== null);
  },
  "a unit is applied whole or not at all, whichever write is refused": async ({ store }) => {
    await accepted(store, unit(insert(kitItem, item("a", { spent: 1, slug: "old" })), insert(kitItem, item("gone", { slug: "free" }))));
    await accepted(store, unit(append(kitEvent, "s", { entries: [event(1)] })));
    const before = await store.get(kitItem, "a", mine, soon());
    const result = await refused(
      store,
      unit(
        insert(kitItem, item("new", { slug: "n" })),
        update(kitItem, "a", { change: { set: { slug: "moved", label: "x" }, add: { spent: 5 } } }),
        remove(kitItem, "gone"),
        append(kitEvent, "s", { entries: [event(2), event(3)] }),
        update(kitItem, "nobody", { change }),
      ),
    );
    assert.deepEqual(result, { ok: false, failed: 4, why: "missing", current: null });
    assert.equal(await store.get(kitItem, "new", system, soon()), null);
    assert.deepEqual(await store.get(kitItem, "a", mine, soon()), before);
    assert.ok((await store.get(kitItem, "gone", mine, soon())) !== null);
    assert.equal((await store.read(kitEvent, "s", { afterSeq: 0, limit: 9 }, mine, soon())).length, 1);
    // What was taken back must be free again, and what was freed must be taken again.
    await accepted(store, unit(insert(kitItem, item("new", { slug: "n" })), insert(kitItem, item("m", { slug: "moved" }))));
    assert.equal((await refused(store, unit(insert(kitItem, item("f", { slug: "free" }))))).why, "taken");
    assert.equal((await accepted(store, unit(append(kitEvent, "s", { entries: [event(2)] })))).firstSeq, 2);
  },
  "writes of one unit see those before them": async ({ store }) => {
    const result = await accepted(
      store,
      unit(
        insert(kitItem, item("a", { slug: "s" })),
        update(kitItem, "a", { change: { add: { spent: 2 } }, ifVersion: 1 }),
        update(kitItem, "a", { change: { add: { spent: 3 } }, ifVersion: 2, where: { spent: 2 } }),
        remove(kitItem, "a", { ifVersion: 3 }),
        insert(kitItem, item("b", { slug: "s" })),
      ),
    );
    assert.deepEqual(result.versions, [1, 2, 3, 0, 1]);
  },
  "a refused unit leaves its neighbours alone": async ({ store }) => {
    await accepted(store, unit(insert(kitShared, { id: "held", name: "taken", count: 0 })));
    const results = await store.commit(
      [
        unit(insert(kitItem, item("a")), append(kitEvent, "s", { entries: [event(1)] })),
        unit(
          insert(kitItem, item("b")),
          append(kitEvent, "s", { entries: [event(2)] }),
          insert(kitShared, { id: "other", name: "taken", count: 1 }),
        ),
        unit(insert(kitItem, item("c")), append(kitEvent, "s", { entries: [event(3)] })),
        unit(update(kitItem, "nobody", { change })),
        unit(insert(kitItem, item("d"))),
      ],
      soon(),
    );
    assert.deepEqual(
      results.map((result) => (result.ok ? "ok" : `${result.why} at ${result.failed}`)),
      ["ok", "taken at 2", "ok", "missing at 0", "ok"],
    );
    const found = await Promise.all(["a", "b", "c", "d"].map((id) => store.get(kitItem, id, mine, soon())));
    assert.deepEqual(
      found.map((row) => row !== null),
      [true, false, true, true],
    );
    const read = await store.read(kitEvent, "s", { afterSeq: 0, limit: 9 }, mine, soon());
    assert.deepEqual(
      read.map(({ seq, entry }) => [seq, entry.n]),
      [
        [1, 1],
        [2, 3],
      ],
    ); // prettier-ignore
  },
  "an add that would leave the safe integers is refused": async ({ store }) => {
    await accepted(store, unit(insert(kitItem, item("a", { spent: Number.MAX_SAFE_INTEGER - 1 }))));
    await accepted(store, unit(update(kitItem, "a", { change: { add: { spent: 1 } } })));
    assert.equal((await refused(store, unit(update(kitItem, "a", { change: { add: { spent: 1 } } })))).why, "guard");
    assert.equal((await store.get(kitItem, "a", mine, soon()))?.spent, Number.MAX_SAFE_INTEGER);
  },
  "an update of nothing is a guard alone": async ({ store }) => {
    await accepted(store, unit(insert(kitItem, item("a"))));
    assert.deepEqual((await accepted(store, unit(update(kitItem, "a", { change: {}, where: { attempt: 0 } })))).versions, [1]);
  },
});
