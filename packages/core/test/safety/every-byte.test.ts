import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect, describe, it } from "vitest";
import { TEST_OWNER_KEY } from "../../src/testing/index.js";
import { saying, served } from "./safety-harness.js";

const CANARY = "tangerine";
const MAX_BODY = 300_000;
const model = "test/script";
const user = (content: unknown) => [{ role: "user", content }];
const b64 = (text: string) => Buffer.from(text).toString("base64");
const setting = { server: { maxBodyBytes: MAX_BODY }, guardrails: { words: { kind: "words" as const, settings: { words: [CANARY] } } } };

/** A body of each face that says a text. */
const bodies: Readonly<Record<string, { readonly path: string; readonly body: (text: string) => object }>> = {
  "OpenAI chat": { path: "/v1/chat/completions", body: (text) => ({ model, messages: user(text) }) },
  "OpenAI responses": { path: "/v1/responses", body: (text) => ({ model, input: text, store: false }) },
  "Anthropic messages": { path: "/v1/messages", body: (text) => ({ model, max_tokens: 9, messages: user(text) }) },
  "Google generateContent": {
    path: `/v1beta/models/${model}:generateContent`,
    body: (text) => ({ contents: [{ role: "user", parts: [{ text }] }] }),
  },
  MCP: {
    path: "/mcp",
    body: (text) => ({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "demo__echo", arguments: { text } } }),
  },
};
/** Where it is asked for what it says: refused, and why. */
async function refusal(response: Response): Promise<string> {
  const text = await response.text();
  if (/content_blocked/i.test(text)) return "blocked";
  return [413, 415].includes(response.status) ? "refused" : `${response.status} ${text.slice(0, 200)}`;
}

