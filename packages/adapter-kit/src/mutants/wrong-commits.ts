import {
  isStoreNow,
  type Change,
  type RecordStore,
  type Scope,
  type Unit,
  type UnitResult,
  type Within,
  type Write,
} from "@sallyport/core/ports";
import type { AnyEntity } from "@sallyport/core/entities";
import { replaced, turn, type Mutant } from "./mutant.js";

type StoreMutant = Mutant<RecordStore>;
type Update = Extract<Write, { op: "update" }>;

const everything: Scope = { system: "a mutant" };

/** A store that changes each write before it is applied. */
function rewriting(right: RecordStore, rewrite: (write: Write, w: Within) => Write | Promise<Write>): RecordStore {
  return replaced(right, {
    commit: async (units: readonly Unit[], w: Within) =>
      right.commit(
        await Promise.all(
          units.map(async (unit) => ({ ...unit, writes: await Promise.all(unit.writes.map(async (write) => rewrite(write, w))) })),
        ),
        w,
      ),
  });
}

const withChange = (write: Update, change: Change<Record<string, unknown>>): Update => ({ ...write, change });

/** Reads the row, thinks, and writes what it makes of it. */
async function addByReading(right: RecordStore, write: Update, w: Within): Promise<Update> {
  const row = (await right.get(write.entity, write.id, everything, w)) as Record<string, unknown> | null;
  if (row === null || write.change.add === undefined) return write;
  await turn();
  const sums = Object.entries(write.change.add).map(([name, delta]) => [name, Number(row[name]) + Number(delta)] as const);
  return withChange(write, { set: { ...write.change.set, ...Object.fromEntries(sums) } });
}

/** The bounded add as it is so often written: look whether it fits, then add. */
async function checkThenAdd(right: RecordStore, write: Update, w: Within): Promise<Update> {
  if (write.where === undefined || write.change.add === undefined) return write;
  const [fits] = await right.commit([{ scope: everything, writes: [{ ...write, change: {} }] }], w);
  await turn();
  return fits?.ok === true ? { ...write, where: undefined } : write;
}

async function mergeJson(right: RecordStore, write: Update, w: Within): Promise<Update> {
  const row = (await right.get(write.entity, write.id, everything, w)) as Record<string, unknown> | null;
  const merged = Object.entries(write.change.set ?? {}).map(([name, value]) => {
    const before = row?.[name];
    const both = typeof value === "object" && value !== null && typeof before === "object" && before !== null;
    return [name, both && !isStoreNow(value) ? { ...before, ...value } : value] as const;
  });
  return withChange(write, { ...write.change, set: Object.fromEntries(merged) });
}

/** The same entity without the fact that it refers to rows of another: a store that never heard of it. */
function unreferring(entity: AnyEntity): AnyEntity {
  let forgetful = unreferred.get(entity);
  if (forgetful === undefined) {
    const fields = Object.entries(entity.fields).map(([name, { ref: _ref, ...rest }]) => [name, rest] as const);
    forgetful = { ...entity, fields: Object.fromEntries(fields) };
    unreferred.set(entity, forgetful);
  }
  return forgetful;
}
const unreferred = new Map<AnyEntity, AnyEntity>();

const skewed = (value: unknown): unknown => (isStoreNow(value) ? Date.now() + 300_000 + value.storeNowPlusMs : value);

/** Each write as a unit of its own. */
async function piecemeal(right: RecordStore, unit: Unit, w: Within): Promise<UnitResult> {
  const versions: number[] = [];
  const skipped: number[] = [];
  let firstSeq: number | undefined;
  for (const [i, write] of unit.writes.entries()) {
    const [result] = await right.commit([{ scope: unit.scope, writes: [write] }], w);
    if (result === undefined) throw new Error("no result");
    if (!result.ok) return { ...result, failed: i };
    versions.push(...result.versions);
    if (result.skipped.length > 0) skipped.push(i);
    firstSeq ??= result.firstSeq;
  }
  return { ok: true, versions, skipped, ...(firstSeq === undefined ? {} : { firstSeq }) };
}

