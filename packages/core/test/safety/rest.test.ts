import { describe, expect, it } from "vitest";
import { TEST_OWNER_KEY } from "../../src/testing/index.js";
import { saying, SECRET, served } from "./safety-harness.js";

type Body = Record<string, unknown>;
async function rest() {
  const to = await served({
    model: saying({ text: "fine" }),
    guardrails: { fruit: { kind: "words", settings: { words: ["tangerine"] } } },
  });
  const send = async (line: string, body?: unknown) => {
    const [method = "", path = ""] = line.split(" ");
    const response = await fetch(to.base + path, {
      method,
      headers: { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json().catch(() => ({}))) as Body };
  };
  const ask = (content: string) => to.post("/v1/chat/completions", { model: "test/script", messages: [{ role: "user", content }] });
  return { ...to, send, ask };
}

describe("guardrails over REST", () => {
  it("are created, look at the next call, are changed, and deleted", async () => {
    const { send, ask } = await rest();
    const made = await send("POST /api/v1/guardrails", { name: "soft", kind: "words", settings: { words: ["kiwi"] }, stages: ["input"] });
    expect(made).toMatchObject({ status: 201, body: { name: "soft", kind: "words", action: "block", origin: "database" } });
    expect((await ask("a kiwi")).status).toBe(403);
    expect((await send(`PATCH /api/v1/guardrails/${String(made.body["id"])}`, { action: "warn" })).status).toBe(200);
    const warned = await ask("a kiwi");
    expect([warned.status, warned.headers.get("x-safety-warning")]).toEqual([200, "soft"]);
    expect((await send(`DELETE /api/v1/guardrails/${String(made.body["id"])}`)).status).toBeLessThan(300);
    expect((await ask("a kiwi")).headers.get("x-safety-warning")).toBeNull();
    const listed = (await send("GET /api/v1/guardrails")).body["data"] as Body[];
    expect(listed).toEqual([expect.objectContaining({ name: "fruit", origin: "configuration" })]);
  });

  it.each([
    [{ kind: "regex", settings: { patterns: [{ pattern: "(a)\\1" }] } }, /settings.patterns\[0\].pattern/],
    [{ kind: "words", settings: {} }, /settings.words/],
    [{ kind: "schema", settings: { declared: true }, action: "mask" }, /action/],
    [{ kind: "schema", settings: { declared: true } }, /stages/],
    [{ kind: "secrets", settings: { formats: ["none"] } }, /none\W+ is not known/],
    [{ kind: "schema", stages: ["output"], settings: { schema: { $ref: "http://127.0.0.1/evil.json" } } }, /settings.schema/],
    [{ kind: "webhook", settings: { url: "https://example.com", secret: "0123456789abcdef" } }, /settings.secret/],
  ])("are held against their kind before they are stored: %j", async (body, message) => {
    const { send } = await rest();
    const refused = await send("POST /api/v1/guardrails", { name: "bad", ...body });
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.body)).toMatch(message);
  });

  it("say what they would do with a text, without doing it", async () => {
    const { send, store } = await rest();
    const all = await send("POST /api/v1/guardrails/test", { input: "a tangerine" });
    expect(all.body).toMatchObject({
      action: "block",
      text: null,
      findings: [{ guardrail: "fruit", pattern: "tangerine", confidence: 1 }],
    });
    const one = await send("POST /api/v1/guardrails/test", { input: `key ${SECRET}`, guardrail: { kind: "secrets", action: "mask" } });
    expect(one.body).toMatchObject({ action: "mask", text: "key [github_token]" });
    expect(JSON.stringify(one.body)).not.toContain(SECRET);
    expect((await send("POST /api/v1/guardrails/test", { input: "x", guardrail_id: "none" })).status).toBe(404);
    const { detection } = await import("../../src/entities/index.js");
    const page = await store.find(detection, { orderBy: "atMs", limit: 5 }, { system: "a test" }, { deadlineMs: Date.now() + 5_000 });
    expect(page.rows).toEqual([]);
  });

  it("show what they found, filtered, paged and summed", async () => {
    const { send, ask, detections } = await rest();
    for (let i = 0; i < 3; i++) await ask(`tangerine ${i}\u001b[31m\r\nforged line`);
    await detections(3);
    const page = await send("GET /api/v1/detections?severities=medium,high&actions=block&limit=2");
    const data = page.body["data"] as Body[];
    expect(data).toHaveLength(2);
    expect(data[0]).toMatchObject({ guardrail: "fruit", pattern: "tangerine", stage: "input", model: "test/script", confidence: 1 });
    // What steers a terminal or begins a line of a log is none of it (T46).
    expect(String(data[0]?.["excerpt"])).not.toMatch(/[\u0000-\u001f\u007f]/);
    const rest2 = await send(
      `GET /api/v1/detections?limit=2&actions=block&severities=medium,high&cursor=${encodeURIComponent(String(page.body["next_cursor"]))}`,
    );
    expect(rest2.body["data"]).toHaveLength(1);
    expect((await send("GET /api/v1/detections?types=pii")).body["data"]).toEqual([]);
    expect((await send("GET /api/v1/detections?to_ms=1")).body["data"]).toEqual([]);
    expect((await send("GET /api/v1/detections/summary")).body).toMatchObject({
      ...{ total_detections: 3, by_type: { custom: 3 }, by_severity: { medium: 3 }, by_action: { block: 3 } },
      top_patterns: [{ pattern: "tangerine", count: 3 }],
    });
  });
});

