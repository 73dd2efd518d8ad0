import type { StoredScalar } from "../../ports/index.js";
import { compareScalars, OrderedCells, type Cell } from "./ordered-cells.js";

type Node = Map<StoredScalar, Node> | OrderedCells;

/** Bounds within which a value lies, both inclusive: what is known of a field beside exact values. */
export interface Bounds {
  readonly low?: StoredScalar;
  readonly high?: StoredScalar;
}
/** The values that each field but the last may have, in the order of the fields; null: any. */
export type Allowed = readonly (readonly StoredScalar[] | Bounds | null)[];
export interface Leaf {
  /** The values of all fields but the last. */
  readonly key: readonly StoredScalar[];
  readonly cells: OrderedCells;
}

/**
 * One declared index: a map for each field but the last, then cells in the order of the last. An index of a ledger is given the list of all cells added to it and takes them
 * in when it is next asked: ledgers are written ten thousand times for each time they are read.
 */
export class IndexTree {
  readonly fields: readonly string[];
  readonly columns: readonly number[];
  readonly #last: number;
  readonly #root: Node;
  readonly #added: readonly Cell[] | null;
  /** How many of `added` it has taken in. */
  taken = 0;

  constructor(fields: readonly string[], columns: readonly number[], added: readonly Cell[] | null) {
    this.#added = added;
    this.fields = fields;
    this.columns = columns;
    this.#last = columns[columns.length - 1] as number;
    this.#root = columns.length === 1 ? new OrderedCells(this.#last) : new Map<StoredScalar, Node>();
  }

  add(cell: Cell): void {
    if (this.#added === null) this.#insert(cell);
  }

  #insert(cell: Cell): void {
    let node = this.#root;
    for (let depth = 0; node instanceof Map; depth++) {
      const value = cell.row[this.columns[depth] as number] as StoredScalar;
      let next: Node | undefined = node.get(value);
      if (next === undefined) {
        next = depth + 2 === this.columns.length ? new OrderedCells(this.#last) : new Map<StoredScalar, Node>();
        node.set(value, next);
      }
      node = next;
    }
    node.add(cell);
  }

  remove(cell: Cell): void {
    this.#removeFrom(this.#root, 0, cell);
  }

  /** Says whether the node is empty now, so that its parent drops it. */
  #removeFrom(node: Node, depth: number, cell: Cell): boolean {
    if (!(node instanceof Map)) {
      node.remove(cell);
      return node.isEmpty;
    }
    const value = cell.row[this.columns[depth] as number] as StoredScalar;
    const next = node.get(value);
    if (next !== undefined && this.#removeFrom(next, depth + 1, cell)) node.delete(value);
    return node.size === 0;
  }

  leaves(allowed: Allowed): Leaf[] {
    if (this.#added !== null)
      for (; this.taken < this.#added.length; this.taken++) {
        const cell = this.#added[this.taken] as Cell;
        if (cell.live) this.#insert(cell);
      }
    const found: Leaf[] = [];
    collect(this.#root, allowed, [], found);
    return found;
  }
}

/** As SQL: null lies within no bounds. */
export function within(value: StoredScalar, { low, high }: Bounds): boolean {
  if (value === null) return false;
  return (low === undefined || compareScalars(value, low) >= 0) && (high === undefined || compareScalars(value, high) <= 0);
}

function collect(node: Node, allowed: Allowed, key: readonly StoredScalar[], found: Leaf[]): void {
  if (!(node instanceof Map)) {
    found.push({ key, cells: node });
    return;
  }
  const known = allowed[key.length] ?? null;
  const values = Array.isArray(known) ? new Set(known as readonly StoredScalar[]) : node.keys();
  for (const value of values) {
    if (known !== null && !Array.isArray(known) && !within(value, known as Bounds)) continue;
    const next = node.get(value);
    if (next !== undefined) collect(next, allowed, [...key, value], found);
  }
}
