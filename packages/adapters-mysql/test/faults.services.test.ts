import { faultProxy, hasService, kitEntities, privateMariadb, type FaultProxy, type PrivateMariadb } from "@sallyport/adapter-kit";
import { GatewayError, update, type RecordStore } from "@sallyport/core/ports";
import { derivedMigration } from "@sallyport/sql";
import driver from "mysql2";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { mysqlDialect } from "../src/dialect.js";
import { mysql, type MysqlOptions } from "../src/index.js";
import { event, healsWithinMs, kitEvent, kitShared, scope, shared, within } from "./kit-rows.js";

const migrations = [derivedMigration(mysqlDialect(), kitEntities)];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const patient = { timeout: 30_000, interval: 10 };

type Outcome = "ok" | "none" | "unknown";

/** What a caller knows after one insert. */
async function outcomeOf(store: RecordStore, id: string, ms = 2_000): Promise<Outcome> {
  try {
    const [result] = await store.commit([shared(id)], within(ms));
    expect(result).toMatchObject({ ok: true });
    return "ok";
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    expect(["store_unavailable", "deadline_exceeded"]).toContain(error.code);
    if (error.code === "store_unavailable") expect(error.retryAfterMs).toBeGreaterThan(0);
    return error.details?.["outcome"] as Outcome;
  }
}

