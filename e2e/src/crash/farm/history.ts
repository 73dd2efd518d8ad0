import type { EndedTask, Transition } from "../check/recorded.js";
import type { Place } from "./places.js";

// A table and three triggers of the tests in the database of the product: the history of each task, written by whatever transaction writes the task.

const COLUMNS = "task, from_status, to_status, from_attempt, to_attempt, from_ready, to_ready, at_ms";
const texts = {
  sqlite: { key: "integer primary key autoincrement", text: "text", int: "integer", now: "cast(unixepoch('subsec') * 1000 as integer)" },
  mariadb: { key: "bigint primary key auto_increment", text: "varchar(100)", int: "bigint", now: "floor(unix_timestamp(now(6)) * 1000)" },
} as const;

/** Statements that begin to record; once the tables of the product are there. */
export function historyTables(kind: keyof typeof texts): string[] {
  const { key, text, int, now } = texts[kind];
  const note = (from: string | null, to: string | null): string => {
    const of = (row: string | null, column: string): string => (row === null ? "null" : `${row}.${column}`);
    const pairs = ["status", "attempt", "ready_at_ms"].flatMap((column) => [of(from, column), of(to, column)]);
    return `insert into crash_history (${COLUMNS}) values (${to ?? from}.id, ${pairs.join(", ")}, ${now})`;
  };
  const body = (text: string): string => (kind === "sqlite" ? `begin ${text}; end` : text);
  const trigger = (when: string, text: string): string => `create trigger crash_${when} after ${when} on tasks for each row ${body(text)}`;
  const columns = ["task", "from_status", "to_status"].map((name) => `${name} ${text}`);
  const numbers = ["from_attempt", "to_attempt", "from_ready", "to_ready", "at_ms"].map((name) => `${name} ${int}`);
  return [
    `create table crash_history (seq ${key}, ${[...columns, ...numbers].join(", ")})`,
    trigger("insert", note(null, "new")),
    trigger("update", note("old", "new")),
    trigger("delete", note("old", null)),
  ];
}

const textOf = (value: string): string | null => (value === "" || value === "NULL" ? null : value);
const numberOf = (value: string): number | null => (textOf(value) === null ? null : Number(value));

export async function readHistory(place: Place): Promise<Transition[]> {
  const rows = await place.rows(`select ${COLUMNS} from crash_history order by seq`);
  return rows.map(([task = "", from = "", to = "", fromAttempt = "", toAttempt = "", fromReady = "", toReady = "", at = ""]) => ({
    ...{ task, from: textOf(from), to: textOf(to), fromAttempt: numberOf(fromAttempt), toAttempt: numberOf(toAttempt) },
    ...{ fromReadyAtMs: numberOf(fromReady), toReadyAtMs: numberOf(toReady), atMs: Number(at) },
  }));
}

export async function readTasks(place: Place): Promise<EndedTask[]> {
  const rows = await place.rows(
    "select id, idempotency_key, status, attempt, uncounted, max_attempts, dead_letter, result from tasks order by id",
  );
  return rows.map(([id = "", key = "", status = "", attempt = "", uncounted = "", maxAttempts = "", dead = "", result = ""]) => ({
    ...{ id, key: textOf(key), status, attempt: Number(attempt), uncounted: Number(uncounted), maxAttempts: Number(maxAttempts) },
    ...{ deadLetter: dead === "1", result: textOf(result) === null ? null : (JSON.parse(result) as EndedTask["result"]) },
  }));
}
