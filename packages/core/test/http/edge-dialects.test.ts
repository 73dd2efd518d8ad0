import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/index.js";
import { bytesAnswer, edgeHarness, OWNER_KEY } from "./edge-harness.js";

const base = "http://localhost";
const owner = { authorization: `Bearer ${OWNER_KEY}` };
const anthropic = { "x-api-key": OWNER_KEY, "anthropic-version": "2026-10-21" };
const google = { "x-goog-api-key": OWNER_KEY };
const encoder = new TextEncoder();

/** Whose shape an error has. */
function shapeOf(body: unknown): string {
  const { error, type } = body as { error: Record<string, unknown>; type?: string };
  if (type === "error") return "anthropic";
  if (typeof error["status"] === "string" && typeof error["code"] === "number") return "google";
  if ("param" in error) return "openai";
  return "own";
}

describe("the shape of errors", () => {
  it.each([
    ["POST", "/v1/messages", {}, "anthropic"],
    ["POST", "/v1/messages/count_tokens", {}, "anthropic"],
    ["POST", "/v1/messages/nothing", {}, "anthropic"],
    ["POST", "/v1/responses", {}, "openai"],
    ["GET", "/v1/responses/resp_1", {}, "openai"],
    ["GET", "/v1/responses/a/b/c/d", {}, "openai"],
    ["POST", "/v1beta/models/a/one:generateContent", {}, "google"],
    ["POST", "/v1beta/cachedContents", {}, "google"],
    ["GET", "/v1beta/models", {}, "google"],
    ["POST", "/v1/models/a/one:generateContent", {}, "google"],
    ["GET", "/v1/models", {}, "openai"],
    ["GET", "/v1/models", { "anthropic-version": "2026-10-21" }, "anthropic"],
    ["GET", "/v1/models/x", { "x-goog-api-key": "not-a-key" }, "google"],
    ["GET", "/v1/models?key=not-a-key", {}, "google"],
    ["POST", "/v1/nothing", {}, "openai"],
    ["POST", "/v1/nothing", { "anthropic-version": "2026-10-21" }, "anthropic"],
    ["POST", "/v1/chat/completions", { "anthropic-version": "2026-10-21" }, "openai"],
    ["GET", "/api/v1/runs", { "anthropic-version": "2026-10-21" }, "own"],
    ["GET", "/nothing", {}, "own"],
  ] as const)("of %s %s with %j is %s", async (method, path, headers, shape) => {
    const { fetch } = await edgeHarness();
    const response = await fetch(new Request(base + path, { method, headers, ...(method === "POST" ? { body: "{}" } : {}) }));
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(shapeOf(await response.json())).toBe(shape);
    const id = response.headers.get("x-request-id");
    expect(response.headers.get("x-sallyport-request-id")).toBe(id);
    if (shape === "anthropic") expect(response.headers.get("request-id")).toBe(id);
  });

  it.each([
    ["/v1/messages", "anthropic"],
    ["/v1/responses", "openai"],
    ["/v1beta/models/a/one:generateContent", "google"],
  ] as const)("of %s is that of its dialect for all that the edge refuses", async (path, shape) => {
    const { fetch } = await edgeHarness({ server: { maxBodyBytes: 1024 } });
    const send = async (init: RequestInit & { readonly headers?: Record<string, string> }) => {
      const response = await fetch(
        new Request(base + path, { method: "POST", body: "{}", ...init, headers: { ...owner, ...init.headers } }),
      );
      return { status: response.status, shape: shapeOf(await response.json()), allow: response.headers.get("allow") };
    };
    expect(await send({ headers: { "content-type": "application/x-www-form-urlencoded" } })).toMatchObject({ status: 415, shape });
    expect(await send({ headers: { "content-encoding": "gzip" } })).toMatchObject({ status: 415, shape });
    expect(await send({ body: "x".repeat(1025) })).toMatchObject({ status: 413, shape });
    expect(await send({ method: "PUT" })).toMatchObject({ status: 405, shape, allow: expect.stringContaining("POST") as string });
    expect(await send({ headers: { origin: "https://evil.example" } })).toMatchObject({ status: 403, shape });
  });

  it("repeats when to try again as each SDK reads it", async () => {
    const { fetch, behind } = await edgeHarness();
    behind.relay = () => Promise.reject(new GatewayError("rate_limited", "Slow down.", { retryAfterMs: 1_200 }));
    const post = (path: string) => fetch(new Request(base + path, { method: "POST", headers: owner, body: "{}" }));
    const messages = await post("/v1/messages");
    expect([messages.status, messages.headers.get("retry-after")]).toEqual([429, "2"]);
    const generate = await post("/v1beta/models/a/one:generateContent");
    const { error } = (await generate.json()) as { error: { status: string; details: { retryDelay?: string }[] } };
    expect([generate.status, error.status]).toEqual([429, "RESOURCE_EXHAUSTED"]);
    expect(error.details.some(({ retryDelay }) => retryDelay !== undefined)).toBe(true);
  });
});

