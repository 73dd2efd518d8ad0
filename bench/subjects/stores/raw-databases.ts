import Database from "libsql";
import { createPool, type PoolConnection } from "mysql2/promise";
import type { Connection, RawDatabase } from "./raw-sql.js";

/** `libsql` as its own documentation shows it, with the pragmas that our adapter sets. */
export function rawSqlite(path: string): RawDatabase {
  const db = new Database(path);
  for (const pragma of [
    "journal_mode = wal",
    "synchronous = normal",
    "foreign_keys = on",
    "cache_size = -16000",
    "wal_autocheckpoint = 4000",
    "busy_timeout = 10000",
  ])
    db.pragma(pragma);
  const prepared = new Map<string, { reads: boolean; statement: Database.Statement }>();
  const run: Connection["run"] = (sql, values) => {
    let known = prepared.get(sql);
    if (known === undefined) {
      const reads = sql.startsWith("select");
      const statement = db.prepare(sql);
      if (reads) statement.raw(true);
      prepared.set(sql, (known = { reads, statement }));
    }
    if (known.reads) return Promise.resolve({ rows: known.statement.all(...values) as unknown[][], changes: 0 });
    return Promise.resolve({ rows: [], changes: known.statement.run(...values).changes });
  };
  return {
    skipLocked: "",
    alone: run,
    together: async (work) => {
      db.exec("begin immediate");
      try {
        const result = await work({ run });
        db.exec("commit");
        return result;
      } catch (error) {
        db.exec("rollback");
        throw error;
      }
    },
    close: () => Promise.resolve(void db.close()),
  };
}

/** `mysql2` with prepared statements and a pool of ten. */
export function rawMysql(url: string): RawDatabase {
  const pool = createPool({ uri: url, connectionLimit: 10, rowsAsArray: true, maxPreparedStatements: 500 });
  const on = (connection: Pick<PoolConnection, "execute">): Connection => ({
    run: async (sql, values) => {
      const [answer] = await connection.execute(sql, [...values]);
      return Array.isArray(answer)
        ? { rows: answer as unknown[][], changes: 0 }
        : { rows: [], changes: (answer as { affectedRows: number }).affectedRows };
    },
  });
  return {
    skipLocked: " for update skip locked",
    alone: on(pool as never).run,
    together: async (work) => {
      const connection = await pool.getConnection();
      try {
        await connection.query("set transaction isolation level read committed");
        await connection.beginTransaction();
        const result = await work(on(connection));
        await connection.commit();
        return result;
      } catch (error) {
        await connection.rollback();
        throw error;
      } finally {
        connection.release();
      }
    },
    close: () => pool.end(),
  };
}
