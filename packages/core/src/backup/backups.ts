import { allEntities } from "../entities/index.js";
import type { Clock, Crypto, RecordStore } from "../ports/index.js";
import type { Placeholders } from "./check-row.js";
import { exportStore, type ExportOptions } from "./export-store.js";
import type { ImportReport } from "./import-report.js";
import { importStore, type ImportOptions, type OpenBackup } from "./import-store.js";

export interface BackupsOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly seal: Placeholders["seal"];
  /** Resolves when the gateway has started. */
  readonly ready: () => Promise<void>;
  /** What was written counts on this node when it resolves. */
  readonly refresh: () => Promise<void>;
}

/** What a gateway has stored, as a file that any other store takes: a backup, or a move from one database to another. */
export class Backups {
  readonly #o: BackupsOptions;

  constructor(options: BackupsOptions) {
    this.#o = options;
  }

  /**
   * The file, as it is read from the store: lines of JSON, no secret in them. Allowed while gateways run; rows may then be of different instants, each of them whole.
   * Errors: `bad_request` for what cannot go along, those of the store.
   */
  async *export(o: ExportOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    await this.#o.ready();
    const { store, clock, crypto } = this.#o;
    yield* exportStore({ store, clock, crypto, entities: allEntities }, o);
  }

  /**
   * Writes the rows of a file that are not there yet. `open` is called twice: a file that is not whole is refused before anything is written. May be repeated after it broke off.
   * Errors: `bad_request`, `state_corrupt`, `payload_too_large`, those of the store.
   */
  async import(open: OpenBackup, o: ImportOptions = {}): Promise<ImportReport> {
    await this.#o.ready();
    const { store, clock, crypto, seal } = this.#o;
    const report = await importStore({ store, clock, entities: allEntities, placeholders: { crypto, seal } }, open, o);
    if (o.dryRun !== true) await this.#o.refresh();
    return report;
  }
}