describe("the key of a caller", () => {
  it.each(["/v1/messages", "/v1/chat/completions", "/v1beta/models/a/one:generateContent"])(
    "105: is taken from every place on %s",
    async (path) => {
      const { fetch, logged } = await edgeHarness();
      const status = async (headers: Record<string, string>, query = "") =>
        (await fetch(new Request(base + path + query, { method: "POST", headers, body: "{}" }))).status;
      for (const headers of [owner, { "x-api-key": OWNER_KEY }, google]) expect(await status(headers)).toBe(200);
      expect(await status({}, `?key=${OWNER_KEY}`)).toBe(200);
      expect(await status(owner, `?key=${OWNER_KEY}`)).toBe(200);
      expect(await status(owner, "?key=another")).toBe(401);
      expect(await status({}, "?key=")).toBe(401);
      expect(JSON.stringify(logged)).not.toContain(OWNER_KEY);
    },
  );

  it("is not taken from the query of our own face, nor of MCP", async () => {
    const { fetch } = await edgeHarness();
    for (const path of ["/api/v1/runs", "/mcp"]) expect((await fetch(new Request(`${base}${path}?key=${OWNER_KEY}`))).status).toBe(401);
  });
});

describe("the models of one path", () => {
  it("are told in the dialect that the caller's headers speak", async () => {
    const { fetch } = await edgeHarness();
    const get = async (path: string, headers: Record<string, string>) => (await fetch(new Request(base + path, { headers }))).json();
    expect(await get("/v1/models", owner)).toMatchObject({ object: "list", data: [{ id: "a/one", object: "model" }, {}] });
    expect(await get("/v1/models", anthropic)).toMatchObject({
      data: [{ type: "model", id: "a/one", created_at: "2023-11-14T22:13:20.500Z" }, {}],
      has_more: false,
      first_id: "a/one",
      last_id: "b/two/three",
    });
    expect(await get("/v1/models", google)).toMatchObject({ models: [{ name: "models/a/one" }, { name: "models/b/two/three" }] });
    expect(await get("/v1/models/b/two/three", anthropic)).toMatchObject({ type: "model", id: "b/two/three" });
    expect(await get("/v1/models/b%2Ftwo%2Fthree", google)).toMatchObject({ name: "models/b/two/three" });
    expect(await get("/v1beta/models/b/two/three", owner)).toMatchObject({ name: "models/b/two/three" });
    expect(await get("/v1/models/models%2Fb%2Ftwo%2Fthree", google)).toMatchObject({ name: "models/b/two/three" });
  });

  it("come in pages as each vendor has them", async () => {
    const { fetch } = await edgeHarness();
    const get = async (path: string, headers: Record<string, string>) => {
      const response = await fetch(new Request(base + path, { headers }));
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const first = await get("/v1beta/models?pageSize=1", google);
    expect(first.body).toMatchObject({ models: [{ name: "models/a/one" }], nextPageToken: "a/one" });
    const second = await get("/v1beta/models?pageSize=1&pageToken=a%2Fone", google);
    expect(second.body).toEqual({ models: [expect.objectContaining({ name: "models/b/two/three" })] });
    expect((await get("/v1/models?limit=1", anthropic)).body).toMatchObject({ has_more: true, last_id: "a/one" });
    expect((await get("/v1/models?limit=1&after_id=a%2Fone", anthropic)).body).toMatchObject({ has_more: false, first_id: "b/two/three" });
    for (const query of ["limit=0", "limit=1001", "limit=x", "after_id=none", "after_id=a%2Fone&before_id=a%2Fone"])
      expect((await get(`/v1/models?${query}`, anthropic)).status).toBe(400);
    for (const query of ["pageSize=-1", "pageToken=none"]) expect((await get(`/v1beta/models?${query}`, google)).status).toBe(400);
  });
});

describe("Google's paths", () => {
  it.each([
    ["/v1beta/models/a/one:generateContent", "a/one", false],
    ["/v1/models/a/one:generateContent", "a/one", false],
    ["/v1beta/models/b%2Ftwo%2Fthree:generateContent", "b/two/three", false],
    ["/v1beta/models/b/two/three:free:streamGenerateContent", "b/two/three:free", true],
    ["/v1beta/models/models/a/one:streamGenerateContent", "a/one", true],
  ] as const)("107: %s names %s", async (path, model, stream) => {
    const { fetch, relayed } = await edgeHarness();
    await (await fetch(new Request(base + path, { method: "POST", headers: google, body: '{"contents": []}' }))).text();
    expect(relayed[0]!.call).toMatchObject({ protocol: "google-genai", path: { model, stream } });
    expect(new TextDecoder().decode(relayed[0]!.call.bytes)).toBe('{"contents": []}');
  });

  it.each(["/v1beta/models/a/one", "/v1beta/models/:generateContent", "/v1beta/models/%zz:generateContent", "/v1beta/models/a/one:fly"])(
    "that mean nothing are refused: %s",
    async (path) => {
      const { fetch, relayed } = await edgeHarness();
      const response = await fetch(new Request(base + path, { method: "POST", headers: google, body: "{}" }));
      expect([400, 404]).toContain(response.status);
      expect(shapeOf(await response.json())).toBe("google");
      expect(relayed).toEqual([]);
    },
  );

  it("stream as one JSON array unless SSE is asked for; an error is its last element", async () => {
    const { fetch, behind } = await edgeHarness();
    async function* frames() {
      yield encoder.encode('data: {"n":1}\n\ndata: {"n":\ndata: 2}\r\n\r\n');
      await Promise.resolve();
      yield encoder.encode('data: {"error":{"code":503}}\n\n');
    }
    behind.relay = () =>
      Promise.resolve({
        ...bytesAnswer(new Uint8Array(0)),
        headers: [["content-type", "text/event-stream"]],
        body: { kind: "frames", frames: frames() },
      });
    const stream = (query: string) =>
      fetch(new Request(`${base}/v1beta/models/a/one:streamGenerateContent${query}`, { method: "POST", headers: google, body: "{}" }));
    const array = await stream("");
    expect(array.headers.get("content-type")).toBe("application/json");
    expect(await array.json()).toEqual([{ n: 1 }, { n: 2 }, { error: { code: 503 } }]);
    const sse = await stream("?alt=sse");
    expect(sse.headers.get("content-type")).toBe("text/event-stream");
    expect(await sse.text()).toContain('data: {"n":1}\n\n');
  });
});

describe("a caller's headers", () => {
  it("go on only where the codec names them: betas of this one call, not those that reach what a vendor keeps", async () => {
    const { fetch, relayed } = await edgeHarness();
    const betas =
      "interleaved-thinking-2025-05-14, files-api-2025-04-14,context-1m-2025-08-07,mcp-client-2025-11-20, x\u00e9,claude-code-20250219";
    const headers = { ...anthropic, "anthropic-beta": betas, "x-custom": "1", cookie: "a=b" };
    await fetch(new Request(`${base}/v1/messages`, { method: "POST", headers, body: "{}" }));
    expect(relayed[0]!.call.headers).toEqual([["anthropic-beta", "interleaved-thinking-2025-05-14,context-1m-2025-08-07"]]);
    await fetch(new Request(`${base}/v1/messages`, { method: "POST", headers: anthropic, body: "{}" }));
    expect(relayed[1]!.call.headers).toBeUndefined();
  });
});
