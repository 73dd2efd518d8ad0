import { describe, expect, it, onTestFinished } from "vitest";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";
import { saying } from "./safety-harness.js";

const WORD = "forbiddenword";
type Action = "block" | "mask";

async function asked(path: string, body: object, o: { readonly action?: Action; readonly unseen?: "allow" } = {}) {
  const model = saying({ text: "fine" });
  const { action = "block", ...unseen } = o;
  const gateway = await createTestGateway({ model, guardrails: { w: { kind: "words", settings: { words: [WORD] }, action, ...unseen } } });
  onTestFinished(() => gateway.close());
  const response = await gateway.fetch(
    new Request(`http://localhost${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "test/script", ...body }),
    }),
  );
  return { status: response.status, text: await response.text(), given: model.given };
}
const chat = (over: object, o?: Parameters<typeof asked>[2]) =>
  asked("/v1/chat/completions", { messages: [{ role: "user", content: "hi" }], ...over }, o);
const withSchema = (properties: object) => ({
  tools: [{ type: "function", function: { name: "f", description: "d", parameters: { type: "object", properties } } }],
});
const described = (description: string) => withSchema({ s: { type: "string", description } });

describe("[BUG] a guardrail that blocks a word (T21)", () => {
  it.each([
    ["a property of a schema that is named as a vendor's seal", withSchema({ signature: { type: "string", description: WORD } })],
    ["a default of such a property", withSchema({ s: { type: "object", default: { encrypted_content: WORD } } })],
    ["a field of the caller's own that is named so", { some_vendor_field: { signature: WORD } }],
    ["a description that looks like bytes", described(`data:text/plain;base64,${WORD}`)],
    ["a field of bytes", { some_vendor_field: `data:text/plain;base64,${btoa(WORD)}` }],
    ["characters that are not shown", { messages: [{ role: "user", content: "forbidden\u200bword" }] }],
    ["letters of another form", { messages: [{ role: "user", content: "ｆorbiddenword" }] }],
  ])("sees %s, or does not let it pass", async (_where, over) => {
    const { status, text, given } = await chat(over);
    expect([status, given.length]).toEqual([403, 0]);
    expect(text).toContain("content_blocked");
  });

  it("lets bytes pass where its operator says so, and nothing of a schema", async () => {
    const image = `data:image/png;base64,${btoa("picture")}`;
    expect((await chat({ some_vendor_field: image }, { unseen: "allow" })).status).toBe(200);
    expect((await chat({ some_vendor_field: image })).status).toBe(403);
    expect((await chat(described(`data:text/plain;base64,${WORD}`), { unseen: "allow" })).status).toBe(403);
  });

  it("leaves what a vendor sealed in an item of its own, and nothing else of it", async () => {
    const item = (over: object) => ({
      input: [
        { role: "user", content: "hi" },
        { type: "web_search_call", id: "ws_1", status: "completed", ...over },
      ],
    });
    expect((await asked("/v1/responses", item({ encrypted_content: WORD }))).status).toBe(200);
    expect((await asked("/v1/responses", item({ encrypted_content: { text: WORD } }))).status).toBe(403);
    expect((await asked("/v1/responses", item({ signature: WORD }))).status).toBe(403);
  });

  it("is masked too, with what is not shown in it", async () => {
    const { status, given } = await chat({ messages: [{ role: "user", content: "say forbidden\u200bword now" }] }, { action: "mask" });
    expect([status, JSON.stringify(given[0]?.messages)]).toEqual([200, expect.stringContaining("say [removed] now")]);
  });
});
