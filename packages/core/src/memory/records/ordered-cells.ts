import type { StoredScalar } from "../../ports/index.js";

/** The values in the order of `storedColumns`. */
export type StoredRow = readonly StoredScalar[];
/** A row's place: indexes hold the cell, so a change of other fields touches none of them. */
export interface Cell {
  readonly id: string;
  row: StoredRow;
  /** Whether it stands in its table. */
  live: boolean;
}
export interface Place {
  readonly value: StoredScalar;
  readonly id: string;
}

const CHUNK = 512;

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;

/** By code point, as a database compares UTF-8: JavaScript's `<` puts U+10000 before U+E000. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    if (isSurrogate(x) !== isSurrogate(y)) return isSurrogate(x) ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

/** null first, then as the type orders. */
export function compareScalars(a: StoredScalar, b: StoredScalar): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return typeof a === "string" ? compareText(a, b as string) : Number(a) - Number(b);
}

/** Cells in the order of one column, ties by id. Adding and removing cost O(log n) comparisons and one move within a chunk; adding at the end is O(1). */
export class OrderedCells {
  readonly #column: number;
  #chunks: Cell[][] = [];

  constructor(column: number) {
    this.#column = column;
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  add(cell: Cell): void {
    const last = this.#chunks.at(-1);
    if (last === undefined) {
      this.#chunks.push([cell]);
      return;
    }
    const place = this.#placeOf(cell);
    if (this.#compare(last[last.length - 1] as Cell, place) < 0) {
      if (last.length < CHUNK) last.push(cell);
      else this.#chunks.push([cell]);
      return;
    }
    const at = this.#chunkFor(place);
    const chunk = this.#chunks[at] as Cell[];
    chunk.splice(this.#within(chunk, place), 0, cell);
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2));
  }

  /** The cell's row must be the one it was added with. */
  remove(cell: Cell): void {
    const place = this.#placeOf(cell);
    const at = this.#chunkFor(place);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const index = this.#within(chunk, place);
    if (chunk[index] !== cell) return;
    chunk.splice(index, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Those after the place, up or down; all without one. Not to be changed meanwhile. */
  *walk(after: Place | null, desc: boolean): Generator<Cell, void, undefined> {
    if (desc) yield* this.#down(after);
    else yield* this.#up(after);
  }

  *#up(after: Place | null): Generator<Cell, void, undefined> {
    let at = after === null ? 0 : this.#chunkFor(after);
    let index = after === null ? 0 : this.#within(this.#chunks[at] ?? [], after);
    for (; at < this.#chunks.length; at++, index = 0) {
      const chunk = this.#chunks[at] as Cell[];
      for (; index < chunk.length; index++) {
        const cell = chunk[index] as Cell;
        if (after === null || this.#compare(cell, after) > 0) yield cell;
      }
    }
  }

  *#down(after: Place | null): Generator<Cell, void, undefined> {
    let at = this.#chunks.length - 1;
    if (after !== null) at = Math.min(at, this.#chunkFor(after));
    for (; at >= 0; at--) {
      const chunk = this.#chunks[at] as Cell[];
      for (let index = chunk.length - 1; index >= 0; index--) {
        const cell = chunk[index] as Cell;
        if (after === null || this.#compare(cell, after) < 0) yield cell;
      }
    }
  }

  #placeOf(cell: Cell): Place {
    return { value: cell.row[this.#column] as StoredScalar, id: cell.id };
  }

  #compare(cell: Cell, place: Place): number {
    return compareScalars(cell.row[this.#column] as StoredScalar, place.value) || compareText(cell.id, place.id);
  }

  /** The first chunk that ends at or after the place. */
  #chunkFor(place: Place): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#chunks[middle] as Cell[];
      if (this.#compare(chunk[chunk.length - 1] as Cell, place) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first index in the chunk that is at or after the place. */
  #within(chunk: readonly Cell[], place: Place): number {
    let low = 0;
    let high = chunk.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(chunk[middle] as Cell, place) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
