import type { Entity, LogEntity } from "@sallyport/core/entities";
import type { RecordStore, Scope, TakeQuery, Unit, Write } from "@sallyport/core/ports";
import fc from "fast-check";
import { kitEntities } from "./entities.js";

type Row = Record<string, unknown>;
const named = (name: string): unknown => kitEntities.find((entity) => entity.name === name);
const [item, shared, entry] = ["kitItem", "kitShared", "kitEntry"].map(named) as [Entity<Row>, Entity<Row>, Entity<Row>];
const event = named("kitEvent") as LogEntity<Row>;

const id = fc.constantFrom("a", "b", "c", "d", "e");
const project = fc.constantFrom("p1", "p2");
const small = fc.integer({ min: -2, max: 3 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 2 });
const scope: fc.Arbitrary<Scope> = fc.constantFrom({ projects: ["p1"] }, { projects: ["p1", "p2"] }, { projects: [] }, { system: "test" });
const label = maybe(fc.constantFrom("x", "X", "é", "\u{1f600}", "\uffee", ""));
const clockOr = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary }, { weight: 1, arbitrary: small.map((ms) => ({ storeNowPlusMs: ms })) });

const values = {
  projectId: project,
  slug: maybe(fc.constantFrom("s", "t")),
  status: fc.constantFrom("pending", "running", "done"),
  kind: fc.constantFrom("a", "b"),
  priority: small,
  readyAtMs: clockOr(fc.constantFrom(0, 1000, 2000)),
  rank: maybe(small),
  label,
  attempt: small,
  spent: maybe(fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER)),
  active: fc.boolean(),
  note: maybe(fc.string()),
  body: fc.jsonValue(),
  seenAtMs: maybe(clockOr(small)),
};
const row = fc.record({ id, ...values });

const test = fc.oneof(
  small.map((value): unknown => value),
  small.map((value) => ({ gt: value })),
  small.map((value) => ({ lte: value })),
  fc.array(small, { maxLength: 3 }).map((list) => ({ in: list })),
  fc.constant(null),
);
const condition: fc.Arbitrary<Row> = fc.oneof(
  fc.record({ rank: test, status: fc.constantFrom("pending", { in: ["pending", "running"] }) }, { requiredKeys: [] }),
  fc.record({ priority: test, active: fc.boolean(), label: fc.oneof(label, fc.constant({ gte: "x" })) }, { requiredKeys: [] }),
  fc.record({ any: fc.array(fc.record({ rank: test, label }, { requiredKeys: [] }), { maxLength: 2 }) }),
);

const change = fc.record(
  {
    set: fc.record(
      {
        status: values.status,
        rank: values.rank,
        slug: values.slug,
        label,
        body: values.body,
        seenAtMs: values.seenAtMs,
        projectId: project,
      },
      { requiredKeys: [] },
    ),
    add: fc.record({ spent: small, attempt: small }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const guard = {
  where: fc.option(condition, { nil: undefined, freq: 2 }),
  ifVersion: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 2 }),
};
const ifTaken = fc.constantFrom("refuse" as const, "skip" as const);

const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant("insert" as const), entity: fc.constant(item), row, ifTaken }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("insert" as const),
      entity: fc.constant(shared),
      row: fc.record({ id, name: fc.constantFrom("n", "m"), count: small }),
      ifTaken,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("insert" as const),
      entity: fc.constant(entry),
      row: fc.record({
        id,
        atMs: fc.nat(5000),
        projectId: project,
        kind: values.kind,
        paid: fc.boolean(),
        amount: maybe(fc.maxSafeInteger()),
        tokens: maybe(small),
      }),
      ifTaken,
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("update" as const), entity: fc.constant(item), id, change, ...guard }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("remove" as const), entity: fc.constant(item), id, ...guard }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("append" as const),
      log: fc.constant(event),
      stream: id,
      entries: fc.array(fc.record({ projectId: project, n: small, body: fc.jsonValue() }), { maxLength: 3 }),
      ifLast: fc.option(fc.nat(3), { nil: undefined, freq: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("erase" as const),
      log: fc.constant(event),
      stream: id,
      upToSeq: fc.option(fc.nat(3), { nil: undefined }),
    }),
  },
) as fc.Arbitrary<Write>;
const unit: fc.Arbitrary<Unit> = fc.record({ scope, writes: fc.array(write, { minLength: 1, maxLength: 4 }) });

