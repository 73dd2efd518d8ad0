import type { AnyEntity, AnyLogEntity } from "@sallyport/core/entities";
import type { Clock, RecordStore, StorageAdapter } from "@sallyport/core/ports";
import {
  applyMigrations,
  migrate,
  migrationScript,
  migrationState,
  sqlRecordStore,
  type MigrateMode,
  type Migration,
} from "@sallyport/sql";
import { sqliteDialect } from "./dialect.js";
import { LibsqlDriver } from "./libsql-driver.js";
import { shippedMigrations } from "./shipped-migrations.js";
import { openDatabase } from "./open-database.js";

export interface SqliteOptions {
  /**
   * `auto`, the default, applies the migrations of this version that are missing when the store is opened; `check` refuses to open then; `off` looks at nothing.
   */
  readonly migrate?: MigrateMode;
  /**
   * `normal`, the default: what was accepted outlives the process, however it ends; a power cut may cost the last moments, never the file. `full`: also outlives a power
   * cut, at the price of a disk flush for each transaction.
   */
  readonly synchronous?: "normal" | "full";
  /** The store's clock; the system's when left out. */
  readonly clock?: Pick<Clock, "now">;
  /** In place of the shipped ones: for tests of adapters and of entities of your own. */
  readonly migrations?: readonly Migration[];
}

/** What `new Gateway({ storage })` takes, and what `sallyport migrate` shows and does. */
export interface SqliteAdapter extends StorageAdapter {
  /** Ids of the migrations that the file has and lacks. Makes the file when there is none. Errors: as `open`. */
  migrationState(): Promise<{ readonly applied: readonly string[]; readonly pending: readonly string[] }>;
  /** What `migrate` would run, as one SQL script; empty when nothing is missing. Makes the file when there is none. Errors: as `open`. */
  migrationScript(): Promise<string>;
  /** Applies what is missing and gives its ids. Safe to run from several processes at once. Errors: as `open`. */
  migrate(): Promise<readonly string[]>;
}

/** For opening and migrating, which have no caller's deadline. */
const OPENING_MS = 60_000;

/**
 * Storage in a SQLite file, or in memory with ":memory:". A new file is readable by its owner alone. Several processes may use one file; a lock is waited for within each
 * call's deadline. Every call blocks the event loop for its work, a few µs to some ms.
 * Errors of `open`: `misconfigured` (the directory is missing or not writable, migrations are missing in `check`, a newer version migrated the file), `state_corrupt` (it is no
 * database, or damaged), `store_unavailable`.
 */
export function sqlite(path: string, options: SqliteOptions = {}): SqliteAdapter {
  const now = (): number => options.clock?.now() ?? Date.now();
  const migrations = options.migrations ?? shippedMigrations;
  const connect = (): LibsqlDriver => new LibsqlDriver(openDatabase({ path, synchronous: options.synchronous ?? "normal" }), now);
  const within = () => ({ deadlineMs: now() + OPENING_MS });
  const withDriver = async <T>(body: (driver: LibsqlDriver) => Promise<T>): Promise<T> => {
    const driver = connect();
    try {
      return await body(driver);
    } finally {
      await driver.close();
    }
  };
  const common = { dialect: sqliteDialect, migrations };
  return {
    name: "sqlite",
    open: async (o: { readonly entities: readonly (AnyEntity | AnyLogEntity)[] }): Promise<RecordStore> => {
      const driver = connect();
      try {
        await migrate({ ...common, driver, entities: o.entities, mode: options.migrate ?? "auto" }, within());
      } catch (error) {
        await driver.close();
        throw error;
      }
      return sqlRecordStore(sqliteDialect, driver);
    },
    migrationScript: () => withDriver((driver) => migrationScript({ ...common, driver }, within())),
    migrationState: () => withDriver((driver) => migrationState({ ...common, driver }, within())),
    migrate: () => withDriver((driver) => applyMigrations({ ...common, driver }, within())),
  };
}
