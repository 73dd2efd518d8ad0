import { hasService, privateMariadb, type PrivateMariadb } from "@sallyport/adapter-kit";
import { allEntities, inboxItem, interrupt, type AnyEntity } from "@sallyport/core/entities";
import driver, { type Connection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mysql } from "../../src/index.js";
import { fillText } from "./fill.js";
import { realWork } from "./real-work.js";

/** Rows of each table that may grow; configuration stays small, and is read whole. */
const ROWS = 2_000;
const FEW = 500;

type Allowed = readonly (readonly [statement: RegExp, why: string])[];
/** What may read a whole table that has grown, and why. */
const wholeAllowed: Allowed = [];
/** What may sort what it claims, and why. */
const sortAllowed: Allowed = [
  [/ from `tasks` where `status` = 'running' /, "leases that have run out: no more rows than tasks that are worked on at once"],
];
const isAllowed = (list: Allowed, text: string): boolean => list.some(([form]) => form.test(text));

interface Plan {
  readonly table: string | null;
  readonly type: string | null;
  readonly key: string | null;
  readonly rows: number | null;
  readonly Extra: string | null;
}

/** Records are what people configure: the snapshot holds all of them. Keys and people, and what the store keeps beside its entities, grow. */
const grows = (entity: (typeof allEntities)[number]): boolean =>
  entity.kind !== "record" || ["gatewayKey", "user", "session", "roleBinding"].includes(entity.name);

/** Statements of the housekeeping that comes later than the test lasts, by the verbs that it uses. */
async function housekeeping(url: string): Promise<void> {
  const store = await mysql(url).open({ entities: allEntities });
  const within = { deadlineMs: Date.now() + 60_000 };
  const old = Date.now() - 240 * 86_400_000;
  for (const entity of allEntities) {
    if (entity.kind === "ledger" || entity.kind === "log") await store.prune(entity, old, 1_000, within);
    else if (entity.indexes.some(([head]) => head === "expiresAtMs"))
      await store.find(
        entity as AnyEntity,
        { where: { expiresAtMs: { lt: old } } as never, orderBy: "expiresAtMs" as never, limit: 100 },
        { system: "explain" },
        within,
      );
  }
  // What the inbox looks after every ten seconds.
  const system = { system: "explain" };
  const looks = [
    { where: { status: "pending", expiresAtMs: { lte: old } }, orderBy: "expiresAtMs", limit: 200 },
    { where: { kind: "sign_in", status: "pending" }, orderBy: "expiresAtMs", limit: 200 },
    { where: { createdAtMs: { lt: old }, status: { in: ["approved", "denied", "expired", "used"] } }, orderBy: "createdAtMs", limit: 200 },
  ] as const;
  for (const look of looks) await store.find(inboxItem, look as never, system, within);
  await store.find(interrupt, { where: { itemId: "none" }, orderBy: "id", limit: 500 }, system, within);
  const { next } = await store.changes(null, 1, within);
  await store.changes(next, 100, within);
  await store.changes("0", 100, within);
  await store.close();
}

describe.skipIf(!hasService("mariadb"))("the statements that a gateway really makes", () => {
  let db: PrivateMariadb;
  let connection: Connection;
  let statements: string[];
  beforeAll(async () => {
    db = await privateMariadb();
    const name = await db.database();
    await mysql(db.url(name)).migrate();
    await db.sql("set global log_output = 'TABLE'; set global general_log = 1");
    expect(await realWork(db.url(name))).toEqual([]);
    await housekeeping(db.url(name));
    await db.sql("set global general_log = 0");
    connection = await driver.createConnection(db.url(name));
    statements = await recorded(connection);
    await connection.query("set foreign_key_checks = 0");
    const grown = allEntities.filter(grows);
    for (const entity of grown) await connection.query(fillText(entity, ROWS));
    await connection.query(
      `insert into sallyport_changes (entity, row_id, version) select 'gatewayKey', concat('f', seq), 1 from seq_1_to_${ROWS}`,
    );
    await connection.query(
      `insert ignore into sallyport_log_heads (log, stream, last_seq) select 'run_events', concat('s', seq), 1 from seq_1_to_${ROWS}`,
    );
    await connection.query(`analyze table ${[...grown.map(({ table }) => table), "sallyport_changes", "sallyport_log_heads"].join(", ")}`);
  }, 120_000);
  afterAll(async () => {
    await connection?.end();
    await db.dispose();
  });

  it("are of every kind", () => {
    expect(statements.length).toBeGreaterThan(100);
    for (const words of [
      "for update skip locked",
      "update `",
      "delete from `",
      "from `usage_entries`",
      "from `audit_entries`",
      "from `sallyport_changes`",
    ])
      expect(
        statements.some((text) => text.includes(words)),
        words,
      ).toBe(true);
  });

  it("read no grown table whole", async () => {
    expect(await wholeReads(connection, statements)).toEqual([]);
  });

  it("claim work without a sort", async () => {
    expect(await sorts(connection, statements)).toEqual([]);
  });

  it("would be found if an index were missing", async () => {
    await connection.query(
      "alter table audit_entries drop index if exists ix_audit_entries_project_id_at_ms, drop index if exists ix_audit_entries_at_ms",
    );
    await connection.query("alter table tasks drop index if exists ix_tasks_status_type_priority_ready_at_ms_id");
    expect((await wholeReads(connection, statements)).join("\n")).toMatch(/ audit_entries /);
    expect((await sorts(connection, statements)).join("\n")).toMatch(/ `tasks` .* skip locked/);
  });
});

async function wholeReads(connection: Connection, statements: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const text of statements)
    for (const { type, table, rows } of await plans(connection, text)) {
      const isWhole = type === "ALL" || (type === "index" && !text.includes(" limit "));
      if (isWhole && (rows ?? 0) > FEW && !isAllowed(wholeAllowed, text)) found.push(`${type} ${table} ${rows}: ${text}`);
    }
  return found;
}

async function sorts(connection: Connection, statements: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const text of statements.filter((one) => one.includes("skip locked")))
    for (const { Extra, table } of await plans(connection, text)) {
      // What several ranges gave is sorted once more: no more rows than are claimed.
      if (Extra?.includes("filesort") === true && table?.startsWith("<") !== true && !isAllowed(sortAllowed, text)) found.push(text);
    }
  return found;
}

/** One of each form, with the values that it was made with. */
async function recorded(connection: Connection): Promise<string[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    "select convert(argument using utf8mb4) as text from mysql.general_log where command_type = 'Execute' order by event_time",
  );
  const forms = new Map<string, string>();
  for (const { text } of rows as unknown as { text: string }[]) {
    if (!/^\s*\(?(select|update|delete)\b/i.test(text) || /information_schema|sallyport_migrations/.test(text)) continue;
    const form = text
      .replace(/'(?:[^'\\]|\\.|'')*'/g, "?")
      .replace(/\b\d+\b/g, "?")
      .replace(/\(\?(?:, ?\?)+\)/g, "(?)");
    if (!forms.has(form)) forms.set(form, text);
  }
  return [...forms.values()];
}

async function plans(connection: Connection, text: string): Promise<Plan[]> {
  const [rows] = await connection.query<RowDataPacket[]>(`explain ${text}`);
  return rows as unknown as Plan[];
}
