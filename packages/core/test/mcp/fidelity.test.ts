import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hosted, modern, post, proxyHarness, type HarnessOptions } from "./proxy-harness.js";
import { rawServer } from "./servers/raw-http.js";

const echo = { name: "echo", inputSchema: { type: "object" } };

async function through(era: "legacy" | "modern", o: HarnessOptions = {}, tools: readonly object[] = [echo]) {
  const raw = await rawServer(era, tools);
  const harness = proxyHarness({ ...o, config: { ...o.config, mcpServers: { raw: { url: raw.url } } } });
  await harness.proxy.start();
  return { raw, harness, host: await hosted(harness) };
}

/** JSON as people write it: numbers that no double holds, members in any order, spaces anywhere, escapes where none is needed. */
const looseJson = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(
      "1.0",
      "-0",
      "1e400",
      "12345678901234567890123",
      "0.1000",
      "1E-7",
      "null",
      "true",
      '"\\u0041\\/"',
      '"é\\ud83d\\ude00"',
      '"\u2028"',
      '""',
    ),
    fc.string().map((text) => JSON.stringify(text)),
    fc.array(tie("value"), { maxLength: 3 }).map((items) => `[ ${items.join(" ,")}]`),
    tie("object"),
  ),
  object: fc
    .array(
      fc.tuple(
        fc.oneof(fc.string(), fc.constantFrom("2", "1", "__proto__", "constructor", "name", "id", "params", "result")),
        tie("value"),
      ),
      { maxLength: 4 },
    )
    .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)} :${value}`).join(", ")} }`),
})).object;

const legacyCall = (args: string) => `{"jsonrpc":"2.0","params":{"arguments":${args},"name":"raw__echo"},"id":"i","method":"tools/call"}`;

