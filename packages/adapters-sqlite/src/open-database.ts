import { accessSync, closeSync, constants, openSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { GatewayError } from "@sallyport/core/ports";
import Database from "libsql";
import { toGatewayError } from "./sqlite-errors.js";

export interface OpenDatabase {
  readonly path: string;
  readonly synchronous: "normal" | "full";
}

/** How long the opening may block on another process that opens or recovers the same file. */
const OPENING_MS = 5000;
/** How long one statement may block the event loop on a lock; longer waits are off the loop. */
const BLOCKING_MS = 5;

function misconfigured(message: string, hint: string, cause?: unknown): GatewayError {
  return new GatewayError("misconfigured", message, { hint, details: { outcome: "none" }, cause });
}

/** Makes a new file that only its owner may read, and says early what would later fail with less to go on. */
function prepareFile(path: string): void {
  const directory = dirname(resolve(path));
  const stats = statSync(directory, { throwIfNoEntry: false });
  if (stats?.isDirectory() !== true)
    throw misconfigured(`The directory ${directory} of the database does not exist.`, "Create it, or name a file in another directory.");
  const file = statSync(path, { throwIfNoEntry: false });
  if (file?.isDirectory() === true)
    throw misconfigured(`${path} is a directory, not a database file.`, "Name a file in it, such as sallyport.db.");
  try {
    if (file === undefined) closeSync(openSync(path, "a", 0o600));
    accessSync(path, constants.R_OK | constants.W_OK);
    accessSync(directory, constants.W_OK); // SQLite keeps two more files beside the database
  } catch (cause) {
    throw misconfigured(
      `The database file ${path} cannot be written by this user.`,
      "Make the file and its directory writable, or name another file.",
      cause,
    );
  }
}

function configure(db: Database.Database, o: OpenDatabase): void {
  db.exec(`pragma busy_timeout = ${OPENING_MS}`);
  const [mode] = db.pragma("journal_mode = wal") as { journal_mode: string }[];
  if (mode?.journal_mode !== "wal" && mode?.journal_mode !== "memory")
    throw misconfigured(
      `The file system of ${o.path} does not support write-ahead logging.`,
      "Keep the database on a local disk, not on a network share.",
    );
  db.exec(`pragma synchronous = ${o.synchronous}`);
  db.exec("pragma foreign_keys = on");
  db.exec("pragma cache_size = -16000");
  db.exec("pragma temp_store = memory");
  // 16 MB of log: pages that are written over and over, the ends of the ledgers, are copied to the file a quarter as often.
  db.exec("pragma wal_autocheckpoint = 4000");
  db.exec(`pragma busy_timeout = ${BLOCKING_MS}`);
}

/** Opens or makes the file. Errors: `misconfigured`, `store_unavailable`, `state_corrupt`. */
export function openDatabase(o: OpenDatabase): Database.Database {
  if (o.path === "") throw misconfigured("The database has no file name.", 'Give a path such as sallyport.db, or ":memory:".');
  if (o.path !== ":memory:") prepareFile(o.path);
  let db: Database.Database | null = null;
  try {
    db = new Database(o.path);
    configure(db, o);
    return db;
  } catch (error) {
    db?.close();
    const known = toGatewayError(error, "none");
    if (known.code !== "internal") throw known;
    throw new GatewayError("store_unavailable", `The database file ${o.path} could not be opened.`, {
      hint: "Look at the file, its directory and the disk.",
      details: { outcome: "none" },
      cause: error,
    });
  }
}
