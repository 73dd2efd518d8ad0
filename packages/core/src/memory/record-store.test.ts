import { describe, expect, it } from "vitest";
import { auditEntry, gatewayKey, plainKey, runEvent, task, usageEntry, type TaskRow } from "../entities/index.js";
import { append, insert, now, nowPlus, remove, update, type NewRow } from "../ports/index.js";
import { memoryStore } from "./index.js";

const w = { deadlineMs: Number.MAX_SAFE_INTEGER };
const scope = { projects: ["p1"] };
const everywhere = { system: "test" };

function taskRow(id: string, over: Partial<TaskRow> = {}): NewRow<TaskRow> {
  return {
    id,
    projectId: "p1",
    type: "t",
    status: "pending",
    payload: { a: [1] },
    result: null,
    error: null,
    priority: 0,
    dueAtMs: 0,
    readyAtMs: 0,
    uncounted: 0,
    holder: null,
    cancelReason: null,
    attempt: 0,
    maxAttempts: 3,
    backoffMs: 0,
    leaseMs: 1000,
    cancelRequested: false,
    deadLetter: false,
    idempotencyKey: null,
    payloadHash: "",
    createdBy: "me",
    startedAtMs: null,
    finishedAtMs: null,
    ...over,
  };
}

describe("the memory store", () => {
  it("gives back what was stored, and shares no object with its callers", async () => {
    const store = memoryStore();
    const given = taskRow("a");
    await store.commit([{ scope, writes: [insert(task, given)] }], w);
    (given.payload as { a: number[] }).a.push(2);
    const row = await store.get(task, "a", scope, w);
    expect(row).toMatchObject({ id: "a", version: 1, payload: { a: [1] } });
    (row?.payload as { a: number[] }).a.push(3);
    expect((await store.get(task, "a", scope, w))?.payload).toEqual({ a: [1] });
  });

  it("takes due rows by priority and time, of every status asked for, and leaves the rest", async () => {
    const store = memoryStore();
    await store.commit(
      [
        taskRow("late", { readyAtMs: 2 ** 50, priority: 9 }),
        taskRow("b", { readyAtMs: 20 }),
        taskRow("a", { readyAtMs: 10, status: "running" }),
        taskRow("high", { readyAtMs: 30, priority: 5 }),
        taskRow("other", { type: "u", priority: 7 }),
        taskRow("done", { status: "succeeded", priority: 8 }),
      ].map((row) => ({ scope, writes: [insert(task, row)] })),
      w,
    );
    const take = () =>
      store.take(
        task,
        {
          where: { status: { in: ["pending", "running"] }, type: { in: ["t", "v"] }, readyAtMs: { lte: now } },
          orderBy: ["-priority", "readyAtMs"],
          limit: 2,
          change: { set: { status: "running", readyAtMs: nowPlus(60_000) }, add: { attempt: 1 } },
        },
        w,
      );
    expect((await take()).map((row) => [row.id, row.attempt])).toEqual([
      ["high", 1],
      ["a", 1],
    ]);
    expect((await take()).map((row) => row.id)).toEqual(["b"]);
    expect(await take()).toEqual([]);
  });

  it("takes a refused unit back whole", async () => {
    const store = memoryStore();
    const [first, second] = await store.commit(
      [
        {
          scope,
          writes: [
            insert(task, taskRow("x")),
            append(runEvent, "s", { entries: [{ projectId: "p1", event: {} }] }),
            update(task, "x", { change: { set: { status: "running" } } }),
            remove(task, "nobody"),
          ],
        },
        { scope, writes: [append(runEvent, "s", { entries: [{ projectId: "p1", event: { n: 1 } }] })] },
      ],
      w,
    );
    expect(first).toEqual({ ok: false, failed: 3, why: "missing", current: null });
    expect(second).toMatchObject({ ok: true, firstSeq: 1 });
    expect(await store.get(task, "x", everywhere, w)).toBeNull();
    expect(await store.find(task, { orderBy: "status", where: { status: "running" }, limit: 5 }, everywhere, w)).toEqual({
      rows: [],
      next: null,
    });
  });

  it("finds by a unique value, and pages along an index", async () => {
    const store = memoryStore();
    const key = { ...plainKey, name: "k", kind: "key" as const, projectId: "p1", scopes: [] };
    for (let i = 0; i < 5; i++)
      await store.commit([{ scope, writes: [insert(gatewayKey, { ...key, id: `k${i}`, digest: String(i).repeat(64) })] }], w);
    const found = await store.find(gatewayKey, { where: { digest: "3".repeat(64) }, orderBy: "id", limit: 1 }, scope, w);
    expect(found.rows.map((row) => row.id)).toEqual(["k3"]);
    const page = await store.find(gatewayKey, { where: { kind: "key" }, orderBy: "kind", desc: true, limit: 3 }, scope, w);
    expect(page.rows.map((row) => row.id)).toEqual(["k4", "k3", "k2"]);
    const rest = await store.find(
      gatewayKey,
      { where: { kind: "key" }, orderBy: "kind", desc: true, limit: 3, cursor: page.next as string },
      scope,
      w,
    );
    expect(rest.rows.map((row) => row.id)).toEqual(["k1", "k0"]);
    expect(rest.next).toBeNull();
  });

  it("sums a ledger in buckets, unknown staying unknown", async () => {
    const store = memoryStore();
    const entry = {
      projectId: "p1",
      callerId: "c",
      kind: "model" as const,
      name: "m",
      provider: null,
      model: null,
      runId: null,
      purpose: null,
      operation: null,
      detail: null,
      attempts: null,
      tried: null,
      keyId: null,
      userId: null,
      teamId: null,
      agentId: null,
      requestId: null,
      server: null,
    };
    const counts = {
      cacheReadTokens: null,
      cacheWriteTokens: null,
      reasoningTokens: null,
      outputTokens: null,
      costNanoUsd: Number.MAX_SAFE_INTEGER,
      unpriced: null,
      savedNanoUsd: null,
    };
    const rest = { estimated: false, partial: false, status: 200, durationMs: 1 };
    await store.commit(
      [0, 1, 2].map((i) => ({
        scope,
        writes: [insert(usageEntry, { id: `u${i}`, atMs: 1000 + i * 700, ...entry, ...counts, ...rest, inputTokens: i }, "skip" as const)],
      })),
      w,
    );
    expect(
      await store.sum(
        usageEntry,
        { where: { projectId: "p1" }, by: ["kind"], sum: ["inputTokens", "outputTokens", "costNanoUsd"], bucketMs: 1000 },
        scope,
        w,
      ),
    ).toEqual([
      {
        by: { kind: "model", bucketAtMs: 1000 },
        count: 2,
        sums: { inputTokens: 1n, outputTokens: null, costNanoUsd: BigInt(Number.MAX_SAFE_INTEGER) * 2n },
      },
      {
        by: { kind: "model", bucketAtMs: 2000 },
        count: 1,
        sums: { inputTokens: 2n, outputTokens: null, costNanoUsd: BigInt(Number.MAX_SAFE_INTEGER) },
      },
    ]);
    expect(await store.prune(usageEntry, 2000, 10, w)).toBe(2);
    expect(await store.prune(auditEntry, 2000, 10, w)).toBe(0);
  });
});

