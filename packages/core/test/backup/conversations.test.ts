import { expect, it } from "vitest";
import { message, session } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { append, insert, update, type RecordStore } from "../../src/ports/index.js";
import { body, clock, exported, fill, imported, rowsOnly, sessionRow, soon, system } from "./stored-rows.js";

const memory = (): RecordStore => memoryStore({ clock });
const said = (n: number) => ({ projectId: "p1", message: { role: "user", n }, author: "a", model: null, usage: null, runId: null });
const many = (count: number) => Array.from({ length: count }, (_, i) => said(i + 1));
const bytesOf = (count: number): number => many(count).reduce((sum, one) => sum + JSON.stringify(one.message).length, 0);
const counted = (count: number) => ({ lastSeq: count, messageCount: count, bytes: bytesOf(count) });
async function conversation(store: RecordStore, count: number, over: object = {}): Promise<void> {
  await fill(store, [
    insert(session, sessionRow("session_1", { title: "then", ...counted(count), ...over }) as never),
    append(message, "session_1", { entries: many(count) }),
  ]);
}
const theSession = (store: RecordStore) => store.get(session, "session_1", system, soon());
const lengthOf = async (store: RecordStore) =>
  (await store.read(message, "session_1", { afterSeq: 0, limit: 10_000 }, system, soon())).length;

it("a conversation that went on since keeps what its use made of it when its row is overwritten", async () => {
  const [from, to] = [memory(), memory()];
  await conversation(from, 2, { expiresAtMs: 8e12 });
  const file = await exported(from);
  await conversation(to, 5, { title: "now", turnId: "run_9" });
  const report = await imported(to, file, { overwrite: true });
  expect(report.refused).toEqual([]);
  expect(await theSession(to)).toMatchObject({ title: "then", ...counted(5), turnId: "run_9", expiresAtMs: 9e12 });
  // What use alone changed is no other content.
  await fill(to, [update(session, "session_1", { change: { set: { lastAccessedAtMs: 77 } } })]);
  expect((await imported(to, file)).entities).toMatchObject([
    { entity: "session", same: 1, refused: 0 },
    { entity: "message", same: 2 },
  ]);
});

it("a conversation has at every instant of an import the messages that its row counts, and may go on meanwhile", async () => {
  const from = memory();
  await conversation(from, 450);
  const file = await exported(from);
  for (let dies = 0; dies < 6; dies++) {
    const to = memory();
    let commits = 0;
    const dying: RecordStore = Object.assign(Object.create(to) as RecordStore, {
      commit: (...args: Parameters<RecordStore["commit"]>) =>
        commits++ === dies ? Promise.reject(new Error("killed")) : to.commit(...args),
      find: to.find.bind(to),
      read: to.read.bind(to),
      now: to.now.bind(to),
    });
    await imported(dying, file).catch(() => undefined);
    const half = await theSession(to);
    const count = await lengthOf(to);
    if (half === null) expect(count).toBe(0);
    else expect(half).toMatchObject(counted(count));
    expect((await imported(to, file)).refused).toEqual([]);
    expect(rowsOnly(body(await exported(to)))).toEqual(rowsOnly(body(file)));
  }
});

it("one that lived when it was exported lives on as long when it is imported later; one that did not goes", async () => {
  const from = memory();
  const atMs = clock.now();
  await conversation(from, 1, { expiresAtMs: atMs + 50 });
  const file = await exported(from);
  while (clock.now() <= atMs + 60) await new Promise((resolve) => setTimeout(resolve, 5));
  const to = memory();
  await imported(to, file);
  expect((await theSession(to))!.expiresAtMs).toBeGreaterThan(atMs + 60);
  const gone = memory();
  await conversation(gone, 1, { expiresAtMs: 5 });
  const [other, late] = [memory(), await exported(gone)];
  await imported(other, late);
  expect((await theSession(other))!.expiresAtMs).toBe(5);
});
