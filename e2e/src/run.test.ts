import { describe, expect, it } from "vitest";
import { createTestGateway, script } from "@sallyport/core/testing";
import { caller, OWNER_KEY, served } from "./served.js";

const { gateway, url } = await served();
const call = caller(url);
const body = { model: "demo/scripted", input: 'call demo__calculator {"expression":"6*7"}', tools: ["demo__*"] };

/** An event stream read to its end. */
async function events(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${OWNER_KEY}`, ...headers } });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  return [...(await response.text()).matchAll(/id: (\d+)\nevent: (.+)\ndata: (.+)\n\n/g)].map((match) => ({
    id: Number(match[1]),
    event: match[2]!,
    data: JSON.parse(match[3]!) as Record<string, unknown>,
  }));
}

describe("a run", () => {
  it("goes through model and tool to its end, over HTTP, and can be read again", async () => {
    const created = await call("POST /api/v1/runs", body);
    expect(created.status).toBe(201);
    expect(created.json).toMatchObject({
      id: expect.any(String) as string,
      status: expect.stringMatching(/queued|running|succeeded/) as string,
    });
    const id = created.json?.["id"] as string;
    const live = await events(`/api/v1/runs/${id}/events`);
    expect(live.map((item) => item.id)).toEqual(live.map((_, i) => i + 1));
    expect(live.at(-1)).toMatchObject({ event: "run.succeeded", data: { text: expect.stringContaining("42") as string } });
    expect(live.map((item) => item.event)).toEqual(expect.arrayContaining(["run.started", "tool.started", "tool.finished"]));
    expect(await events(`/api/v1/runs/${id}/events`)).toEqual(live);
    expect(await events(`/api/v1/runs/${id}/events?after=2`)).toEqual(live.slice(2));
    expect(await events(`/api/v1/runs/${id}/events`, { "last-event-id": "3" })).toEqual(live.slice(3));
    expect((await call(`GET /api/v1/runs/${id}`)).json).toMatchObject({
      id,
      status: "succeeded",
      text: expect.stringContaining("42") as string,
    });
  });

  it("is awaited, iterated and turned into a Response in code", async () => {
    const run = gateway.run(body);
    const types: string[] = [];
    for await (const event of run) types.push(event.type);
    expect(types.at(-1)).toBe("run.succeeded");
    expect((await run).text).toContain("42");
    expect(await run.text).toContain("42");
    const response = run.toResponse();
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    expect(await response.text()).toContain("event: run.succeeded");
    expect((await gateway.runs.get(run.id))?.status).toBe("succeeded");
    expect((await gateway.runs.open(run.id)).text).toContain("42");
  });

  it("goes on when its reader leaves, and stops when it is cancelled", async () => {
    const created = await call("POST /api/v1/runs", { model: "demo/echo", input: "word ".repeat(20_000) });
    const id = created.json?.["id"] as string;
    const leaving = new AbortController();
    const response = await fetch(`${url}/api/v1/runs/${id}/events`, {
      headers: { authorization: `Bearer ${OWNER_KEY}` },
      signal: leaving.signal,
    });
    await response.body!.getReader().read();
    leaving.abort();
    const cancelled = await call(`POST /api/v1/runs/${id}/cancel`);
    expect(cancelled.status).toBe(200);
    const all = await events(`/api/v1/runs/${id}/events`);
    expect(["run.cancelled", "run.succeeded"]).toContain(all.at(-1)?.event);
  });

  it("is one for one idempotency key, and another payload is refused", async () => {
    const headers = { "idempotency-key": "order-66" };
    const first = await call("POST /api/v1/runs", body, headers);
    const second = await call("POST /api/v1/runs", body, headers);
    expect(second.json?.["id"]).toBe(first.json?.["id"]);
    const other = await call("POST /api/v1/runs", { ...body, input: "else" }, headers);
    expect(other.status).toBe(409);
    expect(other.json?.["error"]).toMatchObject({ code: "idempotency_key_reuse" });
  });

  it("fails with its model's error, told to whoever awaits", async () => {
    const test = await createTestGateway({ model: script({ error: "upstream_unavailable" }) });
    await expect(test.run({ model: "test/script", input: "x" })).rejects.toMatchObject({ code: "upstream_unavailable" });
    await test.close();
  });

  it("is tested in milliseconds with a script", async () => {
    const model = script({ tool: "demo__echo", args: { text: "hi" } }, "done");
    const test = await createTestGateway({ model });
    const run = await test.run({ model: "test/script", input: "go", tools: ["demo__*"] });
    expect(run).toMatchObject({ status: "succeeded", text: "done", steps: 2 });
    expect(model.calls[1]?.messages.at(-1)).toMatchObject({ role: "tool" });
    await test.close();
  });
});
