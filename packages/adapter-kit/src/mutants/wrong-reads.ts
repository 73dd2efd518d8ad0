import type { AnyEntity } from "@sallyport/core/entities";
import {
  update,
  type FindQuery,
  type RecordStore,
  type Scope,
  type SumQuery,
  type TakeQuery,
  type Unit,
  type UnitResult,
  type Within,
} from "@sallyport/core/ports";
import { replaced, turn, type Mutant } from "./mutant.js";

type Row = Record<string, unknown> & { id: string };
type Find = FindQuery<Row>;
/** The methods without their type parameters, which a wrapper has no use for. */
interface Plain {
  get(entity: AnyEntity, id: string, scope: Scope, w: Within): Promise<Row | null>;
  find(entity: AnyEntity, q: Find, scope: Scope, w: Within): Promise<{ rows: Row[]; next: string | null }>;
  take(entity: AnyEntity, t: TakeQuery<Row>, w: Within): Promise<Row[]>;
  read(log: unknown, stream: string, q: unknown, scope: Scope, w: Within): Promise<{ seq: number }[]>;
  commit(units: readonly Unit[], w: Within): Promise<UnitResult[]>;
}

const everything: Scope = { system: "a mutant" };
const plain = (store: RecordStore): Plain => store as unknown as Plain;
const wrong = (right: RecordStore, methods: Partial<Plain>): RecordStore =>
  replaced(plain(right), methods as Partial<Plain>) as unknown as RecordStore;

/** Takes as it is so often written: look for rows, then mark them. */
async function lookThenMark(right: RecordStore, entity: AnyEntity, t: TakeQuery<Row>, w: Within): Promise<Row[]> {
  const orderBy = (t.orderBy[0] ?? "id").replace("-", "");
  const { rows } = await plain(right).find(
    entity,
    { where: t.where, orderBy, desc: t.orderBy[0]?.startsWith("-") === true, limit: t.limit },
    everything,
    w,
  );
  await turn();
  const writes = rows.map((row) => update(entity as never, row.id, { change: t.change as never }));
  await right.commit([{ scope: everything, writes }], w);
  return (await Promise.all(rows.map((row) => plain(right).get(entity, row.id, everything, w)))) as Row[];
}

/** Pages by counting rows from the start. */
async function findByOffset(
  right: RecordStore,
  entity: AnyEntity,
  q: Find,
  scope: Scope,
  w: Within,
): Promise<{ rows: Row[]; next: string | null }> {
  const { cursor, ...query } = q;
  const from = cursor === undefined ? 0 : Number(cursor);
  const all = await plain(right).find(entity, { ...query, limit: 1000 }, scope, w);
  const rows = all.rows.slice(from, from + q.limit);
  return { rows, next: all.rows.length > from + q.limit ? String(from + q.limit) : null };
}

/** Goes on after the value alone: of rows with one value, those after a page's end are lost. */
async function findByValue(
  right: RecordStore,
  entity: AnyEntity,
  q: Find,
  scope: Scope,
  w: Within,
): Promise<{ rows: Row[]; next: string | null }> {
  const { cursor, ...query } = q;
  const after = cursor === undefined ? undefined : (JSON.parse(cursor) as number);
  const past = after === undefined ? {} : { any: [{ [q.orderBy]: q.desc === true ? { lt: after } : { gt: after } }] };
  const found = await plain(right).find(entity, { ...query, where: { ...q.where, ...past } as NonNullable<Find["where"]> }, scope, w);
  return { rows: found.rows, next: found.next === null ? null : JSON.stringify(found.rows.at(-1)?.[q.orderBy] ?? null) };
}

