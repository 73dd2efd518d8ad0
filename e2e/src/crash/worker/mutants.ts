import type { RecordStore, StorageAdapter, TakeQuery, Unit, UnitResult, Within, Write } from "@sallyport/core/ports";

/** What is wrong with a store on purpose. Each has to be found by a checker of `check/`. */
export type Mutant = (right: RecordStore) => Partial<Pick<RecordStore, "take" | "commit">>;

const everything = { system: "a mutant" };
const isOf = (write: Write, entity: string): write is Exclude<Write, { op: "append" | "erase" }> =>
  "entity" in write && write.entity.name === entity;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function rewriting(rewrite: (write: Write, right: RecordStore, w: Within) => readonly Write[] | Promise<readonly Write[]>): Mutant {
  return (right) => ({
    commit: async (units, w) => {
      const rewritten = units.map(async (unit) => {
        const writes: Write[] = [];
        for (const write of unit.writes) writes.push(...(await rewrite(write, right, w)));
        return { ...unit, writes };
      });
      return right.commit(await Promise.all(rewritten), w);
    },
  });
}

/** Sees each unit that was applied. */
function afterwards(act: (unit: Unit, right: RecordStore, w: Within) => Promise<void>): Mutant {
  return (right) => ({
    commit: async (units, w) => {
      const results: UnitResult[] = await right.commit(units, w);
      for (const [i, unit] of units.entries()) if (results[i]?.ok === true) await act(unit, right, w);
      return results;
    },
  });
}

/** Looks what there is, thinks, and writes that it is its own. */
const doubleClaim: Mutant = (right) => ({
  take: async <R>(entity: Parameters<typeof right.take<R>>[0], t: TakeQuery<R>, w: Within): Promise<R[]> => {
    if (entity.name !== "task") return right.take(entity, t, w);
    const orderBy = t.orderBy[0]?.replace(/^-/, "") as keyof R & string;
    const { rows } = await right.find(entity, { where: t.where, orderBy, limit: t.limit }, everything, w);
    await pause(5);
    const taken: R[] = [];
    for (const row of rows) {
      const { id } = row as { id: string };
      const write = { op: "update", entity, id, change: t.change } as unknown as Write;
      await right.commit([{ scope: everything, writes: [write] }], w);
      const now = await right.get(entity, id, everything, w);
      if (now !== null) taken.push(now);
    }
    return taken;
  },
});

let count = 0;
const everyFifth = (): boolean => ++count % 5 === 0;

export const mutants: Readonly<Record<string, Mutant>> = {
  "the fence is off": rewriting((write) => [write.op === "update" && isOf(write, "task") ? { ...write, where: undefined } : write]),
  "a task goes to two": doubleClaim,
  "what was accepted was only in memory": afterwards(async ({ writes }, right, w) => {
    for (const write of writes)
      if (write.op === "insert" && isOf(write, "task") && everyFifth())
        setTimeout(
          () =>
            void right.commit([{ scope: everything, writes: [{ op: "remove", entity: write.entity, id: String(write.row["id"]) }] }], {
              ...w,
              deadlineMs: Date.now() + 5000,
            }),
          20,
        );
  }),
  "what is done is done again": afterwards(async ({ writes }, right, w) => {
    for (const write of writes)
      if (write.op === "update" && isOf(write, "task") && write.change.set?.["status"] === "succeeded" && everyFifth())
        await right.commit(
          [{ scope: everything, writes: [{ ...write, change: { set: { status: "pending", finishedAtMs: null } }, where: undefined }] }],
          w,
        );
  }),
  "what is spent is read before it is added": rewriting(async (write, right, w) => {
    if (write.op !== "update" || !isOf(write, "budgetWindow") || write.change.add === undefined) return [write];
    const row = (await right.get(write.entity, write.id, everything, w)) as Record<string, unknown> | null;
    if (row === null) return [write];
    await pause(5);
    const sums = Object.entries(write.change.add).map(([name, delta]) => [name, Number(row[name]) + Number(delta)] as const);
    return [{ ...write, change: { set: { ...write.change.set, ...Object.fromEntries(sums) } } }];
  }),
  "a usage row is forgotten": rewriting((write) => (write.op === "insert" && isOf(write, "usage") && everyFifth() ? [] : [write])),
  "a usage row is written twice": rewriting((write) =>
    write.op === "insert" && isOf(write, "usage") && everyFifth()
      ? [write, { ...write, row: { ...write.row, id: `${String(write.row["id"])}_again` } }]
      : [write],
  ),
};

/** The adapter with the mutant before its store. */
export function mutated(adapter: StorageAdapter, name: string | null): StorageAdapter {
  if (name === null) return adapter;
  const mutant = mutants[name];
  if (mutant === undefined) throw new Error(`There is no mutant "${name}".`);
  return {
    name: adapter.name,
    open: async (o) => {
      const right = await adapter.open(o);
      const wrong = mutant(right) as Record<string, unknown>;
      return new Proxy(right, {
        get: (target, verb) => {
          const method = wrong[String(verb)] ?? Reflect.get(target, verb);
          return typeof method === "function" ? (method.bind(target) as unknown) : method;
        },
      });
    },
  };
}