describe("a word that must not pass (T21)", () => {
  it.each(Object.entries(bodies))(
    "is found wherever it stands, up to the largest body, on the face of %s",
    async (_face, { path, body }) => {
      const asked = saying({ text: "fine" });
      const to = await served({ model: asked, ...setting });
      const offsets = [0, 1, 15, 16, 17, 255, 1_023, 4_095, 4_096, 16_383, 65_535, 65_536, 131_071, 200_000, 262_143, MAX_BODY - 400];
      const found: string[] = [];
      for (const at of offsets) {
        const text = `${"pad ".repeat(Math.ceil(at / 4)).slice(0, Math.max(0, at - 1))} ${CANARY} ${"x ".repeat(20)}`;
        found.push(await refusal(await to.post(path, body(text))));
      }
      expect(found).toEqual(offsets.map(() => "blocked"));
      expect(await refusal(await to.post(path, body(`${"pad ".repeat(MAX_BODY / 4)} ${CANARY}`)))).toBe("refused");
      expect(asked.given).toEqual([]);
    },
  );

  it.each(Object.entries(bodies))(
    "is found escaped in JSON, and never in a body that is packed, on the face of %s",
    async (_face, { path, body }) => {
      const to = await served({ model: saying({ text: "fine" }), ...setting });
      const plain = JSON.stringify(body(`a ${CANARY}`));
      expect(await refusal(await to.post(path, plain.replace(CANARY, "\\u0074angerin\\u0065")))).toBe("blocked");
      for (const [encoding, bytes] of [
        ["gzip", gzipSync(plain)],
        ["br", brotliCompressSync(plain)],
      ] as const) {
        const headers = { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json", "content-encoding": encoding };
        expect(await refusal(await fetch(to.base + path, { method: "POST", headers, body: new Uint8Array(bytes) }))).toMatch(
          /blocked|refused/,
        );
      }
    },
  );

  const places: Readonly<Record<string, { readonly path?: string; readonly body: object }>> = {
    "a system text": { body: { messages: [{ role: "system", content: CANARY }, ...user("x")] } },
    "two parts of one message": {
      body: {
        messages: user([
          { type: "text", text: "tange" },
          { type: "text", text: "rine" },
        ]),
      },
    },
    "a result of a tool": {
      body: {
        messages: [
          ...user("x"),
          { role: "assistant", tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }] },
          { role: "tool", tool_call_id: "c", content: CANARY },
        ],
      },
    },
    "arguments of an earlier call": {
      body: {
        messages: [
          ...user("x"),
          { role: "assistant", tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: '{"a":"t\\u0061ngerine"}' } }] },
          { role: "tool", tool_call_id: "c", content: "x" },
        ],
      },
    },
    "the description of a tool": {
      body: { messages: user("x"), tools: [{ type: "function", function: { name: "f", description: CANARY, parameters: {} } }] },
    },
    "the schema of a tool": {
      body: {
        messages: user("x"),
        tools: [{ type: "function", function: { name: "f", parameters: { type: "object", properties: { [CANARY]: {} } } } }],
      },
    },
    "a document of text": {
      path: "/v1/messages",
      body: {
        max_tokens: 9,
        messages: user([{ type: "document", source: { type: "base64", media_type: "text/plain", data: b64(`a ${CANARY}`) } }]),
      },
    },
    "the name of a file": {
      path: "/v1/messages",
      body: {
        max_tokens: 9,
        messages: user([{ type: "document", title: CANARY, source: { type: "base64", media_type: "text/plain", data: b64("a") } }]),
      },
    },
    "a field that nobody knows": { body: { messages: user("x"), guidance: { deep: [`a ${CANARY}`] } } },
    "the schema of the answer": {
      body: { messages: user("x"), response_format: { type: "json_schema", json_schema: { name: "n", schema: { description: CANARY } } } },
    },
  };
  it.each(Object.entries(places))("is found in %s", async (_place, { path = "/v1/chat/completions", body }) => {
    const to = await served({ model: saying({ text: "fine" }), ...setting });
    expect(await refusal(await to.post(path, { model, ...body }))).toBe("blocked");
  });

  const unseen: Readonly<Record<string, { readonly path?: string; readonly body: object }>> = {
    "a picture": { body: { messages: user([{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }]) } },
    "a document that is no text": {
      path: "/v1/messages",
      body: {
        max_tokens: 9,
        messages: user([{ type: "document", source: { type: "base64", media_type: "application/pdf", data: b64("%PDF") } }]),
      },
    },
    "what stands at an address": { body: { messages: user([{ type: "image_url", image_url: { url: "https://example.com/a.png" } }]) } },
    "what a vendor keeps": {
      path: `/v1beta/models/${model}:generateContent`,
      body: { cachedContent: "cachedContents/1", contents: [{ role: "user", parts: [{ text: "x" }] }] },
    },
    "a tool that the vendor runs": { path: "/v1/responses", body: { input: "x", store: false, tools: [{ type: "web_search" }] } },
  };
  it.each(Object.entries(unseen))(
    "cannot hide in %s: that is refused, unless its operator lets it pass",
    async (_place, { path = "/v1/chat/completions", body }) => {
      const asked = saying({ text: "fine" });
      const to = await served({ model: asked, ...setting });
      const given = path.startsWith("/v1beta") ? body : { model, ...body };
      expect(await refusal(await to.post(path, given))).toBe("blocked");
      expect(await to.detections()).toMatchObject([{ type: "unseen", action: "block" }]);
      expect(asked.given).toEqual([]);
      const lax = await served({
        model: saying({ text: "fine" }),
        guardrails: { words: { ...setting.guardrails.words, unseen: "allow" } },
      });
      expect(await refusal(await lax.post(path, given))).not.toBe("blocked");
    },
  );

  it("is refused with 413 where a text is longer than a pattern may be held against", async () => {
    const to = await served({
      model: saying({ text: "fine" }),
      guardrails: { pattern: { kind: "regex", settings: { patterns: [{ pattern: "(?:abc){300}" }] } } },
    });
    const answer = await to.post("/v1/chat/completions", { model, messages: user("x ".repeat(200_000)) });
    expect([answer.status, await answer.text()]).toEqual([413, expect.stringContaining("payload_too_large")]);
  });

  it("is found in reasoning, and in a text that a stream brings byte by byte", async () => {
    for (const says of [
      { reasoning: `I think ${CANARY}`, text: "ok" },
      { text: `${"a".repeat(70_000)} ${CANARY}`, piece: 13 },
    ]) {
      const to = await served({
        model: saying({ piece: 1, ...says }),
        guardrails: { words: { ...setting.guardrails.words, stages: ["output"] } },
      });
      expect(await refusal(await to.post("/v1/messages", { model, max_tokens: 9, stream: true, messages: user("x") }))).toBe("blocked");
    }
  });
});
