import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PrivateMariadb, PrivateRedis } from "@sallyport/adapter-kit";
import Database from "libsql";
import type { Seen } from "../check/recorded.js";
import type { StoreAt } from "../worker/worker-options.js";

/** Where the processes of one test meet. */
export interface Place {
  readonly kind: "sqlite" | "mariadb";
  readonly at: StoreAt;
  readonly redisUrl: string | null;
  readonly db: PrivateMariadb | null;
  readonly redis: PrivateRedis | null;
  /** The name of its database. */
  readonly database: string;
  /** The file that effects go to. */
  readonly sink: string;
  readonly seen: () => Seen[];
  /** Runs one statement beside the product and gives its rows as text, null as "NULL". */
  rows(text: string): Promise<string[][]>;
  /** What else there is beside rows: statements with triggers in them, one each. */
  run(statements: readonly string[]): Promise<void>;
  dispose(): Promise<void>;
}

function folderAndSink() {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-crash-"));
  const sink = join(folder, "effects");
  const seen = (): Seen[] => {
    if (!existsSync(sink)) return [];
    const lines = readFileSync(sink, "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Seen);
  };
  return { folder, sink, seen };
}

/** One file, no server. */
export function sqlitePlace(): Place {
  const { folder, sink, seen } = folderAndSink();
  const path = join(folder, "crash.db");
  const open = <T>(use: (db: Database.Database) => T): T => {
    const db = new Database(path);
    try {
      db.pragma("busy_timeout = 10000");
      return use(db);
    } finally {
      db.close();
    }
  };
  return {
    ...{ kind: "sqlite", at: { sqlite: path }, redisUrl: null, db: null, redis: null, database: path, sink, seen },
    rows: (text) =>
      Promise.resolve(
        open((db) =>
          (db.prepare(text).raw().all() as unknown[][]).map((row) => row.map((value) => (value === null ? "NULL" : String(value)))),
        ),
      ),
    run: (statements) => Promise.resolve(open((db) => statements.forEach((text) => void db.exec(text)))),
    dispose: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
  };
}

/** A new database of the server; the servers stay. `serving`: who has it now, when that may change. */
export async function mariadbPlace(
  db: PrivateMariadb,
  redis: PrivateRedis | null,
  serving: () => PrivateMariadb = () => db,
): Promise<Place> {
  const { folder, sink, seen } = folderAndSink();
  const database = await db.database();
  return {
    ...{ kind: "mariadb", at: { mysql: db.url(database) }, redisUrl: redis?.url ?? null, db, redis, database, sink, seen },
    rows: async (text) => {
      const printed = await serving().sql(`use ${database}; ${text}`);
      return printed.split("\n").flatMap((line) => (line === "" ? [] : [line.split("\t").map((word) => word.replace(/\\(.)/g, "$1"))]));
    },
    run: async (statements) => {
      for (const text of statements) await serving().sql(`use ${database}; ${text}`);
    },
    dispose: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
  };
}
