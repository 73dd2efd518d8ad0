import { budgetWindow, message, reservation, task, usageEntry } from "../../../packages/core/src/entities/index.js";
import { append, encodeCursor, insert, now, nowPlus, update, type RecordStore, type Unit } from "../../../packages/core/src/ports/index.js";
import { messageEntry, newId, reservationRow, taskRow, usageRow, WINDOW, windowRow } from "./rows.js";
import type { Workload } from "./workload.js";

const scope = { system: "bench" };
const soon = () => ({ deadlineMs: Date.now() + 30_000 });
const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

/** A record store, through its port. */
export async function ours(store: RecordStore): Promise<Workload> {
  await store.commit([{ scope, writes: [insert(budgetWindow, windowRow, "skip")] }], soon());
  const sessions = many(1_000, () => newId("session"));
  let at = 0;
  const commit = async (units: readonly Unit[]): Promise<number> => {
    const results = await store.commit(units, soon());
    if (results.some(({ ok }) => !ok)) throw new Error(JSON.stringify(results.find(({ ok }) => !ok)));
    return units.length;
  };
  const stream = (): string => sessions[at++ % sessions.length]!;
  const find = async (where: object, o: { readonly desc?: boolean; readonly cursor?: string } = {}): Promise<number> => {
    const query = { where, orderBy: "atMs" as const, desc: o.desc ?? true, limit: 50, cursor: o.cursor };
    return (await store.find(usageEntry, query, { projects: ["p3"] }, soon())).rows.length;
  };
  let middle: string | undefined;
  let filledFromMs: number | undefined;
  return {
    append: (count) => commit(many(count, () => ({ scope, writes: [append(message, stream(), { entries: [messageEntry()] })] }))),
    ledger: (count) => {
      filledFromMs ??= Date.now();
      return commit(many(count, () => ({ scope, writes: [insert(usageEntry, usageRow(), "skip")] })));
    },
    hot: (count) =>
      commit(
        many(count, () => ({
          scope,
          writes: [
            update(budgetWindow, WINDOW, {
              change: { add: { leftNanoUsd: -1_000, reservedNanoUsd: 1_000 } },
              where: { leftNanoUsd: { gte: 1_000 } },
            }),
            insert(reservation, reservationRow()),
          ],
        })),
      ),
    addTasks: async (count) => {
      for (let i = 0; i < count; i += 500)
        await commit(many(Math.min(500, count - i), () => ({ scope, writes: [insert(task, taskRow())] })));
    },
    claim: async (count) => commit(await claimed(store, count)),
    list: () => find({}),
    search: () => find({ callerId: "key_13", atMs: { gte: Date.now() - 3_600_000 } }),
    page: async () => {
      if (middle === undefined) {
        const half = Math.floor(((filledFromMs ?? 0) + Date.now()) / 2);
        middle = encodeCursor(usageEntry as never, { where: {}, orderBy: "atMs", desc: true, limit: 50 } as never, {
          value: half,
          id: "call_",
        });
      }
      return find({}, { cursor: middle });
    },
    close: () => store.close(),
  };
}

/** Takes tasks; gives what completes them. */
async function claimed(store: RecordStore, count: number): Promise<Unit[]> {
  const where = { status: "pending" as const, type: "bench", priority: 0, readyAtMs: { lte: now } };
  const change = {
    set: { status: "running" as const, holder: "node_1", readyAtMs: nowPlus(30_000), startedAtMs: now },
    add: { attempt: 1 },
  };
  const taken = await store.take(task, { where, orderBy: ["readyAtMs"], limit: count, change }, soon());
  return taken.map(({ id, attempt }) => ({
    scope,
    writes: [
      update(task, id, {
        change: { set: { status: "succeeded", result: { ok: true }, finishedAtMs: now } },
        where: { attempt, status: "running", readyAtMs: { gt: now } },
      }),
    ],
  }));
}
