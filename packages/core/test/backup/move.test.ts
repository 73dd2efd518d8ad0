import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import {
  alertChannel,
  message,
  session,
  budgetWindow,
  gatewayKey,
  run,
  runStep,
  storedProvider,
  storedProviderKey,
  task,
  user,
} from "../../src/entities/index.js";
import { inWritingOrder, isUnsaid } from "../../src/backup/what-moves.js";
import { memoryStore } from "../../src/memory/index.js";
import { append, insert, update, type RecordStore } from "../../src/ports/index.js";
import {
  asImported,
  body,
  clock,
  contents,
  everything,
  exported,
  fill,
  imported,
  keyRow,
  providerRow,
  rowsOnly,
  runRow,
  sessionRow,
  soon,
  system,
  taskRow,
  writesOf,
} from "./stored-rows.js";

const folder = mkdtempSync(join(tmpdir(), "sallyport-backup-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const memory = (): RecordStore => memoryStore({ clock });
let files = 0;
const onDisk = (): Promise<RecordStore> => sqlite(join(folder, `${++files}.db`)).open({ entities: everything });
const everythingElse = { with: ["usage", "audit", "traces"] } as const;

describe("a store that was exported and imported elsewhere", () => {
  it("is the same: memory to SQLite to memory", async () => {
    await fc.assert(
      fc.asyncProperty(contents, fc.integer({ min: 1, max: 2_000 }), async (writes, chunkBytes) => {
        const [first, second, third] = [memory(), await onDisk(), memory()];
        await fill(first, writesOf(writes));
        const one = await exported(first, everythingElse);
        const report = await imported(second, one, { chunkBytes });
        expect(report.refused).toEqual([]);
        const two = await exported(second, everythingElse);
        expect(rowsOnly(body(two))).toEqual(asImported(rowsOnly(body(one))));
        expect((await imported(third, two)).refused).toEqual([]);
        expect(body(await exported(third, everythingElse))).toEqual(body(two));
        await second.close();
      }),
      { numRuns: 4 },
    );
  });

  it("is not written twice, and a dry run says beforehand what an import does", async () => {
    await fc.assert(
      fc.asyncProperty(contents, async (writes) => {
        const [from, to] = [memory(), memory()];
        await fill(from, writesOf(writes));
        const file = await exported(from, everythingElse);
        const empty = await exported(to, everythingElse);
        const dry = await imported(to, file, { dryRun: true });
        expect(body(await exported(to, everythingElse))).toEqual(body(empty));
        const wet = await imported(to, file);
        expect({ ...dry, dryRun: false }).toEqual(wet);
        const again = await imported(to, file);
        expect(again.refused).toEqual([]);
        expect(again.entities.map(({ created, overwritten }) => created + overwritten).every((count) => count === 0)).toBe(true);
        expect({ ...(await imported(to, file, { dryRun: true })), dryRun: false }).toEqual(again);
      }),
      { numRuns: 6 },
    );
  });
});

describe("what goes along", () => {
  it("says of every machine, log and ledger whether it does, and writes what is referred to first", () => {
    expect(everything.filter(isUnsaid).map(({ name }) => name)).toEqual([]);
    const order = inWritingOrder(everything).map(({ name }) => name);
    expect(new Set(order)).toEqual(new Set(everything.map(({ name }) => name)));
    expect(order.indexOf("run")).toBeLessThan(order.indexOf("runStep"));
  });

  it("leaves work that is not done, ledgers and the owner's key here, unless they are asked for", async () => {
    const from = memory();
    await fill(from, [
      insert(task, taskRow("task_1") as never),
      insert(task, taskRow("task_2", { status: "pending" }) as never),
      insert(run, runRow("run_1", { status: "running", holder: "node_9", leaseUntilMs: 99 }) as never),
      append(runStep, "run_1", { entries: [{ projectId: "p1", attempt: 1, step: 1, kind: "model.begun", body: {} }] }),
      insert(gatewayKey, keyRow("key_1", { kind: "owner" }) as never),
    ]);
    const plain = body(await exported(from)).slice(1, -1) as { row?: { id: string } }[];
    expect(plain.map(({ row }) => row?.id)).toEqual(["task_1"]);
    const work = body(await exported(from, { with: ["work"] })).slice(1, -1) as { entity: string; row?: Record<string, unknown> }[];
    expect(work.map(({ entity, row }) => row?.["id"] ?? entity)).toEqual(["run_1", "runStep", "task_1", "task_2"]);
    expect(work[0]?.row).toMatchObject({ status: "running", holder: null, leaseUntilMs: 0 });
    const trailer = JSON.parse((await exported(from)).toString().trimEnd().split("\n").at(-1)!) as { apart: Record<string, object> };
    expect(Object.keys(trailer.apart)).toEqual(["gatewayKey", "run", "task"]);
  });

  it("gives back in budgets what is set aside for calls of the moment", async () => {
    const [from, to] = [memory(), memory()];
    const window = { id: "bw_1", projectId: "p1", budgetId: "b", budgetVersion: 1, startMs: 0, endMs: null, limitNanoUsd: 100 };
    await fill(from, [insert(budgetWindow, { ...window, leftNanoUsd: 60, spentNanoUsd: 30, reservedNanoUsd: 10, firedPercent: 0 })]);
    await imported(to, await exported(from));
    expect(await to.get(budgetWindow, "bw_1", system, soon())).toMatchObject({ leftNanoUsd: 70, spentNanoUsd: 30, reservedNanoUsd: 0 });
  });

  it("is of one project, if that is asked for, on both sides", async () => {
    const [from, to, other] = [memory(), memory(), memory()];
    await fill(from, [
      insert(task, taskRow("task_1") as never),
      insert(task, taskRow("task_2", { projectId: "p2" }) as never),
      insert(storedProvider, providerRow("provider_1") as never),
    ]);
    const p2 = await exported(from, { project: "p2" });
    expect(p2.toString()).not.toContain("task_1");
    expect(p2.toString()).not.toContain("provider_1");
    await imported(to, p2);
    expect(await to.get(task, "task_2", system, soon())).not.toBeNull();
    const report = await imported(other, await exported(from), { project: "p1" });
    expect(report.entities).toEqual(
      [
        { entity: "task", created: 1, same: 0, overwritten: 0, refused: 0, elsewhere: 1 },
        { entity: "provider", created: 0, same: 0, overwritten: 0, refused: 0, elsewhere: 1 },
      ].sort((a, b) => (inPlace(a.entity) < inPlace(b.entity) ? -1 : 1)),
    );
  });
});
const inPlace = (name: string): number => everything.findIndex((entity) => entity.name === name);

describe("rows without their secrets", () => {
  it("are disabled, or cannot be presented, and are listed", async () => {
    const [from, to] = [memory(), memory()];
    await fill(from, [
      insert(storedProvider, providerRow("provider_1", { apiKey: "v1.k1.hunter2" }) as never),
      insert(storedProvider, providerRow("provider_2") as never),
      insert(storedProviderKey, { id: "pk_1", provider: "provider-1", label: null, value: "v1.k1.hunter2", weight: 1, enabled: true }),
      insert(alertChannel, { id: "ch_1", name: "c", kind: "webhook", settings: {}, secret: null, enabled: true }),
      insert(gatewayKey, keyRow("key_1") as never),
    ]);
    const { secrets } = await imported(to, await exported(from));
    expect(secrets).toEqual([
      { entity: "gatewayKey", field: "digest", rows: 1, then: expect.stringContaining("keys rotate") },
      { entity: "provider", field: "apiKey", rows: 1, then: expect.stringContaining("disabled") },
      { entity: "providerKey", field: "value", rows: 1, then: expect.stringContaining("disabled") },
    ]);
    expect(await to.get(storedProvider, "provider_1", system, soon())).toMatchObject({ apiKey: null, enabled: false });
    expect(await to.get(storedProvider, "provider_2", system, soon())).toMatchObject({ apiKey: null, enabled: true });
    expect(await to.get(storedProviderKey, "pk_1", system, soon())).toMatchObject({ value: "sealed() for pk_1", enabled: false });
    expect(await to.get(alertChannel, "ch_1", system, soon())).toMatchObject({ secret: null, enabled: true });
    const digest = (await to.get(gatewayKey, "key_1", system, soon()))!.digest;
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(digest).not.toBe(keyRow("key_1")["digest"]);
  });

  it("keep the secrets that a store has already, when their rows are overwritten", async () => {
    const [from, to] = [memory(), memory()];
    await fill(from, [insert(storedProvider, providerRow("provider_1", { apiKey: "theirs", baseUrl: "https://new.example" }) as never)]);
    await fill(to, [
      insert(storedProvider, providerRow("provider_1", { apiKey: "ours", baseUrl: "https://old.example", enabled: false }) as never),
    ]);
    const file = await exported(from);
    const refused = await imported(to, file);
    expect(refused.refused).toEqual([{ entity: "provider", id: "provider_1", why: expect.stringContaining("other content") }]);
    expect((await imported(to, file, { overwrite: true, dryRun: true })).entities[0]).toMatchObject({ overwritten: 1 });
    expect((await imported(to, file, { overwrite: true })).entities[0]).toMatchObject({ overwritten: 1 });
    expect(await to.get(storedProvider, "provider_1", system, soon())).toMatchObject({
      apiKey: "ours",
      baseUrl: "https://new.example",
      enabled: false,
    });
    expect((await imported(to, file, { overwrite: true })).entities[0]).toMatchObject({ same: 1 });
  });

  it("never leave in any form (T26)", async () => {
    const from = memory();
    const canary = "hunter2-canary-of-this-test";
    const forms = [canary, ...(["base64", "base64url", "hex"] as const).map((form) => Buffer.from(canary).toString(form))];
    const at = (entity: { table: string }, column: string, rowId: string): string =>
      `v1.${entity.table}.${column}.${rowId}.${forms.join(".")}`;
    await fill(from, [
      insert(storedProvider, providerRow("provider_1", { apiKey: at(storedProvider, "apiKey", "provider_1") }) as never),
      insert(storedProviderKey, { id: "pk_1", provider: "p", label: null, value: forms.join(), weight: 1, enabled: true }),
      insert(alertChannel, { id: "ch_1", name: "c", kind: "slack", settings: {}, secret: forms.join(), enabled: true }),
      insert(
        gatewayKey,
        keyRow("key_1", { digest: canary.padEnd(64, "x"), previousDigest: canary.padEnd(64, "y"), legacyHash: forms.join() }) as never,
      ),
      insert(user, {
        ...{
          id: "user_1",
          projectId: "p1",
          username: "ada",
          name: null,
          email: null,
          passwordHash: forms.join(),
          externalId: canary.padEnd(64, "z"),
        },
        ...{ enabled: true, lastLoginAtMs: null, sessionsFromMs: 0 },
      }),
    ]);
    const file = await exported(from, { with: ["usage", "audit", "traces", "work"] });
    for (const form of forms) expect(file.includes(form.slice(0, 20))).toBe(false);
    const trailer = JSON.parse(file.toString().trimEnd().split("\n").at(-1)!) as { lost: unknown };
    expect(trailer.lost).toEqual({
      gatewayKey: { digest: 1, previousDigest: 1, legacyHash: 1 },
      user: { passwordHash: 1, externalId: 1 },
      provider: { apiKey: 1 },
      providerKey: { value: 1 },
      alertChannel: { secret: 1 },
    });
  });
});

describe("an import that meets what stands", () => {
  it("refuses another row's unique value, before and while writing alike", async () => {
    const [from, to] = [memory(), memory()];
    await fill(from, [insert(storedProvider, providerRow("provider_1", { name: "same" }) as never)]);
    await fill(to, [insert(storedProvider, providerRow("provider_9", { name: "same" }) as never)]);
    const file = await exported(from);
    const expected = [{ entity: "provider", id: "provider_1", why: "a value that must be its own is had by provider_9" }];
    expect((await imported(to, file, { dryRun: true })).refused).toEqual(expected);
    expect((await imported(to, file)).refused).toEqual(expected);
  });

  it("goes on in the middle of a stream, and leaves one that differs", async () => {
    const [from, half, other] = [memory(), memory(), memory()];
    const steps = Array.from({ length: 250 }, (_, step) => ({
      projectId: "p1",
      attempt: 1,
      step,
      kind: "model.done" as const,
      body: { step },
    }));
    await fill(from, [insert(run, runRow("run_1") as never), append(runStep, "run_1", { entries: steps })]);
    await fill(half, [insert(run, runRow("run_1") as never), append(runStep, "run_1", { entries: steps.slice(0, 130) })]);
    await fill(other, [insert(run, runRow("run_1") as never), append(runStep, "run_1", { entries: [{ ...steps[0]!, body: {} }] })]);
    const file = await exported(from);
    expect((await imported(half, file)).entities.at(-1)).toMatchObject({ entity: "runStep", created: 120, same: 130, refused: 0 });
    const read = await half.read(runStep, "run_1", { afterSeq: 0, limit: 1_000 }, system, soon());
    expect(read.map(({ entry }) => entry.step)).toEqual(steps.map(({ step }) => step));
    const report = await imported(other, file);
    expect(report.entities.at(-1)).toMatchObject({ entity: "runStep", created: 0, refused: 250 });
    expect(report.refused[0]).toEqual({ entity: "runStep", id: "run_1", why: "a stream of this id stands with other entries" });
  });

  it("finishes after it broke off anywhere", async () => {
    const from = memory();
    await fill(from, [
      ...Array.from({ length: 210 }, (_, i) => insert(task, taskRow(`task_${i}`) as never)),
      insert(run, runRow("run_1") as never),
      append(runStep, "run_1", {
        entries: Array.from({ length: 230 }, (_, step) => ({ projectId: "p1", attempt: 1, step, kind: "model.done" as const, body: {} })),
      }),
    ]);
    const file = await exported(from);
    for (let dies = 0; dies < 4; dies++) {
      const to = memory();
      let commits = 0;
      const dying: RecordStore = Object.assign(Object.create(to) as RecordStore, {
        commit: (...args: Parameters<RecordStore["commit"]>) =>
          commits++ === dies ? Promise.reject(new Error("killed")) : to.commit(...args),
        find: to.find.bind(to),
        read: to.read.bind(to),
      });
      await imported(dying, file).catch(() => undefined);
      expect((await imported(to, file)).refused).toEqual([]);
      expect(rowsOnly(body(await exported(to)))).toEqual(rowsOnly(body(file)));
    }
  });

  it("has of a conversation what its row knows of, however much is said meanwhile", async () => {
    const [from, to] = [memory(), memory()];
    const said = (n: number) => ({ projectId: "p1", message: { n }, author: "a", model: null, usage: null, runId: null });
    await fill(from, [
      insert(session, sessionRow("session_1", { lastSeq: 2, messageCount: 2, turnId: "run_9" }) as never),
      append(message, "session_1", { entries: [said(1), said(2), said(3)] }),
    ]);
    expect((await imported(to, await exported(from))).refused).toEqual([]);
    expect((await to.read(message, "session_1", { afterSeq: 0, limit: 9 }, system, soon())).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(await to.get(session, "session_1", system, soon())).toMatchObject({ lastSeq: 2, turnId: null });
  });

  it("may be exported while it is written to: each row whole, what a file lacks refused by name", async () => {
    const [from, to] = [memory(), memory()];
    await fill(from, [
      insert(run, runRow("run_1") as never),
      insert(run, runRow("run_3") as never),
      insert(task, taskRow("task_1") as never),
    ]);
    const racing: RecordStore = Object.assign(Object.create(from) as RecordStore, {
      now: from.now.bind(from),
      find: from.find.bind(from),
      read: async (...args: Parameters<RecordStore["read"]>) => {
        if ((await from.get(run, "run_2", system, soon())) === null)
          await fill(from, [
            insert(run, runRow("run_2") as never),
            append(runStep, "run_3", { entries: [{ projectId: "p1", attempt: 1, step: 1, kind: "model.done", body: {} }] }),
            update(task, "task_1", { change: { set: { attempt: 2 } } }),
          ]);
        return from.read(...args);
      },
    });
    const report = await imported(to, await exported(racing));
    expect(report.refused).toEqual([]);
    expect((await to.read(runStep, "run_3", { afterSeq: 0, limit: 9 }, system, soon())).length).toBe(1);
  });
});
