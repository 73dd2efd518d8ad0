import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { caller, OWNER_KEY, served } from "./served.js";

const { gateway, url } = await served({ server: { maxBodyBytes: 100_000 } });
const call = caller(url);
const codeOf = (json: Record<string, unknown> | null) => (json?.["error"] as { code?: string } | undefined)?.code;

describe("bad input is answered, typed, and nothing breaks", () => {
  it.each([
    ["malformed JSON", "POST", "/api/v1/runs", '{"model":', 400, "invalid_json"],
    ["malformed JSON on the OpenAI face", "POST", "/v1/chat/completions", '{"model":"demo/echo",', 400, "invalid_json"],
    ["not an object", "POST", "/v1/chat/completions", "[]", 400, "validation_failed"],
    ["an unknown field", "POST", "/api/v1/runs", { model: "demo/echo", input: "x", colour: "red" }, 400, "validation_failed"],
    ["a wrong type", "POST", "/api/v1/runs", { model: 7, input: "x" }, 400, "validation_failed"],
    ["a missing field", "POST", "/api/v1/runs", { model: "demo/echo" }, 400, "validation_failed"],
    ["an unknown run", "GET", "/api/v1/runs/run_nothing", undefined, 404, "not_found"],
    ["an unknown path", "GET", "/api/v1/nothing", undefined, 404, "not_found"],
    ["a wrong method", "DELETE", "/health", undefined, 405, "method_not_allowed"],
    [
      "an unknown model",
      "POST",
      "/v1/chat/completions",
      { model: "nobody/knows", messages: [{ role: "user", content: "x" }] },
      404,
      "model_not_found",
    ],
    [
      "a huge body",
      "POST",
      "/v1/chat/completions",
      { model: "demo/echo", messages: [{ role: "user", content: "x".repeat(200_000) }] },
      413,
      "payload_too_large",
    ],
  ] as const)("%s", async (_what, method, path, body, status, code) => {
    const answer = await call(`${method} ${path}`, body);
    expect({ status: answer.status, code: codeOf(answer.json) }).toEqual({ status, code });
    expect(answer.headers.get("x-request-id")).toMatch(/.+/);
  });

  it("says where and how to mend it", async () => {
    const { json } = await call("POST /api/v1/runs", { model: "demo/echo", input: "x", tool: ["a"] });
    expect(json?.["error"]).toMatchObject({ message: expect.stringContaining("tool") as string, request_id: expect.any(String) as string });
    expect(JSON.stringify(json)).toMatch(/tools/);
  });

  it("refuses every protected route without a key, and with a wrong one", async () => {
    for (const path of ["/v1/models", "/v1/models/demo%2Fecho", "/api/v1/runs", "/mcp"])
      for (const headers of [{}, { authorization: "Bearer wrong" }, { "x-api-key": "wrong" }, { authorization: "Basic eDp5" }]) {
        const response = await fetch(`${url}${path}`, { headers });
        expect([path, response.status]).toEqual([path, 401]);
      }
  });

  it.each(["authorization", "x-api-key", "x-goog-api-key", "api-key"])("takes a key in %s", async (header) => {
    const value = header === "authorization" ? `Bearer ${OWNER_KEY}` : OWNER_KEY;
    expect((await fetch(`${url}/v1/models`, { headers: { [header]: value } })).status).toBe(200);
  });

  it("answers /health and /ready to anybody, and tells no secret", async () => {
    const health = await fetch(`${url}/health`);
    const text = await health.text();
    expect(health.status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ status: "ok", servers: { configured: 1, connected: 1 }, tools: 3 });
    expect(text).not.toContain(OWNER_KEY);
    expect((await fetch(`${url}/ready`)).status).toBe(200);
  });

  it("refuses a Host and an Origin that are not its own", async () => {
    const status = (head: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(Number(new URL(url).port), "127.0.0.1", () =>
          socket.write(`GET /health HTTP/1.1\r\n${head}connection: close\r\n\r\n`),
        );
        let text = "";
        socket.on("data", (data) => (text += data.toString()));
        socket.on("error", reject);
        socket.on("close", () => resolve(text.slice(9, 12)));
      });
    expect(await status("host: evil.test\r\n")).toBe("403");
    expect(await status("host: 127.0.0.1\r\norigin: https://evil.test\r\n")).toBe("403");
    expect(await status("host: localhost:4747\r\n")).toBe("200");
  });

  it("a name that is no text is refused as unknown, and costs nobody a ledger row", async () => {
    const errors: unknown[] = [];
    const forget = gateway.on("internal.error", (event) => errors.push(event));
    for (const name of ["nope\\ud800", "demo/\\ud800", `demo/${"a".repeat(194)}\\ud83d\\ude00`])
      expect((await call("POST /v1/chat/completions", `{"model":"${name}","messages":[]}`)).status).toBeGreaterThanOrEqual(400);
    await call("POST /v1/chat/completions", { model: "demo/echo", messages: [{ role: "user", content: "fine" }] });
    forget();
    expect(errors).toEqual([]);
  });

  it("still answers after all that", async () => {
    expect((await call("POST /v1/chat/completions", { model: "demo/echo", messages: [{ role: "user", content: "fine" }] })).text).toContain(
      "fine",
    );
  });
});
