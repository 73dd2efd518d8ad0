import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { McpServer } from "@modelcontextprotocol/server";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { TEST_OWNER_KEY } from "../../src/testing/index.js";
import { saying, SECRET, served } from "./safety-harness.js";

/** A server whose tools say what they were given, in every form that a result has. */
function vault() {
  const seen: unknown[] = [];
  const make = (): McpServer => {
    const server = new McpServer({ name: "vault", version: "1" });
    server.registerTool(
      "open",
      { description: "opens", inputSchema: z.object({ say: z.string(), deep: z.any().optional() }) },
      ({ say, deep }) => {
        seen.push({ say, deep });
        return {
          content: [
            { type: "text", text: `said ${say}` },
            { type: "resource", resource: { uri: "vault://a", mimeType: "text/plain", text: `embedded ${SECRET}` } },
            {
              type: "resource",
              resource: { uri: "vault://b", mimeType: "text/plain", blob: Buffer.from(`blob ${SECRET}`).toString("base64") },
            },
            { type: "resource_link", uri: "vault://c", name: `link ${SECRET}` },
          ],
          structuredContent: { nested: [{ key: SECRET, [`named ${SECRET}`]: 1, card: 4111111111111111 }] },
        };
      },
    );
    server.registerTool("picture", { description: "shows", inputSchema: z.object({}) }, () => ({
      content: [{ type: "image", data: "AAAA", mimeType: "image/png" }],
    }));
    server.registerResource("note", "vault://note", {}, () => ({ contents: [{ uri: "vault://note", text: `note ${SECRET}` }] }));
    server.registerPrompt("hint", {}, () => ({ messages: [{ role: "user", content: { type: "text", text: `hint ${SECRET}` } }] }));
    return server;
  };
  return { make, seen };
}

async function story(guardrails: NonNullable<Parameters<typeof served>[0]["guardrails"]>) {
  const to = await served({ model: saying({ text: "x" }), guardrails });
  const { make, seen } = vault();
  await to.gateway.mcp.connect("vault", { server: make });
  const client = async (version?: string) => {
    const made = new Client({ name: "t", version: "1" }, version === undefined ? {} : { versionNegotiation: { mode: { pin: version } } });
    const headers = { authorization: `Bearer ${TEST_OWNER_KEY}` };
    await made.connect(new StreamableHTTPClientTransport(new URL(`${to.base}/mcp`), { requestInit: { headers } }));
    onTestFinished(() => made.close());
    return made;
  };
  return { ...to, seen, client };
}

describe.each([
  ["2025-11-25", undefined],
  ["2026-07-28", "2026-07-28"],
])("over MCP of %s", (_name, version) => {
  it("arguments are masked before a server sees them, escaped or deep within, and all else of them is as it was", async () => {
    const to = await story({ keys: { kind: "secrets", action: "mask", stages: ["arguments"] } });
    const client = await to.client(version);
    await client.callTool({
      name: "vault__open",
      arguments: { say: `key ${SECRET}`, deep: { list: [1.5, null, { [SECRET]: `${SECRET}"\n` }] } },
    });
    expect(to.seen).toEqual([{ say: "key [github_token]", deep: { list: [1.5, null, { "[github_token]": '[github_token]"\n' }] } }]);
  });

  it("results are masked wherever a text stands in them", async () => {
    const to = await story({
      keys: { kind: "secrets", action: "mask", stages: ["results"] },
      cards: { kind: "pii", action: "mask", settings: { types: ["card"] } },
    });
    const client = await to.client(version);
    const result = await client.callTool({ name: "vault__open", arguments: { say: `key ${SECRET}` } });
    expect(JSON.stringify(result)).not.toContain(SECRET);
    expect(result.content).toMatchObject([
      { text: "said key [github_token]" },
      { resource: { text: "embedded [github_token]" } },
      { resource: { blob: Buffer.from("blob [github_token]").toString("base64") } },
      { name: "link [github_token]" },
    ]);
    expect(result.structuredContent).toEqual({ nested: [{ key: "[github_token]", "named [github_token]": 1, card: "[card]" }] });
    const { resources } = await client.listResources();
    expect(JSON.stringify(await client.readResource({ uri: resources[0]!.uri }))).toContain("note [github_token]");
    expect(JSON.stringify(await client.getPrompt({ name: "vault__hint" }))).toContain("hint [github_token]");
  });

  it("what is blocked never reaches the server, or its caller", async () => {
    const to = await story({ words: { kind: "words", settings: { words: ["tangerine", "embedded"] } } });
    const client = await to.client(version);
    const blocked = {
      code: -32000,
      data: { code: "content_blocked", details: { guardrail: "words", type: "custom", severity: "medium" } },
    };
    await expect(client.callTool({ name: "vault__open", arguments: { say: "a tangerine" } })).rejects.toMatchObject(blocked);
    expect(to.seen).toEqual([]);
    await expect(client.callTool({ name: "vault__open", arguments: { say: "plain" } })).rejects.toMatchObject(blocked);
    expect(to.seen).toHaveLength(1);
    expect((await to.detections(2)).map(({ stage, server, tool }) => [stage, server, tool])).toEqual([
      ["arguments", "vault", "open"],
      ["results", "vault", "open"],
    ]);
  });

  it("what cannot be read is refused by who blocks, unless its operator lets it pass (T21)", async () => {
    const to = await story({ words: { kind: "words", settings: { words: ["tangerine"] }, stages: ["results"] } });
    await expect((await to.client(version)).callTool({ name: "vault__picture", arguments: {} })).rejects.toMatchObject({
      data: { code: "content_blocked", details: { type: "unseen" } },
    });
    const lax = await story({ words: { kind: "words", settings: { words: ["tangerine"] }, unseen: "allow" } });
    expect(await (await lax.client(version)).callTool({ name: "vault__picture", arguments: {} })).toMatchObject({
      content: [{ type: "image" }],
    });
  });
});

