import { describe, expect, it, onTestFinished } from "vitest";
import { memoryStore } from "../../memory/index.js";
import type { GatewayOptions } from "../../gateway-options.js";
import { auditEntry, route } from "../../entities/index.js";
import { update, type RecordStore } from "../../ports/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { createTestGateway } from "../../testing/test-gateway.js";

const within = { deadlineMs: Date.now() + 60_000 };
const scope = { system: "test" };

async function gateway(options: GatewayOptions = {}) {
  const made = await createTestGateway({ routes: { fixed: { targets: [{ model: "demo/echo" }] } }, ...options });
  onTestFinished(() => made.close({ graceMs: 0 }));
  return made;
}
const over = (store: RecordStore): GatewayOptions["storage"] => ({ name: "shared", open: () => Promise.resolve(store) });

describe("gateway.routes", () => {
  it("keeps a route that the next call can use, with every default filled in", async () => {
    const { routes, run } = await withRun();
    expect(await routes.add("chat", { targets: [{ model: "demo/echo" }], hedge: { afterMs: 200 } })).toEqual({
      ...{ name: "chat", origin: "database", version: 1, strategy: "fallback", sticky: "prefix" },
      ...{ targets: [{ model: "demo/echo" }], timeouts: {}, retries: { baseMs: 250, maxMs: 8_000 }, hedge: { afterMs: 200 } },
      fallbackOn: ["rate-limit", "unavailable", "timeout", "credential", "context-overflow", "protocol"],
    });
    expect(await run("route/chat")).toBe("hello");
    expect((await routes.list()).map(({ name, origin }) => [name, origin])).toEqual([
      ["chat", "database"],
      ["fixed", "configuration"],
    ]);
    expect(await routes.get("chat")).toMatchObject({ version: 1, hedge: { afterMs: 200 } });
  });

  it("changes the parts that are named, takes away those that are null, and keeps the others", async () => {
    const { routes } = await withRun();
    const targets = [{ model: "demo/echo", weight: 2 }, { model: "demo/scripted" }];
    await routes.add("chat", { targets, strategy: "weighted", hedge: { afterMs: 5 }, canary: { model: "demo/echo", percent: 1 } });
    const after = await routes.update("chat", { hedge: null, sticky: "none", timeouts: { totalMs: 1_000 } });
    expect(after).toMatchObject({
      version: 2,
      targets,
      strategy: "weighted",
      sticky: "none",
      timeouts: { totalMs: 1_000 },
      canary: { percent: 1 },
    });
    expect(after).not.toHaveProperty("hedge");
    expect(await routes.get("chat")).toEqual(after);
  });

  it("is used no more once it is removed", async () => {
    const { routes, run } = await withRun();
    await routes.add("chat", { targets: [{ model: "demo/echo" }] });
    await routes.remove("chat");
    await expect(run("route/chat")).rejects.toMatchObject({ code: "model_not_found" });
    await expect(routes.get("chat")).rejects.toMatchObject({ code: "not_found" });
  });

  it.each([
    ["Chat", { targets: [{ model: "demo/echo" }] }, "name"],
    ["route__x", { targets: [{ model: "demo/echo" }] }, "name"],
    ["chat", { targets: [] }, "targets"],
    ["chat", { targets: [{ model: "demo/echo", wieght: 1 }] }, "targets.0"],
    ["chat", { targets: [{ model: "demo/echo" }], strategy: "fastest" }, "strategy"],
    ["chat", { targets: [{ model: "demo/echo" }], retries: { max: 50 } }, "retries.max"],
    ["chat", { targets: [{ model: "demo/echo" }], fallbackOn: ["everything"] }, "fallbackOn.0"],
    ["chat", { targets: [{ model: "demo/echo" }], canary: { model: "demo/echo", percent: 101 } }, "canary.percent"],
    ["chat", { targets: [{ model: "demo/echo" }], speed: 1 }, "speed"],
  ])("refuses %s %j, naming %s", async (name, input, field) => {
    const { routes } = await gateway();
    await expect(routes.add(name, input as never)).rejects.toMatchObject({ code: "validation_failed", details: { field } });
    expect((await routes.list()).length).toBe(1);
  });

  it("refuses a model that nobody owns, wherever it stands", async () => {
    const { routes } = await gateway();
    const targets = [{ model: "demo/echo" }];
    for (const input of [
      { targets: [{ model: "opnai/x" }] },
      { targets, contextOverflow: "opnai/x" },
      { targets, canary: { model: "opnai/x", percent: 1 } },
      { targets, shadow: { model: "opnai/x", percent: 1 } },
    ])
      await expect(routes.add("chat", input)).rejects.toMatchObject({ code: "validation_failed", details: { model: "opnai/x" } });
  });

  it("leaves names and changes of others alone", async () => {
    const { routes } = await gateway();
    const input = { targets: [{ model: "demo/echo" }] };
    await routes.add("chat", input);
    await expect(routes.add("chat", input)).rejects.toMatchObject({ code: "conflict" });
    await expect(routes.add("fixed", input)).rejects.toMatchObject({ code: "conflict" });
    await expect(routes.update("fixed", input)).rejects.toMatchObject({
      code: "validation_failed",
      hint: expect.stringContaining("configured"),
    });
    await expect(routes.remove("fixed")).rejects.toMatchObject({ code: "validation_failed" });
    await expect(routes.update("chta", {})).rejects.toMatchObject({ code: "not_found", hint: "Did you mean chat?" });
    await routes.update("chat", { sticky: "none" }, { ifVersion: 1 });
    await expect(routes.update("chat", { sticky: "session" }, { ifVersion: 1 })).rejects.toMatchObject({ code: "conflict" });
    await expect(routes.remove("chat", { ifVersion: 1 })).rejects.toMatchObject({ code: "conflict" });
    await expect(routes.get("constructor")).rejects.toMatchObject({ code: "not_found" });
  });

  it("leaves a row in the audit for each change that was made, and none for one that was not", async () => {
    const store = memoryStore();
    const { routes } = await gateway({ storage: over(store) });
    await routes.add("chat", { targets: [{ model: "demo/echo" }] });
    await routes.add("chat", { targets: [{ model: "demo/echo" }] }).catch(() => undefined);
    await routes.update("chat", { sticky: "none" });
    await routes.remove("chat");
    const { rows } = await store.find(auditEntry, { orderBy: "atMs", limit: 10 }, scope, within);
    expect(rows.map(({ action, target, callerId }) => [action, target, callerId]).sort()).toEqual(
      ["route.add", "route.remove", "route.update"].map((action) => [action, "chat", "owner"]),
    );
  });

  it("is seen by the other processes on the same store, and one that was spoilt there counts for nobody", async () => {
    const clock = new FakeClock();
    const store = memoryStore({ clock });
    const [one, other] = [await gateway({ storage: over(store), clock }), await gateway({ storage: over(store), clock })];
    await one.routes.add("chat", { targets: [{ model: "demo/echo" }] });
    expect(() => other.routes.explain("route/chat")).toThrow(/no model/);
    await clock.advance(1_000);
    expect(other.routes.explain("chat").targets[0]).toMatchObject({ model: "demo/echo", outcome: "first" });
    const [row] = (await store.find(route, { orderBy: "name", limit: 1 }, scope, { deadlineMs: clock.now() + 1_000 })).rows;
    const spoil = update(route, row!.id, { change: { set: { targets: [] } } });
    await store.commit([{ scope, writes: [spoil] }], { deadlineMs: clock.now() + 1_000 });
    await clock.advance(1_000);
    expect(() => other.routes.explain("route/chat")).toThrow(/no model/);
    expect(other.routes.explain("fixed").name).toBe("route/fixed");
  });

  async function withRun() {
    const made = await gateway();
    return { routes: made.routes, run: async (model: string) => (await made.run({ model, input: "hello" })).text };
  }
});

