import { afterEach, describe, expect, it } from "vitest";
import type { Caller, ModelEvent, RunEvent, StoredRunEvent } from "../calls/index.js";
import { runStep, type RunRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { memoryBus, memoryCache, memoryCounters } from "../memory/index.js";
import type { ModelCaller } from "../seams/index.js";
import type { FakeClock } from "../testing/fake-clock.js";
import {
  collect,
  processOn,
  scriptedModels,
  scriptedTools,
  type Process,
  type ProcessOptions,
  type Said,
} from "../../test/scripted-seams.js";
import { gate, sharedPorts, storeKinds, type SharedPorts } from "../../test/shared-ports.js";
import type { RunEngine } from "./run-engine.js";
import type { Run } from "./run.js";
import { Redactor } from "../secrets/redactor.js";

const ada: Caller = { kind: "key", id: "key_ada", name: "Ada", projects: ["default"], grants: ["models:*", "mcp:*"] };
const within = (clock: FakeClock) => ({ deadlineMs: clock.now() + 1000 });

const open: { engine: RunEngine; clock: FakeClock }[] = [];
afterEach(async () => {
  for (const { engine, clock } of open.splice(0)) {
    const closing = engine.close({ graceMs: 0 });
    await clock.advance(1000);
    await closing;
  }
});
function processOf(on: SharedPorts, o: ProcessOptions): Process {
  const made = processOn(on, o);
  open.push({ engine: made.engine, clock: on.clock });
  return made;
}
async function* inPieces(pieces: readonly string[]): AsyncGenerator<ModelEvent> {
  const at = { index: 0, block: 0 };
  yield { type: "start", id: "answer", model: "m", createdAtMs: 0 };
  yield { type: "text-start", ...at };
  for (const text of pieces) yield { type: "text-delta", ...at, text };
  yield { type: "text-end", ...at };
  yield { type: "finish", index: 0, reason: "stop" };
}
const typesOf = (events: readonly RunEvent[]) => events.map(({ type }) => type);
async function journalOf(on: SharedPorts, id: string) {
  const entries = await on.store.read(runStep, id, { afterSeq: 0, limit: 1000 }, { system: "a test looks" }, within(on.clock));
  return entries.map(({ entry }) => `${entry.step} ${entry.kind}`);
}
/** What a handle gives, or the error it rejects with. */
const settled = (handle: PromiseLike<unknown>) => Promise.resolve(handle).then(null, (error: unknown) => error);

describe.each(storeKinds)("with %s", (kind) => {
  const shared = () => sharedPorts(kind);

  describe("a run", () => {
    it("asks the model and keeps what it says: awaited, as events and as a row", async () => {
      const on = await shared();
      const models = scriptedModels([[{ think: "hm" }, "Hello", " you"]]);
      const { engine, changes } = processOf(on, { models });
      const run = engine.run({ model: "demo/x", input: "Hi" }, ada);
      expect(run.id).toMatch(/^run_/);
      const result = await run;
      const usage = { inputTokens: 10, outputTokens: 3 };
      expect(result).toEqual({ id: run.id, status: "succeeded", text: "Hello you", output: "Hello you", usage, steps: 1 });
      expect(await run.text).toBe("Hello you");

      const events = await collect(run);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
      expect(typesOf(events)).toEqual(["run.started", "step.started", "reasoning.delta", "text.delta", "step.finished", "run.succeeded"]);
      expect(events[3]).toMatchObject({ step: 1, text: "Hello you" });
      expect(events[5]).toMatchObject({ text: "Hello you", output: "Hello you", usage, steps: 1 });

      const row = await engine.get(run.id, ada);
      expect(row).toMatchObject({
        status: "succeeded",
        text: "Hello you",
        steps: 1,
        attempt: 1,
        holder: "node_1",
        model: "demo/x",
        error: null,
      });
      expect(row?.startedAtMs).not.toBeNull();
      expect(row?.finishedAtMs).not.toBeNull();
      expect(changes).toEqual(["queued", "running", "succeeded"]);

      const { call, options } = models.calls[0]!;
      expect(call).toEqual({ model: "demo/x", messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }] });
      expect(options).toMatchObject({ caller: ada, requestId: run.id, runId: run.id, depth: 1, deadlineMs: on.clock.now() + 3_600_000 });
      expect(models.ends).toEqual(["sent"]);
    });

    it("takes messages, and a message that says its one text directly", async () => {
      const on = await shared();
      const models = scriptedModels([["ok"]]);
      const { engine } = processOf(on, { models });
      const image = { type: "media", mediaType: "image/png", source: { kind: "url", url: "https://example.com/a.png" } } as const;
      await engine.run(
        {
          model: "m",
          input: [
            { role: "system", content: "Be brief." },
            { role: "user", content: [image] },
          ],
        },
        ada,
      );
      expect(models.calls[0]!.call.messages).toEqual([
        { role: "system", content: [{ type: "text", text: "Be brief." }] },
        { role: "user", content: [image] },
      ]);
    });

    it("has no events after the terminal one, and its readers do not wait for any", async () => {
      const on = await shared();
      const middle = gate();
      const { engine } = processOf(on, { models: scriptedModels([["Hello", { wait: middle.passed }]]) });
      const run = engine.run({ model: "m", input: "Hi" }, ada);
      const tooFar = collect(run.events({ after: 999 }));
      await on.clock.advance(100);
      middle.open();
      await run;
      const last = (await collect(run)).at(-1)!;
      expect(last.type).toBe("run.succeeded");
      expect(await collect(run.events({ after: last.seq }))).toEqual([]);
      expect(await collect(run.events({ after: last.seq + 994 }))).toEqual([]);
      expect(await collect(run.events({ after: last.seq - 1 }))).toEqual([last]);
      await on.clock.advance(3000);
      expect(await tooFar).toEqual([]);
    });

    it("tells readers whose process is closing so, and ends quietly for those that leave", async () => {
      const on = await shared();
      const middle = gate();
      const { engine } = processOf(on, { models: scriptedModels([["Hello", { wait: middle.passed }]]) });
      const run = engine.run({ model: "m", input: "Hi" }, ada);
      const [closing, leaving] = [new AbortController(), new AbortController()];
      const readers = [closing, leaving].map(({ signal }) => settled(collect(run.events({ signal }))));
      await on.clock.advance(100);
      closing.abort(new GatewayError("shutting_down", "The gateway is closing."));
      leaving.abort(new GatewayError("cancelled", "The reader went away."));
      expect(await readers[0]).toMatchObject({ code: "shutting_down" });
      expect(typesOf((await readers[1]) as RunEvent[])).toEqual(["run.started", "step.started", "text.delta"]);
      middle.open();
      await run;
    });

    it("makes the tool calls that the model asks for, and goes on until an answer asks for none", async () => {
      const on = await shared();
      const models = scriptedModels([
        [{ think: "look" }, "Looking. ", { tool: "files__read", args: '{"path":"a.txt"}', id: "c1" }],
        [{ tool: "files__read", args: "", id: "c1" }],
        ["It says A."],
      ]);
      const tools = scriptedTools({ files__read: (args) => `read ${JSON.stringify(args)}`, files__write: () => "", mail__send: () => "" });
      const { engine } = processOf(on, { models, tools });
      const run = engine.run({ model: "m", input: "What is in a.txt?", tools: ["files__r*", "mail__*"] }, ada);
      expect((await run).text).toBe("It says A.");
      expect((await run).usage).toEqual({ inputTokens: 30, outputTokens: 5 });
      expect(models.calls[0]!.call.tools).toEqual([
        { name: "files__read", description: "does read", inputSchema: { type: "object" } },
        { name: "mail__send", description: "does send", inputSchema: { type: "object" } },
      ]);
      expect(models.calls[1]!.call.messages.slice(1)).toEqual([
        {
          role: "assistant",
          content: [
            { type: "reasoning", text: "look", opaque: "sealed" },
            { type: "text", text: "Looking. " },
            { type: "tool-call", id: "c1", name: "files__read", arguments: '{"path":"a.txt"}' },
          ],
        },
        { role: "tool", content: [{ type: "tool-result", callId: "c1", content: [{ type: "text", text: 'read {"path":"a.txt"}' }] }] },
      ]);
      expect(models.calls[2]!.call.messages).toHaveLength(5);
      // Each call has a key of its own, though the model gave both one id.
      expect(tools.calls.map(({ arguments: args, idempotencyKey }) => [args, idempotencyKey])).toEqual([
        ['{"path":"a.txt"}', `${run.id}:1:c1`],
        ["{}", `${run.id}:2:c1`],
      ]);
      expect(await journalOf(on, run.id)).toEqual(
        [
          "1 model.begun",
          "1 model.done",
          "1 tool.begun",
          "1 tool.done",
          "2 model.begun",
          "2 model.done",
          "2 tool.begun",
          "2 tool.done",
        ].concat(["3 model.begun", "3 model.done"]),
      );
      const told = (await collect(run)).filter(({ type }) => type.startsWith("tool."));
      expect(told.slice(0, 2)).toMatchObject([
        { type: "tool.started", step: 1, callId: "c1", name: "files__read", arguments: '{"path":"a.txt"}' },
        { type: "tool.finished", step: 1, callId: "c1", name: "files__read", isError: false, text: 'read {"path":"a.txt"}' },
      ]);
    });

    it("makes the calls of one answer at the same time, up to the cap, and gives the results in the order of the calls", async () => {
      const on = await shared();
      const running = { now: 0, most: 0 };
      const gates = [gate(), gate(), gate()];
      const models = scriptedModels([[0, 1, 2].map((n) => ({ tool: "s__t", args: `{"n":${n}}`, id: `c${n}` })), ["done"]]);
      const tools = scriptedTools({
        s__t: async (args) => {
          const { n } = args as { n: number };
          running.most = Math.max(running.most, ++running.now);
          await gates[n]!.passed;
          running.now--;
          return `result ${n}`;
        },
      });
      const { engine } = processOf(on, { models, tools, maxParallelTools: 2 });
      const run = engine.run({ model: "m", input: "go", tools: ["*"] }, ada);
      await on.clock.advance(0);
      expect(tools.calls).toHaveLength(2);
      gates[1]!.open();
      await on.clock.advance(0);
      expect(tools.calls).toHaveLength(3);
      gates[2]!.open();
      gates[0]!.open();
      await run;
      expect(running.most).toBe(2);
      const results = models.calls[1]!.call.messages.at(-1)!;
      expect(results.role === "tool" && results.content.map(({ callId, content }) => [callId, content])).toEqual(
        [0, 1, 2].map((n) => [`c${n}`, [{ type: "text", text: `result ${n}` }]]),
      );
    });

    it("tells the model what it did wrong instead of making the call", async () => {
      const on = await shared();
      const wrong: [Said & object, RegExp][] = [
        [{ tool: "s__t", args: '{"broken', id: "c0" }, /not valid JSON/],
        [{ tool: "s__t", args: "[1]", id: "c1" }, /not a JSON object/],
        [{ tool: "s__t", args: '"x"', id: "c2" }, /not a JSON object/],
        [{ tool: "no__such", id: "c3" }, /no tool named "no__such".*s__t/],
        [{ tool: "secret__tool", id: "c4" }, /no tool named "secret__tool"/],
      ];
      const models = scriptedModels([wrong.map(([said]) => said), ["sorry"]]);
      const tools = scriptedTools({ s__t: () => "called", secret__tool: () => "called" });
      const { engine, errors } = processOf(on, { models, tools });
      const run = engine.run({ model: "m", input: "go", tools: ["s__*"] }, ada);
      expect((await run).text).toBe("sorry");
      expect(tools.calls).toEqual([]);
      const results = models.calls[1]!.call.messages.at(-1)!;
      if (results.role !== "tool") throw new Error("the last message has no results");
      wrong.forEach(([, text], i) => {
        expect(results.content[i]).toMatchObject({ callId: `c${i}`, isError: true });
        expect((results.content[i]!.content[0] as { text: string }).text).toMatch(text);
      });
      expect(errors).toEqual([]);
    });

    it("tells the model that a call failed, and whether that is certain", async () => {
      const on = await shared();
      const models = scriptedModels([[{ tool: "s__forbidden" }, { tool: "s__slow" }, { tool: "s__says" }], ["I see."]]);
      const tools = {
        ...scriptedTools({
          s__forbidden: () => Promise.reject(new GatewayError("forbidden", "Not this one.")),
          s__slow: () => Promise.reject(new GatewayError("upstream_timeout", "No answer.")),
          s__says: () => "no",
        }),
      };
      const call = tools.call.bind(tools);
      tools.call = async (asked, options) =>
        asked.name === "s__says" ? { isError: true, raw: { content: [{ type: "text", text: "it says no" }] } } : call(asked, options);
      const { engine } = processOf(on, { models, tools });
      await engine.run({ model: "m", input: "go", tools: ["*"] }, ada);
      const results = models.calls[1]!.call.messages.at(-1)!;
      expect(results.role === "tool" && results.content.map(({ isError, content }) => [isError, content])).toEqual([
        [true, [{ type: "text", text: "The call failed (forbidden): Not this one." }]],
        [true, [{ type: "text", text: "The call failed (upstream_timeout): No answer. Whether it was done is not known." }]],
        [true, [{ type: "text", text: "it says no" }]],
      ]);
    });

    it("fails, naming the step, when nobody knows whether a call was done; what else was under way is written down", async () => {
      const on = await shared();
      const other = gate();
      const models = scriptedModels([
        [
          { tool: "s__breaks", id: "a" },
          { tool: "s__other", id: "b" },
        ],
      ]);
      const tools = scriptedTools({
        s__breaks: () => Promise.reject(new GatewayError("outcome_unknown", "The connection broke after the call was sent.")),
        s__other: () => other.passed.then(() => "done"),
      });
      const { engine } = processOf(on, { models, tools });
      const run = engine.run({ model: "m", input: "go", tools: ["*"] }, ada);
      await on.clock.advance(0);
      other.open();
      const error = await settled(run);
      expect(error).toMatchObject({
        code: "outcome_unknown",
        message: expect.stringMatching(/Step 1.*s__breaks/),
        details: { runId: run.id, step: 1 },
      });
      expect(await journalOf(on, run.id)).toEqual(["1 model.begun", "1 model.done", "1 tool.begun", "1 tool.begun", "1 tool.done"]);
      expect((await collect(run)).at(-1)).toMatchObject({ type: "run.failed", code: "outcome_unknown", step: 1 });
    });

    it("makes a call once that the answer holds twice, and two calls that share an id as two", async () => {
      const on = await shared();
      const models = scriptedModels([
        [
          { tool: "s__t", args: '{"n":1}', id: "x" },
          { tool: "s__t", args: '{"n":1}', id: "x" },
          { tool: "s__t", args: '{"n":2}', id: "x" },
          { tool: "s__t", args: '{"n":3}', id: "" },
        ],
        ["done"],
      ]);
      const tools = scriptedTools({ s__t: (args) => (args as { n: number }).n });
      const { engine } = processOf(on, { models, tools });
      await engine.run({ model: "m", input: "go", tools: ["*"] }, ada);
      expect(tools.calls.map((call) => call.arguments)).toEqual(['{"n":1}', '{"n":2}', '{"n":3}']);
      expect(new Set(tools.calls.map((call) => call.idempotencyKey)).size).toBe(3);
      const [asked, results] = models.calls[1]!.call.messages.slice(-2);
      const ids = asked!.role === "assistant" ? asked!.content.flatMap((part) => (part.type === "tool-call" ? [part.id] : [])) : [];
      expect(ids).toHaveLength(3);
      expect(new Set(ids).size).toBe(3);
      expect(results!.role === "tool" && results!.content.map(({ callId }) => callId)).toEqual(ids);
    });

    it("makes 128 of a thousand calls and refuses the rest, and cuts off what is too long for a model", async () => {
      const on = await shared();
      const models = scriptedModels([Array.from({ length: 1000 }, (_, i) => ({ tool: "s__t", id: `c${i}` })), ["done"]]);
      const tools = scriptedTools({ s__t: () => "x".repeat(300_000) });
      const { engine } = processOf(on, { models, tools });
      const run = engine.run({ model: "m", input: "go", tools: ["*"] }, ada);
      await run;
      expect(tools.calls).toHaveLength(128);
      const results = models.calls[1]!.call.messages.at(-1)!;
      if (results.role !== "tool") throw new Error("the last message has no results");
      expect(results.content).toHaveLength(1000);
      expect((results.content[0]!.content[0] as { text: string }).text).toMatch(/^x{262144}\n\[cut off: 300000 characters in all\]$/);
      expect((results.content[999]!.content[0] as { text: string }).text).toMatch(/at most 128/);
      const event = (await collect(run)).find(({ type }) => type === "tool.finished") as { text: string };
      expect(event.text).toHaveLength(32_768);
    });
  });

  describe("text that is no text", () => {
    const half = "\ud800";

    it("of a caller is refused, naming the field", async () => {
      const on = await shared();
      const { engine } = processOf(on, { models: scriptedModels([]) });
      const good = { model: "m", input: "go" };
      const refused: [object, string][] = [
        [{ input: `${half} x` }, "input"],
        [{ input: [{ role: "user", content: [{ type: "text", text: half }] }] }, "input"],
        [{ input: [{ role: "user", content: "x", [half]: 1 }] }, "input"],
        [{ model: half }, "model"],
        [{ tools: ["*", half] }, "tools"],
        [{ idempotencyKey: half }, "idempotencyKey"],
      ];
      for (const [wrong, field] of refused)
        expect(await settled(engine.run({ ...good, ...wrong }, ada))).toMatchObject({
          code: "validation_failed",
          message: expect.stringContaining("surrogate"),
          details: { field },
        });
      expect((await engine.list(ada, { limit: 10 })).rows).toEqual([]);
    });

    it("of a model or a tool is made text, in all that is kept and sent", async () => {
      const on = await shared();
      const models = scriptedModels([
        [{ think: half }, `a${half}`, { tool: "s__t", args: `{"q":"${half}"}`, id: half }, { tool: "s__t", args: `{"n":2}`, id: "c2" }],
        ["\ud83d", "\ude00", `${half}b\ud83d`],
      ]);
      const tools = scriptedTools({
        s__t: (args) => {
          if ((args as { n?: number }).n === 2) throw new GatewayError("upstream_rejected", `no ${half}`);
          return `it says ${half}`;
        },
      });
      const { engine } = processOf(on, { models, tools });
      const run = engine.run({ model: "m", input: "go", tools: ["*"] }, ada);
      const { text } = await run;
      const events = await collect(run);
      const all = JSON.stringify([events, await engine.get(run.id, ada), models.calls.map(({ call }) => call), tools.calls]);
      expect(all).not.toMatch(/\\ud[89a-f]/);
      expect(text).toMatch(/\ufffdb\ufffd$/);
      const told = events.filter((event) => event.type === "text.delta" && event.step === 2);
      expect(told.map((event) => event.type === "text.delta" && event.text).join("")).toBe(text);
      const results = events.flatMap((event) => (event.type === "tool.finished" ? [event.text] : []));
      expect(results.sort()).toEqual(["The call failed (upstream_rejected): no \ufffd", "it says \ufffd"]);
    });

    it("that a vendor cuts within a character arrives whole", async () => {
      const on = await shared();
      const pieces = ["\ud83d", "\ude00!", "\ud83d", "x"];
      const models: ModelCaller = {
        ...scriptedModels([]),
        call: () =>
          Promise.resolve({ status: 200, headers: [], body: { kind: "events" as const, events: inPieces(pieces) }, done: () => undefined }),
      };
      const run = processOf(on, { models }).engine.run({ model: "m", input: "go" }, ada);
      expect((await run).text).toBe("\u{1f600}!\ufffdx");
      const told = (await collect(run)).map((event) => (event.type === "text.delta" ? event.text : ""));
      expect(told.join("")).toBe("\u{1f600}!\ufffdx");
    });
  });

  describe("a store that will never take what a run writes", () => {
    const refusing = (on: SharedPorts, hidden: string): SharedPorts => {
      const store = new Proxy(on.store, {
        get(target, verb) {
          const method = Reflect.get(target, verb) as (...args: unknown[]) => unknown;
          return (...args: unknown[]) => {
            if (verb === "commit" && JSON.stringify(args[0]).includes(hidden))
              return Promise.reject(new GatewayError("payload_too_large", "The entry is too large for this database."));
            return method.apply(target, args);
          };
        },
      });
      return { ...on, store };
    };

    it.each(["delta", "end"])("ends it as failed at once: the %s", async (what) => {
      const on = await shared();
      const models = scriptedModels([["fine so far, but ", "unstorable"]]);
      const { engine, lines } = processOf(refusing(on, what === "delta" ? "unstorable" : '"status":"succeeded"'), { models });
      const run = engine.run({ model: "m", input: "go" }, ada);
      expect(await settled(run)).toMatchObject({ code: "payload_too_large" });
      expect(await engine.get(run.id, ada)).toMatchObject({ status: "failed", attempt: 1, error: { code: "payload_too_large", step: 1 } });
      expect((await collect(run)).at(-1)).toMatchObject({ type: "run.failed", code: "payload_too_large" });
      expect(models.calls).toHaveLength(1);
      expect(lines.join()).not.toContain("left to whichever process");
    });

    it("also when it is cancelled meanwhile", async () => {
      const on = await shared();
      const models = scriptedModels([["unstorable", { wait: new Promise(() => undefined) }]]);
      const { engine } = processOf(refusing(on, "unstorable"), { models });
      const run = engine.run({ model: "m", input: "go" }, ada);
      await run.cancel("enough");
      await on.clock.advance(100);
      expect(["failed", "cancelled"]).toContain((await engine.get(run.id, ada))?.status);
    });
  });

  describe("limits", () => {
    it("ends a model that never stops at its limit of steps, without making calls whose results nobody would read", async () => {
      const on = await shared();
      const models = scriptedModels(() => [{ tool: "s__t" }]);
      const tools = scriptedTools({ s__t: () => "again" });
      const { engine } = processOf(on, { models, tools });
      const run = engine.run({ model: "m", input: "go", tools: ["*"], maxSteps: 3 }, ada);
      expect(await settled(run)).toMatchObject({ code: "limit_reached", details: { step: 3 } });
      expect(models.calls).toHaveLength(3);
      expect(tools.calls).toHaveLength(2);
      expect(await engine.get(run.id, ada)).toMatchObject({ status: "failed", steps: 3, usage: { inputTokens: 30 } });
    });

    it("ends a run at its time limit, aborts what it waits for, and keeps what it said", async () => {
      const on = await shared();
      const models = scriptedModels([["So far", { wait: new Promise(() => undefined) }]]);
      const { engine } = processOf(on, { models });
      const run = engine.run({ model: "m", input: "go", timeoutMs: 5000 }, ada);
      await on.clock.advance(4999);
      expect((await engine.get(run.id, ada))?.status).toBe("running");
      await on.clock.advance(1);
      expect(await settled(run)).toMatchObject({ code: "limit_reached", message: expect.stringContaining("5000 ms") });
      expect(await engine.get(run.id, ada)).toMatchObject({ status: "failed", text: "So far", error: { step: 1 } });
      expect(models.ends).toEqual(["left"]);
    });
  });

  describe("answers that are no good", () => {
    it("fails with the error of the call, naming the step", async () => {
      const on = await shared();
      const { engine } = processOf(on, { models: scriptedModels([[{ fail: new GatewayError("model_not_found", "No such model.") }]]) });
      const run = engine.run({ model: "nobody/knows", input: "go" }, ada);
      const error = await settled(run);
      expect(GatewayError.is(error, "model_not_found")).toBe(true);
      expect(error).toMatchObject({ message: "No such model.", details: { runId: run.id, step: 1 } });
      expect((await collect(run)).at(-1)).toMatchObject({ type: "run.failed", code: "model_not_found", step: 1 });
      await expect(run.text).rejects.toMatchObject({ code: "model_not_found" });
    });

    it("asks again when an answer broke off: what it had said is void, what it cost is not", async () => {
      const on = await shared();
      const broken = { fail: new GatewayError("upstream_interrupted", "It broke off.") };
      const models = scriptedModels([
        ["Half a sen", { tool: "s__t" }, broken],
        ["Half ag", { finish: "interrupted" }],
        ["A whole sentence."],
      ]);
      const tools = scriptedTools({ s__t: () => "must not be called" });
      const { engine } = processOf(on, { models, tools });
      const run = engine.run({ model: "m", input: "go", tools: ["*"] }, ada);
      await on.clock.advance(5000);
      expect((await run).text).toBe("A whole sentence.");
      expect((await run).usage).toEqual({ inputTokens: 20, outputTokens: 3 });
      const types = typesOf(await collect(run)).filter((type) => type === "step.started" || type === "step.finished");
      expect(types).toEqual(["step.started", "step.started", "step.started", "step.finished"]);
      expect(tools.calls).toEqual([]);
      expect(models.ends).toEqual(["failed", "sent", "sent"]);
    });

    it("gives up after three answers that broke off, and keeps what the last one said", async () => {
      const on = await shared();
      const models = scriptedModels((_, n) => [`try ${n}`, { fail: new GatewayError("upstream_interrupted", "It broke off.") }]);
      const { engine } = processOf(on, { models });
      const run = engine.run({ model: "m", input: "go" }, ada);
      await on.clock.advance(5000);
      expect(await settled(run)).toMatchObject({ code: "upstream_interrupted" });
      expect(models.calls).toHaveLength(3);
      expect(await engine.get(run.id, ada)).toMatchObject({ text: "try 3" });
    });

    it("says why an answer is none", async () => {
      const cases: [Said[], string][] = [
        [["...", { finish: "content-filter" }], "content_blocked"],
        [[{ finish: "context-overflow" }], "upstream_rejected"],
        [[{ finish: "malformed-tool" }], "upstream_protocol"],
        [[{ finish: "tool-calls" }], "upstream_protocol"],
        [[{ tool: "s__t", cutOff: true }, { finish: "length" }], "limit_reached"],
      ];
      for (const [turn, code] of cases) {
        const { engine } = processOf(await shared(), { models: scriptedModels([turn]), tools: scriptedTools({ s__t: () => "" }) });
        expect(await settled(engine.run({ model: "m", input: "go", tools: ["*"] }, ada)), code).toMatchObject({ code });
      }
    });

    it("goes on after a pause, and takes an answer that reached its length as it is", async () => {
      const on = await shared();
      const models = scriptedModels([
        ["First, ", { finish: "paused" }],
        ["then", { finish: "length" }],
      ]);
      const { engine } = processOf(on, { models });
      expect(await engine.run({ model: "m", input: "go" }, ada)).toMatchObject({ text: "then", steps: 2 });
      expect(models.calls[1]!.call.messages.at(-1)).toEqual({ role: "assistant", content: [{ type: "text", text: "First, " }] });
    });

    it("reports a defect without showing it", async () => {
      const on = await shared();
      const models = scriptedModels([]);
      models.call = () => Promise.reject(new TypeError("the password is hunter2"));
      const { engine, errors } = processOf(on, { models });
      const run = engine.run({ model: "m", input: "go" }, ada);
      expect(await settled(run)).toMatchObject({ code: "internal", message: expect.not.stringContaining("hunter2") });
      expect(errors).toEqual([expect.any(TypeError)]);
    });
  });

  describe("requests", () => {
    it("refuses what is no run, naming the field, through the handle", async () => {
      const on = await shared();
      const { engine } = processOf(on, { models: scriptedModels([]) });
      const refused: [object, string][] = [
        [{ input: "x" }, "model"],
        [{ model: "m", input: "" }, "input"],
        [{ model: "m", input: [] }, "input"],
        [{ model: "m", input: [{ role: "robot", content: "x" }] }, "input[0].role"],
        [{ model: "m", input: [{ role: "user", content: [{ type: "tool-call" }] }] }, "input[0].content[0].type"],
        [{ model: "m", input: [{ role: "user", content: [{ type: "text" }] }] }, "input[0].content[0].text"],
        [{ model: "m", input: [{ role: "user" }] }, "input[0].content"],
        [{ model: "m", input: "x", tools: "files__*" }, "tools"],
        [{ model: "m", input: "x", maxSteps: 0 }, "maxSteps"],
        [{ model: "m", input: "x", timeoutMs: 1.5 }, "timeoutMs"],
        [{ model: "m", input: "x", idempotencyKey: "" }, "idempotencyKey"],
      ];
      for (const [request, field] of refused) {
        const run = engine.run(request as { model: string; input: string }, ada);
        expect(await settled(run), field).toMatchObject({ code: "validation_failed", message: expect.stringContaining(`${field}:`) });
        await expect(collect(run)).rejects.toMatchObject({ code: "validation_failed" });
        await expect(engine.start(request as { model: string; input: string }, ada)).rejects.toMatchObject({ code: "validation_failed" });
      }
      expect((await engine.list(ada, { limit: 10 })).rows).toEqual([]);
    });

    it("refuses a field that a run does not have, and says which one was meant", async () => {
      const on = await shared();
      const { engine } = processOf(on, { models: scriptedModels([]) });
      const start = (more: object) => settled(engine.run({ model: "m", input: "x", ...more }, ada));
      expect(await start({ max_steps: 2 })).toMatchObject({
        code: "validation_failed",
        hint: 'Did you mean "maxSteps"?',
        details: { field: "max_steps" },
      });
      expect(await start({ foo: 1 })).toMatchObject({ code: "validation_failed", hint: expect.stringContaining("Known are model, input") });
    });

    it("refuses tools that do not exist, instead of letting the model guess", async () => {
      const on = await shared();
      const { engine } = processOf(on, { models: scriptedModels([["ok"]]), tools: scriptedTools({ files__read: () => "" }) });
      const run = engine.run({ model: "m", input: "go", tools: ["files__*", "mail__*"] }, ada);
      expect(await settled(run)).toMatchObject({ code: "tool_not_found", message: expect.stringContaining('"mail__*"') });
      const none = processOf(await shared(), { models: scriptedModels([["ok"]]) }).engine;
      expect((await none.run({ model: "m", input: "go", tools: ["*"] }, ada)).text).toBe("ok");
    });

    it("gives one run for one idempotency key, to handles that know its id at once", async () => {
      const on = await shared();
      const models = scriptedModels(() => ["once"]);
      const [a, b] = [processOf(on, { models, nodeId: "a" }).engine, processOf(on, { models, nodeId: "b" }).engine];
      const request = { model: "m", input: "go", idempotencyKey: "k" };
      const runs = Array.from({ length: 64 }, (_, i) => (i % 2 ? a : b).run(request, ada));
      expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
      await on.clock.advance(300);
      expect(new Set((await Promise.all(runs)).map(({ text }) => text))).toEqual(new Set(["once"]));
      expect(models.calls).toHaveLength(1);
      expect(await settled(a.run({ ...request, input: "something else" }, ada))).toMatchObject({ code: "idempotency_key_reuse" });
      await expect(a.start({ ...request, maxSteps: 2 }, ada)).rejects.toMatchObject({ code: "idempotency_key_reuse" });
    });

    it("keeps the idempotency keys of two callers apart, in one project and in two", async () => {
      const on = await shared();
      const { engine } = processOf(on, { models: scriptedModels(() => ["ok"]) });
      const request = { model: "m", input: "go", idempotencyKey: "k" };
      const { id } = await engine.run(request, ada);
      for (const projects of [ada.projects, ["bobs"] as const]) {
        const bob: Caller = { ...ada, id: "key_bob", projects };
        const his = await engine.run({ ...request, input: "something else" }, bob);
        expect(his.id).not.toBe(id);
        expect((await engine.run({ ...request, input: "something else" }, bob)).id).toBe(his.id);
      }
      expect((await engine.run(request, ada)).id).toBe(id);
    });

    it("shows runs only to callers of their project, newest first", async () => {
      const on = await shared();
      const { engine } = processOf(on, { models: scriptedModels(() => ["ok"]) });
      const ids: string[] = [];
      for (let i = 0; i < 3; i++) {
        ids.push((await engine.run({ model: "m", input: "go" }, ada)).id);
        await on.clock.advance(1);
      }
      const bob: Caller = { ...ada, id: "key_bob", projects: ["bobs"] };
      expect((await engine.list(ada, { limit: 2, status: "succeeded" })).rows.map((row: RunRow) => row.id)).toEqual([ids[2], ids[1]]);
      expect((await engine.list(bob, { limit: 10 })).rows).toEqual([]);
      await expect(engine.list(ada, { limit: 0 })).rejects.toMatchObject({ code: "validation_failed" });
      expect(await engine.get(ids[0]!, bob)).toBeNull();
      await expect(engine.cancel(ids[0]!, { caller: bob, reason: "mine now" })).rejects.toMatchObject({ code: "not_found" });
      await expect(collect(engine.open(ids[0]!, bob))).rejects.toMatchObject({ code: "not_found" });
      expect(await settled(engine.open("run_none", ada))).toMatchObject({ code: "not_found" });
    });

    it("waits in the store while the process is full, and begins when there is room, oldest first", async () => {
      const on = await shared();
      const gates = [gate(), gate()];
      const models = scriptedModels((_, n) => (gates[n - 1] === undefined ? ["ok"] : [{ wait: gates[n - 1]!.passed }, "ok"]));
      const { engine } = processOf(on, { models, concurrency: 2 });
      const runs: Run[] = [];
      for (const input of ["a", "b", "c", "d"]) {
        runs.push(engine.run({ model: "m", input }, ada));
        await on.clock.advance(1);
      }
      const statuses = async () => Promise.all(runs.map(async ({ id }) => (await engine.get(id, ada))?.status));
      expect(await statuses()).toEqual(["running", "running", "queued", "queued"]);
      gates[1]!.open();
      await on.clock.advance(0);
      expect(await statuses()).toEqual(["running", "succeeded", "succeeded", "succeeded"]);
      expect(models.calls.slice(2).map(({ call }) => call.messages[0]!.content)).toEqual([
        [{ type: "text", text: "c" }],
        [{ type: "text", text: "d" }],
      ]);
      gates[0]!.open();
      await runs[0];
    });
  });

  describe("cancelling", () => {
    it("aborts the model, keeps what it said, and ends with a typed event", async () => {
      const on = await shared();
      const models = scriptedModels([["Once upon", { wait: new Promise(() => undefined) }]]);
      const { engine, changes } = processOf(on, { models });
      const run = engine.run({ model: "m", input: "tell" }, ada);
      await on.clock.advance(100);
      const row = await run.cancel("enough");
      expect(row).toMatchObject({ status: "cancelled", text: "Once upon", cancelReason: "enough", cancelRequested: true });
      expect(models.calls[0]!.options.signal.aborted).toBe(true);
      expect(models.ends).toEqual(["left"]);
      const events = await collect(run);
      expect(events.at(-1)).toMatchObject({ type: "run.cancelled", reason: "enough", text: "Once upon" });
      expect(await settled(run)).toMatchObject({ code: "cancelled", message: "The run was cancelled: enough" });
      expect(await engine.cancel(run.id, { caller: ada, reason: "again" })).toMatchObject({ status: "cancelled", cancelReason: "enough" });
      expect(changes).toEqual(["queued", "running", "cancelled"]);
    });

    it("aborts a tool, also one that heeds no signal", async () => {
      for (const deaf of [false, true]) {
        const on = await shared();
        let signal: AbortSignal | undefined;
        const models = scriptedModels([["Calling.", { tool: "s__t" }]]);
        const tools = scriptedTools({
          s__t: (_, { options }) => {
            signal = options.signal;
            return new Promise((_resolve, reject) => {
              if (!deaf) options.signal.addEventListener("abort", () => reject(options.signal.reason as Error));
            });
          },
        });
        const { engine } = processOf(on, { models, tools });
        const run = engine.run({ model: "m", input: "go", tools: ["*"] }, ada);
        await on.clock.advance(0);
        expect(await run.cancel()).toMatchObject({ status: "cancelled", text: "Calling." });
        expect(signal?.aborted).toBe(true);
      }
    });

    it("does not wait for a server that is slow to say what tools it has", async () => {
      const on = await shared();
      const tools = { ...scriptedTools({}), list: () => new Promise<never>(() => undefined) };
      const { engine } = processOf(on, { models: scriptedModels([]), tools });
      const run = engine.run({ model: "m", input: "go", tools: ["*"] }, ada);
      await on.clock.advance(10);
      expect(await run.cancel()).toMatchObject({ status: "cancelled" });
    });

    it("reaches a run of another process: by the bus at once, without one within a poll", async () => {
      for (const bus of ["shared", "none"]) {
        const on = await shared();
        const models = scriptedModels([["On my", { wait: new Promise(() => undefined) }]]);
        const { engine } = processOf(on, { models, nodeId: "a" });
        const other = processOf(
          bus === "shared" ? on : { ...on, bus: memoryBus(), cache: memoryCache(), counters: memoryCounters(), redactor: new Redactor() },
          {
            models: scriptedModels([]),
            nodeId: "b",
          },
        ).engine;
        const run = engine.run({ model: "m", input: "go" }, ada);
        await on.clock.advance(100);
        const there = other.open(run.id, ada);
        expect(await there.cancel("from afar")).toMatchObject({ cancelRequested: true });
        await on.clock.advance(bus === "shared" ? 0 : 1300);
        expect(await engine.get(run.id, ada)).toMatchObject({ status: "cancelled", cancelReason: "from afar", text: "On my" });
        expect(models.ends).toEqual(["left"]);
      }
    });

    it("holds for a run that comes to its end before its process hears of it", async () => {
      const on = await shared();
      const middle = gate();
      const { engine, changes } = processOf(on, { models: scriptedModels([["So ", { wait: middle.passed }, "there."]]), nodeId: "a" });
      const other = processOf(
        { ...on, bus: memoryBus(), cache: memoryCache(), counters: memoryCounters(), redactor: new Redactor() },
        { models: scriptedModels([]), nodeId: "b" },
      ).engine;
      const run = engine.run({ model: "m", input: "go" }, ada);
      await on.clock.advance(10);
      await other.cancel(run.id, { caller: ada, reason: "stop" });
      middle.open();
      await on.clock.advance(0);
      expect(await engine.get(run.id, ada)).toMatchObject({ status: "cancelled", text: "So there.", cancelReason: "stop", steps: 1 });
      expect(typesOf(await collect(run)).slice(-2)).toEqual(["step.finished", "run.cancelled"]);
      expect(changes).toEqual(["queued", "running", "cancelled"]);
    });

    it("ends a run that has not begun", async () => {
      const on = await shared();
      const models = scriptedModels([[{ wait: new Promise(() => undefined) }]]);
      const { engine } = processOf(on, { models, concurrency: 1 });
      engine.run({ model: "m", input: "first" }, ada);
      await on.clock.advance(0);
      const run = engine.run({ model: "m", input: "second" }, ada);
      const reading = collect(run);
      await on.clock.advance(0);
      expect(await run.cancel("never mind")).toMatchObject({ status: "cancelled", attempt: 0 });
      // Told at once: no poll has passed.
      expect(await reading).toMatchObject([{ seq: 1, type: "run.cancelled", reason: "never mind", text: "", usage: {} }]);
    });

    it("has one end when it races the run's own, and a cancellation that was accepted wins", async () => {
      for (let turns = 0; turns < 30; turns++) {
        const on = await shared();
        const { engine, changes } = processOf(on, { models: scriptedModels([["done"]]) });
        const run = engine.run({ model: "m", input: "go" }, ada);
        for (let i = 0; i < turns; i++) await Promise.resolve();
        const told = await run.cancel("race");
        const row = (await engine.get(run.id, ada))!;
        expect(["cancelled", "succeeded"]).toContain(row.status);
        expect(row.status).toBe(told.status);
        const ends = (await collect(run)).filter(({ type }) => type === "run.cancelled" || type === "run.succeeded");
        expect(typesOf(ends)).toEqual([`run.${row.status}`]);
        expect(changes.filter((status) => status === "cancelled" || status === "succeeded")).toEqual([row.status]);
      }
    });
  });

  describe("readers", () => {
    it("see events while the run goes on, each in order and once, wherever they begin", async () => {
      const on = await shared();
      const middle = gate();
      const { engine } = processOf(on, { models: scriptedModels([["one ", { wait: middle.passed }, "two"]]) });
      const run = engine.run({ model: "m", input: "go" }, ada);
      const live: StoredRunEvent[] = [];
      const reading = (async () => {
        for await (const event of run) live.push(event);
      })();
      await on.clock.advance(60);
      expect(typesOf(live)).toEqual(["run.started", "step.started", "text.delta"]);
      const late = collect(run.events({ after: 2 }));
      middle.open();
      await reading;
      expect(await collect(run)).toEqual(live);
      expect(await late).toEqual(live.slice(2));
      expect(await collect(run.events({ after: live.length - 1 }))).toEqual(live.slice(-1));
    });

    it("may leave: the run goes on, and they come back", async () => {
      const on = await shared();
      const middle = gate();
      const { engine } = processOf(on, { models: scriptedModels([["one ", { wait: middle.passed }, "two"]]) });
      const run = engine.run({ model: "m", input: "go" }, ada);
      let last = 0;
      for await (const event of run) {
        last = event.seq;
        if (event.type === "step.started") break;
      }
      const leaving = new AbortController();
      const rest = collect(run.events({ after: last, signal: leaving.signal }));
      await on.clock.advance(60);
      leaving.abort();
      expect(typesOf(await rest)).toEqual(["text.delta"]);
      expect((await engine.get(run.id, ada))?.status).toBe("running");
      middle.open();
      expect((await run).text).toBe("one two");
      expect(typesOf(await collect(run.events({ after: last })))).toEqual(["text.delta", "text.delta", "step.finished", "run.succeeded"]);
    });

    it("see the same in another process: by the bus at once, without one within a quarter of a second", async () => {
      for (const bus of ["shared", "none"]) {
        const on = await shared();
        const middle = gate();
        const { engine } = processOf(on, { models: scriptedModels([["one ", { wait: middle.passed }, "two"]]) });
        const other = processOf(
          bus === "shared" ? on : { ...on, bus: memoryBus(), cache: memoryCache(), counters: memoryCounters(), redactor: new Redactor() },
          {
            models: scriptedModels([]),
            nodeId: "b",
          },
        ).engine;
        const run = engine.run({ model: "m", input: "go" }, ada);
        const step = bus === "shared" ? 0 : 250;
        await on.clock.advance(0);
        const there = other.open(run.id, ada);
        const seen: StoredRunEvent[] = [];
        const reading = (async () => {
          for await (const event of there) seen.push(event);
        })();
        const result = there.then(({ text }) => text);
        await on.clock.advance(step);
        expect(typesOf(seen)).toEqual(["run.started", "step.started", "text.delta"]);
        middle.open();
        await on.clock.advance(step);
        await reading;
        expect(seen).toEqual(await collect(run));
        expect(await result).toBe("one two");
      }
    });

    it("get the words of a fast model in few events, and the store in fewer writes", async () => {
      const on = await shared();
      let commits = 0;
      const commit = on.store.commit.bind(on.store);
      on.store.commit = (units, w) => (commits++, commit(units, w));
      const words = Array.from({ length: 5000 }, (_, i) => `word${i} `);
      const models = scriptedModels([]);
      models.call = () =>
        Promise.resolve({
          status: 200,
          headers: [],
          done: () => undefined,
          body: {
            kind: "events",
            events: (async function* () {
              yield { type: "start", id: "a", model: "m", createdAtMs: 0 } as const;
              yield { type: "text-start", index: 0, block: 0 } as const;
              for (const [i, text] of words.entries()) {
                if (i % 100 === 0) await on.clock.advance(10);
                yield { type: "text-delta", index: 0, block: 0, text } as const;
              }
              yield { type: "text-end", index: 0, block: 0 } as const;
              yield { type: "finish", index: 0, reason: "stop" } as const;
            })(),
          },
        });
      const { engine } = processOf(on, { models });
      const run = engine.run({ model: "m", input: "go" }, ada);
      expect((await run).text).toBe(words.join(""));
      const deltas = (await collect(run)).filter((event) => event.type === "text.delta");
      expect(deltas.map((event) => event.type === "text.delta" && event.text).join("")).toBe(words.join(""));
      // Half a second of the clock: ten writes of deltas, give or take, and a handful of others.
      expect(deltas.length).toBeLessThan(15);
      expect(commits).toBeLessThan(25);
    });
  });
});
