import { kitEntities } from "@sallyport/adapter-kit";
import type { Entity } from "@sallyport/core/entities";
import { memoryStore } from "@sallyport/core/memory";
import { insert, type RecordStore, type Scope, type Unit, type Write } from "@sallyport/core/ports";
import { derivedMigration } from "@sallyport/sql";
import fc from "fast-check";
import { expect, it } from "vitest";
import { sqliteDialect } from "../src/dialect.js";
import { sqlite } from "../src/index.js";

type Row = Record<string, unknown>;
const [item, entry] = ["kitItem", "kitEntry"].map((name) => kitEntities.find((entity) => entity.name === name)) as unknown as [
  Entity<Row>,
  Entity<Row>,
];
const system: Scope = { system: "test" };
const within = () => ({ deadlineMs: Date.now() + 10_000 });

/** Few ids, so that many stand already; of those in one project that the scope does not see, some. */
const ledgerRow = fc.record({
  id: fc.integer({ min: 0, max: 90 }).map((n) => `row_${n}`),
  atMs: fc.nat(5000),
  projectId: fc.constantFrom("p1", "p1", "p1", "p1", "p1", "p1", "p2"),
  kind: fc.constantFrom("a", "b\u0000c"),
  paid: fc.boolean(),
  amount: fc.option(fc.maxSafeInteger(), { nil: null }),
  tokens: fc.option(fc.nat(9), { nil: null }),
});
const ledgerWrite: fc.Arbitrary<Write> = fc
  .tuple(ledgerRow, fc.constantFrom("skip" as const, "skip" as const, "skip" as const, "skip" as const, "skip" as const, "refuse" as const))
  .map(([row, ifTaken]) => insert(entry, row, ifTaken));
const unit: fc.Arbitrary<Unit> = fc.record({
  scope: fc.constant<Scope>({ projects: ["p1"] }),
  writes: fc.array(ledgerWrite, { minLength: 1, maxLength: 2 }),
});
const ownId = fc.record({ scope: fc.constant(system), writes: fc.constant<Write[]>([]) });

async function both(): Promise<[RecordStore, RecordStore]> {
  const migrations = [derivedMigration(sqliteDialect, kitEntities)];
  return [await sqlite(":memory:", { migrations }).open({ entities: kitEntities }), memoryStore()];
}
const rowsOf = async (store: RecordStore) => (await store.find(entry, { orderBy: "atMs", limit: 1000 }, system, within())).rows;

it("writes many units of ledger rows as if each came alone: the same results, the same rows, whatever stood already or was refused", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.oneof({ weight: 30, arbitrary: unit }, { weight: 1, arbitrary: ownId }), { maxLength: 80 }), { maxLength: 3 }),
      async (flushes) => {
        const [sql, memory] = await both();
        for (const units of flushes) expect(await sql.commit(units, within())).toEqual(await memory.commit(units, within()));
        expect(await rowsOf(sql)).toEqual(await rowsOf(memory));
        await sql.close();
      },
    ),
    { numRuns: 60 },
  );
});

it("takes a unit that is refused among many that are not, and none of its rows", async () => {
  const [sql] = await both();
  const row = (id: string): Row => ({ id, atMs: 1, projectId: "p1", kind: "a", paid: true, amount: null, tokens: 1 });
  const plain = (n: number): Unit => ({
    scope: { projects: ["p1"] },
    writes: [insert(entry, row(`a${n}`), "skip"), insert(entry, row(`b${n}`), "skip")],
  });
  const refused: Unit = { scope: { projects: ["p1"] }, writes: [insert(entry, row("lost"), "skip"), insert(item, refusedItem)] };
  const units = [...Array.from({ length: 20 }, (_, n) => plain(n)), refused, ...Array.from({ length: 20 }, (_, n) => plain(n + 20))];
  await sql.commit([{ scope: { projects: ["p1"] }, writes: [insert(item, refusedItem)] }], within());
  const results = await sql.commit(units, within());
  expect(results.map(({ ok }) => ok)).toEqual(units.map((one) => one !== refused));
  const ids = (await rowsOf(sql)).map(({ id }) => id);
  expect([ids.length, ids.includes("lost")]).toEqual([80, false]);
  await sql.close();
});

const refusedItem: Row = {
  ...{ id: "item", projectId: "p1", slug: "s", status: "pending", kind: "a", priority: 0, readyAtMs: 0, rank: null, label: null },
  ...{ attempt: 0, spent: null, active: true, note: null, body: null, seenAtMs: null },
};