describe("an explanation", () => {
  const models = [
    { code: "small", features: ["chat"], contextTokens: 8_000, prices: { input: "1", output: "2" } },
    { code: "large", features: ["chat", "tools"], contextTokens: 200_000 },
  ];
  const answer = () => {
    throw new Error("Nobody asks it.");
  };
  async function explained(routes: GatewayOptions["routes"]) {
    const made = await createTestGateway();
    onTestFinished(() => made.close({ graceMs: 0 }));
    made.providers.add({ name: "lab", answer, models, apiKeys: [{ value: "k1" }, { value: "k2" }] });
    for (const [name, input] of Object.entries(routes ?? {})) await made.routes.add(name, input);
    return made;
  }
  const both = [{ model: "lab/small" }, { model: "lab/large", weight: 3 }];

  it("says who is asked first, who stands in, and what is known of them", async () => {
    const { routes, models: all } = await explained({ r: { targets: both, shadow: { model: "demo/echo", percent: 5 } } });
    const told = routes.explain("r");
    expect(told).toEqual({
      name: "route/r",
      strategy: "fallback",
      targets: [
        {
          ...{ model: "lab/small", outcome: "first", weight: 1, breaker: "closed", restsUntilMs: null, beginsInMs: null, inFlight: 0 },
          ...{ contextTokens: 8_000, costNanoUsd: 3_000_000, keys: { total: 2, free: 2 } },
          reasons: ["2 of 2 keys are free", "number 1 as written"],
        },
        expect.objectContaining({ model: "lab/large", outcome: "stands-in", costNanoUsd: null, weight: 3 }),
      ],
      notes: [expect.stringContaining("falls back on rate-limit"), "5 % of the calls are copied to demo/echo"],
    });
    expect(all.explainRoute("route/r")).toEqual(told);
    expect(JSON.stringify(told)).not.toContain("k1");
  });

  it("says who lacks what the call needs", async () => {
    const { routes } = await explained({ r: { targets: both } });
    const { targets } = routes.explain("r", { needs: ["tools"] });
    expect(targets.map(({ model, outcome, reasons }) => [model, outcome, reasons[0]])).toEqual([
      ["lab/large", "first", "2 of 2 keys are free"],
      ["lab/small", "skipped", "lacks tools, which the call needs"],
    ]);
  });

  it("of a weighted route says the shares, and for a conversation what it would draw, each time the same", async () => {
    const { routes } = await explained({ r: { targets: both, strategy: "weighted" } });
    expect(routes.explain("r").targets.map(({ model, reasons }) => [model, reasons.at(-1)])).toEqual([
      ["lab/large", "drawn for 75 % of the calls"],
      ["lab/small", "drawn for 25 % of the calls"],
    ]);
    const drawn = Array.from({ length: 40 }, (_, i) => routes.explain("r", { sessionId: `s${i}` }).targets[0]!.model);
    expect(new Set(drawn).size).toBe(2);
    expect(drawn).toEqual(Array.from({ length: 40 }, (_, i) => routes.explain("r", { sessionId: `s${i}` }).targets[0]!.model));
  });

  it("of a model's own name says that nothing stands in for it", async () => {
    const { models: all } = await explained({});
    expect(all.explainRoute("lab/small")).toMatchObject({
      strategy: null,
      targets: [{ outcome: "first", reasons: ["2 of 2 keys are free", "the call names it"] }],
      notes: [],
    });
    expect(() => all.explainRoute("lba/small")).toThrow(expect.objectContaining({ code: "model_not_found" }));
  });
});