describe("which tools a guardrail looks at", () => {
  it.each([["vault__open"], ["open"], ["vault__*"]])("[BUG] is said by either name of a tool: %s", async (glob) => {
    const to = await story({ words: { kind: "words", settings: { words: ["tangerine"] }, applies: { tools: [glob] } } });
    await expect(to.gateway.mcp.call("vault__open", { say: "tangerine" })).rejects.toMatchObject({ code: "content_blocked" });
    expect(await to.gateway.mcp.call("demo__echo", { text: "tangerine" })).toMatchObject({ isError: false });
  });

  it("leaves models alone where only tools are named, and the other way round", async () => {
    const to = await story({ words: { kind: "words", settings: { words: ["tangerine"] }, applies: { servers: ["demo"] } } });
    await expect(to.gateway.mcp.call("demo__echo", { text: "tangerine" })).rejects.toMatchObject({ code: "content_blocked" });
    const asked = await to.post("/v1/chat/completions", { model: "test/script", messages: [{ role: "user", content: "tangerine" }] });
    expect(asked.status).toBe(200);
  });
});

describe("a model's calls of tools", () => {
  const args = JSON.stringify({ to: "a@example.com", note: `use ${SECRET}` }).replace("a@", "\\u0061@");

  it("leave once they are whole and masked, with all else as the model wrote it", async () => {
    const to = await served({
      model: saying({
        calls: [
          { name: "send", args },
          { name: "other", args: '{ "n": 1.0 }' },
        ],
        piece: 1,
      }),
      guardrails: {
        all: { kind: "secrets", action: "mask", stages: ["arguments"] },
        people: { kind: "pii", action: "mask", stages: ["arguments"], settings: { types: ["email"] } },
      },
    });
    const tools = ["send", "other"].map((name) => ({ type: "function" as const, function: { name, parameters: { type: "object" } } }));
    const stream = await to.openai.chat.completions.create({
      model: "test/script",
      messages: [{ role: "user", content: "x" }],
      tools,
      stream: true,
    });
    const said = ["", ""];
    for await (const chunk of stream)
      for (const call of chunk.choices[0]?.delta.tool_calls ?? []) said[call.index] += call.function?.arguments ?? "";
    expect(said).toEqual(['{"to":"[email]","note":"use [github_token]"}', '{ "n": 1.0 }']);
  });

  it("that are blocked are never told of (T50)", async () => {
    const to = await served({
      model: saying({ calls: [{ name: "send", args: '{"cmd":"r\\u006d -rf /"}' }], piece: 1 }),
      guardrails: { all: { kind: "injection", stages: ["arguments"] } },
    });
    const stream = await to.openai.chat.completions.create({
      model: "test/script",
      messages: [{ role: "user", content: "x" }],
      stream: true,
    });
    const deltas: unknown[] = [];
    await expect(
      (async () => {
        for await (const chunk of stream) deltas.push(chunk.choices[0]?.delta.tool_calls);
      })(),
    ).rejects.toThrow(/all/);
    expect(deltas.filter((delta) => delta !== undefined)).toEqual([]);
  });

  it("are held against what the call declared of the tool (T50)", async () => {
    const guardrails = { shape: { kind: "schema" as const, stages: ["arguments" as const], settings: { declared: true } } };
    const parameters = {
      type: "object",
      properties: { path: { type: "string", pattern: "^/safe/" } },
      required: ["path"],
      additionalProperties: false,
    };
    const tools = [{ type: "function" as const, function: { name: "read", parameters } }];
    const ask = async (given: string) => {
      const to = await served({ model: saying({ calls: [{ name: "read", args: given }] }), guardrails });
      return to.openai.chat.completions.create({ model: "test/script", messages: [{ role: "user", content: "x" }], tools });
    };
    await expect(ask('{"path":"/etc/passwd"}')).rejects.toMatchObject({ status: 403, code: "content_blocked" });
    await expect(ask('{"path":"/safe/a","more":1}')).rejects.toMatchObject({ status: 403 });
    await expect(ask("{broken")).rejects.toMatchObject({ status: 403 });
    expect((await ask('{"path":"/safe/a"}')).choices[0]?.message.tool_calls).toHaveLength(1);
  });
});