export type StoreQuestion = (store: RecordStore) => Promise<unknown>;
const w = { deadlineMs: Number.MAX_SAFE_INTEGER };
/** Opens every page and leaves cursors out: the rows are what has to agree. */
async function pages(store: RecordStore, q: Row, seen: Scope): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await store.find(item, { ...q, cursor } as never, seen, w);
    rows.push(page.rows);
    if (page.next === null) return rows;
    cursor = page.next;
  }
}
/** Any call of a store of the kit's entities: commits, reads, claims, sums and pruning, also such as are refused. */
export const storeQuestions: fc.Arbitrary<StoreQuestion> = fc.oneof(
  fc.array(unit, { minLength: 1, maxLength: 3 }).map(
    (units): StoreQuestion =>
      (store) =>
        store.commit(units, w),
  ),
  fc.tuple(id, scope).map(
    ([of, seen]): StoreQuestion =>
      (store) =>
        store.get(item, of, seen, w),
  ),
  fc
    .record({
      where: condition,
      orderBy: fc.constantFrom("rank", "label", "priority", "id", "createdAtMs", "active"),
      desc: fc.boolean(),
      limit: fc.integer({ min: 1, max: 3 }),
    })
    .chain((q) =>
      scope.map(
        (seen): StoreQuestion =>
          (store) =>
            pages(store, q, seen),
      ),
    ),
  fc
    .record({
      where: fc.record(
        {
          status: fc.constantFrom("pending", { in: ["pending", "running"] }),
          kind: fc.constantFrom("a", { in: ["a", "b"] }),
          readyAtMs: fc.constant({ lte: { storeNowPlusMs: 0 } }),
        },
        { requiredKeys: [] },
      ),
      orderBy: fc.constantFrom(
        ["-priority", "readyAtMs"],
        ["priority", "-readyAtMs"],
        ["readyAtMs"],
        ["-rank"],
        ["label", "rank", "priority"],
        [],
      ),
      limit: fc.integer({ min: 1, max: 3 }),
      change: fc.constantFrom({ set: { readyAtMs: { storeNowPlusMs: 1000 } }, add: { attempt: 1 } }, { set: { status: "running" } }, {}),
    })
    .map(
      (t): StoreQuestion =>
        (store) =>
          store.take(item, t as unknown as TakeQuery<Row>, w),
    ),
  fc
    .record(
      { by: fc.subarray(["kind", "paid"]), sum: fc.subarray(["amount", "tokens"]), bucketMs: fc.constantFrom(700, 1000) },
      { requiredKeys: ["by", "sum"] },
    )
    .chain((q) =>
      scope.map(
        (seen): StoreQuestion =>
          (store) =>
            store.sum(entry, q as never, seen, w),
      ),
    ),
  fc.tuple(id, fc.nat(3), fc.boolean(), scope).map(
    ([stream, afterSeq, last, seen]): StoreQuestion =>
      (store) =>
        store.read(event, stream, last ? { afterSeq, limit: 2, last: true } : { afterSeq, limit: 2 }, seen, w),
  ),
  fc.tuple(fc.constantFrom(entry, event), fc.nat(6000), fc.integer({ min: 1, max: 5 })).map(
    ([entity, olderThanMs, limit]): StoreQuestion =>
      (store) =>
        store.prune(entity as never, olderThanMs, limit, w),
  ),
);

/** What the store answers, or what it threw: two stores agree when these are equal, question by question, on one clock. */
export async function answerOf(store: RecordStore, question: StoreQuestion): Promise<unknown> {
  try {
    return await question(store);
  } catch (error) {
    return { thrown: (error as { code?: string }).code, message: (error as Error).message };
  }
}
