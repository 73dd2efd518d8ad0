import { afterEach, describe, expect, it } from "vitest";
import type { Caller, RunEvent } from "../calls/index.js";
import { run, runStep } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { memoryBus, memoryCache, memoryCounters } from "../memory/index.js";
import type { RecordStore } from "../ports/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import type { RunEngine } from "./run-engine.js";
import { collect, processOn, scriptedModels, scriptedTools, type Process, type ProcessOptions } from "../../test/scripted-seams.js";
import { gate, sharedPorts, storeKinds, wrapped, type SharedPorts } from "../../test/shared-ports.js";
import { Redactor } from "../secrets/redactor.js";

const ada: Caller = { kind: "key", id: "key_ada", name: "Ada", projects: ["default"], grants: ["models:*", "mcp:*"] };
const never = new Promise<never>(() => undefined);

const open: { engine: RunEngine; clock: FakeClock }[] = [];
afterEach(async () => {
  for (const { engine, clock } of open.splice(0)) {
    const closing = engine.close({ graceMs: 0 });
    await clock.advance(1000);
    await closing;
  }
});
/** A process that lives to the end of the test. */
function living(on: SharedPorts, o: ProcessOptions): Process {
  const made = processOn(on, { nodeId: "living", leaseMs: 3000, ...o });
  open.push({ engine: made.engine, clock: on.clock });
  return made;
}
/** A process whose clock stands still, as if it were stopped or its loop blocked: it renews nothing, until its own clock is moved. */
function frozen(on: SharedPorts, o: ProcessOptions): Process & { readonly clock: FakeClock } {
  const clock = new FakeClock(on.clock.now());
  return { ...processOn({ ...on, clock }, { nodeId: "frozen", leaseMs: 3000, ...o }), clock };
}
const journalOf = async (on: SharedPorts, id: string) =>
  (await on.store.read(runStep, id, { afterSeq: 0, limit: 1000 }, { system: "a test looks" }, { deadlineMs: on.clock.now() + 1000 })).map(
    ({ entry }) => `${entry.attempt}: ${entry.step} ${entry.kind}`,
  );
const typesOf = (events: readonly RunEvent[]) => events.map(({ type }) => type);
const settled = (handle: PromiseLike<unknown>) => Promise.resolve(handle).then(null, (error: unknown) => error);
/** Long enough for a lease to run out and a poll to find it. */
const LEASE_AND_POLL_MS = 3000 + 1300;

/** A store as seen by a process that dies at its nth write, before or after it is done: no call of it ever returns again. */
function diesAt(store: RecordStore, o: { readonly point: number; readonly moment: "before" | "after" }) {
  let writes = 0;
  let died = false;
  const dying = wrapped(store, async (verb, call) => {
    if (died) return never;
    const dies = (verb === "commit" || verb === "take") && ++writes === o.point;
    if (dies) died = true;
    if (dies && o.moment === "before") return never;
    const result = await call();
    return dies ? never : result;
  });
  return { store: dying, died: () => died };
}

