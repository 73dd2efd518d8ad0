// The same work in statements written by hand, on the same tables.
import {
  budgetWindow,
  message,
  reservation,
  storedColumns,
  task,
  usageEntry,
  type AnyEntity,
  type AnyLogEntity,
} from "../../../packages/core/src/entities/index.js";
import { columnName } from "../../../packages/sql/src/statements/column-name.js";
import { messageEntry, newId, reservationRow, taskRow, usageRow, WINDOW, windowRow } from "./rows.js";
import type { Workload } from "./workload.js";

type Value = string | number | null;
/** A connection to a database: one statement at a time. */
export interface Connection {
  run(sql: string, values: readonly Value[]): Promise<{ rows: readonly (readonly unknown[])[]; changes: number }>;
}
export interface RawDatabase {
  /** Work in one transaction. */
  together<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
  /** One statement, by itself. */
  alone: Connection["run"];
  /** After a `select` that takes rows. */
  readonly skipLocked: string;
  close(): Promise<void>;
}

const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

function columnsOf(entity: AnyEntity | AnyLogEntity) {
  return storedColumns(entity).map(({ name, column }) => ({ name, sql: `\`${columnName(name)}\``, json: column.kind === "json" }));
}
function insertOf(entity: AnyEntity | AnyLogEntity, before: readonly string[] = []) {
  const columns = columnsOf(entity);
  const names = [...before, ...columns.map(({ sql }) => sql)];
  const sql = `insert into ${entity.table} (${names.join(", ")}) values (${names.map(() => "?").join(", ")})`;
  const values = (row: Readonly<Record<string, unknown>>, first: readonly Value[] = []): Value[] => {
    const nowMs = Date.now();
    const kept: Readonly<Record<string, number>> = { version: 1, createdAtMs: nowMs, updatedAtMs: nowMs };
    return [
      ...first,
      ...columns.map(({ name, json }): Value => {
        const value = kept[name] ?? row[name] ?? null;
        if (json) return JSON.stringify(value);
        return typeof value === "boolean" ? Number(value) : (value as Value);
      }),
    ];
  };
  return { sql, values };
}

const intoMessages = insertOf(message, ["stream", "seq", "at_ms"]);
const intoUsage = insertOf(usageEntry);
const intoTasks = insertOf(task);
const intoReservations = insertOf(reservation);
const spend = `update ${budgetWindow.table} set left_nano_usd = left_nano_usd - ?, reserved_nano_usd = reserved_nano_usd + ?, updated_at_ms = ?, version = version + 1 where id = ? and left_nano_usd >= ?`;
const take = `select id, attempt from ${task.table} where status = 'pending' and type = 'bench' and priority = 0 and ready_at_ms <= ? order by ready_at_ms limit `;
const usageColumns = columnsOf(usageEntry)
  .map(({ sql }) => sql)
  .join(", ");
const newest = `order by at_ms desc, id desc limit 50`;

/** Statements prepared once, one transaction for what goes together, and nothing else. */
export async function rawSql(db: RawDatabase): Promise<Workload> {
  const sessions = many(1_000, () => ({ id: newId("raw"), seq: 0 }));
  let at = 0;
  const next = () => sessions[at++ % sessions.length]!;
  const appended = (): Value[] => {
    const session = next();
    return intoMessages.values(messageEntry() as never, [session.id, ++session.seq, Date.now()]);
  };
  const each = async (count: number, one: (connection: Connection) => Promise<unknown>): Promise<number> => {
    if (count === 1) await one({ run: db.alone });
    else
      await db.together(async (connection) => {
        for (let i = 0; i < count; i++) await one(connection);
      });
    return count;
  };
  const window = insertOf(budgetWindow);
  const known = await db.alone(`select id from ${budgetWindow.table} where id = ?`, [WINDOW]);
  if (known.rows.length === 0) await db.alone(window.sql, window.values(windowRow));
  const select = async (where: string, values: readonly Value[]): Promise<number> =>
    (await db.alone(`select ${usageColumns} from ${usageEntry.table} where project_id = 'p3' ${where} ${newest}`, values)).rows.length;
  let filledFromMs: number | undefined;
  let middleMs: number | undefined;
  return {
    append: (count) => each(count, (c) => c.run(intoMessages.sql, appended())),
    ledger: (count) => {
      filledFromMs ??= Date.now();
      return each(count, (c) => c.run(intoUsage.sql, intoUsage.values(usageRow() as never)));
    },
    hot: async (count) => {
      await db.together(async (c) => {
        for (let i = 0; i < count; i++) {
          const { changes } = await c.run(spend, [1_000, 1_000, Date.now(), WINDOW, 1_000]);
          if (changes !== 1) throw new Error("nothing is left of the window");
          await c.run(intoReservations.sql, intoReservations.values(reservationRow() as never));
        }
      });
      return count;
    },
    addTasks: async (count) => {
      for (let i = 0; i < count; i += 500)
        await each(Math.min(500, count - i), (c) => c.run(intoTasks.sql, intoTasks.values(taskRow() as never)));
    },
    claim: (count) => claim(db, count),
    list: () => select("", []),
    search: () => select("and caller_id = ? and at_ms >= ?", ["key_13", Date.now() - 3_600_000]),
    page: () => select("and at_ms < ?", [(middleMs ??= ((filledFromMs ?? 0) + Date.now()) / 2)]),
    close: () => db.close(),
  };
}

async function claim(db: RawDatabase, count: number): Promise<number> {
  const taken = await db.together(async (c) => {
    const { rows } = await c.run(`${take}${count}${db.skipLocked}`, [Date.now()]);
    if (rows.length === 0) return [];
    const places = rows.map(() => "?").join(", ");
    const ids = rows.map(([id]) => id as string);
    const set =
      "status = 'running', holder = 'node_1', ready_at_ms = ?, started_at_ms = ?, attempt = attempt + 1, updated_at_ms = ?, version = version + 1";
    const nowMs = Date.now();
    await c.run(`update ${task.table} set ${set} where id in (${places})`, [nowMs + 30_000, nowMs, nowMs, ...ids]);
    return rows;
  });
  const done = "status = 'succeeded', result = '{\"ok\":true}', finished_at_ms = ?, updated_at_ms = ?, version = version + 1";
  const complete = (c: Connection, id: string, attempt: number) =>
    c.run(`update ${task.table} set ${done} where id = ? and attempt = ? and status = 'running' and ready_at_ms > ?`, [
      ...[Date.now(), Date.now(), id, attempt, Date.now()],
    ]);
  if (taken.length === 1) await complete({ run: db.alone }, taken[0]![0] as string, (taken[0]![1] as number) + 1);
  else if (taken.length > 1)
    await db.together(async (c) => {
      for (const [id, attempt] of taken) await complete(c, id as string, (attempt as number) + 1);
    });
  return taken.length;
}
