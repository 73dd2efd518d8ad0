import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crypto } from "#platform";
import type { Answer, Caller, ModelAnswer, ModelEvent, ModelHead } from "../../calls/index.js";
import { fold, unfold } from "../../calls/index.js";
import { noRecords } from "../../config/records.js";
import { configSchema } from "../../config/schema.js";
import type { Snapshot } from "../../config/snapshot.js";
import { memoryCache } from "../../memory/index.js";
import type { Cache } from "../../ports/index.js";
import { EventHub } from "../../seams/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { Log } from "../../util/log.js";
import { LiveCall, type LiveCallOptions } from "../live-call.js";
import { runSteps } from "../run-steps.js";
import type { Content, Step } from "../step.js";
import { ResponseCache } from "./response-cache.js";

const config = configSchema.parse({ routes: { kept: { targets: [{ model: "demo/echo" }], cache: { ttlMs: 60_000 } } } });
const snapshot: Snapshot = {
  version: 1,
  config,
  keys: new Map(),
  routes: new Map(Object.entries(config.routes)),
  records: noRecords,
  readAtMs: 0,
};
const head: ModelHead = {
  kind: "model",
  protocol: "openai-chat",
  operation: "generate",
  name: "route/kept",
  stream: false,
  maxOutputTokens: undefined,
  bytes: 2,
};
const callerOf = (project: string): Caller => ({
  kind: "key",
  id: project,
  keyId: project,
  name: project,
  projects: [project],
  grants: ["*"],
});
const saying = (text: string): ModelAnswer => ({
  ...{ id: "i", model: "m", createdAtMs: 1, usage: { outputTokens: 3 } },
  candidates: [{ index: 0, content: [{ type: "text", text }], finishReason: "stop" }],
});

async function* stream(answer: ModelAnswer): AsyncGenerator<ModelEvent> {
  yield* unfold(answer);
}
const events = (text: string): Answer<ModelEvent> => ({ status: 200, headers: [], body: { kind: "events", events: stream(saying(text)) } });
/** As a dialect would: the answer's JSON. */
const bytes = (text: string): Answer<ModelEvent> => ({
  status: 200,
  headers: [],
  body: { kind: "bytes", bytes: new TextEncoder().encode(JSON.stringify(saying(text))) },
});

function caching(o: { readonly cache?: Cache; readonly clock?: FakeClock } = {}) {
  const clock = o.clock ?? new FakeClock();
  const step = new ResponseCache({
    ...{ cache: o.cache ?? memoryCache({ clock }), clock, crypto, log: new Log("silent", () => undefined), events: new EventHub() },
    secret: () => new Uint8Array(32),
    models: () => ({ operate: () => Promise.reject(new Error("no model")) }),
    readerOf: () => ({
      decodeAnswer: (raw) => JSON.parse(new TextDecoder().decode(raw)) as ModelAnswer,
      decodeStream: () => stream(saying("?")),
    }),
  });
  let next = 1;
  const open = (over: Partial<LiveCallOptions<ModelHead>> & { readonly body?: string } = {}) =>
    new LiveCall<ModelHead>({
      ...{ id: `call_${next++}`, requestId: "req_1", runId: null, caller: callerOf("p"), head, snapshot, depth: 0, purpose: null },
      ...{ signal: new AbortController().signal, deadlineMs: clock.now() + 60_000, startedAtMs: clock.now(), face: "openai-chat" as const },
      wire: { protocol: "openai-chat", bytes: new TextEncoder().encode(over.body ?? "{}") },
      decode: () => ({ kind: "model", call: { model: "route/kept", messages: [] } }),
      onLeaveError: () => undefined,
      ...over,
    });
  let made = 0;
  const ask = async (
    over: Parameters<typeof open>[0] = {},
    o: {
      readonly steps?: readonly Step<ModelHead, ModelEvent>[];
      readonly make?: (n: number) => Answer<ModelEvent> | Promise<Answer<ModelEvent>>;
    } = {},
  ) => {
    const live = open(over);
    const answer = await runSteps([...(o.steps ?? []), step], live, async () => (o.make ?? ((n) => bytes(`answer ${n}`)))(++made));
    const { body } = answer;
    const text = (whole: ModelAnswer): string =>
      whole.candidates.map(({ content }) => content.map((part) => (part.type === "text" ? part.text : "")).join("")).join("");
    const said =
      body.kind === "events"
        ? text(await fold(body.events))
        : body.kind === "bytes"
          ? text(JSON.parse(new TextDecoder().decode(body.bytes)) as ModelAnswer)
          : "";
    answer.done("sent");
    await new Promise((resolve) => setImmediate(resolve));
    return { said, kind: body.kind, cache: answer.headers.find(([name]) => name === "x-sallyport-cache")?.[1] ?? null };
  };
  return { ask, clock, made: () => made };
}

