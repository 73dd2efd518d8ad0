import OpenAI from "openai";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ModelEvent } from "../../src/calls/index.js";
import { serve } from "../../src/node/index.js";
import { createTestGateway, script, TEST_OWNER_KEY } from "../../src/testing/index.js";

const auth = { authorization: `Bearer ${TEST_OWNER_KEY}` };

async function served(options: Parameters<typeof createTestGateway>[0] = {}) {
  const gateway = await createTestGateway(options);
  const serving = await serve(gateway, { port: 0 });
  onTestFinished(async () => {
    await serving.close();
    await gateway.close();
  });
  const send = async (line: string, body?: unknown, headers: Record<string, string> = {}) => {
    const [method = "", path = ""] = line.split(" ");
    const init = {
      method,
      headers: { ...auth, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const response = await fetch(serving.url + path, init);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> & { error?: { code: string } } };
  };
  const events = async (id: string, query = "") => {
    const response = await fetch(`${serving.url}/api/v1/runs/${id}/events${query}`, { headers: auth });
    const frames = (await response.text()).split("\n\n").filter((frame) => frame !== "" && !frame.startsWith(":"));
    return frames.map((frame) => {
      const [, seq, type, data] = /^id: (\d+)\nevent: (\S+)\ndata: (.*)$/.exec(frame) ?? [];
      return { seq: Number(seq), type, data: JSON.parse(data ?? "null") as Record<string, unknown> };
    });
  };
  return { gateway, serving, send, events };
}

describe("a whole gateway over HTTP", () => {
  it("says how it is to anybody, and everything else to its owner only", async () => {
    const { serving } = await served();
    const health = (await (await fetch(`${serving.url}/health`)).json()) as Record<string, unknown>;
    expect(health).toMatchObject({ status: "ok", servers: { configured: 1, connected: 1 }, tools: expect.any(Number) });
    expect((await fetch(`${serving.url}/ready`)).status).toBe(200);
    expect((await fetch(`${serving.url}/v1/models`)).status).toBe(401);
    expect((await fetch(`${serving.url}/v1/models`, { headers: { authorization: `Bearer ${TEST_OWNER_KEY.slice(1)}x` } })).status).toBe(
      401,
    );
    for (const name of ["x-api-key", "x-goog-api-key", "api-key"])
      expect((await fetch(`${serving.url}/v1/models`, { headers: { [name]: TEST_OWNER_KEY } })).status).toBe(200);
  });

  it("answers the official OpenAI SDK, whole and streamed, and refuses in the SDK's own words", async () => {
    const { serving } = await served();
    const openai = new OpenAI({ baseURL: `${serving.url}/v1`, apiKey: TEST_OWNER_KEY, maxRetries: 0 });
    const messages = [{ role: "user" as const, content: "hello there" }];
    const whole = await openai.chat.completions.create({ model: "demo/echo", messages });
    expect(whole.choices[0]?.message.content).toBe("hello there");
    let text = "";
    for await (const chunk of await openai.chat.completions.create({ model: "demo/echo", messages, stream: true }))
      text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toBe("hello there");
    expect((await openai.models.list()).data.map(({ id }) => id)).toContain("demo/echo");
    expect(await openai.models.retrieve("demo/scripted")).toMatchObject({ id: "demo/scripted" });
    await expect(openai.chat.completions.create({ model: "no/such", messages })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it("runs over REST: started once, told event by event, read again later", async () => {
    const { send, events } = await served({ model: script({ tool: "demo__echo", args: { text: "ping" } }, "pong") });
    const body = { model: "test/script", input: "go", tools: ["demo__*"], idempotency_key: "once" };
    const started = await send("POST /api/v1/runs", body);
    expect(started.status).toBe(201);
    const id = String(started.body["id"]);
    const told = await events(id);
    expect(told.map(({ seq }) => seq)).toEqual(told.map((_event, i) => i + 1));
    expect(told.map(({ type }) => type)).toEqual(expect.arrayContaining(["run.started", "tool.started", "tool.finished", "text.delta"]));
    expect(told.at(-1)).toMatchObject({ type: "run.succeeded", data: { text: "pong", steps: 2 } });
    expect(await events(id, `?after=${told.length - 1}`)).toEqual(told.slice(-1));
    expect(await events(id)).toEqual(told);
    expect((await send(`GET /api/v1/runs/${id}`)).body).toMatchObject({ id, status: "succeeded", text: "pong", idempotency_key: "once" });
    expect((await send("POST /api/v1/runs", body)).body["id"]).toBe(id);
    expect(await send("POST /api/v1/runs", { ...body, input: "other" })).toMatchObject({
      status: 409,
      body: { error: { code: "idempotency_key_reuse" } },
    });
    expect((await send("GET /api/v1/runs?limit=1")).body).toMatchObject({ data: [{ id }] });
    expect((await send(`POST /api/v1/runs/${id}/cancel`)).body).toEqual({ id, status: "succeeded" });
  });

  it("ends the events of a run that has ended, however far on they are asked for, and refuses text that is none", async () => {
    const { gateway, send, events } = await served();
    await gateway.run({ model: "demo/echo", input: "hi" });
    const { id } = (await gateway.runs.list({ limit: 1 })).rows[0]!;
    const last = (await events(id)).at(-1)!;
    for (const after of [last.seq, 999]) expect(await events(id, `?after=${after}`)).toEqual([]);
    const refused = await send("POST /api/v1/runs", { model: "demo/echo", input: "\ud800 x" });
    expect(refused).toMatchObject({ status: 400, body: { error: { code: "validation_failed", details: { field: "input" } } } });
  });

  it("tells readers of a run's events that it is closing", async () => {
    const silent = async function* (): AsyncGenerator<ModelEvent> {
      yield { type: "start", id: "a", model: "script", createdAtMs: 0 };
      await new Promise(() => undefined);
    };
    const { gateway, serving } = await served({ server: { timeouts: { shutdownMs: 20 } }, model: silent });
    const run = gateway.run({ model: "test/script", input: "hi" });
    run.then(null, () => undefined);
    for await (const event of run) if (event.type === "step.started") break;
    const response = await fetch(`${serving.url}/api/v1/runs/${run.id}/events`, { headers: auth });
    const text = response.text();
    await serving.close();
    expect(await text).toMatch(/\nevent: error\ndata: \{"error":\{"code":"shutting_down"/);
  });

  it("keeps runs of others out of sight, as if they were not there", async () => {
    const { gateway, send } = await served();
    const stranger = gateway.as({ kind: "user", id: "u1", name: "Ada", projects: ["elsewhere"], grants: ["*"] });
    const run = stranger.run({ model: "demo/echo", input: "mine" });
    await run;
    const id = (await stranger.runs.list({ limit: 1 })).rows[0]!.id;
    for (const line of [`GET /api/v1/runs/${id}`, `GET /api/v1/runs/${id}/events`, `POST /api/v1/runs/${id}/cancel`])
      expect(await send(line)).toMatchObject({ status: 404, body: { error: { code: "not_found" } } });
    expect((await send("GET /api/v1/runs")).body["data"]).toEqual([]);
  });
});
