import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/index.js";
import { bytesAnswer, edgeHarness, OWNER_KEY } from "./edge-harness.js";

const base = "http://localhost";
const headers = { authorization: `Bearer ${OWNER_KEY}` };

describe("the OpenAI face", () => {
  it("hands the body's bytes on untouched, with the caller, the deadline and a signal", async () => {
    const { fetch, relayed, config } = await edgeHarness();
    const body = '{ "model":"a/one",  "n": 12345678901234567890, "messages":[] }';
    const before = Date.now();
    const response = await fetch(new Request(`${base}/v1/chat/completions`, { method: "POST", headers, body }));
    expect(await response.text()).toBe(body);
    const { call, options } = relayed[0]!;
    expect(new TextDecoder().decode(call.bytes)).toBe(body);
    expect(call.protocol).toBe("openai-chat");
    expect(options).toMatchObject({ caller: { kind: "owner" }, depth: 0, requestId: response.headers.get("x-request-id") });
    expect(options.deadlineMs - config.server.timeouts.requestMs).toBeGreaterThanOrEqual(before);
    expect(options.signal.aborted).toBe(false);
  });

  it("is used through the official SDK: models with a slash raw or encoded, and its own error classes", async () => {
    const { fetch, behind } = await edgeHarness();
    const openai = new OpenAI({
      baseURL: `${base}/v1`,
      apiKey: OWNER_KEY,
      maxRetries: 0,
      fetch: (url, init) => fetch(new Request(url, init as RequestInit)),
    });
    expect((await openai.models.list()).data).toMatchObject([
      { id: "a/one", object: "model", created: 1_700_000_000, owned_by: "a" },
      { id: "b/two/three", object: "model", created: 1_700_000_000, owned_by: "b" },
    ]);
    expect(await openai.models.retrieve("b/two/three")).toMatchObject({ id: "b/two/three" });
    expect(await (await fetch(new Request(`${base}/v1/models/b/two%2Fthree`, { headers }))).json()).toMatchObject({ id: "b/two/three" });
    await expect(openai.models.retrieve("nobody/none")).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    behind.relay = () => Promise.reject(new GatewayError("rate_limited", "Slow down.", { retryAfterMs: 1_200 }));
    const failure = await openai.chat.completions
      .create({ model: "a/one", messages: [] })
      .catch((error: unknown) => error as InstanceType<typeof OpenAI.APIError>);
    expect(failure).toBeInstanceOf(OpenAI.RateLimitError);
    expect((failure as InstanceType<typeof OpenAI.APIError>).headers?.get("retry-after")).toBe("2");
    const stranger = new OpenAI({
      baseURL: `${base}/v1`,
      apiKey: "sk-not-a-key-of-this-gateway",
      fetch: (url, init) => fetch(new Request(url, init as RequestInit)),
    });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  });

  it.each(["%zz", "%ff", "a%2"])("refuses a model id whose encoding is broken: %s", async (id) => {
    const { fetch } = await edgeHarness();
    expect((await fetch(new Request(`${base}/v1/models/${id}`, { headers }))).status).toBe(400);
  });

  it("isolates what a call throws: the caller learns nothing of it, the log has the cause under the same id", async () => {
    const { fetch, behind, logged, services } = await edgeHarness();
    const reported: unknown[] = [];
    services.events.on("internal.error", ({ error }) => reported.push(error));
    const bug = new TypeError("cannot read secret-of-the-vendor");
    behind.relay = () => {
      throw bug;
    };
    const response = await fetch(new Request(`${base}/v1/chat/completions`, { method: "POST", headers, body: "{}" }));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret-of-the-vendor");
    expect(reported).toEqual([bug]);
    const line = logged.find(({ level }) => level === "error");
    expect(line?.fields).toMatchObject({ requestId: response.headers.get("x-request-id"), code: "internal" });
  });

  it("has streams that no cache holds and no middleware compresses", async () => {
    const { fetch, behind } = await edgeHarness();
    async function* frames() {
      yield new TextEncoder().encode("data: 1\n\n");
      await Promise.resolve();
    }
    behind.relay = () =>
      Promise.resolve({
        ...bytesAnswer(new Uint8Array(0)),
        headers: [["content-type", "text/event-stream"]],
        body: { kind: "frames", frames: frames() },
      });
    const response = await fetch(new Request(`${base}/v1/chat/completions`, { method: "POST", headers, body: "{}" }));
    expect(response.headers.get("cache-control")).toBe("no-cache, no-transform");
    expect(response.headers.get("x-accel-buffering")).toBe("no");
    expect(await response.text()).toBe("data: 1\n\n");
  });
});

describe("a stream read in process", () => {
  it("aborts its call when its reader cancels, and tells once how that ended", async () => {
    const { fetch, behind } = await edgeHarness();
    const ended: string[] = [];
    let signal: AbortSignal | undefined;
    behind.relay = (_call, options) => {
      signal = options.signal;
      async function* frames() {
        for (;;) yield await Promise.resolve(new TextEncoder().encode("data: 1\n\n"));
      }
      return Promise.resolve({
        ...bytesAnswer(new Uint8Array(0)),
        body: { kind: "frames", frames: frames() },
        done: (how) => void ended.push(how),
      });
    };
    const response = await fetch(new Request(`${base}/v1/chat/completions`, { method: "POST", headers, body: "{}" }));
    const reader = response.body!.getReader();
    await reader.read();
    expect(signal?.aborted).toBe(false);
    await reader.cancel();
    expect(signal?.reason).toMatchObject({ code: "cancelled" });
    expect(ended).toEqual(["left"]);
  });
});

describe("the MCP face", () => {
  it("hands method, headers, bytes and namespace on", async () => {
    const { fetch, behind } = await edgeHarness();
    const seen: unknown[] = [];
    behind.mcp = ({ method, header, bytes, namespace }) => {
      seen.push([method, namespace, header("mcp-session-id"), new TextDecoder().decode(bytes)]);
      return Promise.resolve(bytesAnswer(new Uint8Array(0)));
    };
    const send = (path: string, method: string, body?: string) =>
      fetch(new Request(base + path, { method, headers: { ...headers, "mcp-session-id": "s1" }, ...(body === undefined ? {} : { body }) }));
    await send("/mcp", "POST", '{"jsonrpc":"2.0"}');
    await send("/ns/dev-tools/mcp", "POST", "{}");
    await send("/mcp", "GET");
    await send("/ns/a%20b/mcp", "DELETE");
    expect(seen).toEqual([
      ["POST", null, "s1", '{"jsonrpc":"2.0"}'],
      ["POST", "dev-tools", "s1", "{}"],
      ["GET", null, "s1", ""],
      ["DELETE", "a b", "s1", ""],
    ]);
  });
});
