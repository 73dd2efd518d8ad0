import { storedColumns, type AnyLogEntity, type Entity, type Kept, type LogEntity } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { Clock, Crypto, RecordStore, Scope } from "../ports/index.js";
import { VERSION } from "../util/version.js";
import { BACKUP_FORMAT, LineDigest, lineBytes, type BackupHeader, type BackupTrailer, type RowLine } from "./backup-lines.js";
import { extras, inWritingOrder, moveRule, whyApart, withheldFields, type Declared, type Extra, type Moving } from "./what-moves.js";

export interface ExportSource {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly entities: readonly Declared[];
}
export interface ExportOptions {
  /** Only rows of this project; rows that belong to none stay. */
  readonly project?: string | undefined;
  /** What goes along beside: `usage`, `audit`, `traces`; `work`: runs, tasks and the like that are not done, only for a gateway that is stopped. */
  readonly with?: readonly Extra[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the entity and its lines so far. */
  readonly onProgress?: ((entity: string, lines: number) => void) | undefined;
  /** Called once, with the last line. */
  readonly onEnd?: ((trailer: BackupTrailer) => void) | undefined;
}

const PAGE = 200;
/** Of entries that are large fewer are read at once. */
const PAGE_BYTES = 8_388_608;
const WITHIN_MS = 30_000;
const CHUNK_BYTES = 65_536;

/** Everything that may leave a store, as lines of JSON; see docs/how-to/backup-and-move.md. Holds one page of rows at a time. Errors: `bad_request`, those of the store. */
export function exportStore(source: ExportSource, o: ExportOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
  for (const extra of o.with ?? [])
    if (!extras.includes(extra))
      throw new GatewayError("bad_request", `There is no "${String(extra)}" to go along.`, { hint: `Known are ${extras.join(", ")}.` });
  return chunked(new StoreExport(source, o).lines());
}

class StoreExport {
  readonly #source: ExportSource;
  readonly #o: ExportOptions;
  readonly #with: ReadonlySet<Extra>;
  readonly #scope: Scope;
  readonly #digest: LineDigest;
  readonly #counts: Record<string, number> = {};
  readonly #lost: Record<string, Record<string, number>> = {};
  readonly #apart: Record<string, Record<string, number>> = {};

  constructor(source: ExportSource, o: ExportOptions) {
    this.#source = source;
    this.#o = o;
    this.#with = new Set(o.with);
    this.#scope = o.project === undefined ? { system: "an export" } : { projects: [o.project] };
    this.#digest = new LineDigest(source.crypto);
  }

