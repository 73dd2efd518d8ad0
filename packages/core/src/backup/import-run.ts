import { isIndexed, referencesOf, type AnyEntity, type Entity, type Kept } from "../entities/index.js";
import type { Clock, RecordStore, Scope, UnitResult, Where, Write } from "../ports/index.js";
import { canonicalJson } from "../util/payload-hash.js";
import { stableHash } from "../util/stable-hash.js";
import type { BackupHeader } from "./backup-lines.js";
import type { CheckedRow, Placeholders } from "./check-row.js";
import { ReportDraft } from "./import-report.js";
import { moveRule, withheldFields, type Declared } from "./what-moves.js";

type Row = Readonly<Record<string, unknown>>;

export interface ImportTarget {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly entities: readonly Declared[];
  readonly placeholders: Placeholders;
}
export interface RunOptions {
  readonly dryRun: boolean;
  readonly overwrite: boolean;
  /** Only its rows; null: those of all projects in the file. */
  readonly project: string | null;
  readonly header: BackupHeader;
  readonly signal: AbortSignal | undefined;
}

const WITHIN_MS = 30_000;
const BATCH = 100;

/** One import while it goes on: the store, and what was seen in the file where nothing is written. */
export class ImportRun {
  readonly report = new ReportDraft();
  readonly dryRun: boolean;
  readonly overwrite: boolean;
  readonly placeholders: Placeholders;
  readonly batch = BATCH;
  readonly #target: ImportTarget;
  readonly #o: RunOptions;
  readonly #scope: Scope;
  readonly #entities: ReadonlyMap<string, Declared>;
  /** Entities that others refer to, or whose ids are streams. */
  readonly #referred: ReadonlySet<string>;
  /** In a dry run, hashes of ids and unique values that were seen: as numbers, so that a million of them are no matter. */
  readonly #ids = new Map<string, Set<number>>();
  readonly #values = new Map<string, Set<number>>();

  #nowMs: number | undefined;

  constructor(target: ImportTarget, o: RunOptions) {
    this.#target = target;
    this.#o = o;
    this.dryRun = o.dryRun;
    this.overwrite = o.overwrite;
    this.placeholders = target.placeholders;
    const project = o.project ?? o.header.project;
    this.#scope = project === null ? { system: "an import" } : { projects: [project] };
    this.#entities = new Map(target.entities.map((entity) => [entity.name, entity]));
    this.#referred = new Set(
      target.entities.flatMap((entity) => {
        const rule = moveRule(entity);
        const owner = "stays" in rule || rule.streamOf === undefined ? [] : [rule.streamOf];
        return [...owner, ...referencesOf(entity).map((reference) => reference.entity)];
      }),
    );
  }

  get store(): RecordStore {
    return this.#target.store;
  }
  get scope(): Scope {
    return this.#scope;
  }

  entity(name: string): AnyEntity | undefined {
    const found = this.#entities.get(name);
    return found === undefined || found.kind === "log" ? undefined : found;
  }

  /** Whether a row is to be imported: `ours`; of a project that was not asked for: `elsewhere`; else why it is refused. */
  whose(entity: Declared, row: Row): string {
    const { project, header } = this.#o;
    const of = entity.scope === null ? null : row[entity.scope];
    if (header.project !== null && of !== header.project) return `it is not of ${header.project}, of which alone this file is said to be`;
    return project !== null && of !== project ? "elsewhere" : "ours";
  }

  within() {
    this.#o.signal?.throwIfAborted();
    return { deadlineMs: this.#target.clock.now() + WITHIN_MS, signal: this.#o.signal };
  }

  /** Those of the rows that stand, by id; in whichever project. */
  async standing(entity: AnyEntity, ids: readonly string[]): Promise<ReadonlyMap<string, Row>> {
    const wanted = [...new Set(ids)];
    const found = new Map<string, Row>();
    for (let i = 0; i < wanted.length; i += BATCH) {
      const where: Where<Kept> = { id: { in: wanted.slice(i, i + BATCH) } };
      const scope = { system: "an import" };
      const { rows } = await this.store.find(entity as Entity<Kept>, { where, orderBy: "id", limit: BATCH }, scope, this.within());
      for (const row of rows) found.set(row.id, row as unknown as Row);
    }
    return found;
  }

  /** The time of the file and of the store. */
  async times(): Promise<{ readonly exportedAtMs: number; readonly nowMs: number }> {
    this.#nowMs ??= await this.store.now(this.within());
    return { exportedAtMs: this.#o.header.atMs, nowMs: this.#nowMs };
  }

  /** Writes that hold together. */
  async commitUnit(writes: readonly Write[]): Promise<UnitResult | undefined> {
    return (await this.store.commit([{ scope: this.#scope, writes }], this.within()))[0];
  }

  /** Each write by itself. */
  async commit(writes: readonly Write[]): Promise<UnitResult[]> {
    return writes.length === 0
      ? []
      : this.store.commit(
          writes.map((write) => ({ scope: this.#scope, writes: [write] })),
          this.within(),
        );
  }

  /** Notes that a row stands, or would. */
  sees(entity: AnyEntity, id: string): void {
    if (!this.dryRun || !this.#referred.has(entity.name)) return;
    setOf(this.#ids, entity.name).add(stableHash(id));
  }
  saw(entity: AnyEntity, id: string): boolean {
    return this.#ids.get(entity.name)?.has(stableHash(id)) === true;
  }

  /** In a dry run: which row, of the store or the file, has a value that must be this one's own; null: none. */
  async clash(entity: AnyEntity, { id, row }: CheckedRow): Promise<string | null> {
    const withheld = withheldFields(entity);
    for (const fields of entity.unique) {
      if (fields.some((field) => withheld.includes(field) || row[field] === null || !isIndexed(entity, field))) continue;
      const where = Object.fromEntries(fields.map((field) => [field, row[field]])) as Where<Kept>;
      const query = { where, orderBy: "id" as const, limit: 1 };
      const { rows } = await this.store.find(entity as Entity<Kept>, query, { system: "an import" }, this.within());
      if (rows[0] !== undefined && rows[0].id !== id) return `a value that must be its own is had by ${rows[0].id}`;
      const seen = setOf(this.#values, `${entity.name} ${fields.join()}`);
      const value = stableHash(canonicalJson(fields.map((field) => row[field])));
      if (seen.has(value)) return "a value that must be its own is had by another row of the file";
      seen.add(value);
    }
    return null;
  }
}

function setOf(sets: Map<string, Set<number>>, name: string): Set<number> {
  let set = sets.get(name);
  if (set === undefined) sets.set(name, (set = new Set()));
  return set;
}
