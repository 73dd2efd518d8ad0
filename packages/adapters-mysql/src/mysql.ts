import type { AnyEntity, AnyLogEntity } from "@sallyport/core/entities";
import { GatewayError, type MigratableStorage, type RecordStore } from "@sallyport/core/ports";
import {
  applyMigrations,
  migrate,
  migrationScript,
  migrationState,
  sqlRecordStore,
  type MigrateMode,
  type Migration,
} from "@sallyport/sql";
import type { TlsOptions } from "./address.js";
import type { Bounds } from "./driver/connections.js";
import { mysqlDialect } from "./dialect.js";
import type { MysqlDriver } from "./driver/mysql-driver.js";
import { openDriver, type HostPool } from "./driver/open-driver.js";
import { assertEngine } from "./settings.js";
import { shippedMigrations } from "./shipped-migrations.js";
import { assertPrefix, prefixed } from "./table-prefix.js";

export interface MysqlOptions {
  /** `auto`, the default, applies the migrations of this version that are missing when the store is opened; `check` refuses to open then; `off` looks at nothing. */
  readonly migrate?: MigrateMode;
  /** Stands before the name of every table: letters, digits and `_`. Several gateways may share a database so. */
  readonly tablePrefix?: string;
  /** Connections used at once; 10 when left out, 5 of a host's pool. */
  readonly connections?: number;
  /** Calls that may wait for a connection, and as many writes for a transaction; the next fails at once with `store_unavailable`. 5,000 when left out. */
  readonly maxWaiting?: number;
  /** Longest wait for a connection, ms; 5,000 when left out. */
  readonly waitMs?: number;
  /** Longest work on a connection, ms, whatever the caller's deadline is; 30,000 when left out. */
  readonly workMs?: number;
  /** In place of the URL's `tls`. */
  readonly tls?: TlsOptions | boolean;
  /** In place of the shipped ones: for tests of adapters and of entities of your own. */
  readonly migrations?: readonly Migration[];
}
/** Either a URL or the host application's own pool, which is neither closed nor changed. */
export type MysqlSource = { readonly url: string; readonly pool?: undefined } | { readonly pool: HostPool; readonly url?: undefined };

/** For opening, which has no caller's deadline. */
const OPENING_MS = 60_000;
/** For migrating: another process may have to be waited for, and tables changed. */
const MIGRATING_MS = 600_000;

function boundsOf(options: MysqlOptions, connections: number): Bounds {
  const bounds = {
    connections: options.connections ?? connections,
    maxWaiting: options.maxWaiting ?? 5_000,
    waitMs: options.waitMs ?? 5_000,
    workMs: options.workMs ?? 30_000,
  };
  for (const [setting, value] of Object.entries(bounds))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new GatewayError("misconfigured", `${setting} is not a whole number from 1.`, {
        hint: "Leave it out, or give a number.",
        details: { setting, outcome: "none" },
      });
  return bounds;
}

/**
 * Storage in MySQL from 8.0.17 or MariaDB from 10.6, shared by any number of processes. Nothing is connected to before `open`; connections that break are replaced, and while the
 * database is away every call fails by its deadline.
 * `url`: `mysql://user:password@host:3306/database`, with `?tls=true` (or `no-verify`) for TLS and `?socket=/path` for a socket.
 * Errors: `misconfigured` for options that make no sense. Errors of `open`: `misconfigured` (the user or database is refused, the version is too old, a setting would corrupt rows:
 * `details.setting`, migrations are missing in `check`, a newer version migrated the database), `store_unavailable`.
 */
export function mysql(source: string | (MysqlSource & MysqlOptions), more: MysqlOptions = {}): MigratableStorage {
  const options: Partial<MysqlSource> & MysqlOptions = typeof source === "string" ? { ...more, url: source } : { ...more, ...source };
  const { url, pool, tls, tablePrefix: prefix = "" } = options;
  assertPrefix(prefix);
  const dialect = mysqlDialect(prefix);
  const common = { dialect, migrations: prefixed(options.migrations ?? shippedMigrations, prefix) };
  const bounds = boundsOf(options, pool === undefined ? 10 : 5);
  const within = (ms: number) => ({ deadlineMs: Date.now() + ms });

  const connect = async (): Promise<MysqlDriver> => {
    const { driver, connections } = openDriver({ url, pool, tls, bounds, prefix });
    try {
      const session = await connections.acquire(Date.now() + OPENING_MS);
      await assertEngine(session).finally(() => connections.release(session));
      return driver;
    } catch (error) {
      await driver.close();
      throw error;
    }
  };
  const withDriver = async <T>(body: (driver: MysqlDriver) => Promise<T>): Promise<T> => {
    const driver = await connect();
    try {
      return await body(driver);
    } finally {
      await driver.close();
    }
  };
  return {
    name: "mysql",
    open: async (o: { readonly entities: readonly (AnyEntity | AnyLogEntity)[] }): Promise<RecordStore> => {
      const driver = await connect();
      try {
        await migrate({ ...common, driver, entities: o.entities, mode: options.migrate ?? "auto" }, within(MIGRATING_MS));
        return sqlRecordStore(dialect, driver);
      } catch (error) {
        await driver.close();
        throw error;
      }
    },
    migrationScript: () => withDriver((driver) => migrationScript({ ...common, driver }, within(OPENING_MS))),
    migrationState: () => withDriver((driver) => migrationState({ ...common, driver }, within(OPENING_MS))),
    migrate: () => withDriver((driver) => applyMigrations({ ...common, driver }, within(MIGRATING_MS))),
  };
}
