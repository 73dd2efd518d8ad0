import { columnIndex, storedColumn, type StoredColumn } from "../../entities/index.js";
import { decodeValue, type StoredScalar, type SumQuery, type SumRow } from "../../ports/index.js";
import { compareScalars, type Cell } from "./ordered-cells.js";
import type { Table } from "./table.js";

interface Group {
  readonly key: readonly StoredScalar[];
  count: number;
  /** A number as long as it is exact, then a bigint: most sums stay small. */
  readonly sums: (number | bigint | null)[];
}

function plus(sum: number | bigint | null, value: number): number | bigint {
  if (sum === null) return value;
  if (typeof sum === "bigint") return sum + BigInt(value);
  const next = sum + value;
  return Number.isSafeInteger(next) ? next : BigInt(sum) + BigInt(value);
}

/** Sums per group, groups in the order of their keys. */
export function sumRows(table: Table, q: SumQuery<Record<string, unknown>>, cells: Iterable<Cell>): SumRow[] {
  const groups = new Map<string, Group>();
  const { bucketMs } = q;
  const by = q.by.map((name) => columnIndex(table.entity, name));
  const summed = q.sum.map((name) => columnIndex(table.entity, name));
  const at = columnIndex(table.entity, "atMs");
  for (const { row } of cells) {
    const key = by.map((column) => row[column] as StoredScalar);
    if (bucketMs !== undefined) key.push(Math.floor((row[at] as number) / bucketMs) * bucketMs);
    const mark = JSON.stringify(key);
    let group = groups.get(mark);
    if (group === undefined) {
      group = { key, count: 0, sums: q.sum.map(() => null) };
      groups.set(mark, group);
    }
    group.count++;
    for (let i = 0; i < q.sum.length; i++) {
      const value = row[summed[i] as number];
      if (typeof value === "number") group.sums[i] = plus(group.sums[i] ?? null, value);
    }
  }
  return [...groups.values()].sort(compareKeys).map((group) => toSumRow(table, q, group));
}

function compareKeys(a: Group, b: Group): number {
  for (let i = 0; i < a.key.length; i++) {
    const order = compareScalars(a.key[i] as StoredScalar, b.key[i] as StoredScalar);
    if (order !== 0) return order;
  }
  return 0;
}

function toSumRow(table: Table, q: SumQuery<Record<string, unknown>>, group: Group): SumRow {
  const by: Record<string, unknown> = {};
  q.by.forEach((name, i) => (by[name] = decodeValue(table.entity, storedColumn(table.entity, name) as StoredColumn, group.key[i])));
  if (q.bucketMs !== undefined) by["bucketAtMs"] = group.key.at(-1);
  const sums: Record<string, bigint | null> = {};
  q.sum.forEach((name, i) => {
    const sum = group.sums[i] ?? null;
    sums[name] = sum === null ? null : BigInt(sum);
  });
  return { by, count: group.count, sums };
}
