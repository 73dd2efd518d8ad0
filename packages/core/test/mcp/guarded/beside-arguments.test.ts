import { describe, expect, it } from "vitest";
import { TEST_OWNER_KEY } from "../../../src/testing/index.js";
import { saying, served } from "../../safety/safety-harness.js";
import { modern, post } from "../proxy-harness.js";
import { rawServer } from "../servers/raw-http.js";
import { ANSWERED, words, type Action } from "./word-servers.js";

// What a client says beside the arguments goes to a server as well.

async function place(era: "legacy" | "modern", action: Action) {
  const raw = await rawServer(era, [{ name: "ask", inputSchema: { type: "object" } }]);
  raw.result = '{"content":[],"contents":[],"messages":[],"completion":{"values":[]}}';
  const to = await served({ model: saying({ text: "x" }), guardrails: words(action) });
  await to.gateway.mcp.connect("asking", { url: raw.url });
  const url = new URL(`${to.base}/mcp`);
  const authorization = `Bearer ${TEST_OWNER_KEY}`;
  const asOld = (method: string, params: object, beside: object = {}) =>
    post(url, { jsonrpc: "2.0", id: 1, method, params, ...beside }, { authorization });
  const asNew = (method: string, params: object, beside: object = {}) => {
    const { message, headers } = modern(method, params as Record<string, unknown>);
    return post(url, { ...message, ...beside }, { ...headers, authorization });
  };
  return { raw, by: [asOld, asNew] };
}
const methods = [
  ["tools/call", { name: "asking__ask", arguments: {} }],
  ["prompts/get", { name: "asking__p" }],
  ["resources/read", { uri: "sallyport:asking/raw://r" }],
  ["completion/complete", { ref: { type: "ref/prompt", name: "asking__p" }, argument: { name: "a", value: "b" } }],
] as const;

describe.each(["legacy", "modern"] as const)("a request to a server (%s)", (era) => {
  it.each(["block", "mask"] as const)("has no words beside its arguments that guardrails %s", async (action) => {
    const { raw, by } = await place(era, action);
    for (const [method, params] of methods)
      for (const [as, call] of by.entries())
        for (const [more, beside] of [
          [{ extra: ANSWERED }, {}],
          [{ [ANSWERED]: 1 }, {}],
          [{ extra: [{ deep: { [ANSWERED]: 1 } }] }, {}],
          [{}, { extra: ANSWERED }],
        ] as const) {
          raw.got.delete(method);
          const { text } = await call(method, { ...params, ...more }, beside);
          const got = raw.got.get(method) ?? "";
          expect([method, as, more, beside, got.includes(ANSWERED)]).toEqual([method, as, more, beside, false]);
          if (action === "block" && !("extra" in beside)) expect(text).toContain("content_blocked");
          else expect(got).not.toBe("");
        }
  });

  it("has none in its _meta", async () => {
    const { raw, by } = await place(era, "mask");
    const [asOld] = by;
    for (const [method, params] of methods) {
      raw.got.delete(method);
      await asOld!(method, { ...params, _meta: { "x/y": ANSWERED, "x/z": "stays", progressToken: "t" } });
      const got = raw.got.get(method) ?? "";
      expect([method, got.includes(ANSWERED), got.includes("stays")]).toEqual([method, false, true]);
    }
  });

  it("is refused where what names it at its server would have to change", async () => {
    const { raw, by } = await place(era, "mask");
    const [asOld] = by;
    raw.got.delete("tools/call");
    raw.got.delete("completion/complete");
    const keyed = await asOld!("tools/call", { name: "asking__ask", arguments: {}, _meta: { "sallyport/idempotencyKey": ANSWERED } });
    const ref = { type: "ref/resource", uri: `sallyport:asking/raw://${ANSWERED}` };
    const completed = await asOld!("completion/complete", { ref, argument: { name: "a", value: "b" } });
    for (const { text } of [keyed, completed]) expect(text).toContain("content_blocked");
    expect([raw.got.has("tools/call"), raw.got.has("completion/complete")]).toEqual([false, false]);
  });

  it("keeps its trace, also when that looks like something else", async () => {
    const raw = await rawServer(era, [{ name: "ask", inputSchema: { type: "object" } }]);
    raw.result = '{"content":[]}';
    const digits = { digits: { kind: "regex" as const, action: "mask" as const, settings: { patterns: [{ pattern: "[0-9]{6,40}" }] } } };
    const to = await served({ model: saying({ text: "x" }), guardrails: digits });
    await to.gateway.mcp.connect("asking", { url: raw.url });
    const traceparent = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
    const params = { name: "asking__ask", arguments: {}, card: 4111111111111111, id: 4111111111111111, _meta: { traceparent } };
    await post(
      new URL(`${to.base}/mcp`),
      { jsonrpc: "2.0", id: 1, method: "tools/call", params },
      { authorization: `Bearer ${TEST_OWNER_KEY}` },
    );
    const got = raw.got.get("tools/call") ?? "";
    expect([got.includes("4111111111111111"), got.includes("1".repeat(32))]).toEqual([false, true]);
  });
});
