import { describe, expect, it, onTestFinished } from "vitest";
import type { JsonObject } from "../../src/calls/index.js";
import type { ConfigInput } from "../../src/config/schema.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";
import { caller, hosted, post, proxyHarness } from "./proxy-harness.js";
import { oldStory } from "./servers/http-story.js";
import { listedServer, tool } from "./servers/listed-server.js";

type Rules = NonNullable<NonNullable<ConfigInput["mcp"]>["enrichment"]>;
const order = { id: 5, owner: "ann" };
const people: Readonly<Record<string, object>> = { ann: { name: "Ann", team: "blue" } };
const text = (value: unknown) => ({ content: [{ type: "text", text: JSON.stringify(value) }] });
const shopTools = [
  tool("order", { outputSchema: { type: "object", properties: { id: { type: "number" } } } }),
  tool("closed", { outputSchema: { type: "object", properties: { id: { type: "number" } }, additionalProperties: false } }),
  tool("prose"),
  tool("fails"),
  tool("plain"),
];
const shopAnswers: Readonly<Record<string, object>> = {
  order: { ...text(order), structuredContent: order },
  closed: { ...text(order), structuredContent: order },
  prose: { content: [{ type: "text", text: "An order." }] },
  fails: { ...text("no"), isError: true },
};
const owner = { source: { kind: "tool", name: "people__lookup" }, bindings: { id: "$.response.owner" } } as const;

async function shop(enrichment: Rules) {
  const harness = proxyHarness({ config: { mcp: { enrichment } } });
  const lookup = listedServer([tool("lookup")], {
    answer: (_name, { id }) => (people[String(id)] === undefined ? { ...text("unknown"), isError: true } : text(people[String(id)])),
  });
  const sold = listedServer(shopTools, { answer: (name) => shopAnswers[name] ?? text("x") });
  await harness.proxy.connect("people", { server: lookup.server });
  await harness.proxy.connect("shop", { server: sold.server });
  const call = async (name: string, args: JsonObject = {}, id = "owner", grants: readonly string[] = ["*"]) =>
    (await harness.proxy.call(`shop__${name}`, args, { caller: caller(id, grants) })).raw;
  return { harness, call, asked: lookup.calls };
}

it("adds what another tool knows to the value and to the text that says it, over MCP as in code", async () => {
  const { harness, call, asked } = await shop({ owner: { server: "shop", tool: "ord*", ...owner } });
  const enriched = { ...order, enrichment: people["ann"] };
  expect(await call("order")).toEqual({ content: [{ type: "text", text: JSON.stringify(enriched) }], structuredContent: enriched });
  expect(asked).toEqual([{ name: "lookup", arguments: { id: "ann" } }]);
  const host = await hosted(harness);
  const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "shop__order", arguments: {} } };
  expect((await post(host.url, message)).json()).toMatchObject({ result: { structuredContent: enriched } });
  // Each of them is a call of its own, by the same caller.
  expect(harness.ended.map(({ head, caller: by }) => [head.name, by])).toEqual([
    ["people__lookup", "owner"],
    ["shop__order", "owner"],
    ["people__lookup", "owner"],
    ["shop__order", "owner"],
  ]);
});

it("runs rules in their order, each on what those before it added, and skips those that wait for something else", async () => {
  const { harness, call } = await shop({
    last: {
      ...{ server: "shop", tool: "*", position: 3, merge: { path: "extra.shout" } },
      when: { kind: "response_contains", paths: ["$.person.team"] },
      source: { kind: "function", name: "shout" },
      bindings: { text: "$.response.person.team", by: "$.user.id", of: "$.args.note" },
    },
    first: { server: "shop", tool: "*", position: 1, merge: { path: "person" }, ...owner },
    never: {
      ...{ server: "shop", tool: "*", position: 2, source: { kind: "function", name: "shout" } },
      when: { kind: "response_contains", paths: ["$.person.no"] },
    },
  });
  harness.proxy.enrichment.register("shout", ({ text: said, by, of }) => `${String(said).toUpperCase()} ${String(by)} ${String(of)}`);
  expect((await call("order", { note: "hm" }))["structuredContent"]).toEqual({
    ...order,
    person: people["ann"],
    extra: { shout: "BLUE owner hm" },
  });
});