describe.skipIf(!hasService("mariadb"))("a database that fails", () => {
  let db: PrivateMariadb;
  let name: string;
  let proxy: FaultProxy;
  beforeAll(async () => {
    db = await privateMariadb();
  });
  afterAll(() => db?.dispose());
  // One that is tried again finds nothing of its first time.
  beforeEach(async () => {
    await db.server.start();
    name = await db.database();
    await mysql(db.url(name), { migrations }).migrate();
    proxy = await faultProxy(db.server.port);
    onTestFinished(() => proxy.close());
  });

  const open = async (options: MysqlOptions = {}, port = proxy.port): Promise<RecordStore> => {
    const store = await mysql(db.url(name, port), { migrations, migrate: "off", ...options }).open({ entities: kitEntities });
    onTestFinished(async () => {
      proxy.set({ kind: "pass" });
      proxy.cutAfter(Number.POSITIVE_INFINITY);
      await store.close();
    });
    return store;
  };
  const rows = async (where: string): Promise<Set<string>> =>
    new Set((await db.sql(`select id from ${name}.kit_shared where ${where}`)).split("\n").filter((id) => id !== ""));

  /** A session of the database beside the store's; it ends with the test. */
  const lockerOf = (database: string) => {
    const locker = driver.createConnection(db.url(database)).promise();
    onTestFinished(() => locker.destroy());
    return locker;
  };

  it("killed under load and started again, it is used again by itself, and nothing acknowledged is lost (F09)", async () => {
    const store = await open({}, db.server.port);
    const told = new Map<string, Outcome>();
    let stopped = false;
    const writer = async (w: number): Promise<void> => {
      for (let i = 0; !stopped; i++) {
        const id = `f09-${w}-${i}`;
        told.set(id, await outcomeOf(store, id));
        await pause(1);
      }
    };
    const writers = Array.from({ length: 8 }, (_, w) => writer(w));
    const written = (): number => [...told.values()].filter((outcome) => outcome === "ok").length;
    await expect.poll(written, patient).toBeGreaterThan(20);
    await db.server.kill();
    await db.server.start();
    const startedAt = Date.now();
    while ((await outcomeOf(store, `f09-after-${Date.now()}`)) !== "ok") await pause(20);
    expect(Date.now() - startedAt).toBeLessThan(healsWithinMs());
    const before = written();
    await expect.poll(written, patient).toBeGreaterThan(before + 20);
    stopped = true;
    await Promise.all(writers);
    const there = await rows("id like 'f09-%'");
    expect([...told].filter(([id, outcome]) => outcome === "ok" && !there.has(id))).toEqual([]);
    expect([...told].filter(([id, outcome]) => outcome === "none" && there.has(id))).toEqual([]);
  });

  it("cut anywhere in its answers, the outcome told is the true one, and nothing is written twice (F10)", async () => {
    const store = await open({ connections: 1 });
    const told = new Map<string, Outcome>();
    for (let bytes = 0; bytes < 330; bytes++) {
      const id = `f10-${bytes}`;
      await outcomeOf(store, `f10-warm-${bytes}`);
      const cuts = proxy.cuts;
      proxy.cutAfter(bytes);
      let isAnswered = false;
      const answer = outcomeOf(store, id, 10_000).finally(() => (isAnswered = true));
      // The cut is of the connection that is there: the next one passes.
      while (proxy.cuts === cuts && !isAnswered) await pause(0);
      proxy.cutAfter(Number.POSITIVE_INFINITY);
      told.set(id, await answer);
    }
    const there = await rows("id like 'f10-%'");
    for (const [id, outcome] of told) if (outcome !== "unknown") expect([id, there.has(id)]).toEqual([id, outcome === "ok"]);
    const outcomes = [...told.values()];
    expect(outcomes.filter((outcome) => outcome === "unknown").length).toBeGreaterThan(3);
    expect(outcomes.filter((outcome) => outcome === "ok").length).toBeGreaterThan(3);
  });

  it("deadlocks and lock waits are tried again, whole, and end as in some order (F11)", async () => {
    const [one, other] = [await open(), await open()];
    await one.commit([shared("f11-a"), shared("f11-b")], within());
    const add = (id: string) => update(kitShared, id, { change: { add: { count: 1 } } } as never);
    const crossed = async (store: RecordStore, ids: readonly string[]): Promise<void> => {
      for (let i = 0; i < 60; i++) {
        const [result] = await store.commit([{ scope, writes: ids.map(add) }], within(60_000));
        expect(result).toMatchObject({ ok: true });
      }
    };
    await Promise.all([crossed(one, ["f11-a", "f11-b"]), crossed(other, ["f11-b", "f11-a"]), crossed(one, ["f11-b", "f11-a"])]);
    for (const id of ["f11-a", "f11-b"]) expect(await one.get(kitShared, id, scope, within())).toMatchObject({ count: 180 });
    expect(
      Number((await db.sql("select variable_value from information_schema.global_status where variable_name = 'innodb_deadlocks'")).trim()),
    ).toBeGreaterThan(0);
  });

  it("while it refuses connections every call fails at once, and soon after it is used again (F28)", async () => {
    const store = await open();
    proxy.set({ kind: "refuse" });
    proxy.resetAll();
    await pause(20);
    for (let i = 0; i < 20; i++) {
      const askedAt = Date.now();
      // It could wait for a minute, and does not.
      expect(await outcomeOf(store, `f28-${i}`, 60_000)).toBe("none");
      expect(Date.now() - askedAt).toBeLessThan(20_000);
    }
    proxy.set({ kind: "pass" });
    const backAt = Date.now();
    while ((await outcomeOf(store, `f28-after-${Date.now()}`)) !== "ok") await pause(10);
    expect(Date.now() - backAt).toBeLessThan(healsWithinMs());
    expect((await rows("id like 'f28-__' or id like 'f28-_'")).size).toBe(0);
  });

  it("half open, no call waits past its deadline, reads and writes alike, and it heals (F29)", async () => {
    const store = await open();
    await Promise.all(Array.from({ length: 20 }, () => store.get(kitShared, "x", scope, within())));
    proxy.set({ kind: "blackhole" });
    const late: number[] = [];
    const timed = async (ask: (w: { deadlineMs: number }) => Promise<unknown>): Promise<void> => {
      const w = within(400 + Math.random() * 400);
      // A busy process runs its timers late: so late a call may be, too.
      const timer = pause(w.deadlineMs - Date.now()).then(() => Date.now());
      await expect(ask(w)).rejects.toMatchObject({ code: expect.stringMatching(/deadline_exceeded|store_unavailable/) });
      const endedAt = Date.now();
      late.push(endedAt - Math.max(w.deadlineMs, await timer));
    };
    await Promise.all([
      ...Array.from({ length: 20 }, (_, i) => timed((w) => store.commit([shared(`f29-${i}`)], w))),
      ...Array.from({ length: 20 }, () => timed((w) => store.get(kitShared, "x", scope, w))),
    ]);
    expect(Math.max(...late)).toBeLessThan(1_000);
    proxy.set({ kind: "pass" });
    const healedAt = Date.now();
    while ((await outcomeOf(store, `f29-after-${Date.now()}`)) !== "ok") await pause(10);
    await store.get(kitShared, "x", scope, within());
    expect(Date.now() - healedAt).toBeLessThan(healsWithinMs());
  });

  it("with the pool exhausted few wait, the others fail at once, and it goes on (F30)", async () => {
    const store = await open({ connections: 2, maxWaiting: 10, waitMs: 300 });
    await store.commit([shared("f30")], within());
    const locker = lockerOf(name);
    await locker.query("start transaction");
    await locker.query("select * from kit_shared where id = 'f30' for update");
    const renew = () =>
      store.commit([{ scope, writes: [update(kitShared, "f30", { change: { add: { count: 1 } } } as never)] }], within(60_000));
    let refused = 0;
    const writes = Array.from({ length: 200 }, () =>
      renew().catch((error: unknown) => {
        expect(error).toMatchObject({ code: "store_unavailable", retryAfterMs: expect.any(Number), details: { outcome: "none" } });
        refused++;
        return null;
      }),
    );
    // While the row is locked: those that do not even wait, and one that comes later and waits for 300 ms.
    await expect.poll(() => refused, patient).toBe(190);
    await expect(renew()).rejects.toMatchObject({ code: "store_unavailable" });
    // One connection is left to reads.
    expect(await store.get(kitShared, "f30", scope, within())).toMatchObject({ id: "f30" });
    expect(refused).toBe(190);
    await locker.query("rollback");
    await locker.end();
    const done = (await Promise.all(writes)).filter((result) => result !== null).length;
    expect(done).toBe(10);
    expect(await store.get(kitShared, "f30", scope, within())).toMatchObject({ count: done });
  });

  it("far away, writes that are asked at once share their way (F31)", async () => {
    const store = await open();
    proxy.set({ kind: "slow", latencyMs: 10 });
    const outcomes = await Promise.all(Array.from({ length: 40 }, (_, i) => store.commit([event(`f31-${i}`)], within(30_000))));
    expect(outcomes.flat().every(({ ok }) => ok)).toBe(true);
    proxy.set({ kind: "pass" });
    expect(await store.read(kitEvent, "f31-39", { afterSeq: 0, limit: 5 }, scope, within())).toHaveLength(1);
  });

  it("read-only, writes are refused as store_unavailable and connections dropped; writable again, it is used again (F32)", async () => {
    await db.sql(`create user if not exists app@'127.0.0.1'; grant all on ${name}.* to app@'127.0.0.1'`);
    const url = db.url(name).replace("root@", "app@");
    const store = await mysql(url, { migrations, migrate: "off" }).open({ entities: kitEntities });
    onTestFinished(async () => {
      await db.sql("set global read_only = 0");
      await store.close();
    });
    expect(await outcomeOf(store, "f32-before")).toBe("ok");
    await db.sql("set global read_only = 1");
    for (let i = 0; i < 5; i++) expect(await outcomeOf(store, `f32-${i}`)).toBe("none");
    await expect(mysql(url, { migrations }).open({ entities: kitEntities })).rejects.toMatchObject({ code: "store_unavailable" });
    await db.sql("set global read_only = 0");
    expect(await outcomeOf(store, "f32-after")).toBe("ok");
    expect([...(await rows("id like 'f32-%'"))].sort()).toEqual(["f32-after", "f32-before"]);
  });

  it("after a failover nothing is read from the server that was the primary and stays up (F33)", async () => {
    await db.sql(`create user if not exists app@'127.0.0.1'; grant all on ${name}.* to app@'127.0.0.1'`);
    const next = await privateMariadb();
    onTestFinished(async () => {
      proxy.lead(db.server.port);
      await db.sql("set global read_only = 0");
      await next.dispose();
    });
    await next.sql(`create database ${name}; create user app@'127.0.0.1'; grant all on ${name}.* to app@'127.0.0.1'`);
    await mysql(next.url(name), { migrations }).migrate();
    const store = await mysql(db.url(name, proxy.port).replace("root@", "app@"), { migrations, migrate: "off", connections: 10 }).open({
      entities: kitEntities,
    });
    onTestFinished(() => store.close());
    expect(await outcomeOf(store, "f33-before")).toBe("ok");
    const reads = (count: number) =>
      Promise.all(Array.from({ length: count }, () => store.get(kitShared, "f33-before", scope, within(60_000))));
    expect((await reads(10)).every((row) => row !== null)).toBe(true);
    await db.sql("set global read_only = 1");
    // Nine of ten connections are in use when the tenth finds out: their reads wait.
    const locker = lockerOf(name);
    await locker.query("lock tables kit_shared write");
    const waiting = reads(9);
    const waits = async (): Promise<number> =>
      Number(
        await db.sql("select count(*) from information_schema.processlist where db = '" + name + "' and state like 'Waiting for table%'"),
      );
    await expect.poll(waits, patient).toBe(9);
    proxy.lead(next.server.port);
    while ((await outcomeOf(store, `f33-after-${Date.now()}`)) !== "ok") await pause(10);
    await locker.query("unlock tables");
    await locker.end();
    await waiting;
    for (let i = 0; i < 5; i++) expect((await reads(10)).filter((row) => row !== null)).toEqual([]);
  });

  it("a caller that goes does not wait, and its connection comes back", async () => {
    const store = await open({ connections: 1 });
    proxy.set({ kind: "slow", latencyMs: 200 });
    const leaving = new AbortController();
    const read = store.get(kitShared, "x", scope, { ...within(), signal: leaving.signal });
    await pause(20);
    leaving.abort();
    await expect(read).rejects.toMatchObject({ code: "cancelled" });
    proxy.set({ kind: "pass" });
    expect(await store.get(kitShared, "x", scope, within())).toBeNull();
  });

  it("a row larger than the database takes is refused before it is sent", async () => {
    const store = await open();
    const body = "x".repeat(17 * 1024 * 1024);
    await expect(store.commit([event("large", body)], within())).rejects.toMatchObject({ code: "validation_failed" });
    const [result] = await store.commit([event("large", "y".repeat(8 * 1024 * 1024))], within(20_000));
    expect(result).toMatchObject({ ok: true, firstSeq: 1 });
  });
});