  async *lines(): AsyncGenerator<Uint8Array, void, undefined> {
    const { going, stays } = this.#split();
    const header: BackupHeader = {
      ...{ sallyport: "backup", format: BACKUP_FORMAT, version: VERSION },
      atMs: await this.#source.store.now(this.#within()),
      project: this.#o.project ?? null,
      with: extras.filter((extra) => this.#with.has(extra)),
      entities: going.map(({ name }) => name),
      stays,
    };
    yield this.#line(header);
    const logs = going.filter((entity): entity is AnyLogEntity => entity.kind === "log");
    for (const entity of going) {
      if (entity.kind === "log") continue;
      const own = logs.filter((log) => (moveRule(log) as Moving).streamOf === entity.name);
      yield* this.#rows(entity as unknown as Entity<Kept>, own);
    }
    const told = { end: true, counts: this.#counts, lost: this.#lost, apart: this.#apart } as const;
    this.#digest.add(lineBytes(told));
    const trailer: BackupTrailer = { ...told, sha256: this.#digest.hex };
    yield lineBytes(trailer);
    this.#o.onEnd?.(trailer);
  }

  #split(): { going: readonly Declared[]; stays: Record<string, string> } {
    const stays: Record<string, string> = {};
    const going = inWritingOrder(this.#source.entities).filter((entity) => {
      const rule = moveRule(entity);
      if ("stays" in rule) stays[entity.name] = rule.stays;
      else if (rule.with !== undefined && !this.#with.has(rule.with)) stays[entity.name] = `not asked for: with ${rule.with}`;
      else if (this.#o.project !== undefined && entity.scope === null) stays[entity.name] = "belongs to no project";
      else return true;
      return false;
    });
    return { going, stays };
  }

  async *#rows(entity: Entity<Kept>, logs: readonly AnyLogEntity[]): AsyncGenerator<Uint8Array, void, undefined> {
    const { name } = entity;
    const rule = moveRule(entity) as Moving;
    const withheld = withheldFields(entity);
    for await (const stored of this.#pages(entity, rule)) {
      const because = whyApart(rule, stored, this.#with);
      if (because !== null) {
        add(this.#apart, name, because);
        continue;
      }
      const { row, lost } = leaving(entity, rule.as?.(stored) ?? stored, withheld);
      for (const field of lost) add(this.#lost, name, field);
      yield this.#counted(name, { entity: name, row, ...keptOf(stored), ...(lost.length === 0 ? {} : { lost }) });
      const upTo = rule.head === undefined ? Infinity : (row[rule.head] as number);
      for (const log of logs) yield* this.#entries(log, row["id"] as string, upTo);
    }
  }

  async *#entries(log: AnyLogEntity, stream: string, upTo: number): AsyncGenerator<Uint8Array, void, undefined> {
    const limit = (moveRule(log) as Moving).page ?? PAGE;
    // Where the row says how many there are, a page that is short because its entries are large is told from the last one.
    const bounds = upTo === Infinity ? {} : { upToSeq: upTo, maxBytes: PAGE_BYTES };
    for (let afterSeq = 0; afterSeq < upTo; ) {
      const query = { afterSeq, limit, ...bounds };
      const page = await this.#source.store.read(log as LogEntity<object>, stream, query, this.#scope, this.#within());
      for (const { seq, atMs, entry } of page) yield this.#counted(log.name, { entity: log.name, stream, seq, entry, atMs });
      if (page.length === 0 || (upTo === Infinity && page.length < limit)) return;
      afterSeq = page.at(-1)!.seq;
    }
  }

  async *#pages(entity: Entity<Kept>, rule: Moving): AsyncGenerator<Readonly<Record<string, unknown>>, void, undefined> {
    let cursor: string | undefined;
    do {
      this.#o.signal?.throwIfAborted();
      const query = { orderBy: "id" as const, limit: rule.page ?? PAGE, cursor };
      const page = await this.#source.store.find(entity, query, this.#scope, this.#within());
      yield* page.rows as unknown as readonly Record<string, unknown>[];
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
  }

  #counted(name: string, value: unknown): Uint8Array {
    const count = (this.#counts[name] = (this.#counts[name] ?? 0) + 1);
    if (count % 1_000 === 0) this.#o.onProgress?.(name, count);
    return this.#line(value);
  }

  #line(value: unknown): Uint8Array {
    const bytes = lineBytes(value);
    this.#digest.add(bytes);
    return bytes;
  }

  #within() {
    return { deadlineMs: this.#source.clock.now() + WITHIN_MS, signal: this.#o.signal };
  }
}

/** A row without what the store sets and what never leaves. */
function leaving(entity: Entity<Kept>, stored: Readonly<Record<string, unknown>>, withheld: readonly string[]) {
  const row: Record<string, unknown> = {};
  const lost: string[] = [];
  for (const { name, kept } of storedColumns(entity)) {
    if (kept) continue;
    if (!withheld.includes(name)) row[name] = stored[name];
    else if (stored[name] !== null) lost.push(name);
  }
  return { row, lost };
}

function keptOf({ createdAtMs, updatedAtMs }: Readonly<Record<string, unknown>>): Pick<RowLine, "kept"> {
  return typeof createdAtMs === "number" && typeof updatedAtMs === "number" ? { kept: { createdAtMs, updatedAtMs } } : {};
}

function add(counts: Record<string, Record<string, number>>, name: string, what: string): void {
  const of = (counts[name] ??= {});
  of[what] = (of[what] ?? 0) + 1;
}

/** Lines joined, each with its break. */
async function* chunked(lines: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let chunk = new Uint8Array(CHUNK_BYTES);
  let used = 0;
  for await (const line of lines) {
    if (used + line.length + 1 > chunk.length) {
      if (used > 0) yield chunk.subarray(0, used);
      chunk = new Uint8Array(Math.max(CHUNK_BYTES, line.length + 1));
      used = 0;
    }
    chunk.set(line, used);
    used += line.length;
    chunk[used++] = 10;
  }
  if (used > 0) yield chunk.subarray(0, used);
}
