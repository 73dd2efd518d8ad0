import type { BackupHeader } from "./backup-lines.js";
import type { Extra } from "./what-moves.js";

/** What became, or would become, of the rows of one entity; of a log: of its entries. */
export interface ImportCounts {
  readonly entity: string;
  created: number;
  /** They stand already, with the same content. */
  same: number;
  overwritten: number;
  refused: number;
  /** Of projects that were not asked for. */
  elsewhere: number;
}
export interface RefusedRow {
  readonly entity: string;
  /** Of the row, or the stream. */
  readonly id: string;
  readonly why: string;
}
export interface DroppedReference {
  readonly entity: string;
  readonly id: string;
  readonly field: string;
  /** The id that is nobody's. */
  readonly to: string;
}
/** Values that are not in the file, and what becomes of their rows. */
export interface MissingSecrets {
  readonly entity: string;
  readonly field: string;
  /** New rows without it. */
  readonly rows: number;
  readonly then: string;
}
export interface ImportReport {
  readonly dryRun: boolean;
  readonly from: {
    readonly version: string;
    readonly atMs: number;
    readonly project: string | null;
    readonly with: readonly (Extra | string)[];
  };
  readonly entities: readonly ImportCounts[];
  /** The first 1,000; `entities` counts all. */
  readonly refused: readonly RefusedRow[];
  /** The first 1,000 references that led nowhere and were left out. */
  readonly dropped: readonly DroppedReference[];
  readonly secrets: readonly MissingSecrets[];
}

const MOST = 1_000;

/** What a secret's row is until it has one again, by trait. */
const then = {
  disabled: "disabled until it is set anew",
  unset: "not set: set it anew",
  unknown: "nobody has what it was made from: make a new one (`sallyport keys rotate <id>`, a new password)",
} as const;
export type Fate = keyof typeof then;

/** Gathers what an import does, within bounds. */
export class ReportDraft {
  readonly #counts = new Map<string, ImportCounts>();
  readonly #secrets = new Map<string, { entity: string; field: string; rows: number; then: string }>();
  readonly #refused: RefusedRow[] = [];
  readonly #dropped: DroppedReference[] = [];

  count(entity: string, what: Exclude<keyof ImportCounts, "entity">, by = 1): void {
    let counts = this.#counts.get(entity);
    if (counts === undefined)
      this.#counts.set(entity, (counts = { entity, created: 0, same: 0, overwritten: 0, refused: 0, elsewhere: 0 }));
    counts[what] += by;
  }

  refuse(row: RefusedRow, by = 1): void {
    this.count(row.entity, "refused", by);
    if (this.#refused.length < MOST) this.#refused.push(row);
  }

  drop(reference: DroppedReference): void {
    if (this.#dropped.length < MOST) this.#dropped.push(reference);
  }

  lacks(entity: string, field: string, fate: Fate): void {
    const key = `${entity}.${field}.${fate}`;
    const known = this.#secrets.get(key);
    if (known === undefined) this.#secrets.set(key, { entity, field, rows: 1, then: then[fate] });
    else known.rows++;
  }

  done(header: BackupHeader, dryRun: boolean): ImportReport {
    const { version, atMs, project } = header;
    return {
      dryRun,
      from: { version, atMs, project, with: header.with },
      entities: [...this.#counts.values()],
      refused: this.#refused,
      dropped: this.#dropped,
      secrets: [...this.#secrets.values()],
    };
  }
}
