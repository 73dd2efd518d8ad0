import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allEntities, gatewayKey, plainKey, type GatewayKeyRow } from "@sallyport/core/entities";
import { GatewayError, insert, update, type RecordStore, type Unit } from "@sallyport/core/ports";
import { sqlRecordStore } from "@sallyport/sql";
import Database from "libsql";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sqliteDialect } from "./dialect.js";
import { shippedMigrations } from "./shipped-migrations.js";
import { LibsqlDriver } from "./libsql-driver.js";
import { openDatabase } from "./open-database.js";
import { sqlite, type SqliteOptions } from "./sqlite.js";

const scope = { projects: ["p1"] };
const within = (ms = 15_000) => ({ deadlineMs: Date.now() + ms });
const entities = allEntities;

let folder: string;
let path: string;
let open: RecordStore[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-sqlite-"));
  path = join(folder, "test.db");
});
afterEach(async () => {
  await Promise.all(open.map((store) => store.close()));
  open = [];
  rmSync(folder, { recursive: true, force: true });
});

async function opened(file = path, options: SqliteOptions = {}): Promise<RecordStore> {
  const store = await sqlite(file, options).open({ entities });
  open.push(store);
  return store;
}
async function failure(call: () => Promise<unknown>): Promise<GatewayError> {
  const error = await call().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!GatewayError.is(error)) throw new Error(`expected a GatewayError, was ${String(error)}`);
  return error;
}

function key(id: string, name = id): Omit<GatewayKeyRow, "version" | "createdAtMs" | "updatedAtMs"> {
  const digest = id.padEnd(64, "0");
  return { ...plainKey, id, name, kind: "key", digest, projectId: "p1", scopes: ["*"] };
}

