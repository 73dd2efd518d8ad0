import { createServer } from "node:http";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import OpenAI from "openai";
import { expect, it, onTestFinished } from "vitest";
import { serve } from "../../src/node/index.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";

// What an operator does in the first hour, word for word as the documentation has it: over HTTP alone, with the official SDKs as callers.

async function vendor() {
  let calls = 0;
  const server = createServer((request, response) => {
    request.resume();
    calls++;
    response.writeHead(200, { "content-type": "application/json" });
    const message = { role: "assistant", content: "hello" };
    const usage = { prompt_tokens: 1_000, completion_tokens: 1_000, total_tokens: 2_000 };
    response.end(
      JSON.stringify({
        id: "x",
        object: "chat.completion",
        created: 1,
        model: "m",
        choices: [{ index: 0, message, finish_reason: "stop" }],
        usage,
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { calls: () => calls, url: `http://127.0.0.1:${(server.address() as { port: number }).port}/v1` };
}

async function served() {
  const lab = await vendor();
  const prices = { input: "1000", output: "1000" };
  const gateway = await createTestGateway({
    providers: {
      lab: { vendor: "openai-compatible", baseUrl: lab.url, apiKey: "sk-lab", models: [{ id: "m", prices, maxOutputTokens: 1_000 }] },
    },
    approvals: { tools: { demo__echo: { class: "dangerous" } } },
  });
  const serving = await serve(gateway, { port: 0 });
  onTestFinished(async () => {
    await serving.close();
    await gateway.close();
  });
  const send = async (
    line: string,
    body?: unknown,
    o: { readonly key?: string | null; readonly headers?: Record<string, string> } = {},
  ) => {
    const [method = "", path = ""] = line.split(" ");
    const key = o.key === undefined ? TEST_OWNER_KEY : o.key;
    const headers = { "content-type": "application/json", ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...o.headers };
    const response = await fetch(serving.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    const json = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {};
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: json as Record<string, unknown> & { id: string; key: string; data: Record<string, unknown>[] },
    };
  };
  return { lab, gateway, serving, send };
}

it("makes a key that may use one vendor, sees it refused elsewhere, limits it, and revokes it", async () => {
  const { serving, send } = await served();
  const made = await send("POST /api/v1/add/gateway-api-key", { name: "ci", scopes: ["models:lab/*"], rate_limit: 3 });
  expect(made.status).toBe(201);
  expect(made.body.key).toMatch(/^spk_[a-z0-9]+_/);
  const { key } = made.body;
  const openai = new OpenAI({ baseURL: `${serving.url}/v1`, apiKey: key, maxRetries: 0 });
  const ask = (model: string) => openai.chat.completions.create({ model, max_tokens: 10, messages: [{ role: "user", content: "hi" }] });
  expect((await ask("lab/m")).choices[0]?.message.content).toBe("hello");
  await expect(ask("demo/echo")).rejects.toMatchObject({ status: expect.any(Number) });
  expect((await send("GET /api/v1/list/gateway-api-keys", undefined, { key })).status).toBe(403);
  const limited = await Promise.allSettled(Array.from({ length: 5 }, () => ask("lab/m")));
  const refused = limited
    .filter((one) => one.status === "rejected")
    .map((one) => (one as PromiseRejectedResult).reason as { status: number; headers: Headers });
  expect(refused.length).toBeGreaterThanOrEqual(2);
  expect(refused[0]?.status).toBe(429);
  expect(refused[0]?.headers.get("retry-after")).toMatch(/^\d+$/);
  const listed = await send("GET /api/v1/list/gateway-api-keys");
  expect(listed.text).not.toContain(key);
  expect(listed.body.data.map((row) => row["name"])).toContain("ci");
  expect((await send(`DELETE /api/v1/del/gateway-api-key/${made.body.id}`)).status).toBeLessThan(300);
  await expect.poll(() => ask("lab/m").catch((error: { status: number }) => error.status), { timeout: 30_000 }).toBe(401);
});

it("sets a budget, reads what a request cost, and sees the next one refused in both dialects", async () => {
  const { serving, send, lab } = await served();
  const made = await send("POST /api/v1/add/gateway-api-key", { name: "team" });
  const { key, id } = made.body;
  const budget = await send("POST /api/v1/budgets", { scope: "key", scope_id: id, amount_usd: "4.50", period: "day", hard: true });
  expect(budget).toMatchObject({ status: 201, body: { scope: "key", scope_id: id, hard: true } });
  const chat = (by = key) =>
    send("POST /v1/chat/completions", { model: "lab/m", max_tokens: 1_000, messages: [{ role: "user", content: "hi" }] }, { key: by });
  // One made after it, too small for any call: whoever heeds that one knows the first too.
  const small = (await send("POST /api/v1/add/gateway-api-key", { name: "small" })).body;
  await send("POST /api/v1/budgets", { scope: "key", scope_id: small.id, amount_usd: "0.01", period: "day", hard: true });
  await expect.poll(async () => (await chat(small.key)).status, { timeout: 30_000 }).toBe(429);
  const first = await chat();
  expect(first.status).toBe(200);
  expect(first.headers.get("x-sallyport-cost-usd")).toBe("2");
  const requestId = first.headers.get("x-sallyport-request-id")!;
  await expect.poll(async () => (await send(`GET /api/v1/usage?request_id=${requestId}`)).body.data.length, { timeout: 30_000 }).toBe(1);
  expect((await send(`GET /api/v1/usage?request_id=${requestId}`)).body.data[0]).toMatchObject({ request_id: requestId });
  expect((await chat()).status).toBe(200);
  await expect.poll(async () => (await send(`GET /api/v1/budgets/${budget.body.id}`)).body["spent_usd"], { timeout: 30_000 }).toBe("4");
  const calls = lab.calls();
  const third = await chat();
  expect([third.status, JSON.parse(third.text)]).toMatchObject([
    429,
    { error: { code: expect.stringMatching(/insufficient_quota|budget_exceeded/) } },
  ]);
  const own = await send("POST /api/v1/runs", { model: "lab/m", input: "hi" }, { key });
  await expect
    .poll(async () => (await send(`GET /api/v1/runs/${own.body.id}`)).body["error"], { timeout: 30_000 })
    .toMatchObject({ code: "budget_exceeded" });
  expect(lab.calls()).toBe(calls);
  expect(serving.url).toBeTruthy();
});

it("signs a person in with a cookie, holds cross-site requests off, and signs them out", async () => {
  const { gateway, serving, send } = await served();
  await gateway.users.create({ username: "ada", password: "correct horse battery staple" });
  expect((await send("POST /api/v1/login", { username: "ada", password: "wrong" }, { key: null })).status).toBe(401);
  const login = await send(
    "POST /api/v1/login",
    { username: "ada", password: "correct horse battery staple" },
    { key: null, headers: { origin: serving.url } },
  );
  expect(login.status).toBe(200);
  const cookie = login.headers.get("set-cookie")!;
  expect(cookie).toMatch(/^sallyport_session=[^;]+;/);
  expect(cookie).toMatch(/HttpOnly/i);
  expect(cookie).toMatch(/SameSite=Lax/i);
  const session = { cookie: cookie.split(";")[0]! };
  expect((await send("GET /api/v1/me", undefined, { key: null, headers: session })).body).toMatchObject({ kind: "user", name: "ada" });
  const crossSite = await send(
    "POST /api/v1/logout",
    {},
    { key: null, headers: { ...session, origin: "https://evil.test", "sec-fetch-site": "cross-site" } },
  );
  expect(crossSite.status).toBe(403);
  const csrf = (login.body["csrf_token"] ?? login.body["csrf"]) as string;
  const out = await send("POST /api/v1/logout", {}, { key: null, headers: { ...session, origin: serving.url, "x-sallyport-csrf": csrf } });
  expect(out.status).toBeLessThan(300);
  expect((await send("GET /api/v1/me", undefined, { key: null, headers: session })).status).toBe(401);
});

it("approves a tool call from the inbox", async () => {
  const { serving, send } = await served();
  const client = new Client({ name: "t", version: "1" });
  const transport = new StreamableHTTPClientTransport(new URL(`${serving.url}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${TEST_OWNER_KEY}` } },
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  const call = () => client.callTool({ name: "demo__echo", arguments: { text: "please" } });
  await expect(call()).rejects.toThrow(/approve/);
  const [item] = (await send("GET /api/v1/inbox?status=pending")).body.data;
  expect((await send(`POST /api/v1/inbox/${String(item?.["id"])}/approve`)).status).toBe(200);
  expect(JSON.stringify(await call())).toContain("please");
});

it("looks at the documents of the gateway: health, readiness, OpenAPI, metrics", async () => {
  const { send } = await served();
  expect((await send("GET /health", undefined, { key: null })).status).toBe(200);
  const document = await send("GET /openapi.json", undefined, { key: null });
  expect(document.body).toMatchObject({ openapi: expect.stringMatching(/^3\.1/) });
  expect(Object.keys(document.body["paths"] as object)).toContain("/api/v1/budgets");
  expect((await send("GET /docs", undefined, { key: null })).text).toContain("<html");
  expect((await send("GET /metrics", undefined, { key: null })).status).toBe(401);
  expect((await send("GET /metrics")).text).toMatch(/^# HELP/m);
});
