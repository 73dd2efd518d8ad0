import type { AnyEntity, AnyLogEntity, Entity, LogEntity } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { append, update, type Write } from "../ports/index.js";
import { canonicalJson } from "../util/payload-hash.js";
import type { EntryLine } from "./backup-lines.js";
import { checkEntry } from "./check-row.js";
import type { ImportRun } from "./import-run.js";
import { moveRule, type Moving } from "./what-moves.js";

type Row = Record<string, unknown>;
interface Placed {
  readonly entry: Row;
  readonly atMs: number | undefined;
}

/** The streams of one log, a batch at a time. An entry that stands at its place already is not written again, so an import that broke off goes on in the middle of a stream. */
export class StreamImport {
  readonly #run: ImportRun;
  readonly #log: LogEntity<Row>;
  readonly #owner: AnyEntity | undefined;
  #stream = "";
  /** Entries of the stream so far; those that stood before. */
  #at = 0;
  #stood = 0;
  /** Of the row that the stream belongs to; undefined: it is not written yet, or of none. */
  #project: unknown;
  /** Why nothing more of the stream is written. */
  #fault: string | null = null;

  constructor(run: ImportRun, log: AnyLogEntity, owner: AnyEntity | undefined) {
    this.#run = run;
    this.#log = log as LogEntity<Row>;
    this.#owner = owner;
  }

  async add(lines: readonly EntryLine[]): Promise<void> {
    for (let from = 0; from < lines.length; ) {
      const { stream } = lines[from]!;
      let to = from + 1;
      while (to < lines.length && lines[to]!.stream === stream) to++;
      if (stream !== this.#stream) await this.#open(stream, lines[from]!.seq);
      await this.#entries(lines.slice(from, to));
      from = to;
    }
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  async #open(stream: string, firstSeq: number): Promise<void> {
    this.#stream = stream;
    this.#at = 0;
    this.#stood = 0;
    this.#fault = null;
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(stream)) return void (this.#fault = "its stream is no id");
    const owner = this.#owner;
    const standing = owner === undefined ? undefined : (await this.#run.standing(owner, [stream])).get(stream);
    this.#project = owner === undefined || owner.scope === null ? undefined : standing?.[owner.scope];
    const isOwned = owner !== undefined && (standing !== undefined || this.#run.saw(owner, stream));
    if (!isOwned) return void (this.#fault = `there is no ${owner?.name ?? "row"} that it belongs to`);
    // What refers to its entries does so by their numbers.
    if (firstSeq !== 1) return void (this.#fault = "the beginning of its stream is missing");
    const [last] = await this.#read({ afterSeq: 0, limit: 1, last: true });
    this.#stood = last?.seq ?? 0;
  }

  async #entries(lines: readonly EntryLine[]): Promise<void> {
    const entries: Placed[] = [];
    for (const line of lines) {
      const checked = this.#fault === null ? this.#check(line) : null;
      if (checked !== null) entries.push({ entry: checked, atMs: line.atMs });
      else if (this.#fault !== null) this.#run.report.refuse({ entity: this.#log.name, id: this.#stream.slice(0, 64), why: this.#fault });
    }
    await this.#write(entries);
  }

  /** null: it is not to be written. A stream ends where one of its entries is refused: it has no gaps. */
  #check(line: EntryLine): Row | null {
    const whose = this.#run.whose(this.#log, line.entry);
    if (whose === "elsewhere") {
      this.#run.report.count(this.#log.name, "elsewhere");
      return null;
    }
    try {
      if (whose !== "ours") throw new GatewayError("validation_failed", whose);
      const { scope, name } = this.#log;
      if (scope !== null && this.#project !== undefined && line.entry[scope] !== this.#project)
        throw new GatewayError("validation_failed", `an entry of ${name} is of another project than the row that it belongs to`);
      return checkEntry(this.#log, line.stream, line.entry);
    } catch (error) {
      this.#fault = GatewayError.from(error).message;
      return null;
    }
  }

  async #write(entries: readonly Placed[]): Promise<void> {
    const { report } = this.#run;
    const before = Math.min(entries.length, Math.max(0, this.#stood - this.#at));
    if (before > 0) {
      const there = await this.#read({ afterSeq: this.#at, limit: before });
      const isSame = there.length === before && there.every(({ entry }, i) => canonicalJson(entry) === canonicalJson(entries[i]?.entry));
      if (!isSame) return this.#refuse(entries.length, "a stream of this id stands with other entries");
      report.count(this.#log.name, "same", before);
    }
    const fresh = entries.slice(before);
    if (fresh.length > 0 && !this.#run.dryRun) {
      const last = this.#at + before;
      const rows = fresh.map(({ entry }) => entry);
      const atMs = await this.#instants(fresh);
      const result = await this.#run.commitUnit([
        ...this.#grown(rows, last),
        append(this.#log, this.#stream, { entries: rows, ifLast: last, atMs }),
      ]);
      if (result?.ok !== true) return this.#refuse(fresh.length, "something was appended to it meanwhile, or it is of another project");
    }
    if (fresh.length > 0) report.count(this.#log.name, "created", fresh.length);
    this.#at += entries.length;
  }

  /** Those that the entries had, none of them after now; undefined: the file does not say. */
  async #instants(entries: readonly Placed[]): Promise<number[] | undefined> {
    if (entries.some(({ atMs }) => atMs === undefined)) return undefined;
    const { nowMs } = await this.#run.times();
    return entries.map(({ atMs = nowMs }) => Math.min(atMs, nowMs));
  }

  /** What the entries make of the row that they belong to, where it counts them. */
  #grown(entries: readonly Row[], last: number): Write[] {
    if (this.#owner === undefined) return [];
    const { used, head } = moveRule(this.#owner) as Moving;
    if (used === undefined || head === undefined) return [];
    return [update(this.#owner as Entity<Row>, this.#stream, { change: { add: used.grows(entries) }, where: { [head]: last } })];
  }

  #refuse(count: number, why: string): void {
    this.#fault = why;
    this.#run.report.refuse({ entity: this.#log.name, id: this.#stream, why }, count);
  }

  #read(q: { readonly afterSeq: number; readonly limit: number; readonly last?: true }) {
    return this.#run.store.read(this.#log, this.#stream, q, { system: "an import" }, this.#run.within());
  }
}
