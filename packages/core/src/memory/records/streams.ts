import type { AnyLogEntity } from "../../entities/index.js";
import { decodeRow, type Scope, type StoredInput } from "../../ports/index.js";
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
  append(stream: string, rows: readonly StoredRow[], atMs: number): () => void {
    let held = this.#streams.get(stream);
    if (held === undefined) {
      held = { lastSeq: 0, entries: [] };
      this.#streams.set(stream, held);
    }
    const { entries } = held;
    for (const row of rows) entries.push({ seq: ++held.lastSeq, atMs, row });
    const undone = held;
    return () => {
      undone.lastSeq -= rows.length;
      entries.length -= rows.length;
      if (undone.lastSeq === 0) this.#streams.delete(stream);
    };
  }

  read(
    stream: string,
    q: { readonly afterSeq: number; readonly limit: number; readonly last?: true },
    scope: Scope,
  ): { seq: number; atMs: number; entry: Record<string, unknown> }[] {
    const entries = this.#streams.get(stream)?.entries ?? [];
    let from = 0;
    for (let high = entries.length; from < high; ) {
      const middle = (from + high) >>> 1;
      if ((entries[middle] as Stored).seq <= q.afterSeq) from = middle + 1;
      else high = middle;
    }
    const found: Stored[] = [];
    if (q.last === true) {
      for (let i = entries.length - 1; i >= from && found.length < q.limit; i--)
        if (inScope(this.#log, (entries[i] as Stored).row, scope)) found.push(entries[i] as Stored);
      found.reverse();
    } else
      for (let i = from; i < entries.length && found.length < q.limit; i++)
        if (inScope(this.#log, (entries[i] as Stored).row, scope)) found.push(entries[i] as Stored);
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
