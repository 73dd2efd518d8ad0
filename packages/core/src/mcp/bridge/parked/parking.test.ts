import { expect, it } from "vitest";
import { parkedCall } from "../../../entities/index.js";
import { memoryBus, memoryStore } from "../../../memory/index.js";
import { crypto } from "../../../platform/node-crypto.js";
import type { Services } from "../../../seams/index.js";
import { FakeClock } from "../../../testing/index.js";
import { Log } from "../../../util/log.js";
import { HeldCall } from "../held-call.js";
import { comeBack } from "./come-back.js";
import { ParkedRows } from "./parked-rows.js";
import { Parking } from "./parking.js";
import { RequestStates } from "./request-state.js";
import { UsedStates } from "./used-states.js";

function place() {
  const clock = new FakeClock();
  const store = memoryStore({ clock });
  const services = { store, clock, crypto, bus: memoryBus(), nodeId: "n", log: new Log("silent", () => undefined) } as unknown as Services;
  const key = crypto.random(32);
  const rows = new ParkedRows(services, new RequestStates({ crypto, clock, key: () => key }));
  const limits = () => ({ waitMs: 10_000, taskTtlMs: 50_000, taskAfterMs: 1_000, mostWaiting: 2 });
  const used = new UsedStates(services);
  const parking = new Parking(services, { rows, used, limits, isShared: true });
  const all = async () => (await store.find(parkedCall, { orderBy: "id", limit: 10 }, { system: "test" }, { deadlineMs: Infinity })).rows;
  return { clock, parking, rows, all };
}
const who = { callerId: "ada", address: "", server: "s", tool: "s__t" };
const hers = { ...who, credentialId: "key_ada" };

it("a call that nobody comes for is cancelled when its time is over, and a task when its own is", async () => {
  const { clock, parking, all } = place();
  const held = { call: new HeldCall({ clock, capabilities: {} }), task: new HeldCall({ clock, capabilities: {} }) };
  await parking.keep(held.call, { kind: "call", ...hers });
  await parking.keep(held.task, { kind: "task", ...hers });
  await clock.advance(9_999);
  expect([held.call.signal.aborted, held.task.signal.aborted, parking.size]).toEqual([false, false, 2]);
  await clock.advance(1);
  expect([held.call.signal.aborted, held.task.signal.aborted]).toEqual([true, false]);
  await clock.advance(40_000);
  expect([held.task.signal.aborted, parking.size]).toEqual([true, 0]);
  expect(await all()).toEqual([]);
  await parking.close();
});

it("rows that nobody comes for are removed, also those of processes that are gone", async () => {
  const { clock, parking, rows, all } = place();
  parking.start();
  await rows.insert({ id: "row-1", kind: "task", ...who }, { state: "told" }, 30_000);
  await rows.insert({ id: "row-2", kind: "task", ...who }, { state: "told" }, 300_000);
  await clock.advance(60_000);
  expect((await all()).map(({ id }) => id)).toEqual(["row-2"]);
  await parking.close();
});

it("what a row holds of questions and answers is not read in the store, and opens for its row alone", async () => {
  const { rows, all } = place();
  const row = await rows.insert({ id: "row-1", kind: "task", ...who }, { state: "asked", questions: '{"q":"secret"}' }, 30_000);
  expect(JSON.stringify(await all())).not.toContain("secret");
  expect(rows.read(row, "questions")).toBe('{"q":"secret"}');
  expect(rows.read({ ...row, id: "row-2" }, "questions")).toBeNull();
  expect(rows.read({ ...row, answers: row.questions }, "answers")).toBeNull();
});

it("of two that come for one round at the same instant, one is let in (T45)", async () => {
  const { clock, parking, rows } = place();
  const held = new HeldCall({ clock, capabilities: { roots: {} } });
  const answer = held.ask({ method: "roots/list", params: null }, new AbortController().signal);
  const { id, round } = await parking.keep(held, { kind: "call", ...hers });
  const coming = {
    row: id,
    round,
    responses: new Map([["q1", '{"roots":[]}']]),
    signal: new AbortController().signal,
    deadlineMs: Infinity,
    now: () => 0,
  };
  const came = await Promise.allSettled(Array.from({ length: 4 }, () => comeBack({ rows, parking }, coming)));
  expect(came.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected", "rejected"]);
  for (const one of came) if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "validation_failed" });
  held.answer(coming.responses);
  expect(await answer).toEqual({ result: '{"roots":[]}' });
  await parking.close();
});

it("a process that was taken for gone cannot end a task that others were told has failed", async () => {
  const { clock, parking, rows, all } = place();
  const held = new HeldCall({ clock, capabilities: {} });
  let fail: (error: Error) => void = () => undefined;
  held.start(new Promise((_resolve, reject) => (fail = reject)));
  const { id } = await parking.keep(held, { kind: "task", ...hers });
  const row = await rows.get(id);
  expect(await rows.move(row!, { state: "lost" })).toBe(true);
  fail(new Error("late"));
  await expect.poll(() => parking.size).toBe(0);
  expect(await all()).toMatchObject([{ state: "lost", outcome: null }]);
  await parking.close();
});

it("of one caller no more wait than may, also when many begin at once; a place is free again when a row could not be written", async () => {
  const { clock, parking, rows, all } = place();
  const keep = () => parking.keep(new HeldCall({ clock, capabilities: {} }), { kind: "call", ...hers });
  const kept = await Promise.allSettled(Array.from({ length: 10 }, keep));
  expect(kept.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
  for (const one of kept) if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "overloaded" });
  expect([parking.size, (await all()).length]).toEqual([2, 2]);
  for (const { id } of await all()) await parking.forget(id);
  const insert = rows.insert.bind(rows);
  rows.insert = () => Promise.reject(new Error("away"));
  for (let i = 0; i < 3; i++) await expect(keep()).rejects.toMatchObject({ code: "internal" });
  rows.insert = insert;
  await keep();
  expect(parking.size).toBe(1);
  await parking.close();
});