describe("a ledger in memory", () => {
  const entry = (i: number) => ({
    id: `e${i}`,
    atMs: i,
    projectId: i % 2 === 0 ? "p1" : "p2",
    callerId: `c${i % 3}`,
    action: "a",
    target: "t",
    requestId: `r${i}`,
    outcome: "done" as const,
    code: null,
    status: 200,
    durationMs: 1,
    ...{
      actorKind: null,
      keyId: null,
      userId: null,
      teamId: null,
      resourceType: null,
      source: null,
      purpose: null,
      parameters: null,
      changed: null,
    },
  });
  const put = (store: ReturnType<typeof memoryStore>, from: number, to: number) =>
    store.commit(
      Array.from({ length: to - from }, (_, i) => ({ scope: everywhere, writes: [insert(auditEntry, entry(from + i))] })),
      w,
    );

  it("answers alike whichever index is asked first, before and after pruning", async () => {
    const store = memoryStore();
    const found = async (where: object): Promise<number> => {
      const { rows } = await store.find(auditEntry, { where, orderBy: "atMs", limit: 1000 }, everywhere, w);
      return rows.length;
    };
    await put(store, 0, 500);
    expect(await found({ projectId: "p1" })).toBe(250);
    await put(store, 500, 900);
    expect(await store.prune(auditEntry, 800, 700, w)).toBe(700);
    expect(await store.prune(auditEntry, 800, 700, w)).toBe(100);
    await put(store, 900, 1000);
    expect([
      await found({ projectId: "p1" }),
      await found({ callerId: "c0" }),
      await found({ requestId: "r950" }),
      await found({ requestId: "r5" }),
    ]).toEqual([100, 67, 1, 0]);
    expect(await found({ atMs: { gte: 990 } })).toBe(10);
    expect(await store.sum(auditEntry, { where: { callerId: "c1" }, by: ["projectId"], sum: ["durationMs"] }, everywhere, w)).toEqual([
      { by: { projectId: "p1" }, count: 33, sums: { durationMs: 33n } },
      { by: { projectId: "p2" }, count: 33, sums: { durationMs: 33n } },
    ]);
  });

  it("takes back rows of a unit that was refused later, also when it was never asked", async () => {
    const store = memoryStore();
    const results = await store.commit(
      [{ scope: everywhere, writes: [insert(auditEntry, entry(1)), insert(auditEntry, entry(2)), remove(task, "nobody")] }],
      w,
    );
    expect(results[0]?.ok).toBe(false);
    await put(store, 1, 2);
    expect((await store.find(auditEntry, { orderBy: "atMs", limit: 9 }, everywhere, w)).rows.map((row) => row.id)).toEqual(["e1"]);
  });
});
