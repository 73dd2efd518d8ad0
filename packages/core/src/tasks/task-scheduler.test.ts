import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_PROJECT, type Caller } from "../calls/index.js";
import { task, type TaskRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { memoryBus } from "../memory/index.js";
import { update, type Wakeup } from "../ports/index.js";
import { createSeams, EventHub, type Services } from "../seams/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import { Log } from "../util/log.js";
import { gate, sharedPorts, storeKinds, wrapped, type SharedPorts } from "../../test/shared-ports.js";
import { TaskScheduler } from "./task-scheduler.js";
import type { TaskContext } from "./task-handler.js";

const everybody = { system: "a test looks" };
const open: { scheduler: TaskScheduler; clock: FakeClock }[] = [];
afterEach(async () => {
  for (const { scheduler, clock } of open.splice(0)) {
    const closing = scheduler.close({ graceMs: 0 });
    await clock.advance(2000);
    await closing;
  }
});

/** One process's scheduler on what the processes share. */
function worker(on: SharedPorts, nodeId = "node_1") {
  const lines: string[] = [];
  const events = new EventHub();
  const changes: string[] = [];
  events.on("task.changed", (e) => changes.push(e.status));
  const services: Services = {
    ...on,
    events,
    log: new Log("debug", (level, message) => lines.push(`${level} ${message}`)),
    seams: createSeams(),
    nodeId,
  };
  const scheduler = new TaskScheduler(services, { random: () => 0.5 });
  open.push({ scheduler, clock: on.clock });
  return { scheduler, lines, changes, services };
}
async function row(on: SharedPorts, id: string): Promise<TaskRow> {
  const found = await on.store.get(task, id, everybody, { deadlineMs: on.clock.now() + 1000 });
  if (found === null) throw new Error("no such task");
  return found;
}
const caller = (id: string, ...projects: [string, ...string[]]): Caller => ({ kind: "key", id, name: id, projects, grants: ["*"] });

/** The task was taken by a process that then died without a word. */
async function died(on: SharedPorts, id: string): Promise<void> {
  const taken = await on.store.take(
    task,
    {
      where: { id, status: { in: ["pending", "running"] } },
      orderBy: ["id"],
      limit: 1,
      change: { set: { status: "running", readyAtMs: { storeNowPlusMs: 30_000 }, holder: "dead" }, add: { attempt: 1 } },
    },
    { deadlineMs: on.clock.now() + 1000 },
  );
  expect(taken).toHaveLength(1);
}

describe.each(storeKinds)("with %s", (kind) => {
  const shared = () => sharedPorts(kind);

  describe("creating", () => {
    it("stores a task whose handler is not there yet, and runs it when it is", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      scheduler.start();
      const created = await scheduler.create({ type: "greet", payload: { name: "Ada" } });
      expect(created).toMatchObject({ status: "pending", attempt: 0, projectId: DEFAULT_PROJECT, payload: { name: "Ada" }, priority: 0 });
      scheduler.handle("greet", ({ task }) => `hello ${(task.payload as { name: string }).name}`);
      await on.clock.advance(0);
      expect(await scheduler.get(created.id)).toMatchObject({ status: "succeeded", result: "hello Ada", attempt: 1, holder: "node_1" });
    });

    it("does not say that a task was not stored when the store could not say so of its first try", async () => {
      const on = await shared();
      const outcomes = ["unknown", "none"];
      const failing = new Proxy(on.store, {
        get: (target, verb) =>
          verb === "commit"
            ? () => Promise.reject(new GatewayError("store_unavailable", "Gone.", { details: { outcome: outcomes.shift() ?? "none" } }))
            : (Reflect.get(target, verb) as (...args: unknown[]) => unknown).bind(target),
      });
      const { scheduler } = worker({ ...on, store: failing });
      await expect(scheduler.create({ type: "t" })).rejects.toMatchObject({ details: { outcome: "unknown" } });
      expect(outcomes).toEqual([]);
    });

    it("gives 64 creators with one idempotency key one task", async () => {
      const on = await shared();
      const [a, b] = [worker(on, "a"), worker(on, "b")];
      const made = await Promise.all(
        Array.from({ length: 64 }, (_, i) =>
          (i % 2 ? a : b).scheduler.create({ type: "t", payload: { x: 1, y: [2] }, idempotencyKey: "k" }),
        ),
      );
      expect(new Set(made.map((task) => task.id)).size).toBe(1);
      expect((await a.scheduler.list()).rows).toHaveLength(1);
    });

    it("knows a repetition whatever the order of its keys, and refuses the key with another payload", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      const first = await scheduler.create({ type: "t", payload: { x: 1, y: 2 }, idempotencyKey: "k" });
      expect((await scheduler.create({ type: "t", payload: { y: 2, x: 1 }, idempotencyKey: "k" })).id).toBe(first.id);
      await expect(scheduler.create({ type: "t", payload: { x: 1, y: 3 }, idempotencyKey: "k" })).rejects.toMatchObject({
        code: "idempotency_key_reuse",
      });
      expect((await row(on, first.id)).payload).toEqual({ x: 1, y: 2 });
      // The key belongs to the project.
      const other = await scheduler.create({ type: "t", payload: { x: 1, y: 3 }, idempotencyKey: "k" }, caller("key_2", "other"));
      expect(other.id).not.toBe(first.id);
    });

    it("refuses what is not a task, naming the field", async () => {
      const { scheduler } = worker(await shared());
      const cyclic: Record<string, unknown> = {};
      cyclic["self"] = cyclic;
      const refused: [object, string, string][] = [
        [{ type: "" }, "validation_failed", "type"],
        [{ type: "t", payload: { at: new Date() } }, "validation_failed", "payload.at"],
        [{ type: "t", payload: [1, { big: 1n }] }, "validation_failed", "payload[1].big"],
        [{ type: "t", payload: Number.NaN }, "validation_failed", "payload"],
        [{ type: "t", payload: cyclic }, "validation_failed", "payload"],
        [{ type: "t", payload: "é".repeat(600_000) }, "payload_too_large", "payload"],
        [{ type: "t", dueAtMs: 1, delayMs: 1 }, "validation_failed", "delayMs"],
        [{ type: "t", delayMs: -1 }, "validation_failed", "delayMs"],
        [{ type: "t", priority: 1.5 }, "validation_failed", "priority"],
        [{ type: "t", maxAttempts: 0 }, "validation_failed", "maxAttempts"],
        [{ type: "t", leaseMs: 1 }, "validation_failed", "leaseMs"],
        [{ type: "t", idempotencyKey: "" }, "validation_failed", "idempotencyKey"],
        [{ type: "t\ud800" }, "validation_failed", "type"],
        [{ type: "t", payload: { text: ["\ud800"] } }, "validation_failed", "payload.text[0]"],
        [{ type: "t", payload: { "\ud800": 1 } }, "validation_failed", "payload"],
        [{ type: "t", idempotencyKey: "\ud800" }, "validation_failed", "idempotencyKey"],
      ];
      for (const [request, code, field] of refused) {
        const error = await scheduler.create(request as { type: string }).then(
          () => "accepted",
          (thrown: unknown) => thrown,
        );
        expect(error, JSON.stringify(Object.keys(request))).toMatchObject({ code, message: expect.stringContaining(field) });
      }
      expect((await scheduler.list()).rows).toEqual([]);
    });

    it("keeps a payload exactly", async () => {
      const { scheduler } = worker(await shared());
      const payload = { text: 'a\u0000b"\\ \u2028 é 😀', n: -1.5e-7, deep: [[[{ "": null }]]], t: true };
      const { id } = await scheduler.create({ type: "t", payload: { ...payload, left: undefined } });
      expect((await scheduler.get(id))?.payload).toEqual(payload);
    });

    it("shows a task only to callers of its project", async () => {
      const { scheduler } = worker(await shared());
      const { id } = await scheduler.create({ type: "t" }, caller("key_1", "one"));
      expect(await scheduler.get(id, caller("key_2", "two"))).toBeNull();
      expect((await scheduler.list({}, caller("key_2", "two"))).rows).toEqual([]);
      await expect(scheduler.cancel(id, { caller: caller("key_2", "two") })).rejects.toMatchObject({ code: "not_found" });
      await expect(scheduler.retry(id, caller("key_2", "two"))).rejects.toMatchObject({ code: "not_found" });
      expect(await scheduler.get(id, caller("key_3", "two", "one"))).toMatchObject({ id, createdBy: "key_1" });
    });

    it("lists the newest first, by type and status, page by page", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      const ids: string[] = [];
      for (const type of ["a", "b", "a", "a"]) {
        ids.push((await scheduler.create({ type })).id);
        await on.clock.advance(1);
      }
      const first = await scheduler.list({ type: "a", limit: 2 });
      expect(first.rows.map((task) => task.id)).toEqual([ids[3], ids[2]]);
      const second = await scheduler.list({ type: "a", limit: 2, cursor: first.next ?? "" });
      expect(second.rows.map((task) => task.id)).toEqual([ids[0]]);
      expect(second.next).toBeNull();
      expect((await scheduler.list({ status: "running" })).rows).toEqual([]);
      await expect(scheduler.list({ limit: 1001 })).rejects.toMatchObject({ code: "validation_failed" });
    });
  });

  describe("running", () => {
    it("starts a task when it is due, not before", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      const startedAt: number[] = [];
      scheduler.handle("t", () => void startedAt.push(on.clock.now()));
      scheduler.start();
      const t0 = on.clock.now();
      await scheduler.create({ type: "t", delayMs: 5000 });
      await scheduler.create({ type: "t", dueAtMs: t0 + 2500 });
      await on.clock.advance(2499);
      expect(startedAt).toEqual([]);
      await on.clock.advance(60_000);
      expect(startedAt).toEqual([t0 + 2500, t0 + 5000]);
    });

    it("finds by polling what nobody hinted at", async () => {
      const on = await shared();
      const { scheduler } = worker({
        ...on,
        wakeup: { offer: () => Promise.reject(new Error("lost")), listen: () => Promise.reject(new Error("down")) },
      });
      scheduler.handle("t", () => "done");
      scheduler.start();
      const { id } = await scheduler.create({ type: "t" });
      await on.clock.advance(1300);
      expect((await row(on, id)).status).toBe("succeeded");
    });

    it("follows a hint that came before the store's clock said so", async () => {
      const on = await shared();
      let hint: (id: string) => Promise<void> = () => Promise.resolve();
      const wakeup: Wakeup = {
        offer: () => Promise.resolve(),
        listen: (_lane, _o, onId) => {
          hint = onId;
          return Promise.resolve(() => Promise.resolve());
        },
      };
      const { services } = worker({ ...on, wakeup });
      const scheduler = new TaskScheduler(services, { pollMs: 3_600_000 });
      open.push({ scheduler, clock: on.clock });
      let startedAt = 0;
      scheduler.handle("t", () => void (startedAt = on.clock.now()));
      scheduler.start();
      const { id, readyAtMs } = await scheduler.create({ type: "t", delayMs: 10_000 });
      await on.clock.runTo(readyAtMs - 30);
      await hint(id);
      await on.clock.advance(1000);
      expect(startedAt).toBeGreaterThanOrEqual(readyAtMs);
      expect(startedAt).toBeLessThan(readyAtMs + 60);
    });

    it("takes the highest priority first and then what has been due longest, of its type", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      for (const [name, priority] of [
        ["low", -5],
        ["first", 0],
        ["urgent", 900],
        ["second", 0],
        ["high", 7],
        ["lowest", -6],
      ] as const) {
        await scheduler.create({ type: "t", payload: name, priority });
        await on.clock.advance(1);
      }
      const order: unknown[] = [];
      scheduler.handle("t", ({ task }) => void order.push(task.payload), { concurrency: 1 });
      scheduler.start();
      await on.clock.advance(0);
      expect(order).toEqual(["urgent", "high", "first", "second", "low", "lowest"]);
    });

    it("takes what is urgent next also while it is busy: at once from its own process, within a tenth of a second from another", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      const other = worker(on, "other").scheduler;
      const order: unknown[] = [];
      scheduler.handle(
        "t",
        async ({ task }) => {
          order.push(task.payload);
          await new Promise<void>((resolve) => on.clock.at(on.clock.now() + 30, resolve));
        },
        { concurrency: 1 },
      );
      scheduler.start();
      for (let i = 0; i < 10; i++) await scheduler.create({ type: "t", payload: i });
      await on.clock.advance(10);
      await scheduler.create({ type: "t", payload: "urgent", priority: 1 });
      await on.clock.advance(60);
      expect(order).toEqual([0, "urgent", 1]);
      await other.create({ type: "t", payload: "urgent from afar", priority: 1 });
      await on.clock.advance(160);
      expect(order.slice(3)).toContain("urgent from afar");
    });

    it("runs no more at once than its concurrency, and 200 tasks once each over four workers", async () => {
      const on = await shared();
      const runs = new Map<string, number>();
      const counts = { now: 0, most: 0 };
      const creator = worker(on).scheduler;
      const ids = await Promise.all(Array.from({ length: 200 }, async (_, i) => (await creator.create({ type: "t", payload: i })).id));
      for (const nodeId of ["a", "b", "c", "d"]) {
        const { scheduler } = worker(on, nodeId);
        let here = 0;
        scheduler.handle(
          "t",
          async ({ task }) => {
            here++;
            counts.most = Math.max(counts.most, here);
            runs.set(task.id, (runs.get(task.id) ?? 0) + 1);
            await new Promise<void>((resolve) => on.clock.at(on.clock.now() + 5, resolve));
            here--;
            return task.payload;
          },
          { concurrency: 7 },
        );
        scheduler.start();
      }
      await on.clock.advance(2000);
      expect([...runs.values()].every((count) => count === 1)).toBe(true);
      expect([...runs.keys()].sort()).toEqual(ids.sort());
      expect(counts.most).toBe(7);
      for (const id of ids) expect((await row(on, id)).status).toBe("succeeded");
    });

    it("refuses a result that is not JSON, and does not repeat the work", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      let runs = 0;
      scheduler.handle("t", () => (runs++, { at: new Date() }));
      scheduler.start();
      const { id } = await scheduler.create({ type: "t" });
      await on.clock.advance(10_000);
      expect(runs).toBe(1);
      expect(await row(on, id)).toMatchObject({
        status: "failed",
        deadLetter: true,
        error: { code: "validation_failed", message: "result.at is not JSON." },
      });
    });

    it("refuses a result that is no text, mends an error that is none, and repeats no work whose outcome the store refuses", async () => {
      const on = await shared();
      const refusing = new Proxy(on.store, {
        get:
          (target, verb) =>
          (units: unknown, ...rest: unknown[]) => {
            const unit = verb === "commit" ? (units as unknown[]).findIndex((one) => JSON.stringify(one).includes("unstorable")) : -1;
            if (unit < 0) return (Reflect.get(target, verb) as (...args: unknown[]) => unknown).call(target, units, ...rest);
            return Promise.reject(
              new GatewayError("payload_too_large", "The row is too large for this database.", { details: { unit, outcome: "none" } }),
            );
          },
      });
      const { scheduler } = worker({ ...on, store: refusing });
      const runs: unknown[] = [];
      const results: Record<string, () => unknown> = {
        half: () => "a\ud800",
        thrown: () => {
          throw new GatewayError("upstream_rejected", "no \ud800");
        },
        refused: () => `un${"storable"}`,
      };
      scheduler.handle("t", ({ task: { payload } }) => (runs.push(payload), results[String(payload)]!()));
      scheduler.start();
      const ids = new Map<string, string>();
      for (const payload of Object.keys(results)) ids.set(payload, (await scheduler.create({ type: "t", payload })).id);
      await on.clock.advance(200_000);
      expect(runs.sort()).toEqual(["half", "refused", "thrown"]);
      const dead = { status: "failed", deadLetter: true, result: null };
      expect(await row(on, ids.get("half")!)).toMatchObject({ ...dead, error: { code: "validation_failed" } });
      expect(await row(on, ids.get("thrown")!)).toMatchObject({ ...dead, error: { message: "no \ufffd" } });
      expect(await row(on, ids.get("refused")!)).toMatchObject({ ...dead, error: { code: "internal" } });
    });

    it("has one handler a type", async () => {
      const { scheduler } = worker(await shared());
      scheduler.handle("t", () => null);
      expect(() => scheduler.handle("t", () => null)).toThrow(expect.objectContaining({ code: "conflict" }));
      expect(() => scheduler.handle("u", () => null, { concurrency: 0 })).toThrow(expect.objectContaining({ code: "validation_failed" }));
    });

    it("tells listeners of every change", async () => {
      const on = await shared();
      const { scheduler, changes } = worker(on);
      scheduler.handle("t", () => null);
      scheduler.start();
      await scheduler.create({ type: "t" });
      await on.clock.advance(0);
      expect(changes).toEqual(["pending", "running", "succeeded"]);
    });
  });

  describe("failing", () => {
    it("retries with growing delays and one idempotency key, then keeps the task as a dead letter with its last error", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      const seen: { at: number; attempt: number; key: string }[] = [];
      scheduler.handle("t", ({ attempt, idempotencyKey }) => {
        seen.push({ at: on.clock.now(), attempt, key: idempotencyKey });
        throw new Error(`no ${attempt}`);
      });
      scheduler.start();
      const { id } = await scheduler.create({ type: "t", maxAttempts: 4, backoffMs: 1000 });
      await on.clock.advance(60_000);
      expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
      expect(new Set(seen.map(({ key }) => key)).size).toBe(1);
      // Full jitter with 0.5: half of 1,000, 2,000 and 4,000.
      expect(seen.slice(1).map(({ at }, i) => at - seen[i]!.at)).toEqual([500, 1000, 2000]);
      expect(await row(on, id)).toMatchObject({
        status: "failed",
        deadLetter: true,
        attempt: 4,
        error: { code: "internal", message: "Error: no 4" },
      });
    });

    it("keeps a task at once when the error says that no repetition will help", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      scheduler.handle("t", () => {
        throw new GatewayError("forbidden", "Not for you.");
      });
      scheduler.start();
      const { id } = await scheduler.create({ type: "t" });
      await on.clock.advance(0);
      expect(await row(on, id)).toMatchObject({
        status: "failed",
        attempt: 1,
        deadLetter: true,
        error: { code: "forbidden", message: "Not for you." },
      });
    });

    it("waits as long as the error asks for", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      const at: number[] = [];
      scheduler.handle("t", () => {
        at.push(on.clock.now());
        if (at.length === 1) throw new GatewayError("upstream_rate_limited", "Later.", { retryAfterMs: 42_000 });
      });
      scheduler.start();
      const { id } = await scheduler.create({ type: "t" });
      await on.clock.advance(60_000);
      expect(at[1]! - at[0]!).toBe(42_000);
      expect(await row(on, id)).toMatchObject({ status: "succeeded", error: null });
    });

    it("brings a dead letter back with all its attempts, and nothing else", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      let healthy = false;
      const attempts: number[] = [];
      scheduler.handle("t", ({ attempt }) => {
        attempts.push(attempt);
        if (!healthy) throw new Error("not yet");
        return "at last";
      });
      scheduler.start();
      const { id } = await scheduler.create({ type: "t", maxAttempts: 2 });
      await on.clock.advance(30_000);
      expect((await row(on, id)).deadLetter).toBe(true);
      await scheduler.retry(id);
      await on.clock.advance(30_000);
      expect(await row(on, id)).toMatchObject({ status: "failed", attempt: 4 });
      healthy = true;
      expect(await scheduler.retry(id)).toMatchObject({ status: "pending", deadLetter: false, finishedAtMs: null });
      await on.clock.advance(0);
      expect(await row(on, id)).toMatchObject({ status: "succeeded", result: "at last", attempt: 5 });
      expect(attempts).toEqual([1, 2, 1, 2, 1]);
      await expect(scheduler.retry(id)).rejects.toMatchObject({ code: "conflict" });
      await expect(scheduler.retry("task_none")).rejects.toMatchObject({ code: "not_found" });
    });

    it("spreads the retries of tasks that failed together", async () => {
      const on = await shared();
      const { services } = worker(on);
      let seed = 1;
      const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
      const scheduler = new TaskScheduler(services, { random });
      open.push({ scheduler, clock: on.clock });
      const retriesBySecond = new Map<number, number>();
      scheduler.handle(
        "t",
        ({ attempt }) => {
          if (attempt === 2) {
            const second = Math.floor(on.clock.now() / 1000);
            retriesBySecond.set(second, (retriesBySecond.get(second) ?? 0) + 1);
          }
          throw new Error("down");
        },
        { concurrency: 1000 },
      );
      await Promise.all(Array.from({ length: 400 }, () => scheduler.create({ type: "t", backoffMs: 10_000, maxAttempts: 2 })));
      scheduler.start();
      await on.clock.advance(12_000);
      const counts = [...retriesBySecond.values()];
      expect(counts.reduce((sum, n) => sum + n, 0)).toBe(400);
      expect(Math.max(...counts) / (400 / 10)).toBeLessThanOrEqual(3);
    });
  });

  describe("leases", () => {
    it("keeps a task from others for five seconds at the most when it dies right after its first claim, whatever the lease of others is", async () => {
      const on = await shared();
      const dead = new Proxy(on.store, {
        get: (target, verb) =>
          verb === "commit"
            ? () => new Promise(() => undefined)
            : (Reflect.get(target, verb) as (...args: unknown[]) => unknown).bind(target),
      });
      const creator = worker(on, "creator").scheduler;
      const { id } = await creator.create({ type: "t", leaseMs: 1000 });
      const first = new TaskScheduler(worker({ ...on, store: dead }, "dead").services);
      first.handle("t", () => "never");
      first.start();
      await on.clock.advance(10);
      expect(await row(on, id)).toMatchObject({ status: "running", holder: "dead" });
      const { scheduler } = worker(on, "other");
      scheduler.handle("t", () => "done");
      scheduler.start();
      await on.clock.advance(5000 + 1300);
      expect(await row(on, id)).toMatchObject({ status: "succeeded", attempt: 2, holder: "other" });
    });

    it("renews the lease of a long task by itself", async () => {
      const on = await shared();
      const [a, b] = [worker(on, "a"), worker(on, "b")];
      const ends = gate<string>();
      let runs = 0;
      for (const { scheduler } of [a, b]) {
        scheduler.handle("t", () => (runs++, ends.passed));
        scheduler.start();
      }
      const { id } = await a.scheduler.create({ type: "t", leaseMs: 1500 });
      await on.clock.advance(60_000);
      expect(runs).toBe(1);
      ends.open("long");
      await on.clock.advance(0);
      expect(await row(on, id)).toMatchObject({ status: "succeeded", attempt: 1, result: "long" });
    });

    it("gives the task of a worker that froze to another one, tells the first, and refuses what it still writes", async () => {
      const on = await shared();
      // The first worker's clock stands still, as in a process that is stopped or blocked: nothing is renewed.
      const frozen = worker({ ...on, clock: new FakeClock(on.clock.now()) }, "frozen");
      const ends = gate<string>();
      const contexts: TaskContext[] = [];
      frozen.scheduler.handle("t", (context) => {
        contexts.push(context);
        return ends.passed;
      });
      frozen.scheduler.start();
      const { id } = await frozen.scheduler.create({ type: "t", leaseMs: 1500 });
      await on.clock.advance(0);
      expect(contexts).toHaveLength(1);
      const other = worker(on, "other");
      other.scheduler.handle("t", (context) => (contexts.push(context), "by the other"));
      other.scheduler.start();
      await on.clock.advance(1500 + 2000);
      expect(await row(on, id)).toMatchObject({ status: "succeeded", result: "by the other", attempt: 2, holder: "other" });
      expect(contexts.map(({ idempotencyKey }) => idempotencyKey)).toEqual([id, id]);

      const signal = contexts[0]!.signal;
      await expect(contexts[0]!.heartbeat()).rejects.toMatchObject({ code: "lease_lost" });
      expect(signal.aborted).toBe(true);
      expect(signal.reason).toMatchObject({ code: "lease_lost" });
      ends.open("by the zombie");
      await on.clock.advance(0);
      expect(await row(on, id)).toMatchObject({ status: "succeeded", result: "by the other", attempt: 2 });
    });

    it("refuses the completion of a worker whose lease is over, even before anybody took the task again", async () => {
      const on = await shared();
      const frozen = worker({ ...on, clock: new FakeClock(on.clock.now()) }, "frozen");
      const ends = gate<string>();
      frozen.scheduler.handle("t", () => ends.passed);
      frozen.scheduler.start();
      const { id } = await frozen.scheduler.create({ type: "t", leaseMs: 1500 });
      await on.clock.advance(1600);
      ends.open("too late");
      await on.clock.advance(0);
      expect(await row(on, id)).toMatchObject({ status: "running", result: null, attempt: 1 });
      expect(frozen.lines.some((line) => line.includes("refused"))).toBe(true);
    });

    it("tells a handler when the store cannot be reached for as long as the lease", async () => {
      const on = await shared();
      let down = false;
      const store = wrapped(on.store, (verb, call) =>
        down && verb === "commit"
          ? Promise.reject(new GatewayError("store_unavailable", "down", { details: { outcome: "none" } }))
          : call(),
      );
      const { scheduler } = worker({ ...on, store });
      let signal: AbortSignal | undefined;
      scheduler.handle("t", (context) => {
        signal ??= context.signal; // of the first attempt
        return new Promise(() => undefined);
      });
      scheduler.start();
      await scheduler.create({ type: "t", leaseMs: 3000 });
      await on.clock.advance(0);
      down = true;
      await on.clock.advance(2000);
      expect(signal?.aborted).toBe(false);
      await on.clock.advance(3000);
      expect(signal?.reason).toMatchObject({ code: "lease_lost" });
      down = false;
    });

    it("writes the outcome again when the store was away, and once only when it could not say", async () => {
      const on = await shared();
      const failures: ("before" | "after")[] = [];
      const store = wrapped(on.store, async (verb, call) => {
        const fails = verb === "commit" ? failures.shift() : undefined;
        const unavailable = (outcome: string) => new GatewayError("store_unavailable", "down", { details: { outcome } });
        if (fails === "before") throw unavailable("none");
        const results = await call();
        if (fails === "after") throw unavailable("unknown");
        return results;
      });
      const { scheduler, changes } = worker({ ...on, store });
      let runs = 0;
      scheduler.handle("t", () => {
        failures.push("before", "after");
        return ++runs;
      });
      failures.push("after");
      const { id } = await scheduler.create({ type: "t" });
      scheduler.start();
      await on.clock.advance(5000);
      expect(await row(on, id)).toMatchObject({ status: "succeeded", result: 1, attempt: 1 });
      expect(runs).toBe(1);
      expect(changes).toEqual(["pending", "running", "succeeded"]);
      expect((await scheduler.list()).rows).toHaveLength(1);
    });
  });

  describe("tasks whose worker died", () => {
    it("counts the death as an attempt, and keeps a task that only ever killed its workers as a dead letter, unrun", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      let runs = 0;
      scheduler.handle("t", () => ++runs);
      const { id } = await scheduler.create({ type: "t", maxAttempts: 2 });
      for (const _ of [1, 2]) {
        await died(on, id);
        await on.clock.advance(40_000);
      }
      scheduler.start();
      await on.clock.advance(1500);
      expect(runs).toBe(0);
      expect(await row(on, id)).toMatchObject({ status: "failed", deadLetter: true, error: { code: "lease_lost" } });
    });

    it("lets no two of them be on their last attempt at once, so that the innocent are not condemned with the guilty", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      const counts = { now: 0, most: 0, others: 0 };
      scheduler.handle("suspect", async () => {
        counts.most = Math.max(counts.most, ++counts.now);
        await new Promise<void>((resolve) => on.clock.at(on.clock.now() + 10, resolve));
        counts.now--;
      });
      scheduler.handle("other", () => void counts.others++);
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) ids.push((await scheduler.create({ type: "suspect", maxAttempts: 2 })).id);
      await Promise.all(ids.map((id) => died(on, id)));
      await on.clock.advance(31_000);
      for (let i = 0; i < 20; i++) await scheduler.create({ type: "other" });
      scheduler.start();
      await on.clock.advance(100);
      expect(counts.others).toBe(20);
      await on.clock.advance(20_000);
      expect(counts.most).toBe(1);
      for (const id of ids) expect(await row(on, id)).toMatchObject({ status: "succeeded" });
    });
  });

  describe("cancelling", () => {
    it("ends a waiting task at once, and for good", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      let runs = 0;
      scheduler.handle("t", () => ++runs);
      scheduler.start();
      const { id } = await scheduler.create({ type: "t", delayMs: 1000 });
      const cancelled = await scheduler.cancel(id, { reason: "changed my mind" });
      expect(cancelled).toMatchObject({
        status: "cancelled",
        error: { code: "cancelled", message: "The task was cancelled: changed my mind" },
      });
      await on.clock.advance(5000);
      expect(runs).toBe(0);
      expect(await scheduler.cancel(id)).toMatchObject({ status: "cancelled", cancelReason: "changed my mind" });
      await expect(scheduler.cancel("task_none")).rejects.toMatchObject({ code: "not_found" });
    });

    it("aborts a running handler, here at once and in another process within a poll", async () => {
      for (const where of ["here", "elsewhere", "elsewhere, without a bus"]) {
        const on = await shared();
        const runner = worker(on, "runner");
        const canceller = where === "here" ? runner : worker({ ...on, bus: where.includes("without") ? memoryBus() : on.bus }, "canceller");
        let signal: AbortSignal | undefined;
        runner.scheduler.handle("t", (context) => {
          signal = context.signal;
          return new Promise((_, reject) => context.signal.addEventListener("abort", () => reject(context.signal.reason as Error)));
        });
        runner.scheduler.start();
        const { id } = await runner.scheduler.create({ type: "t" });
        await on.clock.advance(0);
        await canceller.scheduler.cancel(id, { reason: "stop" });
        await on.clock.advance(where.includes("without") ? 1300 : 0);
        expect(signal?.reason, where).toMatchObject({ code: "cancelled" });
        expect(await row(on, id)).toMatchObject({ status: "cancelled", error: { message: "The task was cancelled: stop" } });
      }
    });

    it("does not wait for a handler that heeds no signal, but keeps its place occupied", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      const ends = gate();
      let runs = 0;
      scheduler.handle("t", () => (runs++, ends.passed), { concurrency: 1 });
      scheduler.start();
      const { id } = await scheduler.create({ type: "t" });
      await scheduler.create({ type: "t" });
      await on.clock.advance(0);
      await scheduler.cancel(id);
      await on.clock.advance(4900);
      expect((await row(on, id)).status).toBe("running");
      await on.clock.advance(200);
      expect((await row(on, id)).status).toBe("cancelled");
      expect(runs).toBe(1);
      ends.open();
      await on.clock.advance(0);
      expect(runs).toBe(2);
      expect((await row(on, id)).status).toBe("cancelled");
    });

    it("has one outcome when it races the completion: what was accepted as cancelled ends as cancelled", async () => {
      for (const order of ["cancel first", "completion first"] as const) {
        const on = await shared();
        const { scheduler, changes } = worker(on);
        const ends = gate<string>();
        scheduler.handle("t", () => ends.passed);
        scheduler.start();
        const { id } = await scheduler.create({ type: "t" });
        await on.clock.advance(0);
        let cancelling: Promise<TaskRow>;
        if (order === "cancel first") {
          cancelling = scheduler.cancel(id);
          ends.open("done");
        } else {
          ends.open("done");
          await on.clock.advance(0);
          cancelling = scheduler.cancel(id);
        }
        const told = await cancelling;
        await on.clock.advance(10);
        const end = await row(on, id);
        expect(end.status).toBe(told.cancelRequested ? "cancelled" : "succeeded");
        expect(changes.filter((status) => status === "cancelled" || status === "succeeded")).toEqual([end.status]);
        if (order === "completion first") expect(end.status).toBe("succeeded");
      }
    });

    it("ends a task also when it goes back to waiting for a retry at the same moment", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      const { id } = await scheduler.create({ type: "t" });
      await died(on, id);
      let commits = 0;
      const store = wrapped(on.store, async (verb, call) => {
        const result = await call();
        // Its worker writes the failure between the canceller's two writes.
        if (verb === "commit" && ++commits === 1) {
          const change = { set: { status: "pending" as const } };
          await on.store.commit([{ scope: everybody, writes: [update(task, id, { change })] }], { deadlineMs: on.clock.now() + 1000 });
        }
        return result;
      });
      const canceller = worker({ ...on, store }).scheduler;
      expect(await canceller.cancel(id, { reason: "stop" })).toMatchObject({ status: "cancelled", cancelReason: "stop" });
    });

    it("ends a task whose worker died, without waiting for another one", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      const { id } = await scheduler.create({ type: "t" });
      await died(on, id);
      expect(await scheduler.cancel(id)).toMatchObject({ status: "running", cancelRequested: true });
      const second = await scheduler.create({ type: "t" });
      await died(on, second.id);
      await on.clock.advance(31_000);
      expect(await scheduler.cancel(second.id)).toMatchObject({ status: "cancelled" });
      // The first was asked for while its worker might still have lived: the next one sees to it.
      let runs = 0;
      scheduler.handle("t", () => ++runs);
      scheduler.start();
      await on.clock.advance(1500);
      expect(await row(on, id)).toMatchObject({ status: "cancelled", result: null });
      expect(runs).toBe(0);
    });
  });

  describe("closing", () => {
    it("takes nothing more, and lets what runs come to its end", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      const ends = gate<string>();
      let runs = 0;
      scheduler.handle("t", () => (runs++, ends.passed), { concurrency: 1 });
      scheduler.start();
      const running = await scheduler.create({ type: "t" });
      const waiting = await scheduler.create({ type: "t" });
      await on.clock.advance(0);
      const closing = scheduler.close({ graceMs: 10_000 });
      await on.clock.advance(5000);
      ends.open("in time");
      await closing;
      expect(await row(on, running.id)).toMatchObject({ status: "succeeded", result: "in time" });
      expect(await row(on, waiting.id)).toMatchObject({ status: "pending", attempt: 0 });
      expect(runs).toBe(1);
      await expect(scheduler.create({ type: "t" })).rejects.toMatchObject({ code: "shutting_down" });
      expect(() => scheduler.start()).toThrow(expect.objectContaining({ code: "shutting_down" }));
    });

    it("gives back what has not ended within the grace: another worker begins it at once, and the attempt does not count", async () => {
      const on = await shared();
      const leaving = worker(on, "leaving");
      const staying = worker(on, "staying");
      const attempts: [string, number][] = [];
      leaving.scheduler.handle("t", ({ attempt, signal }) => {
        attempts.push(["leaving", attempt]);
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
      });
      leaving.scheduler.handle("deaf", () => new Promise(() => undefined));
      leaving.scheduler.start();
      const heeds = await leaving.scheduler.create({ type: "t", maxAttempts: 1 });
      const deaf = await leaving.scheduler.create({ type: "deaf", maxAttempts: 1 });
      await on.clock.advance(0);
      for (const type of ["t", "deaf"])
        staying.scheduler.handle(type, ({ attempt }) => (attempts.push(["staying", attempt]), "taken over"));
      staying.scheduler.start();
      const closing = leaving.scheduler.close({ graceMs: 1000 });
      await on.clock.advance(1000);
      expect(await row(on, heeds.id)).toMatchObject({ status: "succeeded", result: "taken over", attempt: 2, uncounted: 1 });
      await on.clock.advance(300);
      await closing;
      expect(await row(on, deaf.id)).toMatchObject({ status: "succeeded", result: "taken over", attempt: 2, uncounted: 1 });
      expect(attempts).toEqual([
        ["leaving", 1],
        ["staying", 1],
        ["staying", 1],
      ]);
    });

    it("gives back what a claim brings that was under way", async () => {
      const on = await shared();
      const claims = gate();
      const store = wrapped(on.store, async (verb, call) => {
        const result = await call();
        if (verb === "take" && (result as TaskRow[]).length > 0) await claims.passed;
        return result;
      });
      const { scheduler } = worker({ ...on, store });
      let runs = 0;
      scheduler.handle("t", () => ++runs);
      const { id } = await scheduler.create({ type: "t" });
      scheduler.start();
      await on.clock.advance(0);
      const closing = scheduler.close();
      claims.open();
      await on.clock.advance(0);
      await closing;
      expect(await row(on, id)).toMatchObject({ status: "pending", attempt: 1, uncounted: 1 });
      expect(runs).toBe(0);
    });

    it("shortens the grace when it is called again", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      scheduler.handle("t", () => new Promise(() => undefined));
      scheduler.start();
      const { id } = await scheduler.create({ type: "t" });
      await on.clock.advance(0);
      const patient = scheduler.close({ graceMs: 3_600_000 });
      await on.clock.advance(10);
      const forced = scheduler.close({ graceMs: 0 });
      await on.clock.advance(300);
      await Promise.all([patient, forced]);
      expect(await row(on, id)).toMatchObject({ status: "pending", uncounted: 1 });
    });

    it("ends also when the store is away, and leaves the lease to run out", async () => {
      const on = await shared();
      let down = false;
      const store = wrapped(on.store, (verb, call) =>
        down && verb === "commit"
          ? Promise.reject(new GatewayError("store_unavailable", "down", { details: { outcome: "none" } }))
          : call(),
      );
      const { scheduler } = worker({ ...on, store });
      scheduler.handle("t", () => new Promise(() => undefined));
      scheduler.start();
      await scheduler.create({ type: "t" });
      await on.clock.advance(0);
      down = true;
      const closing = scheduler.close({ graceMs: 0 });
      await on.clock.advance(2000);
      await closing;
    });

    it("leaves no timer behind", async () => {
      const on = await shared();
      const { scheduler } = worker(on);
      scheduler.handle("t", () => null);
      scheduler.start();
      await scheduler.create({ type: "t" });
      await on.clock.advance(5000);
      await scheduler.close();
      await on.clock.advance(60_000);
      expect(on.clock.pending).toBe(0);
    });
  });
});