/** Stores that are wrong in what they give. */
export const wrongReads: readonly Mutant<RecordStore>[] = [
  {
    name: "reading has no bound in bytes",
    concerns: ["logs"],
    wrap: (right) =>
      wrong(right, {
        read: (log, stream, q, scope, w) => plain(right).read(log, stream, { ...(q as object), maxBytes: undefined }, scope, w),
      }),
  },
  {
    name: "reading passes its last seq",
    concerns: ["logs"],
    wrap: (right) =>
      wrong(right, {
        read: (log, stream, q, scope, w) => plain(right).read(log, stream, { ...(q as object), upToSeq: undefined }, scope, w),
      }),
  },
  {
    name: "double claim: take looks, then marks",
    concerns: ["concurrency"],
    wrap: (right) => wrong(right, { take: (entity, t, w) => lookThenMark(right, entity, t, w) }),
  },
  {
    name: "take ignores its order",
    concerns: ["take"],
    wrap: (right) => wrong(right, { take: (entity, t, w) => plain(right).take(entity, { ...t, orderBy: [] }, w) }),
  },
  {
    name: "take gives rows as they were before",
    concerns: ["take"],
    wrap: (right) =>
      wrong(right, {
        take: async (entity, t, w) =>
          (await plain(right).take(entity, t, w)).map((row) => ({
            ...row,
            attempt: Number(row["attempt"]) - 1,
            version: Number(row["version"]) - 1,
          })),
      }),
  },
  {
    name: "cursor by offset",
    concerns: ["paging", "concurrency"],
    wrap: (right) => wrong(right, { find: (entity, q, scope, w) => findByOffset(right, entity, q, scope, w) }),
  },
  {
    name: "cursor without the tie-break",
    concerns: ["paging"],
    wrap: (right) => wrong(right, { find: (entity, q, scope, w) => findByValue(right, entity, q, scope, w) }),
  },
  {
    name: "scope is ignored by reads",
    concerns: ["scope"],
    wrap: (right) =>
      wrong(right, {
        get: (entity, id, _, w) => plain(right).get(entity, id, everything, w),
        find: (entity, q, _, w) => plain(right).find(entity, q, everything, w),
      }),
  },
  {
    name: "scope is ignored by streams and sums",
    concerns: ["scope"],
    wrap: (right) => {
      const sum = (entity: AnyEntity, q: SumQuery<Row>, _: Scope, w: Within) => right.sum(entity as never, q as never, everything, w);
      return replaced(wrong(right, { read: (log, stream, q, _, w) => plain(right).read(log, stream, q, everything, w) }), {
        sum: sum as unknown as RecordStore["sum"],
      });
    },
  },
  {
    name: "seqs have gaps",
    concerns: ["logs", "concurrency"],
    wrap: (right) =>
      wrong(right, {
        read: async (log, stream, q, scope, w) =>
          (await plain(right).read(log, stream, q, scope, w)).map((entry) => ({
            ...entry,
            seq: entry.seq > 2 ? entry.seq + 1 : entry.seq,
          })),
        commit: async (units, w) =>
          (await plain(right).commit(units, w)).map((result) =>
            result.ok && result.firstSeq !== undefined && result.firstSeq > 2 ? { ...result, firstSeq: result.firstSeq + 1 } : result,
          ),
      }),
  },
  {
    name: "absent is undefined",
    concerns: ["basic"],
    wrap: (right) =>
      wrong(right, {
        get: async (entity, id, scope, w) => {
          const row = await plain(right).get(entity, id, scope, w);
          return row === null ? null : (Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Row);
        },
      }),
  },
  {
    name: "rows are shared with callers",
    concerns: ["basic"],
    wrap: (right) => {
      const given = new Map<string, Row>();
      return wrong(right, {
        get: async (entity, id, scope, w) => {
          const row = await plain(right).get(entity, id, scope, w);
          if (row === null) return null;
          const key = `${id} ${String(row["version"])}`;
          if (!given.has(key)) given.set(key, row);
          return given.get(key) ?? null;
        },
      });
    },
  },
  {
    name: "unknown is summed as zero",
    concerns: ["sums"],
    wrap: (right) =>
      replaced(right, {
        sum: async (entity, q, scope, w) =>
          (await right.sum(entity, q, scope, w)).map((row) => ({
            ...row,
            sums: Object.fromEntries(Object.entries(row.sums).map(([name, sum]) => [name, sum ?? 0n])),
          })),
      }),
  },
  {
    name: "sums are floating point",
    concerns: ["sums"],
    wrap: (right) =>
      replaced(right, {
        sum: async (entity, q, scope, w) =>
          (await right.sum(entity, q, scope, w)).map((row) => ({
            ...row,
            sums: Object.fromEntries(Object.entries(row.sums).map(([name, sum]) => [name, sum === null ? null : BigInt(Number(sum))])),
          })),
      }),
  },
  {
    name: "prune ignores its limit",
    concerns: ["logs", "sums"],
    wrap: (right) => replaced(right, { prune: (entity, olderThanMs, _, w) => right.prune(entity, olderThanMs, 1_000_000, w) }),
  },
  {
    name: "changes are forgotten",
    concerns: ["changes"],
    wrap: (right) => replaced(right, { changes: (_, limit, w) => right.changes(null, limit, w) }),
  },
  {
    name: "deadlines and signals are ignored",
    concerns: ["refusals"],
    wrap: (right) => {
      const patient: Within = { deadlineMs: Number.MAX_SAFE_INTEGER };
      return replaced(wrong(right, { get: (entity, id, scope) => plain(right).get(entity, id, scope, patient) }), {
        commit: (units) => right.commit(units, patient),
        now: () => right.now(patient),
      });
    },
  },
  {
    name: "closing does nothing",
    concerns: ["closing"],
    wrap: (right) => replaced(right, { close: async () => undefined }),
  },
];
