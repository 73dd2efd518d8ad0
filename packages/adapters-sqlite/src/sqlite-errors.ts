import { GatewayError, type ErrorCode } from "@sallyport/core/ports";

/** What an error of the driver is called; "" for any other error. */
export function sqliteCode(error: unknown): string {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  return typeof code === "string" && code.startsWith("SQLITE") ? code : "";
}

/** Another connection has the lock; the same may succeed a moment later. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED");
}

export function isTaken(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === "SQLITE_CONSTRAINT_UNIQUE" || code === "SQLITE_CONSTRAINT_PRIMARYKEY";
}

export function isOrphan(error: unknown): boolean {
  return sqliteCode(error) === "SQLITE_CONSTRAINT_FOREIGNKEY";
}

interface Meaning {
  readonly code: ErrorCode;
  readonly what: string;
  readonly hint: string;
}

const meanings: readonly (readonly [prefix: string, meaning: Meaning])[] = [
  ["SQLITE_FULL", { code: "store_unavailable", what: "The disk is full", hint: "Make room on the disk; nothing has to be restarted." }],
  [
    "SQLITE_READONLY",
    {
      code: "store_unavailable",
      what: "The database file cannot be written",
      hint: "Make the file and its directory writable for this user.",
    },
  ],
  [
    "SQLITE_IOERR",
    { code: "store_unavailable", what: "The database file could not be read or written", hint: "Look at the disk and the file system." },
  ],
  [
    "SQLITE_CANTOPEN",
    {
      code: "store_unavailable",
      what: "The database file could not be opened",
      hint: "Look whether the file and its directory still exist.",
    },
  ],
  ["SQLITE_NOMEM", { code: "store_unavailable", what: "SQLite is out of memory", hint: "Give the process more memory." }],
  [
    "SQLITE_NOTADB",
    { code: "state_corrupt", what: "The file is not a SQLite database", hint: "Name another file, or restore this one from a backup." },
  ],
  ["SQLITE_CORRUPT", { code: "state_corrupt", what: "The database file is damaged", hint: "Restore it from a backup." }],
  [
    "SQLITE_ERROR",
    { code: "misconfigured", what: "The database does not have the tables of this version", hint: "Run `sallyport migrate`." },
  ],
]; // prettier-ignore

/** What the caller learns. `outcome`: whether anything may have been kept. */
export function toGatewayError(error: unknown, outcome: "none" | "unknown"): GatewayError {
  if (GatewayError.is(error)) return error;
  const code = sqliteCode(error);
  const found = meanings.find(([prefix]) => code.startsWith(prefix));
  if (found === undefined) return GatewayError.from(error);
  const [, { code: known, what, hint }] = found;
  return new GatewayError(known, `${what} (${code}).`, { hint, details: { sqlite: code, outcome }, cause: error });
}