describe("a SQLite file", () => {
  it("is made readable by its owner alone, with what SQLite keeps beside it", async () => {
    const store = await opened();
    await store.commit([{ scope, writes: [insert(gatewayKey, key("a"))] }], within());
    for (const suffix of ["", "-wal", "-shm"]) expect(statSync(path + suffix).mode & 0o777, suffix).toBe(0o600);
  });

  it("keeps the mode of a file that was there", async () => {
    writeFileSync(path, "", { mode: 0o640 });
    chmodSync(path, 0o640);
    await opened();
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  it("has everything again after it was closed, all of it in the one file", async () => {
    const first = await opened();
    await first.commit([{ scope, writes: [insert(gatewayKey, key("a"))] }], within());
    await first.close();
    copyFileSync(path, `${path}.copy`);
    const again = await opened(`${path}.copy`, { migrate: "check" });
    expect((await again.get(gatewayKey, "a", scope, within()))?.scopes).toEqual(["*"]);
  });

  it("works in memory, two of them sharing nothing", async () => {
    const [one, other] = [await opened(":memory:"), await opened(":memory:")];
    await one.commit([{ scope, writes: [insert(gatewayKey, key("a"))] }], within());
    expect(await one.get(gatewayKey, "a", scope, within())).not.toBeNull();
    expect(await other.get(gatewayKey, "a", scope, within())).toBeNull();
  });

  it("flushes each transaction to the disk only when told to", async () => {
    for (const [synchronous, level] of [
      ["normal", 1],
      ["full", 2],
    ] as const) {
      const db = openDatabase({ path: join(folder, `${synchronous}.db`), synchronous });
      expect(db.pragma("synchronous")).toEqual([{ synchronous: level }]);
      expect(db.pragma("journal_mode")).toEqual([{ journal_mode: "wal" }]);
      expect(db.pragma("foreign_keys")).toEqual([{ foreign_keys: 1 }]);
      db.close();
    }
  });

  it("keeps text with NUL and its own escape, and finds it", async () => {
    const store = await opened();
    const names = ["\0", "a\0b", "\x10", "\x100", "a\x10\x10\0", "\x10\0"];
    for (const [i, name] of names.entries()) {
      await store.commit([{ scope, writes: [insert(gatewayKey, key(`k${i}`, name))] }], within());
      expect((await store.get(gatewayKey, `k${i}`, scope, within()))?.name).toBe(name);
      const [guarded] = await store.commit([{ scope, writes: [update(gatewayKey, `k${i}`, { change: {}, where: { name } })] }], within());
      expect(guarded?.ok).toBe(true);
    }
  });

  it("takes its clock from whom it is told", async () => {
    const store = await opened(path, { clock: { now: () => 1_234_567 } });
    const w = { deadlineMs: 2_000_000 };
    await store.commit([{ scope, writes: [insert(gatewayKey, key("a"))] }], w);
    expect((await store.get(gatewayKey, "a", scope, w))?.createdAtMs).toBe(1_234_567);
    expect(await store.now(w)).toBe(1_234_567);
  });
});

describe("a file that cannot be opened", () => {
  it("says which directory is missing", async () => {
    const error = await failure(() => opened(join(folder, "none", "x.db")));
    expect([error.code, error.message.includes(join(folder, "none"))]).toEqual(["misconfigured", true]);
    expect(error.hint).toBeDefined();
  });
  it("says that a path is a directory, or no path at all", async () => {
    mkdirSync(path);
    expect((await failure(() => opened())).code).toBe("misconfigured");
    expect((await failure(() => opened(""))).code).toBe("misconfigured");
  });
  it("says that a directory is not writable", async () => {
    // Nobody writes into /proc, not even root, whom the mode of a folder does not stop.
    const readOnly = process.getuid?.() === 0 ? "/proc" : folder;
    if (readOnly === folder) chmodSync(folder, 0o500);
    const error = await failure(() => opened(join(readOnly, "x.db")));
    chmodSync(folder, 0o700);
    expect([error.code, error.message]).toEqual(["misconfigured", expect.stringContaining("cannot be written")]);
  });
  it("says that a file is no database", async () => {
    writeFileSync(path, "this is not a database, it is a text. ".repeat(100));
    const error = await failure(() => opened());
    expect([error.code, error.hint !== undefined]).toEqual(["state_corrupt", true]);
  });
  it("says that a database is damaged", async () => {
    const store = await opened();
    await store.close();
    const db = new Database(path);
    db.exec("pragma writable_schema = on");
    db.exec("update sqlite_master set rootpage = 9999 where name = 'gateway_keys'");
    db.close();
    const error = await failure(async () => (await opened()).get(gatewayKey, "a", scope, within()));
    expect(error.code).toBe("state_corrupt");
  });
});

describe("migrations", () => {
  it("are refused when a newer version made some that we do not know", async () => {
    await (await opened()).close();
    const db = new Database(path);
    db.exec("insert into sallyport_migrations values ('9999_future', 1)");
    db.close();
    const error = await failure(() => opened());
    expect([error.code, error.message]).toEqual(["misconfigured", expect.stringContaining("9999_future")]);
    expect(error.hint).toContain("newer");
  });
  it("are only applied when told to: check refuses, and leaves the file as it was", async () => {
    const error = await failure(() => opened(path, { migrate: "check" }));
    expect([error.code, error.message]).toEqual(["misconfigured", expect.stringContaining("0001_initial")]);
    expect(error.hint).toContain("sallyport migrate");
    expect(await sqlite(path).migrationState()).toEqual({ applied: [], pending: shippedMigrations.map(({ id }) => id) });
    expect(await sqlite(path).migrate()).toEqual(shippedMigrations.map(({ id }) => id));
    expect(await sqlite(path).migrate()).toEqual([]);
    await opened(path, { migrate: "check" });
  });
  it("are not looked at when off, and a query then says what is missing", async () => {
    const store = await opened(path, { migrate: "off" });
    const error = await failure(() => store.get(gatewayKey, "a", scope, within()));
    expect([error.code, error.hint]).toEqual(["misconfigured", "Run `sallyport migrate`."]);
  });
  it("refuse a database whose tables somebody changed", async () => {
    await (await opened()).close();
    const db = new Database(path);
    db.exec("alter table gateway_keys drop column scopes");
    db.close();
    const error = await failure(() => opened());
    expect([error.code, error.message]).toEqual(["misconfigured", expect.stringContaining("gateway_keys.scopes is missing")]);
  });
  it("that fail leave nothing of themselves", async () => {
    const migrations = [{ id: "0001_broken", text: "create table a (x integer) strict;\ncreate table b (y nonsense) strict;\n" }];
    await failure(() => opened(path, { migrations }));
    const db = new Database(path);
    expect(db.prepare("select name from sqlite_master").all()).toEqual([]);
    db.close();
  });
});

describe("a lock that somebody else holds", () => {
  it("is waited for off the event loop, and readers go on meanwhile", async () => {
    const store = await opened();
    await store.commit([{ scope, writes: [insert(gatewayKey, key("a"))] }], within());
    const other = new Database(path);
    other.exec("begin immediate");
    const writing = store.commit([{ scope, writes: [update(gatewayKey, "a", { change: { set: { name: "changed" } } })] }], within());
    for (let i = 0; i < 5; i++) expect((await store.get(gatewayKey, "a", scope, within()))?.name).toBe("a");
    other.exec("rollback");
    other.close();
    expect((await writing)[0]?.ok).toBe(true);
    expect((await store.get(gatewayKey, "a", scope, within()))?.name).toBe("changed");
  });

  it("ends a write at its deadline or its signal with nothing done, and no other's", async () => {
    const store = await opened();
    const other = new Database(path);
    other.exec("begin immediate");
    const abort = new AbortController();
    const late = failure(() => store.commit([{ scope, writes: [insert(gatewayKey, key("late"))] }], within(30)));
    const given = failure(() => store.commit([{ scope, writes: [insert(gatewayKey, key("up"))] }], { ...within(), signal: abort.signal }));
    const patient = store.commit([{ scope, writes: [insert(gatewayKey, key("patient"))] }], within());
    const error = await late;
    expect([error.code, error.details]).toEqual(["deadline_exceeded", { outcome: "none" }]);
    abort.abort();
    expect((await given).code).toBe("cancelled");
    other.exec("rollback");
    other.close();
    expect((await patient)[0]?.ok).toBe(true);
    expect(await store.get(gatewayKey, "late", scope, within())).toBeNull();
    expect(await store.get(gatewayKey, "up", scope, within())).toBeNull();
  });

  it("does not keep close() from finishing what was asked", async () => {
    const store = await opened();
    const other = new Database(path);
    other.exec("begin immediate");
    const writing = store.commit([{ scope, writes: [insert(gatewayKey, key("a"))] }], within());
    const closing = store.close();
    other.exec("rollback");
    other.close();
    expect((await writing)[0]?.ok).toBe(true);
    await closing;
  });
});

describe("a disk that is full", () => {
  it("refuses what has no room, keeps nothing of it, and goes on when there is room again", async () => {
    await (await opened()).close();
    const db = openDatabase({ path, synchronous: "normal" });
    const store = sqlRecordStore(sqliteDialect, new LibsqlDriver(db, Date.now));
    open.push(store);
    const [pages] = db.pragma("page_count") as { page_count: number }[];
    db.exec(`pragma max_page_count = ${(pages?.page_count ?? 0) + 60}`);
    const big = (id: string): Unit => ({ scope, writes: [insert(gatewayKey, { ...key(id), scopes: ["x".repeat(50_000)] })] });
    const commits = Array.from({ length: 10 }, (_, i) => store.commit([big(`k${i}`)], within()));
    const results = await Promise.allSettled(commits);
    const kept = results.map((result) => result.status === "fulfilled");
    expect(new Set(kept)).toEqual(new Set([true, false]));
    for (const [i, result] of results.entries()) {
      expect((await store.get(gatewayKey, `k${i}`, scope, within())) !== null).toBe(kept[i]);
      if (result.status === "fulfilled") continue;
      const error = await failure(() => Promise.reject(result.reason as Error));
      expect([error.code, error.details]).toEqual(["store_unavailable", { sqlite: "SQLITE_FULL", outcome: "none" }]);
    }
    db.exec("pragma max_page_count = 100000");
    expect((await store.commit([big("later")], within()))[0]?.ok).toBe(true);
  });
});

describe("a stored value that does not read back", () => {
  it("is state_corrupt and shows nothing of the value", async () => {
    const store = await opened();
    await store.commit([{ scope, writes: [insert(gatewayKey, key("a")), insert(gatewayKey, key("b"))] }], within());
    const db = new Database(path);
    db.exec(`update gateway_keys set scopes = '{"secret' where id = 'a'`);
    db.close();
    const error = await failure(() => store.get(gatewayKey, "a", scope, within()));
    expect([error.code, error.details]).toEqual(["state_corrupt", { entity: "gatewayKey", field: "scopes" }]);
    expect(JSON.stringify(error)).not.toContain("secret");
    expect((await store.get(gatewayKey, "b", scope, within()))?.id).toBe("b");
  });

  it("fails the write that meets it, and neither its neighbours nor later ones", async () => {
    const store = await opened();
    await store.commit([{ scope, writes: [insert(gatewayKey, key("a"))] }], within());
    const db = new Database(path);
    db.exec(`update gateway_keys set scopes = 'x' where id = 'a'`);
    db.close();
    const refused = { scope, writes: [insert(gatewayKey, key("c")), update(gatewayKey, "a", { change: {}, ifVersion: 7 })] };
    const [meets, neighbour] = await Promise.allSettled([
      store.commit([refused], within()),
      store.commit([{ scope, writes: [insert(gatewayKey, key("b"))] }], within()),
    ]);
    expect(meets.status).toBe("rejected");
    expect(neighbour.status).toBe("fulfilled");
    expect(await store.get(gatewayKey, "b", scope, within())).not.toBeNull();
    expect(await store.get(gatewayKey, "c", scope, within())).toBeNull();
  });
});