/** Sees every answer, and says it louder. */
const louder: Step<ModelHead, ModelEvent> = {
  name: "louder",
  sees: () => "write",
  async *events(_call, source) {
    for await (const event of source) yield event.type === "text-delta" ? { ...event, text: event.text.toUpperCase() } : event;
  },
};

describe("the response cache among other steps", () => {
  it("gives a kept answer as events to steps that look at answers, so that they see hits as they see misses", async () => {
    for (const make of [bytes, events]) {
      const { ask } = caching();
      await ask({}, { make: (n) => make(`answer ${n}`) });
      const hears = () => true;
      expect(await ask({ hears }, { steps: [louder] })).toEqual({ said: "ANSWER 1", kind: "events", cache: "hit" });
      // What was kept is what the model said, not what a step made of it.
      expect((await ask()).said).toBe("answer 1");
    }
  });

  it("goes by what a step said in the caller's place", async () => {
    const { ask } = caching();
    const said = (text: string): Content => ({
      kind: "model",
      call: { model: "route/kept", messages: [{ role: "user", content: [{ type: "text", text }] }] },
    });
    const masking = (text: string): Step<ModelHead, ModelEvent> => ({ name: "masking", enter: (call) => call.replace(said(text)) });
    expect((await ask({ body: '{"a":1}' }, { steps: [masking("x")] })).said).toBe("answer 1");
    expect((await ask({ body: '{"a":2}' }, { steps: [masking("x")] })).said).toBe("answer 1");
    expect((await ask({ body: '{"a":2}' }, { steps: [masking("y")] })).said).toBe("answer 2");
    expect((await ask({ body: '{"a":2}' })).said).toBe("answer 3");
  });

  it("lets no call wait for the call that made it, and keeps nothing of copies", async () => {
    const { ask, made } = caching();
    const outer = await ask(
      {},
      {
        make: async () => {
          expect((await ask({ depth: 1 })).said).toBe("answer 2");
          return bytes("the outer one's");
        },
      },
    );
    expect(outer.said).toBe("the outer one's");
    const before = made();
    expect(await ask({ purpose: "shadow", depth: 1 })).toMatchObject({ cache: null });
    expect(made()).toBe(before + 1);
  });

  it("forgets an answer when its time is over", async () => {
    const { ask, clock } = caching();
    await ask();
    await clock.advance(53_000);
    expect((await ask()).cache).toBe("hit");
    await clock.advance(14_000);
    expect(await ask()).toMatchObject({ cache: "miss", said: "answer 2" });
  });

  it("makes an answer once when another node kept its own between this one's look and its turn", async () => {
    const clock = new FakeClock();
    const right = memoryCache({ clock });
    const first = caching({ cache: right, clock });
    const between: Cache = {
      ...{ get: (...args) => right.get(...args), set: (...args) => right.set(...args), remove: (...args) => right.remove(...args) },
      add: async (...args) => {
        await first.ask({}, { make: () => bytes("the first node's") });
        return right.add(...args);
      },
    };
    const second = caching({ cache: between, clock });
    expect(await second.ask()).toMatchObject({ cache: "hit", said: "the first node's" });
    expect(second.made()).toBe(0);
    expect((await caching({ cache: right, clock }).ask()).cache).toBe("hit");
  });

  it("tells two tenants apart in every order of events (T09)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const right = memoryCache();
        const cache: Cache = {
          get: (...args) => scheduler.schedule(Promise.resolve()).then(() => right.get(...args)),
          set: (...args) => scheduler.schedule(Promise.resolve()).then(() => right.set(...args)),
          add: (...args) => scheduler.schedule(Promise.resolve()).then(() => right.add(...args)),
          remove: (...args) => scheduler.schedule(Promise.resolve()).then(() => right.remove(...args)),
        };
        const clock = Object.assign(new FakeClock(), { now: () => Date.now() });
        const { ask } = caching({ cache, clock });
        const told = new Map<string, Set<string>>();
        const makers = new Map<string, number>();
        const asks = ["one", "two", "one", "two", "one"].map(async (tenant) => {
          const make = (): Answer<ModelEvent> => {
            makers.set(tenant, (makers.get(tenant) ?? 0) + 1);
            return bytes(`for ${tenant}`);
          };
          const { said } = await ask({ caller: callerOf(tenant) }, { make });
          told.set(tenant, (told.get(tenant) ?? new Set()).add(said));
        });
        let isOver = false;
        const all = Promise.all(asks).finally(() => (isOver = true));
        while (!isOver) {
          if (scheduler.count() > 0) await scheduler.waitOne();
          else await new Promise((resolve) => setImmediate(resolve));
        }
        await all;
        expect([...told]).toEqual(
          expect.arrayContaining([
            ["one", new Set(["for one"])],
            ["two", new Set(["for two"])],
          ]),
        );
        expect([...makers.values()].sort()).toEqual([1, 1]);
      }),
      { numRuns: 200 },
    );
  });
});