describe.each(storeKinds)("with %s", (kind) => {
  const shared = () => sharedPorts(kind);

  describe("a run whose process died", () => {
    it("is carried on by another one: what was complete is not repeated, the step that was not is, and the dead write nothing more", async () => {
      const on = await shared();
      const effects: string[] = [];
      const tools = scriptedTools({ s__t: (_, { call }) => (effects.push(call.idempotencyKey ?? ""), "the result") });
      const dead = frozen(on, { models: scriptedModels([[{ tool: "s__t", id: "c" }], ["I was say", { wait: never }]]), tools });
      const run1 = dead.engine.run({ model: "m", input: "go", tools: ["s__t"] }, ada);
      await on.clock.advance(100);
      const models = scriptedModels([["I was saying: done."]]);
      const { engine } = living(on, { models, tools });
      engine.work();
      await on.clock.advance(LEASE_AND_POLL_MS);
      const result = await engine.open(run1.id, ada);
      expect(result).toMatchObject({ text: "I was saying: done.", steps: 2 });
      expect(effects).toEqual([`${run1.id}:1:c`]);
      expect(models.calls[0]!.call.messages.slice(1)).toEqual([
        { role: "assistant", content: [{ type: "tool-call", id: "c", name: "s__t", arguments: "{}" }] },
        { role: "tool", content: [{ type: "tool-result", callId: "c", content: [{ type: "text", text: "the result" }] }] },
      ]);
      expect(models.calls[0]!.options.caller).toEqual(ada);
      const row = await engine.get(run1.id, ada);
      expect(row).toMatchObject({ attempt: 2, holder: "living" });

      const before = await collect(engine.open(run1.id, ada));
      expect(before.map(({ seq }) => seq)).toEqual(before.map((_, i) => i + 1));
      expect(typesOf(before).slice(-6)).toEqual([
        "text.delta",
        "run.resumed",
        "step.started",
        "text.delta",
        "step.finished",
        "run.succeeded",
      ]);
      expect(before.find(({ type }) => type === "run.resumed")).toMatchObject({ attempt: 2, afterStep: 1 });

      // The dead one wakes up: it finds out, aborts what it was doing, and writes nothing.
      await dead.clock.advance(60_000);
      expect(dead.lines.some((line) => line.includes("left to whichever process"))).toBe(true);
      expect(await collect(engine.open(run1.id, ada))).toEqual(before);
      expect(await engine.get(run1.id, ada)).toEqual(row);
    });

    it("does not repeat a tool call that was begun and whose outcome nobody knows", async () => {
      const on = await shared();
      const effects: string[] = [];
      const ends = gate<string>();
      const dead = frozen(on, {
        models: scriptedModels([[{ tool: "s__pay", id: "c" }]]),
        tools: scriptedTools({ s__pay: () => (effects.push("paid"), ends.passed) }),
      });
      const { id } = dead.engine.run({ model: "m", input: "pay", tools: ["*"] }, ada);
      await on.clock.advance(100);
      const { engine } = living(on, {
        models: scriptedModels([]),
        tools: scriptedTools({ s__pay: () => (effects.push("paid again"), "") }),
      });
      engine.work();
      await on.clock.advance(LEASE_AND_POLL_MS);
      expect(await settled(engine.open(id, ada))).toMatchObject({
        code: "outcome_unknown",
        message: expect.stringMatching(/Step 1.*s__pay/),
        details: { runId: id, step: 1 },
      });
      expect(effects).toEqual(["paid"]);
      // The call comes back after all; its worker no longer holds the run.
      ends.open("ok");
      await dead.clock.advance(1);
      expect(await journalOf(on, id)).toEqual(["1: 1 model.begun", "1: 1 model.done", "1: 1 tool.begun"]);
    });

    it("is written no more by a process whose lease is over, even before anybody took it", async () => {
      const on = await shared();
      const ends = gate();
      const dead = frozen(on, { models: scriptedModels([["Too ", { wait: ends.passed }, "late."]]) });
      const { id } = dead.engine.run({ model: "m", input: "go" }, ada);
      await on.clock.advance(3001);
      expect(await journalOf(on, id)).toEqual(["1: 1 model.begun"]);
      ends.open();
      await on.clock.advance(0);
      // Its answer is not written; that the same process may take the run anew is another matter.
      expect((await journalOf(on, id)).filter((entry) => entry.startsWith("1:"))).toEqual(["1: 1 model.begun"]);
      expect(await dead.engine.get(id, ada)).toMatchObject({ attempt: 2 });
    });

    it("goes on with exactly one of the processes that see it", async () => {
      const on = await shared();
      const dead = frozen(on, { models: scriptedModels([[{ wait: never }]]) });
      const { id } = dead.engine.run({ model: "m", input: "go" }, ada);
      await on.clock.advance(10);
      const models = scriptedModels(() => ["done"]);
      const engines = ["a", "b", "c"].map((nodeId) => living(on, { models, nodeId }).engine);
      for (const engine of engines) engine.work();
      await on.clock.advance(LEASE_AND_POLL_MS);
      expect(models.calls).toHaveLength(1);
      expect(await engines[0]!.get(id, ada)).toMatchObject({ status: "succeeded", attempt: 2 });
      expect(typesOf(await collect(engines[1]!.open(id, ada))).filter((type) => type.startsWith("run."))).toEqual([
        "run.started",
        "run.resumed",
        "run.succeeded",
      ]);
    });

    it("is given up when it ends every process that takes it", async () => {
      const on = await shared();
      const { id } = frozen(on, { models: scriptedModels([[{ wait: never }]]) }).engine.run({ model: "m", input: "go" }, ada);
      for (let i = 0; i < 5; i++) {
        await on.clock.advance(LEASE_AND_POLL_MS);
        frozen(on, { models: scriptedModels([[{ wait: never }]]) }).engine.work();
        await on.clock.advance(10);
      }
      const { engine } = living(on, { models: scriptedModels([["never asked"]]) });
      expect(await settled(engine.open(id, ada))).toMatchObject({
        code: "limit_reached",
        message: expect.stringMatching(/5 processes in a row.*step 1/),
      });
    });

    it("keeps the time limit that it began with", async () => {
      const on = await shared();
      const dead = frozen(on, { models: scriptedModels([[{ wait: never }]]) });
      const { id } = dead.engine.run({ model: "m", input: "go", timeoutMs: 9000 }, ada);
      await on.clock.advance(10);
      const { engine } = living(on, { models: scriptedModels([["almost", { wait: never }]]) });
      engine.work();
      await on.clock.advance(8900);
      expect(await engine.get(id, ada)).toMatchObject({ status: "running", attempt: 2 });
      await on.clock.advance(200);
      expect(await engine.get(id, ada)).toMatchObject({ status: "failed", error: { code: "limit_reached" }, text: "almost" });
    });

    it("is cancelled by whoever asks, at once when nobody holds it, else by whoever takes it next", async () => {
      for (const when of ["held", "unheld"]) {
        const on = await shared();
        const dead = frozen(
          { ...on, bus: memoryBus(), cache: memoryCache(), counters: memoryCounters(), redactor: new Redactor() },
          { models: scriptedModels([["So far", { wait: never }]]) },
        );
        const { id } = dead.engine.run({ model: "m", input: "go" }, ada);
        await on.clock.advance(100);
        const models = scriptedModels([]);
        const { engine } = living(on, { models });
        if (when === "unheld") await on.clock.advance(3001);
        const told = await engine.open(id, ada).cancel("stop");
        expect(told.status).toBe(when === "unheld" ? "cancelled" : "running");
        if (when === "held") engine.work();
        await on.clock.advance(LEASE_AND_POLL_MS);
        expect(await engine.get(id, ada)).toMatchObject({ status: "cancelled", cancelReason: "stop" });
        expect((await collect(engine.open(id, ada))).at(-1)).toMatchObject({
          type: "run.cancelled",
          reason: "stop",
          ...(when === "unheld" ? { text: "So far" } : {}),
        });
        expect(models.calls).toEqual([]);
        await dead.clock.advance(60_000);
        expect(await engine.get(id, ada)).toMatchObject({ status: "cancelled" });
      }
    });

    it("fails, and does not go round for ever, when its journal does not make sense", async () => {
      const on = await shared();
      const dead = frozen(on, { models: scriptedModels([[{ wait: never }]]) });
      const { id } = dead.engine.run({ model: "m", input: "go" }, ada);
      await on.clock.advance(10);
      const entries = [{ projectId: "default", attempt: 1, step: 7, kind: "tool.done" as const, body: { callId: "x" } }];
      await on.store.commit([{ scope: { projects: ["default"] }, writes: [{ op: "append", log: runStep, stream: id, entries }] }], {
        deadlineMs: on.clock.now() + 1000,
      });
      const { engine } = living(on, { models: scriptedModels([]) });
      engine.work();
      await on.clock.advance(LEASE_AND_POLL_MS);
      expect(await settled(engine.open(id, ada))).toMatchObject({ code: "state_corrupt" });
    });
  });

  describe("a process that dies at any write", () => {
    const turns = [
      [
        { tool: "s__a", id: "1" },
        { tool: "s__b", id: "2" },
      ],
      ["Between. ", { tool: "s__a", id: "1" }],
      ["The end."],
    ];

    it.each(["before", "after"] as const)(
      "%s it: nothing accepted is lost, no call is made twice, the story has no gaps and one end",
      async (moment) => {
        let points = 0;
        for (let point = 1; ; point++) {
          const on = await shared();
          const effects = new Map<string, number>();
          const tools = scriptedTools(
            Object.fromEntries(
              ["s__a", "s__b"].map((name) => [
                name,
                (_: unknown, { call }: { call: { idempotencyKey?: string | undefined } }) => {
                  const key = call.idempotencyKey ?? "";
                  effects.set(key, (effects.get(key) ?? 0) + 1);
                  return `${name} done`;
                },
              ]),
            ),
          );
          const models = () => scriptedModels((call) => turns[call.messages.filter(({ role }) => role === "assistant").length]!);
          const { store, died } = diesAt(on.store, { point, moment });
          const dead = frozen({ ...on, store }, { models: models(), tools, maxParallelTools: 1 });
          const { id } = dead.engine.run({ model: "m", input: "go", tools: ["*"] }, ada);
          await on.clock.advance(500);
          const { engine } = living(on, { models: models(), tools });
          if ((await engine.get(id, ada)) === null) {
            // Not accepted: the caller was never told that it was.
            expect([point, moment]).toEqual([1, "before"]);
            continue;
          }
          engine.work();
          await on.clock.advance(LEASE_AND_POLL_MS + 5000);
          const row = (await engine.get(id, ada))!;
          const events = await collect(engine.open(id, ada));
          const journal = await journalOf(on, id);
          const story = JSON.stringify([moment, point, row.status, row.error, journal]);
          for (const [key, times] of effects) expect(times, `${key} ${story}`).toBe(1);
          expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
          expect(
            typesOf(events).filter((type) => /^run\.(succeeded|failed|cancelled)$/.test(type)),
            story,
          ).toHaveLength(1);
          if (row.status === "succeeded") {
            expect(row, story).toMatchObject({ text: "The end.", steps: 3 });
            expect(effects.size).toBe(3);
          } else {
            // Only where a call was written down as begun and not as done.
            expect(row.error?.code, story).toBe("outcome_unknown");
            expect(journal.filter((entry) => entry.endsWith("tool.begun")).length).toBe(
              journal.filter((entry) => entry.endsWith("tool.done")).length + 1,
            );
          }
          if (died()) points++;
          else break; // it came to the end without dying: every write has had its turn
        }
        expect(points).toBeGreaterThan(10);
      },
    );
  });

  describe("a store that fails", () => {
    it.each(["none", "unknown"] as const)("with outcome %s at any write: the story is told once and whole", async (outcome) => {
      for (let point = 1; point <= 12; point++) {
        const on = await shared();
        let count = 0;
        const store = wrapped(on.store, async (verb, call) => {
          const fails = verb === "commit" && ++count === point;
          const unavailable = new GatewayError("store_unavailable", "The connection broke.", { details: { outcome } });
          if (fails && outcome === "none") throw unavailable;
          const results = await call();
          if (fails) throw unavailable;
          return results;
        });
        const tools = scriptedTools({ s__t: () => "ok" });
        const models = scriptedModels([["Let me see. ", { tool: "s__t" }], ["Done."]]);
        const { engine, changes } = living({ ...on, store }, { models, tools });
        const run = engine.run({ model: "m", input: "go", tools: ["*"] }, ada);
        await on.clock.advance(3000);
        if (point === 1 && outcome === "none") {
          expect(await settled(run)).toMatchObject({ code: "store_unavailable" });
          continue;
        }
        expect(await run, String(point)).toMatchObject({ text: "Done." });
        expect(typesOf(await collect(run)), String(point)).toEqual([
          ...["run.started", "step.started", "text.delta", "step.finished", "tool.started", "tool.finished"],
          ...["step.started", "text.delta", "step.finished", "run.succeeded"],
        ]);
        expect(tools.calls).toHaveLength(1);
        expect(models.calls).toHaveLength(2);
        expect(changes).toEqual(["queued", "running", "succeeded"]);
      }
    });

    it("for longer than the lease: the process stops what it does, and the run goes on when the store is back", async () => {
      const on = await shared();
      let down = false;
      const store = wrapped(on.store, (verb, call) =>
        down && verb !== "get" ? Promise.reject(new GatewayError("store_unavailable", "down", { details: { outcome: "none" } })) : call(),
      );
      const models = scriptedModels((_, n) => (n === 1 ? ["Hello", { wait: never }] : ["Hello again"]));
      const { engine } = living({ ...on, store }, { models });
      const run = engine.run({ model: "m", input: "go" }, ada);
      await on.clock.advance(100);
      down = true;
      await on.clock.advance(5000);
      expect(models.calls[0]!.options.signal.reason).toMatchObject({ code: "lease_lost" });
      down = false;
      await on.clock.advance(1500);
      expect((await run).text).toBe("Hello again");
      expect(await engine.get(run.id, ada)).toMatchObject({ attempt: 2 });
    });
  });

  describe("closing", () => {
    it("begins no tool call any more: the next process makes it", async () => {
      const on = await shared();
      const middle = gate();
      const tools = scriptedTools({ s__t: () => "ok" });
      const leaving = processOn(on, { models: scriptedModels([[{ wait: middle.passed }, { tool: "s__t" }]]), tools, nodeId: "leaving" });
      const run = leaving.engine.run({ model: "m", input: "go", tools: ["*"] }, ada);
      await on.clock.advance(10);
      const closing = leaving.engine.close();
      middle.open();
      await on.clock.advance(0);
      await closing;
      expect(tools.calls).toEqual([]);
      const { engine } = living(on, { models: scriptedModels([["Done."]]), tools });
      engine.work();
      await on.clock.advance(0);
      expect((await engine.open(run.id, ada)).text).toBe("Done.");
      expect(tools.calls).toHaveLength(1);
    });

    it("ends also when the store went away in the middle of a write", async () => {
      const on = await shared();
      let down = false;
      const store = wrapped(on.store, (verb, call) =>
        down && verb !== "get" ? Promise.reject(new GatewayError("store_unavailable", "down", { details: { outcome: "none" } })) : call(),
      );
      const middle = gate();
      const { engine } = processOn({ ...on, store }, { models: scriptedModels([[{ wait: middle.passed }, "done"]]) });
      engine.run({ model: "m", input: "go" }, ada);
      await on.clock.advance(10);
      down = true;
      middle.open();
      await on.clock.advance(10);
      const closing = engine.close({ graceMs: 0 });
      await on.clock.advance(3000);
      await closing;
    });

    it("lets the step under way end, and gives the run back: another process goes on at once", async () => {
      const on = await shared();
      const ends = gate<string>();
      const leaving = processOn(on, {
        models: scriptedModels([["Calling. ", { tool: "s__t" }]]),
        tools: scriptedTools({ s__t: () => ends.passed }),
        nodeId: "leaving",
      });
      const run = leaving.engine.run({ model: "m", input: "go", tools: ["*"] }, ada);
      const waiting = settled(run);
      await on.clock.advance(10);
      const models = scriptedModels([["Done."]]);
      const { engine } = living(on, { models, tools: scriptedTools({ s__t: () => "not again" }) });
      engine.work();
      const closing = leaving.engine.close({ graceMs: 10_000 });
      await on.clock.advance(5000);
      ends.open("in time");
      await on.clock.advance(0);
      await closing;
      await on.clock.advance(50);
      expect(await engine.get(run.id, ada)).toMatchObject({ status: "succeeded", text: "Done.", attempt: 2, holder: "living" });
      expect(models.calls[0]!.call.messages.at(-1)).toMatchObject({ content: [{ content: [{ text: "in time" }] }] });
      // Whoever waited in the process that closed is told so, not left waiting.
      expect(await waiting).toMatchObject({ code: "shutting_down" });
      expect(await settled(leaving.engine.run({ model: "m", input: "go" }, ada))).toMatchObject({ code: "shutting_down" });
      expect(() => leaving.engine.work()).toThrow(expect.objectContaining({ code: "shutting_down" }));
    });

    it("stops a step that takes longer than the grace, and what it said is kept", async () => {
      const on = await shared();
      const models = scriptedModels([["A long sto", { wait: never }]]);
      const leaving = processOn(on, { models, nodeId: "leaving" });
      const run = leaving.engine.run({ model: "m", input: "go" }, ada);
      await on.clock.advance(100);
      const patient = leaving.engine.close({ graceMs: 3_600_000 });
      await on.clock.advance(10);
      const forced = leaving.engine.close({ graceMs: 0 });
      await on.clock.advance(0);
      await Promise.all([patient, forced]);
      expect(models.ends).toEqual(["left"]);
      const { engine } = living(on, { models: scriptedModels([["A short story."]]) });
      engine.work();
      await on.clock.advance(0);
      expect((await engine.open(run.id, ada)).text).toBe("A short story.");
      expect(typesOf(await collect(engine.open(run.id, ada)))).toEqual([
        ...["run.started", "step.started", "text.delta", "run.resumed", "step.started", "text.delta", "step.finished", "run.succeeded"],
      ]);
    });

    it("leaves no timer behind", async () => {
      const on = await shared();
      const { engine } = processOn(on, { models: scriptedModels([["ok"]]) });
      await engine.run({ model: "m", input: "go" }, ada);
      await engine.close();
      await on.clock.advance(3_600_000);
      expect(on.clock.pending).toBe(0);
      const row = await on.store.find(run, { orderBy: "id", limit: 1 }, { system: "a test looks" }, { deadlineMs: on.clock.now() + 1 });
      expect(row.rows).toHaveLength(1);
    });
  });
});