describe("a rule that fails", () => {
  const broken = { server: "shop", tool: "*", source: { kind: "function", name: "broken" } } as const;
  const register = ({ harness }: Awaited<ReturnType<typeof shop>>) =>
    harness.proxy.enrichment.register("broken", () => {
      throw new Error("secret words");
    });

  it("never fails the call: a warning stands beside what was said, and later rules go on", async () => {
    const made = await shop({ a: { ...broken, position: 1 }, b: { server: "shop", tool: "*", ...owner } });
    register(made);
    const raw = await made.call("order");
    expect(raw["structuredContent"]).toEqual({ ...order, enrichment: people["ann"] });
    expect(raw["content"]).toEqual([expect.anything(), { type: "text", text: expect.stringMatching(/^warning: a: /) }]);
    expect(JSON.stringify(raw)).not.toContain("secret words");
  });

  it("says nothing, or ends the rules, as it wants", async () => {
    const made = await shop({
      a: { ...broken, onError: "ignore", position: 1 },
      b: { ...broken, onError: "stop", position: 2 },
      c: { server: "shop", tool: "*", ...owner },
    });
    register(made);
    const raw = await made.call("order");
    expect(raw["structuredContent"]).toEqual(order);
    expect(raw["content"]).toEqual([expect.anything(), { type: "text", text: expect.stringMatching(/^warning: b: /) }]);
  });

  it("is a warning too when the caller may not use the source, or its path leads nowhere, or the tool says that it failed", async () => {
    const { call, asked } = await shop({
      a: { server: "shop", tool: "*", ...owner },
      b: { server: "shop", tool: "*", ...owner, bindings: { id: "$.response.nothing" } },
      c: { server: "shop", tool: "*", ...owner, bindings: { id: "bob" } },
    });
    const warnings = JSON.stringify((await call("order", {}, "narrow", ["mcp:shop__*"]))["content"]);
    expect(warnings).toContain('warning: a: This key may not use \\"people__lookup\\"');
    expect(asked).toEqual([]);
    const others = JSON.stringify((await call("order"))["content"]);
    expect(others).toContain("warning: b: $.response.nothing leads to nothing.");
    expect(others).toContain("warning: c: The tool says: unknown");
  });

  it("is given up when its time is over", async () => {
    const made = await shop({ slow: { ...broken, timeoutMs: 20 } });
    const aborted = new Promise<void>((resolve) =>
      made.harness.proxy.enrichment.register("broken", (_bindings, { signal }) => {
        signal.addEventListener("abort", () => resolve());
        return new Promise<string>(() => undefined);
      }),
    );
    expect(JSON.stringify((await made.call("order"))["content"])).toContain("warning: slow: The source did not answer in time.");
    await aborted;
  });
});

it("leaves structured content alone where the tool's schema would not allow more", async () => {
  const { call } = await shop({
    owner: { server: "shop", tool: "*", ...owner },
    id: { server: "shop", tool: "order", ...owner, merge: { path: "id" } },
  });
  const added = { type: "text", text: JSON.stringify({ enrichment: people["ann"] }) };
  expect(await call("closed")).toEqual({ content: [text(order).content[0], added], structuredContent: order });
  // `id` is a number to the tool's clients.
  expect((await call("order"))["structuredContent"]).toEqual(order);
});

it("adds to what is no object beside it, and nothing to what failed", async () => {
  const { call, asked } = await shop({ owner: { server: "shop", tool: "*", ...owner, bindings: { id: "ann" } } });
  expect(await call("prose")).toEqual({
    content: [
      { type: "text", text: "An order." },
      { type: "text", text: JSON.stringify({ enrichment: people["ann"] }) },
    ],
    structuredContent: { upstream: "An order.", enrichment: people["ann"] },
  });
  expect(asked).toHaveLength(1);
  expect(await call("fails")).toEqual(shopAnswers["fails"]);
  expect(asked).toHaveLength(1);
});

it("a rule's own calls fire no rules", async () => {
  const { call, asked } = await shop({
    owner: { server: "shop", tool: "*", ...owner },
    loop: { server: "people", tool: "*", ...owner, bindings: { id: "ann" } },
  });
  expect((await call("order"))["structuredContent"]).toEqual({ ...order, enrichment: people["ann"] });
  expect(asked).toHaveLength(1);
});

