import assert from "node:assert/strict";
import { insert, now, nowPlus, update, type RecordStore, type TakeQuery } from "@sallyport/core/ports";
import { accepted, refused, soon } from "../expectations.js";
import { item, kitItem, mine, system, type KitItem } from "./entities.js";
import { concern } from "./subject.js";

async function insertAll(store: RecordStore, rows: readonly Partial<KitItem>[]): Promise<void> {
  await accepted(store, {
    scope: system,
    writes: rows.map((row, i) => insert(kitItem, item(row.id ?? `i${String(i).padStart(4, "0")}`, row))),
  });
}

/** As a worker takes work: due rows, and rows whose lease ran out. */
export const due: TakeQuery<KitItem> = {
  where: { status: { in: ["pending", "running"] }, kind: { in: ["a", "b"] }, readyAtMs: { lte: now } },
  orderBy: ["-priority", "readyAtMs"],
  limit: 1,
  change: { set: { status: "running", readyAtMs: nowPlus(60_000) }, add: { attempt: 1 } },
};

const ids = (rows: readonly KitItem[]): string[] => rows.map((row) => row.id);

export const take = concern("take", {
  "due rows come by priority, then time, then id; others stay": async ({ store }) => {
    const nowMs = await store.now(soon());
    await insertAll(store, [
      { id: "later", readyAtMs: nowMs + 3_600_000, priority: 9 },
      { id: "low", readyAtMs: 5, priority: -1 },
      { id: "b", readyAtMs: 20, kind: "b" },
      { id: "a", readyAtMs: 20 },
      { id: "first", readyAtMs: 10, status: "running" },
      { id: "high", readyAtMs: 30, priority: 5 },
      { id: "other", readyAtMs: 1, kind: "c", priority: 7 },
      { id: "done", readyAtMs: 1, status: "done", priority: 8 },
      { id: "elsewhere", readyAtMs: 15, projectId: "p2" },
    ]);
    assert.deepEqual(ids(await store.take(kitItem, { ...due, limit: 3 }, soon())), ["high", "first", "elsewhere"]);
    assert.deepEqual(ids(await store.take(kitItem, { ...due, limit: 10 }, soon())), ["a", "b", "low"]);
    assert.deepEqual(await store.take(kitItem, { ...due, limit: 10 }, soon()), []);
    assert.equal((await store.get(kitItem, "later", mine, soon()))?.version, 1);
  },
  "rows come back as changed, and are stored so": async ({ store }) => {
    await insertAll(store, [{ id: "a", attempt: 4, body: { keep: true } }]);
    const before = await store.now(soon());
    const [taken] = await store.take(kitItem, due, soon());
    assert.ok(taken !== undefined);
    assert.deepEqual([taken.attempt, taken.status, taken.version, taken.body], [5, "running", 2, { keep: true }]);
    assert.ok(taken.readyAtMs >= before + 60_000);
    assert.deepEqual(await store.get(kitItem, "a", mine, soon()), taken);
  },
  "a lease that ran out is taken again, and the first holder's fence fails": async ({ store }) => {
    await insertAll(store, [{ id: "a" }]);
    const gone = { ...due, change: { set: { status: "running", readyAtMs: nowPlus(-1) }, add: { attempt: 1 } } };
    const [first] = await store.take(kitItem, gone, soon());
    const [second] = await store.take(kitItem, due, soon());
    assert.deepEqual([first?.attempt, second?.attempt], [1, 2]);
    const complete = (attempt: number) => ({
      scope: mine,
      writes: [update(kitItem, "a", { change: { set: { status: "done" } }, where: { attempt, readyAtMs: { gt: now } } })],
    }); // prettier-ignore
    assert.equal((await refused(store, complete(1))).why, "guard");
    await accepted(store, complete(2));
  },
  "every order works, and none at all": async ({ store }) => {
    await insertAll(
      store,
      [3, 1, 2, null].map((rank, i) => ({ id: `i${i}`, rank, label: `l${i}` })),
    );
    const order = async (orderBy: TakeQuery<KitItem>["orderBy"]): Promise<string[]> =>
      ids(await store.take(kitItem, { where: { active: true }, orderBy, limit: 10, change: { add: { attempt: 1 } } }, soon()));
    assert.deepEqual(await order(["rank"]), ["i3", "i1", "i2", "i0"]);
    assert.deepEqual(await order(["-rank"]), ["i0", "i2", "i1", "i3"]);
    assert.deepEqual(await order(["active", "-label"]), ["i3", "i2", "i1", "i0"]);
    assert.deepEqual((await order([])).sort(), ["i0", "i1", "i2", "i3"]);
  },
  "a backlog of many priorities drains in order": async ({ store }) => {
    const rows = Array.from({ length: 500 }, (_, i) => ({
      id: `i${String(i).padStart(4, "0")}`,
      priority: (i * 7) % 11,
      readyAtMs: (i * 13) % 17,
      kind: i % 3 === 0 ? "b" : "a",
    }));
    await insertAll(store, rows);
    const expected = [...rows]
      .sort((a, b) => b.priority - a.priority || a.readyAtMs - b.readyAtMs || (a.id < b.id ? -1 : 1))
      .map((row) => row.id);
    const drained: string[] = [];
    for (let rest = 1; rest > 0; ) {
      const taken = await store.take(kitItem, { ...due, limit: 32 }, soon());
      drained.push(...ids(taken));
      rest = taken.length;
    }
    assert.deepEqual(drained, expected);
  },
});
