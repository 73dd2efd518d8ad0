import { describe, expect, it } from "vitest";
import { TEST_OWNER_KEY, type TestGatewayOptions } from "../../../src/testing/index.js";
import { saying, served } from "../../safety/safety-harness.js";
import { modern, post } from "../proxy-harness.js";
import { rawServer } from "../servers/raw-http.js";
import { ASKED, words, type Action } from "./word-servers.js";

async function place(era: "legacy" | "modern", action: Action, guardrails: TestGatewayOptions["guardrails"] = words(action)) {
  const raw = await rawServer(era, [{ name: "ask", inputSchema: { type: "object" } }]);
  const to = await served({ model: saying({ text: "x" }), guardrails });
  await to.gateway.mcp.connect("asking", { url: raw.url });
  const url = new URL(`${to.base}/mcp`);
  const authorization = `Bearer ${TEST_OWNER_KEY}`;
  const asOld = (method: string, params: object) => post(url, { jsonrpc: "2.0", id: 1, method, params }, { authorization });
  const asNew = (method: string, params: Record<string, unknown>) => {
    const { message, headers } = modern(method, params);
    return post(url, message, { ...headers, authorization });
  };
  return { raw, by: [asOld, asNew] };
}
const methods = [
  ["tools/call", { name: "asking__ask", arguments: {} }],
  ["prompts/get", { name: "asking__p" }],
  ["resources/read", { uri: "sallyport:asking/raw://r" }],
  ["completion/complete", { ref: { type: "ref/prompt", name: "asking__p" }, argument: { name: "a", value: "b" } }],
] as const;
const actions = ["block", "mask"] as const;

describe.each(["legacy", "modern"] as const)("what a server (%s) says", (era) => {
  it.each(actions)("in an error has no words in it that guardrails %s", async (action) => {
    const { raw, by } = await place(era, action);
    const errors = [
      { code: -32000, message: `a ${ASKED}` },
      { code: -32000, message: "no", data: { deep: [{ [ASKED]: ASKED }] } },
      { code: -32000, message: "no", data: ASKED },
      { code: -32000, message: "no", more: ASKED },
    ];
    for (const error of errors)
      for (const [method, params] of methods)
        for (const call of by) {
          raw.error = JSON.stringify(error);
          const { text } = await call(method, params);
          expect([method, error, text.includes(ASKED)]).toEqual([method, error, false]);
          expect(text).toMatch(action === "block" && !("more" in error) ? /content_blocked/ : /"error"|isError/);
        }
  });

  it.each(actions)("has no words in it that guardrails %s, in whichever member they stand", async (action) => {
    const { raw, by } = await place(era, action);
    const contents = '"content":[],"contents":[],"messages":[],"completion":{"values":[]}';
    const results = [
      `{${contents},"${ASKED}":1}`,
      `{${contents},"x":{"y":[{"${ASKED}":{}}]}}`,
      `{${contents},"_meta":{"x/y":"${ASKED}"}}`,
      `{"content":[{"type":"text","text":"${ASKED}","text":"fine"}],"contents":[],"messages":[],"completion":{"values":[]},"x":"${ASKED}","x":1}`,
      `{"content":[{"type":"text","text":"fine","${ASKED}":1,"annotations":{"x":"${ASKED}"}}],"contents":[{"uri":"raw://r","text":"${ASKED}"}],"messages":[],"completion":{"values":["${ASKED}"]},"y":"${ASKED}"}`,
    ];
    for (const result of results)
      for (const [method, params] of methods)
        for (const call of by) {
          raw.result = result;
          expect([method, result, (await call(method, params)).text.includes(ASKED)]).toEqual([method, result, false]);
        }
    raw.beside = `,"more":"${ASKED}"`;
    raw.result = `{${contents}}`;
    for (const [method, params] of methods)
      for (const call of by) expect([method, (await call(method, params)).text.includes(ASKED)]).toEqual([method, false]);
  });

  it("in numbers and however deep is seen, and what the protocol counts is none of that", async () => {
    const settings = { patterns: [{ pattern: "[0-9]{6,20}" }] };
    const { raw, by } = await place(era, "mask", { digits: { kind: "regex", action: "mask", settings } });
    const deep = `${'{"x":['.repeat(20)}4111111111111111${"]}".repeat(20)}`;
    raw.result = `{"content":[{"type":"resource_link","uri":"raw://r","name":"r","size":1234567}],"id":5500000000000004,"x":{"value":340000000000009,"data":378282246310005},"y":${deep},"z":12345}`;
    for (const call of by) {
      const { text } = await call("tools/call", { name: "asking__ask", arguments: {} });
      expect([text.includes("4111111111111111"), text.includes('"[removed]"'), text.includes('"size":1234567')]).toEqual([
        false,
        true,
        true,
      ]);
      expect(text).toContain('"z":12345');
      // Names that the protocol gives to texts are no counts.
      expect(text).not.toMatch(/5500000000000004|340000000000009|378282246310005/);
    }
  });

  it("beside a picture is masked as well, though nobody sees the picture", async () => {
    const { raw, by } = await place(era, "mask");
    raw.result = JSON.stringify({ content: [{ type: "image", data: "AAAA", mimeType: "image/png", alt: ASKED }] });
    for (const call of by) {
      const { text } = await call("tools/call", { name: "asking__ask", arguments: {} });
      expect([text.includes(ASKED), text.includes('"AAAA"')]).toEqual([false, true]);
    }
  });
});