it("keeps an answer for the same caller and bindings alone", async () => {
  const { call, asked } = await shop({ owner: { server: "shop", tool: "*", ...owner, cacheTtlMs: 60_000 } });
  await call("order");
  await call("order");
  expect(asked).toHaveLength(1);
  await call("order", {}, "other");
  expect(asked).toHaveLength(2);
  // Who lost its grants loses what was kept for it.
  expect(JSON.stringify(await call("order", {}, "other", ["mcp:shop__*"]))).toContain("may not use");
});

it("reads a resource, by a caller that may", async () => {
  const { harness, call } = await shop({
    page: { server: "shop", tool: "*", source: { kind: "resource", server: "story", uri: "story://{name}" }, bindings: { name: "one" } },
  });
  await harness.proxy.connect("story", { server: () => oldStory() });
  expect((await call("order"))["structuredContent"]).toEqual({ ...order, enrichment: "first" });
  expect(JSON.stringify(await call("order", {}, "narrow", ["mcp:shop__*"]))).toContain("warning: page: The resource was refused");
});

it("leaves the bytes of other tools' results as they came", async () => {
  const { harness } = await shop({ owner: { server: "shop", tool: "order", ...owner } });
  const step = harness.proxy.enrichment.step();
  const sight = (name: string, purpose: string | null = null, operation: "call" | "read" = "call") =>
    step.sees?.({ kind: "tool", name: `shop__${name}`, server: "shop", tool: name, operation, bytes: 2 }, harness.snapshot(), {
      ...{ caller: caller("a", ["*"]), purpose },
    });
  expect([sight("order"), sight("plain"), sight("order", "enrichment"), sight("order", null, "read")]).toEqual([
    "write",
    "head",
    "head",
    "head",
  ]);
});

it("stored rules hold at once, are tried without a call, and go again", async () => {
  const gateway = await createTestGateway({
    mcp: { enrichment: { fixed: { server: "demo", tool: "time", source: { kind: "function", name: "zone" } } } },
  });
  onTestFinished(() => gateway.close());
  gateway.mcp.enrichment.register("zone", (_bindings, { caller: by }) => ({ zone: "UTC", asked: by.kind }));
  const send = async (method: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json" };
    const response = await gateway.fetch(
      new Request(`http://localhost${path}`, { method, headers, body: body === undefined ? null : JSON.stringify(body) }),
    );
    return { status: response.status, body: (response.status === 204 ? {} : await response.json()) as Record<string, unknown> };
  };
  const rule = { server: "demo", tool: "echo", source: { kind: "tool", name: "demo__time" }, merge: { path: "at" } };
  const made = await send("POST", "/api/v1/enrichment-rules", rule);
  expect(made).toMatchObject({
    status: 201,
    body: { ...rule, origin: "database", on_error: "warn", timeout_ms: 5000, when: { kind: "always" } },
  });
  const { data } = (await send("GET", "/api/v1/enrichment-rules")).body as { data: { id: string; origin: string }[] };
  expect(data.map(({ origin }) => origin).sort()).toEqual(["configuration", "database"]);
  const said = async () => JSON.stringify((await gateway.mcp.call("demo__echo", { text: "hi" })).raw);
  expect(await said()).toContain('"at":');
  const id = String(made.body["id"]);
  const tried = await send("POST", `/api/v1/enrichment-rules/fixed/dry-run`, { args: {}, response: "noon" });
  expect(tried).toMatchObject({
    status: 200,
    body: {
      response: { upstream: "noon", enrichment: { zone: "UTC", asked: "owner" } },
      warnings: [],
      fired: [{ rule_id: "fixed", source: "function", op: "zone", skipped: false, error: null }],
    },
  });
  expect((await send("POST", `/api/v1/enrichment-rules/none/dry-run`, { response: {} })).status).toBe(404);
  expect(
    (
      await send("POST", "/api/v1/enrichment-rules", {
        ...rule,
        bindings: { a: "$.x" },
        when: { kind: "response_contains", paths: ["$..x"] },
      })
    ).status,
  ).toBe(400);
  expect((await send("DELETE", `/api/v1/enrichment-rules/${id}`)).status).toBe(200);
  expect(await said()).not.toContain('"at":');
});
