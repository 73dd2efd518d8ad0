import { GatewayError, type ErrorCode } from "@sallyport/core/ports";
import { LostRace } from "@sallyport/sql";

type Outcome = "none" | "unknown";

interface DriverError {
  readonly code: string;
  readonly errno: number;
}

/** What an error of mysql2 or of a socket is called; null for any other. */
export function driverError(error: unknown): DriverError | null {
  if (!(error instanceof Error)) return null;
  const { code, errno } = error as Error & { code?: unknown; errno?: unknown };
  return typeof code === "string" ? { code, errno: typeof errno === "number" ? errno : 0 } : null;
}

const errnoOf = (error: unknown): number => driverError(error)?.errno ?? 0;

/** A unique value stands already. */
export const isTaken = (error: unknown): boolean => errnoOf(error) === 1062 || errnoOf(error) === 1586;
/** A foreign key is in the way: a row that is referred to, or one that would refer to none. */
export const isOrphan = (error: unknown): boolean => [1216, 1217, 1451, 1452].includes(errnoOf(error));
/** Another transaction was in the way, and the same may succeed a moment later: a deadlock, a lock wait, a row that changed since the snapshot. */
export const isConflict = (error: unknown): boolean => error instanceof LostRace || [1213, 1205, 1020, 1412, 3572].includes(errnoOf(error));

/** Of this user, or to this database. */
export const isRefusal = (error: unknown): boolean => [1044, 1045, 1049, 1698].includes(errnoOf(error));

/** The server answered the statement with this error: it was not carried out, and the connection is as it was. Anything else leaves the connection in doubt. */
export function isAnswer(error: unknown): boolean {
  const known = driverError(error);
  if (known === null || known.errno <= 0) return false;
  return (error as { fatal?: unknown }).fatal !== true && (error as { sqlState?: unknown }).sqlState !== undefined && !isGone(error);
}

// The server closes after these: shutdown, killed, too many or too big packets, an idle connection ended.
const gone = [1053, 1077, 1079, 1080, 1081, 1152, 1153, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 1927, 3169, 4031];
// What a server says that was the primary, or is not yet.
const readOnly = [1290, 1792, 1836, 3100];

/** A server that cannot be written, or that ends: the connection leads to the wrong place or to none. */
export const isGone = (error: unknown): boolean => gone.includes(errnoOf(error)) || readOnly.includes(errnoOf(error));

interface Meaning {
  readonly code: ErrorCode;
  readonly what: string;
  readonly hint: string;
}

const away = (what: string, hint: string): Meaning => ({ code: "store_unavailable", what, hint });
const wrong = (what: string, hint: string): Meaning => ({ code: "misconfigured", what, hint });

const meanings: readonly (readonly [errnos: readonly number[], meaning: Meaning])[] = [
  [readOnly, away("The database is read-only", "Wait for the failover to end, or name the primary; nothing has to be restarted.")],
  [
    [1021, 1114, 1030, 28, 1026, 3],
    away("The database's disk is full, or could not be written", "Make room on the disk of the database; nothing has to be restarted."),
  ],
  [[1040, 1203, 1226], away("The database has no more connections", "Give the database more connections, or this gateway fewer.")],
  [[1461], away("The database keeps no more prepared statements", "Raise max_prepared_stmt_count of the database.")],
  [[1041, 1037, 1038], away("The database is out of memory", "Give the database more memory.")],
  [
    [1205, 1213, 1020, 3572],
    away("Other transactions were in the way until the deadline", "Look for a program that keeps transactions open on these tables."),
  ],
  [[1317, 1969, 3024], away("The database ended the statement", "Look who kills statements, or what limits their time.")],
  [gone, away("The database ended the connection", "Nothing has to be restarted: it is connected to again.")],
  [
    [1044, 1045, 1698, 1227],
    wrong("The database refuses this user", "Check user, password and grants; docs/how-to/mysql.md has the grants that are needed."),
  ],
  [
    [1142, 1143, 1370],
    wrong(
      "The database's user may not do this",
      "docs/how-to/mysql.md has the grants that are needed. `sallyport migrate --sql` prints what another role has to run if this one may not create tables.",
    ),
  ],
  [[1049], wrong("There is no such database", "Create it, or name another in the URL.")],
  [[1046], wrong("The URL names no database", "Add it: mysql://user:password@host:3306/database.")],
  [[1146, 1054, 1091, 1072], wrong("The database does not have the tables of this version", "Run `sallyport migrate`.")],
  [
    [1406, 1264, 1366, 4025, 3140, 3141, 3157, 3819, 1292],
    {
      code: "state_corrupt",
      what: "The database's columns are not those of this version",
      hint: "Run `sallyport migrate`; another program may have changed them.",
    },
  ],
];

const sockets: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Nothing listens there",
  ECONNRESET: "The connection was reset",
  EPIPE: "The connection was closed",
  ETIMEDOUT: "It did not answer in time",
  ENOTFOUND: "Its name is not known",
  EAI_AGAIN: "Its name could not be looked up",
  EHOSTUNREACH: "There is no way to its host",
  PROTOCOL_CONNECTION_LOST: "The connection was closed",
};

const TLS_CODES = /^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HANDSHAKE_NO_SSL|HANDSHAKE_SSL)/;
/** Calls again by then: about what a restart or a failover takes. */
const RETRY_AFTER_MS = 1_000;

export const unavailable = (
  message: string,
  o: { readonly outcome: Outcome; readonly hint: string; readonly cause?: unknown },
): GatewayError =>
  new GatewayError("store_unavailable", message, {
    hint: o.hint,
    details: { outcome: o.outcome },
    retryAfterMs: RETRY_AFTER_MS,
    cause: o.cause,
  });

/** The connection died around COMMIT. */
export const commitUnknown = (cause: unknown): GatewayError =>
  unavailable("The connection to the database broke while it committed: whether it did is not known.", {
    outcome: "unknown",
    hint: "Read again what should have been written, then decide.",
    cause,
  });

/** What the caller learns. `outcome`: whether anything may have been kept. */
export function toGatewayError(error: unknown, outcome: Outcome): GatewayError {
  if (GatewayError.is(error)) return error;
  const known = driverError(error);
  if (known === null) return GatewayError.from(error);
  const found = meanings.find(([errnos]) => known.errno > 0 && errnos.includes(known.errno));
  const details = { mysql: known.code, ...(known.errno > 0 ? { errno: known.errno } : {}), outcome };
  if (found !== undefined) {
    const [, { code, what, hint }] = found;
    const retryAfterMs = code === "store_unavailable" ? { retryAfterMs: RETRY_AFTER_MS } : {};
    return new GatewayError(code, `${what} (${known.code}).`, { hint, details, ...retryAfterMs, cause: error });
  }
  if (TLS_CODES.test(known.code))
    return new GatewayError("misconfigured", `TLS to the database failed (${known.code}).`, {
      hint: "Give the certificate of the authority that signed the server's: tls: { ca }.",
      details,
      cause: error,
    });
  const socket = sockets[known.code];
  if (socket !== undefined || known.code.startsWith("PROTOCOL_") || known.errno <= 0)
    return new GatewayError(
      "store_unavailable",
      `The database could not be reached: ${socket ?? "the connection broke"} (${known.code}).`,
      {
        hint: "Look whether the database runs and can be reached from here.",
        details,
        retryAfterMs: RETRY_AFTER_MS,
        cause: error,
      },
    );
  return new GatewayError("internal", `The database refused a statement (${known.code}).`, { details, cause: error });
}
