import type { AnyLogEntity } from "../../entities/index.js";
import { decodeRow, type ReadQuery, type Scope, type StoredInput } from "../../ports/index.js";
import type { StoredRow } from "./ordered-cells.js";
import { inScope, resolve } from "./predicate.js";

interface Stored {
  readonly seq: number;
  readonly atMs: number;
  readonly row: StoredRow;
}
interface Stream {
  /** Of the newest entry ever, also when it was pruned: seqs go on. */
  lastSeq: number;
  entries: Stored[];
}

/** How many of the entries have no later seq than this. */
function placeAfter(entries: readonly Stored[], seq: number): number {
  let from = 0;
  for (let high = entries.length; from < high; ) {
    const middle = (from + high) >>> 1;
    if ((entries[middle] as Stored).seq <= seq) from = middle + 1;
    else high = middle;
  }
  return from;
}

/** About: its texts, a byte a character. */
function sizeOf(row: StoredRow): number {
  let size = 0;
  for (const value of row) if (typeof value === "string") size += value.length;
  return size;
}

/** The streams of one log. */
export class Streams {
  readonly #log: AnyLogEntity;
  readonly #streams = new Map<string, Stream>();

  constructor(log: AnyLogEntity) {
    this.#log = log;
  }

  toRow(values: readonly StoredInput[], nowMs: number): StoredRow {
    return values.map((value) => resolve(value, nowMs));
  }

  lastSeq(stream: string): number {
    return this.#streams.get(stream)?.lastSeq ?? 0;
  }

  /** The newest entry that still stands. */
  newest(stream: string): Stored | null {
    return this.#streams.get(stream)?.entries.at(-1) ?? null;
  }

  /** Appends, and gives what takes it back: only to be called before anything else is appended to the stream. */
  append(stream: string, rows: readonly StoredRow[], atMs: number | readonly number[]): () => void {
    let held = this.#streams.get(stream);
    if (held === undefined) {
      held = { lastSeq: 0, entries: [] };
      this.#streams.set(stream, held);
    }
    const { entries } = held;
    const into = held;
    rows.forEach((row, i) => entries.push({ seq: ++into.lastSeq, atMs: typeof atMs === "number" ? atMs : (atMs[i] as number), row }));
    return () => {
      into.lastSeq -= rows.length;
      entries.length -= rows.length;
      if (into.lastSeq === 0) this.#streams.delete(stream);
    };
  }

  /** Takes entries away, all of them with the memory of their seqs, and gives what brings them back: only to be called before anything else is done to the stream. */
  erase(stream: string, upToSeq: number | undefined): () => void {
    const held = this.#streams.get(stream);
    if (held === undefined) return () => undefined;
    if (upToSeq === undefined) {
      this.#streams.delete(stream);
      return () => void this.#streams.set(stream, held);
    }
    const before = held.entries;
    held.entries = before.filter(({ seq }) => seq > upToSeq);
    return () => void (held.entries = before);
  }

  read(stream: string, q: ReadQuery, scope: Scope): { seq: number; atMs: number; entry: Record<string, unknown> }[] {
    const entries = this.#streams.get(stream)?.entries ?? [];
    const from = placeAfter(entries, q.afterSeq);
    const to = q.upToSeq === undefined ? entries.length : placeAfter(entries, q.upToSeq);
    const found: Stored[] = [];
    let bytes = 0;
    const isFull = (one: Stored): boolean => {
      bytes += q.maxBytes === undefined ? 0 : sizeOf(one.row);
      return found.length >= q.limit || (found.length > 0 && bytes > (q.maxBytes ?? Infinity));
    };
    const step = q.last === true ? -1 : 1;
    for (let i = q.last === true ? to - 1 : from; i >= from && i < to; i += step) {
      const one = entries[i] as Stored;
      if (!inScope(this.#log, one.row, scope)) continue;
      if (isFull(one)) break;
      found.push(one);
    }
    if (q.last === true) found.reverse();
    return found.map(({ seq, atMs, row }) => ({ seq, atMs, entry: decodeRow(this.#log, row) }));
  }

  /** The oldest first, of whichever stream; of the same instant by stream and seq. */
  prune(olderThanMs: number, limit: number): number {
    const old: { readonly stream: Stream; readonly name: string; readonly entry: Stored }[] = [];
    for (const [name, stream] of this.#streams)
      for (const entry of stream.entries) if (entry.atMs < olderThanMs) old.push({ stream, name, entry });
    old.sort((a, b) => a.entry.atMs - b.entry.atMs || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.entry.seq - b.entry.seq));
    const gone = new Set(old.slice(0, limit).map(({ entry }) => entry));
    for (const stream of new Set(old.slice(0, limit).map((of) => of.stream)))
      stream.entries = stream.entries.filter((entry) => !gone.has(entry));
    return gone.size;
  }
}