describe("policies of an older API", () => {
  it("are injection guardrails on arguments of tools", async () => {
    const { send, gateway, detections } = await rest();
    const made = await send("POST /v1/safety/policies", {
      name: "default",
      mode: "block",
      patterns: { block: ["open sesame"], allow: ["what is the"] },
    });
    expect(made).toMatchObject({
      status: 201,
      body: { name: "default", sensitivity: "moderate", mode: "block", mcp_servers: [], enabled: true },
    });
    const id = String(made.body["id"]);
    const test = (input: string) => send("POST /v1/safety/test", { input, policy_id: id });
    expect((await test("open sesame")).body).toMatchObject({
      result: {
        detected: true,
        type: "prompt_injection",
        severity: "high",
        pattern_matched: "open sesame",
        confidence: 0.85,
        action: "block",
      },
      policy_id: id,
    });
    // [BUG] an allowed text anywhere let everything pass.
    expect((await test("what is the time? open sesame")).body).toMatchObject({ result: { detected: true } });
    expect((await test("what is the time?")).body).toMatchObject({ result: { detected: false, action: "allow" } });
    await expect(gateway.mcp.call("demo__echo", { text: "open sesame" })).rejects.toMatchObject({ code: "content_blocked" });
    expect(await detections()).toMatchObject([{ server: "demo", tool: "echo", stage: "arguments" }]);
    const narrowed = await send(`PUT /v1/safety/policies/${id}`, { mcp_servers: ["files"], sensitivity: "strict" });
    expect(narrowed.body).toMatchObject({
      mcp_servers: ["files"],
      sensitivity: "strict",
      patterns: { block: ["open sesame"], allow: ["what is the"] },
    });
    expect(await gateway.mcp.call("demo__echo", { text: "open sesame" })).toMatchObject({ isError: false });
    expect((await send(`PUT /v1/safety/policies/${id}`, { mcp_servers: [] })).body).toMatchObject({ mcp_servers: [] });
    expect((await send("GET /v1/safety/detections")).body).toMatchObject({
      ...{ total: 1, limit: 50, has_more: false },
      detections: [{ pattern_matched: "open sesame", action_taken: "block" }],
    });
    expect((await send("GET /v1/safety/summary")).body).toMatchObject({ total_detections: 1, by_action: { block: 1 } });
    expect((await send("GET /v1/safety/policies")).body).toMatchObject({ total: 1 });
    expect((await send(`DELETE /v1/safety/policies/${id}`)).body).toEqual({ id, deleted: true });
    expect((await send(`GET /v1/safety/policies/${id}`)).status).toBe(404);
  });
});