describe("what nobody has to understand", () => {
  it.each(["legacy", "modern"] as const)("passes byte for byte, there and back (%s)", async (era) => {
    const { raw, host } = await through(era);
    await fc.assert(
      fc.asyncProperty(looseJson, looseJson, async (args, extra) => {
        const inside = `"content":[],"structuredContent":${extra},"unknown":${args}`;
        raw.result = `{${era === "modern" ? '"resultType":"complete",' : ""}${inside}}`;
        if (era === "legacy") {
          const answer = await post(host.url, legacyCall(args));
          expect(answer.text).toBe(`{"result":{${inside}},"id":"i","jsonrpc":"2.0"}`);
          expect(raw.got.get("tools/call")).toBe(
            legacyCall(args)
              .replace('"raw__echo"', '"echo"')
              .replace('"id":"i"', `"id":${(JSON.parse(raw.got.get("tools/call")!) as { id: number }).id}`),
          );
        } else {
          const { message, headers } = modern("tools/call", { name: "raw__echo" });
          const answer = await post(
            host.url,
            JSON.stringify(message).replace('"params":{', () => `"params":{"arguments":${args},`),
            headers,
          );
          expect(answer.text).toContain(inside);
          expect(raw.got.get("tools/call")).toContain(`"arguments":${args},"name":"echo"`);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("keeps what a server says of a tool, beside its name", async () => {
    const odd = {
      description: "d",
      title: "t",
      inputSchema: { type: "object", $defs: { a: {} }, "x-odd": 1 },
      annotations: { a: 1 },
      icons: [{ src: "data:," }],
      execution: { taskSupport: "optional" },
      _meta: { "a/b": [1] },
      later: true,
    };
    const { host } = await through("legacy", {}, [{ ...odd, name: "odd" }]);
    const list = (await post(host.url, { jsonrpc: "2.0", id: 1, method: "tools/list" })).json();
    expect(list).toEqual({ jsonrpc: "2.0", id: 1, result: { tools: [{ ...odd, name: "raw__odd" }] } });
  });

  it("keeps its own names in a namespace that wants it so", async () => {
    const { host, raw } = await through("legacy", { config: { namespaces: { bare: { servers: ["raw"], naming: "none" } } } });
    const url = host.namespace("bare");
    raw.result = '{"content":[{"type":"resource_link","uri":"raw://x","name":"x"}]}';
    const answer = await post(url, { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo" } });
    expect(answer.json()).toMatchObject({ result: { content: [{ uri: "raw://x" }] } });
    expect((await post(url, { jsonrpc: "2.0", id: 1, method: "resources/list" })).json()).toMatchObject({
      result: { resources: [{ uri: "raw://r" }] },
    });
    expect((await post(url, { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "raw__echo" } })).json()).toMatchObject({
      error: { code: -32602 },
    });
  });
});

describe("what belongs to a hop", () => {
  it("is written anew: the caller's own envelope, token and idea of itself stay here", async () => {
    const { raw, host } = await through("modern");
    raw.result =
      '{"resultType":"complete","content":[],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"raw","version":"9"},"a/b":1.50}}';
    const meta = {
      "io.modelcontextprotocol/clientInfo": { name: "caller", version: "7" },
      "io.modelcontextprotocol/clientCapabilities": { sampling: {} },
      traceparent: "00-1-2-01",
      "a/b": 1,
      progressToken: "mine",
    };
    const { message, headers } = modern("tools/call", { name: "raw__echo", _meta: meta });
    const answer = (await post(host.url, message, headers)).text;
    const sent = JSON.parse(raw.got.get("tools/call")!) as { id: number; params: { _meta: object } };
    expect(sent.params._meta).toEqual({
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "sallyport", version: expect.any(String) as unknown },
      // What its caller can be asked, and we pass on.
      "io.modelcontextprotocol/clientCapabilities": { sampling: {} },
      progressToken: sent.id,
      traceparent: "00-1-2-01",
      "a/b": 1,
    });
    expect(answer).toContain('"a/b":1.50');
    expect(answer).not.toContain('"version":"9"');
    expect(raw.headers.get("tools/call")).toMatchObject({
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": "echo",
    });
  });

  it("leaves a caller of older revisions nothing that it would not know", async () => {
    const { raw, host } = await through("modern");
    for (const [sent, received] of [
      ['{"resultType":"complete","content":[]}', '{"content":[]}'],
      ['{"content":[],"resultType":"complete"}', '{"content":[]}'],
      ['{"content":[], "resultType":"complete" ,"a":1}', '{"content":[], "a":1}'],
      ['{"resultType":"complete"}', "{}"],
    ]) {
      raw.result = sent!;
      expect((await post(host.url, legacyCall("{}"))).text).toBe(`{"result":${received},"id":"i","jsonrpc":"2.0"}`);
    }
  });

  it("never passes a question on that nobody here can answer", async () => {
    const { raw, host, harness } = await through("modern");
    raw.result = '{"resultType":"input_required","inputRequests":{"a":{"method":"elicitation/create","params":{}}}}';
    const { message, headers } = modern("tools/call", { name: "raw__echo" });
    const refused = await post(host.url, message, headers);
    expect(refused.status).toBe(400);
    expect(refused.json()).toMatchObject({ error: { code: -32021, data: { requiredCapabilities: { elicitation: { form: {} } } } } });
    await expect(harness.proxy.call("raw__echo")).rejects.toMatchObject({ code: "upstream_protocol" });
  });

  it("mirrors arguments in headers when a tool asks for it, and holds the caller's own to the body (T20, T44)", async () => {
    const inputSchema = {
      type: "object",
      properties: {
        region: { type: "string", "x-mcp-header": "Region" },
        n: { type: "object", properties: { deep: { type: "integer", "x-mcp-header": "Deep" } } },
      },
    };
    const { raw, host, harness } = await through("modern", {}, [{ name: "tool", inputSchema }]);
    raw.result = '{"resultType":"complete","content":[]}';
    const args = { region: "Zürich", n: { deep: 42 } };
    const { message, headers } = modern("tools/call", { name: "raw__tool", arguments: args });
    const region = `=?base64?${Buffer.from("Zürich").toString("base64")}?=`;
    const good = { ...headers, "mcp-param-region": region, "mcp-param-deep": "42.0" };
    expect((await post(host.url, message, good)).json()).toMatchObject({ result: { content: [] } });
    expect(raw.headers.get("tools/call")).toMatchObject({ "mcp-name": "tool", "mcp-param-region": region, "mcp-param-deep": "42" });
    for (const bad of [
      headers,
      { ...good, "mcp-param-deep": "43" },
      { ...good, "mcp-param-region": "Paris" },
      { ...good, "mcp-param-region": "=?base64?x?=" },
    ]) {
      const answer = await post(host.url, message, bad);
      expect([answer.status, answer.json()]).toMatchObject([400, { error: { code: -32020 } }]);
    }
    raw.headers.clear();
    await harness.proxy.call("raw__tool", args);
    expect(raw.headers.get("tools/call")).toMatchObject({ "mcp-param-region": region, "mcp-param-deep": "42" });
  });

  it("shows no tool whose header declarations the protocol does not allow", async () => {
    const bad = (schema: object) => ({ inputSchema: { type: "object", ...schema } });
    const { harness } = await through("modern", {}, [
      echo,
      { name: "token", ...bad({ properties: { a: { type: "string", "x-mcp-header": "a b" } } }) },
      { name: "number", ...bad({ properties: { a: { type: "number", "x-mcp-header": "A" } } }) },
      { name: "twice", ...bad({ properties: { a: { type: "string", "x-mcp-header": "A" }, b: { type: "string", "x-mcp-header": "a" } } }) },
      { name: "items", ...bad({ properties: { a: { type: "array", items: { type: "string", "x-mcp-header": "A" } } } }) },
      { name: "root", ...bad({ "x-mcp-header": "A" }) },
    ]);
    expect((await harness.proxy.tools()).map((tool) => tool.tool)).toEqual(["echo"]);
  });

  it("keeps a resource's answer for the caller alone, whatever its server says", async () => {
    const { raw, host } = await through("modern");
    raw.result = '{"resultType":"complete","ttlMs":5000,"cacheScope":"public","contents":[{"uri":"raw://r","text":"x"}]}';
    const { message, headers } = modern("resources/read", { uri: "sallyport:raw/raw://r" });
    expect((await post(host.url, message, headers)).json()).toMatchObject({
      result: { ttlMs: 5000, cacheScope: "private", contents: [{ uri: "sallyport:raw/raw://r" }] },
    });
    expect(raw.headers.get("resources/read")).toMatchObject({ "mcp-name": "raw://r" });
  });
});