/** Stores that are wrong in what they write. */
export const wrongCommits: readonly StoreMutant[] = [
  {
    name: "what moves in is dated anew: rows",
    concerns: ["moved"],
    wrap: (right) => rewriting(right, (write) => (write.op === "insert" ? { ...write, kept: undefined } : write)),
  },
  {
    name: "what moves in is dated anew: entries",
    concerns: ["moved"],
    wrap: (right) => rewriting(right, (write) => (write.op === "append" ? { ...write, atMs: undefined } : write)),
  },
  {
    name: "lost update: ifVersion is ignored",
    concerns: ["guards", "concurrency"],
    wrap: (right) =>
      rewriting(right, (write) => (write.op === "update" || write.op === "remove" ? { ...write, ifVersion: undefined } : write)),
  },
  {
    name: "guards are ignored",
    concerns: ["guards", "take", "concurrency"],
    wrap: (right) => rewriting(right, (write) => (write.op === "update" || write.op === "remove" ? { ...write, where: undefined } : write)),
  },
  {
    name: "lost update: an add reads first",
    concerns: ["concurrency"],
    wrap: (right) => rewriting(right, (write, w) => (write.op === "update" ? addByReading(right, write, w) : write)),
  },
  {
    name: "the limit is looked at before, and passed by racing",
    concerns: ["concurrency"],
    wrap: (right) => rewriting(right, (write, w) => (write.op === "update" ? checkThenAdd(right, write, w) : write)),
  },
  {
    name: "json is merged, not replaced",
    concerns: ["basic"],
    wrap: (right) => rewriting(right, (write, w) => (write.op === "update" ? mergeJson(right, write, w) : write)),
  },
  {
    name: "skip is taken for refuse",
    concerns: ["basic", "guards"],
    wrap: (right) => rewriting(right, (write) => (write.op === "insert" ? { ...write, ifTaken: "refuse" } : write)),
  },
  {
    name: "refuse is taken for skip",
    concerns: ["guards", "concurrency"],
    wrap: (right) => rewriting(right, (write) => (write.op === "insert" ? { ...write, ifTaken: "skip" } : write)),
  },
  {
    name: "an erasure does nothing",
    concerns: ["logs"],
    wrap: (right) => rewriting(right, (write) => (write.op === "erase" ? { ...write, upToSeq: 0 } : write)),
  },
  {
    name: "ifLast is ignored",
    concerns: ["logs", "concurrency"],
    wrap: (right) => rewriting(right, (write) => (write.op === "append" ? { ...write, ifLast: undefined } : write)),
  },
  {
    name: "the node's clock, five minutes fast, is the store's clock",
    concerns: ["basic"],
    wrap: (right) =>
      rewriting(right, (write) => {
        if (write.op === "insert")
          return { ...write, row: Object.fromEntries(Object.entries(write.row).map(([name, value]) => [name, skewed(value)])) };
        if (write.op !== "update" || write.change.set === undefined) return write;
        const set = Object.fromEntries(Object.entries(write.change.set).map(([name, value]) => [name, skewed(value)]));
        return withChange(write, { ...write.change, set });
      }),
  },
  {
    name: "part of a refused unit is applied",
    concerns: ["guards", "concurrency"],
    wrap: (right) =>
      replaced(right, {
        commit: async (units: readonly Unit[], w: Within) => {
          const results: UnitResult[] = [];
          for (const unit of units) results.push(await piecemeal(right, unit, w));
          return results;
        },
      }),
  },
  {
    name: "a refused unit takes its neighbours along",
    concerns: ["guards", "concurrency"],
    wrap: (right) =>
      replaced(right, {
        commit: async (units: readonly Unit[], w: Within) => {
          if (units.length < 2) return right.commit(units, w);
          const [first] = units;
          const [whole] = await right.commit([{ scope: first?.scope ?? everything, writes: units.flatMap(({ writes }) => writes) }], w);
          if (whole === undefined || !whole.ok) return units.map(() => whole as UnitResult);
          let from = 0;
          return units.map(({ writes }) => {
            const versions = whole.versions.slice(from, (from += writes.length));
            return { ok: true, versions, skipped: [] };
          });
        },
      }),
  },
  {
    name: "writes are done outside their scope",
    concerns: ["scope"],
    wrap: (right) =>
      replaced(right, {
        commit: (units: readonly Unit[], w: Within) =>
          right.commit(
            units.map((unit) => ({ ...unit, scope: everything })),
            w,
          ),
      }),
  },
  {
    name: "it keeps a row whose parent is gone",
    concerns: ["refs"],
    wrap: (right) => rewriting(right, (write) => ("entity" in write ? { ...write, entity: unreferring(write.entity) } : write)),
  },
  {
    name: "a touch moves the version",
    concerns: ["basic", "changes"],
    wrap: (right) =>
      rewriting(right, (write) =>
        write.op === "update" && write.change.set !== undefined && "seenAtMs" in write.change.set
          ? withChange(write, { ...write.change, add: { ...write.change.add, attempt: 0 } })
          : write,
      ),
  },
];
