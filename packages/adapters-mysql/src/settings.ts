import { GatewayError } from "@sallyport/core/ports";
import { unavailable } from "./mysql-errors.js";
import type { Session } from "./driver/session.js";

/** Of our own connections, whatever the server's defaults are. */
const SQL_MODE = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";
/** Rows of nearly 16 MB; what MariaDB has when nothing is said. */
const LEAST_PACKET = 16 * 1024 * 1024;
/** Shorter than most deadlines, so that a lock that another program holds is waited for in several tries. */
const LOCK_WAIT_S = 5;

const ask = {
  sql: `select version(), database(), @@sql_mode, @@autocommit, @@character_set_client, @@character_set_connection, @@character_set_results,
  @@max_allowed_packet, @@read_only or @@innodb_read_only`,
  gives: "one",
} as const;
const engines = { sql: "select count(*) from information_schema.engines where engine = ? and support in (?, ?)", gives: "one" } as const;

/** What a connection works with. */
export interface Settings {
  readonly version: string;
  readonly database: string | null;
  readonly sqlMode: string;
  readonly autocommit: boolean;
  readonly charsets: readonly string[];
  readonly maxPacketBytes: number;
  readonly readOnly: boolean;
}

async function settingsOf(session: Session): Promise<Settings> {
  const { rows } = await session.run({ statement: ask, parameters: [] });
  const [version, database, sqlMode, autocommit, client, connection, results, maxPacketBytes, readOnly] = rows[0] ?? [];
  return {
    version: String(version),
    database: database === null ? null : String(database),
    sqlMode: String(sqlMode).toUpperCase(),
    autocommit: Number(autocommit) === 1,
    charsets: [client, connection, results].map(String),
    maxPacketBytes: Number(maxPacketBytes),
    readOnly: Number(readOnly) === 1,
  };
}

interface Rule {
  readonly setting: string;
  readonly breaks: (s: Settings) => boolean;
  readonly why: (s: Settings) => string;
  readonly fix: string;
}

const least = { MySQL: [8, 0, 17], MariaDB: [10, 6, 0] } as const;
const productOf = ({ version }: Settings): keyof typeof least => (/mariadb/i.test(version) ? "MariaDB" : "MySQL");

function isTooOld(s: Settings): boolean {
  // Behind some proxies MariaDB says 5.5.5- before its version.
  const parts =
    /(\d+)\.(\d+)\.(\d+)/
      .exec(s.version.replace(/^5\.5\.5-/, ""))
      ?.slice(1)
      .map(Number) ?? [];
  for (const [i, wanted] of least[productOf(s)].entries()) if (parts[i] !== wanted) return (parts[i] ?? 0) < wanted;
  return false;
}

const has = (s: Settings, ...modes: readonly string[]): boolean => s.sqlMode.split(",").some((mode) => modes.includes(mode));

/** What would corrupt rows, or could not be worked with; each said with its reason. */
const rules: readonly Rule[] = [
  {
    setting: "version",
    breaks: isTooOld,
    why: (s) =>
      `The database is ${s.version}: before ${productOf(s)} ${least[productOf(s)].join(".")} there is no SKIP LOCKED, or no order of text by code point`,
    fix: "Use MySQL 8.0.17 or newer, or MariaDB 10.6 or newer.",
  },
  {
    setting: "database",
    breaks: (s) => s.database === null,
    why: () => "The connection is to no database",
    fix: "Name it in the URL, or in the pool's options.",
  },
  {
    setting: "sql_mode",
    breaks: (s) => !has(s, "STRICT_TRANS_TABLES", "STRICT_ALL_TABLES"),
    why: (s) => `The sql_mode "${s.sqlMode}" is not strict: a value that does not fit would be cut without a word`,
    fix: "Add STRICT_TRANS_TABLES to sql_mode.",
  },
  {
    setting: "sql_mode",
    breaks: (s) => has(s, "EMPTY_STRING_IS_NULL", "ORACLE"),
    why: (s) => `The sql_mode "${s.sqlMode}" makes another value of an empty text`,
    fix: "Take EMPTY_STRING_IS_NULL and ORACLE out of sql_mode.",
  },
  {
    setting: "autocommit",
    breaks: (s) => !s.autocommit,
    why: () => "autocommit is off: reads would go on to see what was there before, and writes would be lost",
    fix: "Set autocommit to 1 for these connections.",
  },
  {
    setting: "character_set_client",
    breaks: (s) => s.charsets.some((charset) => charset !== "utf8mb4"),
    why: (s) => `The connection's character sets are ${s.charsets.join(", ")}: text would be lost`,
    fix: 'Give the pool charset: "utf8mb4", and take SET NAMES out of init_connect.',
  },
  {
    setting: "max_allowed_packet",
    breaks: (s) => s.maxPacketBytes < LEAST_PACKET,
    why: (s) => `max_allowed_packet is ${s.maxPacketBytes} bytes: rows of 16 MB could not be written`,
    fix: `Set it to at least ${LEAST_PACKET} on the server.`,
  },
];

const misconfigured = (setting: string, what: string, hint: string): GatewayError =>
  new GatewayError("misconfigured", `${what}.`, { hint, details: { setting, outcome: "none" } });

/** Makes a connection of our own what the store relies on. The host's are only checked. */
export async function setUp(session: Session): Promise<void> {
  await session.text("set session transaction isolation level read committed");
  await session.text(`set session sql_mode = '${SQL_MODE}', autocommit = 1, innodb_lock_wait_timeout = ${LOCK_WAIT_S}`);
}

/**
 * What a new connection works with.
 * Errors: `misconfigured`, with `details.setting`, for what would corrupt rows; `store_unavailable` for a server that is read-only.
 */
export async function checkedSettings(session: Session): Promise<Settings> {
  const settings = await settingsOf(session);
  const broken = rules.find(({ breaks }) => breaks(settings));
  if (broken !== undefined) throw misconfigured(broken.setting, broken.why(settings), broken.fix);
  if (settings.readOnly)
    throw unavailable("The database is read-only.", { outcome: "none", hint: "Wait for the failover to end, or name the primary." });
  return settings;
}

/** Once, when a store is opened. Errors: `misconfigured` without InnoDB, whose tables alone have transactions. */
export async function assertEngine(session: Session): Promise<void> {
  const { rows } = await session.run({ statement: engines, parameters: ["InnoDB", "YES", "DEFAULT"] });
  if (Number(rows[0]?.[0]) === 0)
    throw misconfigured("innodb", "The database has no InnoDB", "Switch it on: no other engine has transactions.");
}
