import { describe, expect, it } from "vitest";
import { auditEntry, task } from "../entities/index.js";
import type { GatewayError } from "../errors/index.js";
import { memoryStore } from "../memory/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import { CommitQueue } from "./commit-queue.js";
import { insert, update, type RecordStore, type Unit, type UnitResult } from "./index.js";

const unit = (id: string): Unit => ({ scope: { system: "a test" }, writes: [update(task, id, { change: { set: { priority: 1 } } })] });
const idOf = (u: Unit) => (u.writes[0] as { id: string }).id;

/** Only the verb that the queue needs: each commit waits to be answered. */
function slowStore() {
  const commits: { ids: string[]; answer: (fail?: Error) => void }[] = [];
  const commit = (units: readonly Unit[]) =>
    new Promise<UnitResult[]>((resolve, reject) => {
      const answer = (fail?: Error) =>
        fail === undefined ? resolve(units.map((u) => ({ ok: false, failed: 0, why: "guard", current: { id: idOf(u) } }))) : reject(fail);
      commits.push({ ids: units.map(idOf), answer });
    });
  return { store: { commit } as unknown as RecordStore, commits };
}
const turns = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

it("commits together what is ready together, gathers while one commit is in flight, and gives each caller its own result", async () => {
  const { store, commits } = slowStore();
  const queue = new CommitQueue({ store, clock: new FakeClock(), maxUnits: 3 });
  const first = [queue.commit(unit("a")), queue.commit(unit("b"))];
  await turns();
  const later = ["c", "d", "e", "f"].map((id) => queue.commit(unit(id)));
  await turns();
  expect(commits.map((c) => c.ids)).toEqual([["a", "b"]]);
  commits[0]!.answer();
  expect((await Promise.all(first)).map((r) => !r.ok && r.current?.["id"])).toEqual(["a", "b"]);
  await turns();
  commits[1]!.answer();
  await turns();
  commits[2]!.answer();
  expect((await Promise.all(later)).map((r) => !r.ok && r.current?.["id"])).toEqual(["c", "d", "e", "f"]);
  expect(commits.map((c) => c.ids)).toEqual([["a", "b"], ["c", "d", "e"], ["f"]]);
});

it("tells every caller of a commit that failed, and goes on with the next", async () => {
  const { store, commits } = slowStore();
  const queue = new CommitQueue({ store, clock: new FakeClock() });
  const failed = [queue.commit(unit("a")), queue.commit(unit("b"))].map((promise) => promise.then(String, (error: Error) => error.message));
  await turns();
  const next = queue.commit(unit("c"));
  commits[0]!.answer(new Error("the store is away"));
  expect(await Promise.all(failed)).toEqual(["the store is away", "the store is away"]);
  await turns();
  commits[1]!.answer();
  expect(await next).toMatchObject({ current: { id: "c" } });
});

describe("a unit that the store cannot take", () => {
  it("fails alone, and its neighbours are committed", async () => {
    const store = memoryStore();
    const queue = new CommitQueue({ store, clock: new FakeClock(Date.now()) });
    const entry = (id: string, requestId: string): Unit => ({
      scope: { projects: ["default"] },
      writes: [
        insert(auditEntry, {
          id,
          requestId,
          atMs: 1,
          projectId: "default",
          callerId: "c",
          action: "a",
          target: "t",
          outcome: "done",
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
        }),
      ],
    });
    const results = await Promise.allSettled([
      queue.commit(entry("a", "1")),
      queue.commit(entry("b", "\ud800")),
      queue.commit(entry("c", "3")),
    ]);
    expect(results.map((result) => (result.status === "fulfilled" ? result.value.ok : (result.reason as GatewayError).code))).toEqual([
      true,
      "validation_failed",
      true,
    ]);
  });
});
