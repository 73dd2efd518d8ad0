import { describe, expect, it } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { metered, TOKEN } from "./harness.js";

const who = (id: string, o: Partial<Caller> = {}): Caller => ({ kind: "user", id, name: id, projects: ["default"], grants: ["*"], ...o });
const CALLERS: readonly Caller[] = [
  { ...who("owner"), kind: "owner" },
  who("ann", { keyId: "key_ann", teamId: "team_1", userId: "user_ann" }),
  who("bob", { keyId: "key_bob", projects: ["other"] }),
  who("clerk", { grants: ["budgets:*", "usage:read", "costs:read", "models:*"] }),
  who("child", { keyId: "key_child", madeFrom: ["key_ann", "key_root"], projects: ["other"] }),
  who("nobody", { grants: ["models:*"] }),
];

interface Body extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly data: { readonly id: string }[];
  readonly daily: unknown[];
  readonly resets_at: string | null;
  readonly next_cursor: string | null;
}

async function rest(o: Parameters<typeof metered>[0] = {}) {
  const known = new Map(CALLERS.map((caller) => [caller.id, caller]));
  const set = await metered({
    store: memoryStore(),
    ...o,
    options: { auth: ({ header }) => known.get(header("x-as") ?? "") ?? null, ...o.options },
  });
  const call = async (
    line: string,
    { as = "owner", body, headers = {} }: { as?: string; body?: unknown; headers?: Record<string, string> } = {},
  ) => {
    const [method = "", path = ""] = line.split(" ");
    const response = await set.gateway.fetch(
      new Request(`http://localhost${path}`, {
        method,
        headers: { "x-as": as, "content-type": "application/json", ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return { status: response.status, headers: response.headers, text, body: (isJson ? JSON.parse(text) : {}) as Body };
  };
  const chat = (as: string, more: object = {}, headers: Record<string, string> = {}) =>
    call("POST /v1/chat/completions", {
      as,
      headers,
      body: { model: "v/m", messages: [{ role: "user", content: "hi" }], max_tokens: 10, ...more },
    });
  return { ...set, call, chat };
}

describe("budgets over REST", () => {
  it("takes decimal dollars exactly, and shows what is spent, set aside and left, and until when", async () => {
    const { call, chat, settled } = await rest();
    const made = await call("POST /api/v1/budgets", {
      body: { scope: "key", scope_id: "key_ann", amount_usd: 0.05, period: "day", hard: true },
    });
    expect(made).toMatchObject({
      status: 201,
      body: { scope: "key", scope_id: "key_ann", amount_usd: "0.05", spent_usd: "0", reserved_usd: "0", left_usd: "0.05", enabled: true },
    });
    expect(made.body.resets_at).toMatch(/^20\d\d-\d\d-\d\dT00:00:00\.000Z$/);
    expect((await chat("ann")).status).toBe(200);
    await settled(1);
    const seen = await call(`GET /api/v1/budgets/${made.body.id}`);
    expect(seen.body).toMatchObject({ spent_usd: "0.005", reserved_usd: "0", left_usd: "0.045" });
    expect((await call("GET /api/v1/list/budgets")).body.data).toMatchObject([{ id: made.body.id, spent_usd: "0.005" }]);
    const text = await call("POST /api/v1/add/budget", {
      body: { scope: "global", amount_usd: "123.000000001", period: "total", hard: false },
    });
    expect(text).toMatchObject({ status: 201, body: { amount_usd: "123.000000001", resets_at: null, hard: false } });
    const less = await call(`PATCH /api/v1/budgets/${made.body.id}`, { body: { amount_usd: "0.01" } });
    expect(less).toMatchObject({ status: 200, body: { amount_usd: "0.01", left_usd: "0.005", spent_usd: "0.005" } });
    expect((await chat("ann")).status).toBe(429);
    expect((await chat("bob")).status).toBe(200);
  });

  it.each([
    [{ scope: "global", amount_usd: "-1", period: "day" }, 400],
    [{ scope: "global", amount_usd: "1e3", period: "day" }, 400],
    [{ scope: "global", amount_usd: 1e-10, period: "day" }, 400],
    [{ scope: "global", amount_usd: 1e308, period: "day" }, 400],
    [{ scope: "global", amount_usd: "1", period: "hour" }, 400],
    [{ scope: "key", amount_usd: "1", period: "day" }, 400],
    [{ scope: "global", scope_id: "x", amount_usd: "1", period: "day" }, 400],
    [{ scope: "global", amount_usd: "1", period: "day", timezone: "Mars/Base" }, 400],
    [{ scope: "global", amount_usd: "1", period: "day", thresholds: [0] }, 400],
  ])("refuses %j", async (body, status) => {
    const { call } = await rest();
    expect((await call("POST /api/v1/budgets", { body })).status).toBe(status);
  });

  it("of everything, of a provider and of another project are for those who have all projects", async () => {
    const { call } = await rest();
    for (const body of [{ scope: "global" }, { scope: "provider", scope_id: "v" }, { scope: "project", scope_id: "other" }])
      expect((await call("POST /api/v1/budgets", { as: "clerk", body: { ...body, amount_usd: "1", period: "day" } })).status).toBe(403);
    const own = { scope: "project", scope_id: "default", amount_usd: "1", period: "day" };
    expect((await call("POST /api/v1/budgets", { as: "clerk", body: own })).status).toBe(201);
    expect((await call("POST /api/v1/budgets", { as: "nobody", body: own })).status).toBe(403);
    // A key that is not there, as far as the clerk can see.
    const key = { scope: "key", scope_id: "key_bob", amount_usd: "0", period: "day" };
    expect((await call("POST /api/v1/budgets", { as: "clerk", body: key })).status).toBe(400);
    expect((await call("GET /api/v1/budgets", { as: "bob" })).body.data).toEqual([]);
  });

  it("of a key pays for the keys that were made from it, wherever they are used (T03)", async () => {
    const { call, chat, settled } = await rest();
    const { body } = await call("POST /api/v1/budgets", {
      body: { scope: "key", scope_id: "key_root", amount_usd: "0.014", period: "total" },
    });
    expect((await chat("child")).status).toBe(200);
    await settled(1);
    expect((await call(`GET /api/v1/budgets/${body.id}`)).body).toMatchObject({ spent_usd: "0.005" });
    expect((await chat("child")).status).toBe(429);
    expect((await chat("ann")).status).toBe(200);
  });

  it("answers 402 on our own face", async () => {
    const { call } = await rest();
    await call("POST /api/v1/budgets", { body: { scope: "global", amount_usd: "0.001", period: "day" } });
    const run = await call("POST /api/v1/runs", { body: { model: "v/m", input: "hi" } });
    await expect
      .poll(async () => (await call(`GET /api/v1/runs/${run.body.id}`)).body)
      .toMatchObject({ status: "failed", error: { code: "budget_exceeded" } });
    const message = await call("POST /v1/messages", {
      body: { model: "v/m", max_tokens: 10, messages: [{ role: "user", content: "hi" }] },
    });
    const google = await call("POST /v1beta/models/v/m:generateContent", {
      body: { contents: [{ role: "user", parts: [{ text: "hi" }] }] },
    });
    expect(google).toMatchObject({ status: 429, body: { error: { details: [{ reason: "BUDGET_EXCEEDED" }, {}] } } });
    expect(message).toMatchObject({ status: 402, body: { error: { details: { error_code: "budget_exceeded" } } } });
  });
});

describe("usage over REST", () => {
  it("has each call by its request's id, and its sums by whoever it counted for", async () => {
    const { call, chat, settled } = await rest();
    await chat("ann", {}, { "x-request-id": "req-1" });
    await chat("ann", { max_tokens: 8 }, { "x-request-id": "req-2" });
    await chat("bob", {}, { "x-request-id": "req-3" });
    await settled(3);
    const one = await call("GET /api/v1/usage?request_id=req-1");
    expect(one.body.data).toMatchObject([
      {
        request_id: "req-1",
        key_id: "key_ann",
        team_id: "team_1",
        user_id: "user_ann",
        cost_usd: "0.005",
        output_tokens: 5,
        estimated: false,
      },
    ]);
    // Only of the caller's projects.
    expect((await call("GET /api/v1/usage?request_id=req-3")).body.data).toEqual([]);
    expect((await call("GET /api/v1/usage?request_id=req-3", { as: "bob" })).body.data).toHaveLength(1);
    expect((await call("GET /api/v1/usage/summary")).body).toMatchObject({
      calls: 2,
      cost_usd: "0.01",
      avg_cost_usd: "0.005",
      output_tokens: 10,
      unpriced_calls: 0,
    });
    expect((await call("GET /api/v1/usage/summary?key_id=key_bob")).body).toMatchObject({ calls: 0, cost_usd: "0", avg_cost_usd: "0" });
    for (const [dimension, id] of [
      ["key", "key_ann"],
      ["user", "user_ann"],
      ["team", "team_1"],
      ["project", "default"],
      ["provider", "v"],
      ["model", "m"],
      ["operation", "generate"],
      ["agent", null],
    ])
      expect((await call(`GET /api/v1/usage/by/${dimension}`)).body).toMatchObject({
        cost_usd: "0.01",
        data: [{ id, calls: 2, percentage: 100 }],
      });
    expect((await call("GET /api/v1/usage/by/server")).body.data).toEqual([]);
    const days = (await call("GET /api/v1/usage/daily")).body.data;
    expect(days).toHaveLength(14);
    expect(days.at(-1)).toMatchObject({ date: new Date().toISOString().slice(0, 10), calls: 2, cost_usd: "0.01" });
    expect(days[0]).toMatchObject({ calls: 0, cost_usd: "0" });
    expect((await call("GET /api/v1/usage/forecast?period=month")).body).toMatchObject({
      spent_usd: "0.01",
      basis: { method: "linear", calls: 2 },
    });
    const csv = await call("GET /api/v1/usage/export?format=csv");
    expect(csv.text.split("\r\n")).toHaveLength(4);
    expect(csv.text).toMatch(/^id,at_ms,project_id/);
    expect(JSON.parse((await call("GET /api/v1/usage/export?format=json")).text)).toHaveLength(2);
    expect((await call("GET /api/v1/usage/export?format=csv", { as: "clerk" })).status).toBe(403);
    expect((await call("GET /api/v1/usage", { as: "nobody" })).status).toBe(403);
  });

  it("pages by cursor, newest first, no row twice", async () => {
    const { call, chat, settled } = await rest();
    for (let i = 0; i < 7; i++) await chat("ann");
    await settled(7);
    const seen: string[] = [];
    let cursor = "";
    do {
      const { body } = await call(`GET /api/v1/usage?limit=3${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
      seen.push(...body.data.map(({ id }: { id: string }) => id));
      cursor = body.next_cursor ?? "";
    } while (cursor !== "");
    expect(new Set(seen).size).toBe(7);
    expect(seen).toHaveLength(7);
  });

  it("shows costs in the shapes of other gateways, and divides nothing by nothing (behaviours 5.4)", async () => {
    const { call, chat, settled } = await rest();
    expect((await call("GET /v1/costs/summary")).body).toEqual({
      ...{ total_cost: 0, total_requests: 0, avg_cost_per_request: 0, period: "month" },
      ...{ start_date: expect.stringMatching(/-01T00:00:00.000Z$/), end_date: expect.any(String) },
    });
    expect((await call("GET /v1/costs/by-server")).body).toEqual({ total_cost: 0, servers: [] });
    expect((await call("GET /v1/costs/by-team")).body).toEqual({ total_cost: 0, teams: [] });
    await chat("ann");
    await chat("owner");
    await settled(2);
    expect((await call("GET /v1/costs/summary?period=day")).body).toMatchObject({
      total_cost: 0.01,
      total_requests: 2,
      avg_cost_per_request: 0.005,
      period: "day",
    });
    expect((await call("GET /v1/costs/by-team")).body).toEqual({
      total_cost: 0.01,
      teams: expect.arrayContaining([
        { team_id: "team_1", team_name: "team_1", total_cost: 0.005, total_requests: 1, avg_cost_per_request: 0.005, percentage: 50 },
        { team_id: null, team_name: "", total_cost: 0.005, total_requests: 1, avg_cost_per_request: 0.005, percentage: 50 },
      ]),
    });
    const { daily } = (await call("GET /v1/costs/daily")).body;
    expect(daily).toHaveLength(14);
    expect(daily.at(-1)).toEqual({ date: new Date().toISOString().slice(0, 10), total_cost: 0.01, total_requests: 2 });
    expect((await call("GET /v1/costs/summary", { as: "nobody" })).status).toBe(403);
  });

  it("counts calls whose cost nobody knows apart, and never as free", async () => {
    const { call, chat, settled, gateway } = await rest({ others: { free: { vendor: () => 5 } } });
    await chat("ann");
    await chat("ann", { model: "free/m" });
    await settled(2);
    expect((await call("GET /api/v1/usage/summary")).body).toMatchObject({
      calls: 2,
      unpriced_calls: 1,
      cost_usd: "0.005",
      avg_cost_usd: "0.005",
    });
    // The same for programs.
    expect(await gateway.usage.summary()).toMatchObject({ calls: 2, unpricedCalls: 1, costNanoUsd: 5n * BigInt(TOKEN) });
    expect((await gateway.usage.find({ limit: 1 })).rows).toHaveLength(1);
    expect(await gateway.usage.by("provider")).toMatchObject([{ id: "v" }, { id: "free", unpricedCalls: 1 }]);
    expect((await gateway.usage.daily()).at(-1)).toMatchObject({ calls: 2 });
    let file = "";
    for await (const piece of gateway.usage.export({ format: "json" })) file += new TextDecoder().decode(piece);
    expect(JSON.parse(file)).toHaveLength(2);
  });
});
