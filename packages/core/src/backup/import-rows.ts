import { referencesOf, type AnyEntity, type Entity, type Kept } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { moveIn, update, type KeptInstants, type UnitResult } from "../ports/index.js";
import { canonicalJson } from "../util/payload-hash.js";
import type { RowLine } from "./backup-lines.js";
import { checkRow, type CheckedRow } from "./check-row.js";
import type { ImportRun } from "./import-run.js";
import { moveRule, type Moving } from "./what-moves.js";

type Row = Readonly<Record<string, unknown>>;
/** Rows whose own entity they refer to may stand further on in the file. */
const MOST_DEFERRED = 10_000;

/** The rows of one entity, a batch at a time. */
export class RowImport {
  readonly #run: ImportRun;
  readonly #entity: AnyEntity;
  #deferred: CheckedRow[] = [];

  constructor(run: ImportRun, entity: AnyEntity) {
    this.#run = run;
    this.#entity = entity;
  }

  async add(lines: readonly RowLine[]): Promise<void> {
    const rows: CheckedRow[] = [];
    for (const line of lines) {
      const checked = this.#check(line);
      if (checked !== null) rows.push(checked);
    }
    await this.#write(rows, true);
  }

  /** The rows that waited for others of their entity. */
  async end(): Promise<void> {
    for (let before = Infinity; this.#deferred.length > 0 && this.#deferred.length < before; ) {
      before = this.#deferred.length;
      const rows = this.#deferred;
      this.#deferred = [];
      for (let i = 0; i < rows.length; i += this.#run.batch) await this.#write(rows.slice(i, i + this.#run.batch), true);
    }
    const rows = this.#deferred;
    this.#deferred = [];
    for (let i = 0; i < rows.length; i += this.#run.batch) await this.#write(rows.slice(i, i + this.#run.batch), false);
  }

  #check(line: RowLine): CheckedRow | null {
    const { report } = this.#run;
    const id = (line.row["id"] as string).slice(0, 64);
    try {
      const whose = this.#run.whose(this.#entity, line.row);
      if (whose === "elsewhere") report.count(this.#entity.name, "elsewhere");
      else if (whose !== "ours") report.refuse({ entity: this.#entity.name, id, why: whose });
      else return checkRow(this.#entity, line, this.#run.placeholders);
    } catch (error) {
      report.refuse({ entity: this.#entity.name, id, why: GatewayError.from(error).message });
    }
    return null;
  }

  async #write(rows: readonly CheckedRow[], mayDefer: boolean): Promise<void> {
    if (rows.length === 0) return;
    const standing = await this.#run.standing(
      this.#entity,
      rows.map(({ id }) => id),
    );
    const led = await this.#leading(rows, standing);
    const fresh: CheckedRow[] = [];
    for (const checked of rows) {
      const stands = standing.get(checked.id);
      if (stands !== undefined) await this.#meet(checked, stands);
      else if (this.#keepsReferences(checked, led, mayDefer)) fresh.push(checked);
    }
    if (this.#run.dryRun) for (const checked of fresh) await this.#wouldCreate(checked);
    else await this.#create(fresh);
    for (const { id } of rows) if (standing.has(id)) this.#run.sees(this.#entity, id);
  }

  /** A row of this id stands already. */
  async #meet({ id, row, came, lacking }: CheckedRow, stands: Row): Promise<void> {
    const { report, overwrite, dryRun } = this.#run;
    const { name, scope } = this.#entity;
    const same = (field: string): boolean => canonicalJson(row[field]) === canonicalJson(stands[field]);
    const { used } = moveRule(this.#entity) as Moving;
    const compared = came.filter((field) => used === undefined || this.#entity.fields[field]?.touch !== true);
    if (compared.every(same)) return report.count(name, "same");
    if (!overwrite) return report.refuse({ entity: name, id, why: "a row of this id stands with other content (--overwrite)" });
    if (this.#entity.kind === "ledger") return report.refuse({ entity: name, id, why: "rows of a ledger are never changed" });
    if (scope !== null && !same(scope)) return report.refuse({ entity: name, id, why: "a row of this id stands in another project" });
    // Its secrets stay as they are here, and so does whether it is in use with them.
    const keeps = lacking.some(({ fate }) => fate === "disabled");
    const set = Object.fromEntries(
      compared.filter((field) => field !== "id" && !(keeps && field === "enabled")).map((field) => [field, row[field]]),
    );
    if (Object.keys(set).every(same)) return report.count(name, "same");
    if (dryRun) return report.count(name, "overwritten");
    const entity = this.#entity as Entity<Record<string, unknown>>;
    const [result] = await this.#run.commit([update(entity, id, { change: { set }, ifVersion: stands["version"] as number })]);
    if (result?.ok === true) report.count(name, "overwritten");
    else report.refuse({ entity: name, id, why: whyOf(result, id) });
  }

  /** The ids that references of these rows may lead to. */
  async #leading(rows: readonly CheckedRow[], standing: ReadonlyMap<string, Row>): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const led = new Map<string, Set<string>>();
    for (const { field, entity } of referencesOf(this.#entity)) {
      const wanted = rows.flatMap(({ id, row }) => (standing.has(id) || row[field] === null ? [] : [row[field] as string]));
      const target = this.#run.entity(entity);
      if (wanted.length === 0 || target === undefined) continue;
      const found = led.get(entity) ?? new Set<string>();
      for (const id of (await this.#run.standing(target, wanted)).keys()) found.add(id);
      for (const id of wanted) if (this.#run.saw(target, id)) found.add(id);
      // Of the same batch only those before it: each is written in its turn.
      led.set(entity, found);
    }
    return led;
  }

  /** Leaves out references that lead nowhere. false: the row waits, or cannot be without them. */
  #keepsReferences(checked: CheckedRow, led: ReadonlyMap<string, ReadonlySet<string>>, mayDefer: boolean): boolean {
    const { report } = this.#run;
    for (const { field, entity } of referencesOf(this.#entity)) {
      const to = checked.row[field] as string | null;
      if (to === null || led.get(entity)?.has(to) === true) continue;
      if (entity === this.#entity.name && mayDefer && this.#deferred.length < MOST_DEFERRED) {
        this.#deferred.push(checked);
        return false;
      }
      if (!this.#entity.fields[field]!.schema.safeParse(null).success) {
        report.refuse({ entity: this.#entity.name, id: checked.id, why: `its ${field} leads to no ${entity}` });
        return false;
      }
      report.drop({ entity: this.#entity.name, id: checked.id, field, to });
      checked.row[field] = null;
    }
    return true;
  }

  async #create(fresh: readonly CheckedRow[]): Promise<void> {
    const entity = this.#entity as Entity<Kept>;
    const { used } = moveRule(entity) as Moving;
    const at = await this.#run.times();
    const asNew = (row: Row): Kept => (used === undefined ? row : used.begun(row, at)) as unknown as Kept;
    const results = await this.#run.commit(fresh.map(({ row, kept }) => moveIn(entity, asNew(row), past(kept, at.nowMs))));
    for (const [i, checked] of fresh.entries()) {
      const result = results[i];
      if (result?.ok === true) this.#created(checked);
      else if (result !== undefined && result.current?.["id"] === checked.id) await this.#meet(checked, result.current);
      else this.#run.report.refuse({ entity: this.#entity.name, id: checked.id, why: whyOf(result, checked.id) });
    }
  }

  async #wouldCreate(checked: CheckedRow): Promise<void> {
    const clash = await this.#run.clash(this.#entity, checked);
    if (clash === null) this.#created(checked);
    else this.#run.report.refuse({ entity: this.#entity.name, id: checked.id, why: clash });
  }

  #created({ id, lacking }: CheckedRow): void {
    const { report } = this.#run;
    report.count(this.#entity.name, "created");
    this.#run.sees(this.#entity, id);
    for (const { field, fate } of lacking) report.lacks(this.#entity.name, field, fate);
  }
}

/** Nothing was made after now, whatever the clock of the other store said. */
function past(kept: KeptInstants | undefined, nowMs: number): KeptInstants | undefined {
  if (kept === undefined) return undefined;
  return { createdAtMs: Math.min(kept.createdAtMs, nowMs), updatedAtMs: Math.min(kept.updatedAtMs, nowMs) };
}

function whyOf(result: UnitResult | undefined, id: string): string {
  if (result === undefined || result.ok) return "it was not written";
  if (result.why === "taken" && result.current !== null && result.current["id"] !== id)
    return `a value that must be its own is had by ${String(result.current["id"])}`;
  if (result.why === "taken") return "a value that must be its own is had by another row";
  if (result.why === "missing") return "it lies outside of the project, or leads to a row that is not there";
  return "it was changed meanwhile; import it again";
}
