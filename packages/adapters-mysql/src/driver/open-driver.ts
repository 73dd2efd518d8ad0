import driver, { type Pool, type PoolConnection } from "mysql2";
import type { Pool as PromisePool } from "mysql2/promise";
import { addressOf, type TlsOptions } from "../address.js";
import { Connections, type Bounds } from "./connections.js";
import { MysqlDriver } from "./mysql-driver.js";
import { destroy, hostShape, ownShape, type Session } from "./session.js";
import { checkedSettings, setUp, type Settings } from "../settings.js";

/** A pool of `mysql2` or of `mysql2/promise`. */
export type HostPool = Pool | PromisePool;

export interface DriverSource {
  readonly url?: string | undefined;
  readonly pool?: HostPool | undefined;
  readonly tls?: TlsOptions | boolean | undefined;
  readonly bounds: Bounds;
  readonly prefix: string;
}

/** More transactions at once only get into each other's way: what waits shares the next. */
const WRITERS = 4;
/** For connecting; a caller's deadline may end it earlier. */
const CONNECT_MS = 3_000;
/** Texts prepared for a connection; the server bounds those of all connections together (16,382). */
const MAX_PREPARED = 400;
const LEAVING_MS = 500;

interface Reached {
  readonly connections: Connections;
  readonly begin: readonly string[];
  readonly end: () => Promise<void>;
}

function ownPool(url: string, o: DriverSource): Reached {
  const { options, words } = addressOf(url, o.tls);
  const pool = driver.createPool({
    ...options,
    connectionLimit: o.bounds.connections,
    // Turns are taken before it is asked; only one that came too late may still hold a place.
    queueLimit: o.bounds.connections,
    charset: "utf8mb4",
    connectTimeout: CONNECT_MS,
    maxPreparedStatements: MAX_PREPARED,
    jsonStrings: true,
    supportBigNumbers: true,
    enableKeepAlive: true,
    keepAliveInitialDelay: 10_000,
  });
  const connections = new Set<PoolConnection>();
  pool.on("connection", (connection) => {
    connections.add(connection);
    connection.once("end", () => connections.delete(connection));
  });
  const prepare = async (session: Session): Promise<Settings> => {
    await setUp(session);
    return checkedSettings(session);
  };
  return {
    connections: new Connections({ pool, shape: ownShape, bounds: o.bounds, words, prepare }),
    begin: ["start transaction"],
    end: () => ended(pool, connections),
  };
}

/** A half-open connection never takes leave. */
async function ended(pool: Pool, connections: ReadonlySet<PoolConnection>): Promise<void> {
  const timer = setTimeout(() => connections.forEach(destroy), LEAVING_MS);
  await new Promise<void>((resolve) => {
    pool.end(() => resolve());
    setTimeout(resolve, LEAVING_MS + 50).unref();
  });
  clearTimeout(timer);
}

function hostPool(given: HostPool, o: DriverSource): Reached {
  const pool = "pool" in given ? (given as { readonly pool: Pool }).pool : (given as Pool);
  return {
    connections: new Connections({
      pool,
      shape: hostShape,
      bounds: o.bounds,
      words: "the host application's pool",
      prepare: checkedSettings,
    }),
    // For this transaction alone: the connection stays as the host has it.
    begin: ["set transaction isolation level read committed", "start transaction"],
    end: () => Promise.resolve(),
  };
}

/** Connects when it is first asked. Errors: `misconfigured` for a URL that is none. */
export function openDriver(o: DriverSource): { readonly driver: MysqlDriver; readonly connections: Connections } {
  const { connections, begin, end } = o.pool === undefined ? ownPool(o.url ?? "", o) : hostPool(o.pool, o);
  const { maxWaiting, waitMs } = o.bounds;
  const writers = Math.max(1, Math.min(WRITERS, o.bounds.connections - 1));
  return { connections, driver: new MysqlDriver({ connections, writers, maxWaiting, waitMs, begin, prefix: o.prefix, end }) };
}
