import { describe, expect, it, onTestFinished } from "vitest";
import { auditEntry, usageEntry } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { createTestGateway, TEST_OWNER_KEY, type TestGatewayOptions } from "../../src/testing/index.js";
import { readableServer } from "./servers/readable-server.js";

const WORD = "forbiddenword";
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
const words = (action: "block" | "mask") =>
  ({ w: { kind: "words", settings: { words: [WORD] }, action } }) satisfies TestGatewayOptions["guardrails"];

async function reading(options: TestGatewayOptions = {}) {
  const server = await readableServer();
  const store = memoryStore();
  const gateway = await createTestGateway({
    storage: { open: () => Promise.resolve(store) } as never,
    mcpServers: { s: { url: server.url } },
    ...options,
  });
  onTestFinished(() => gateway.close());
  const send = (path: string, body: object) =>
    gateway.fetch(
      new Request(`http://localhost${path}`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${TEST_OWNER_KEY}`,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
        },
        body: JSON.stringify(body),
      }),
    );
  const mcp = async (method: string, params: object) => (await send("/mcp", { jsonrpc: "2.0", id: 1, method, params })).text();
  const rows = async () => {
    const query = { orderBy: "atMs", limit: 50 } as const;
    const usage = (await store.find(usageEntry, query, { system: "test" }, within)).rows;
    const audit = (await store.find(auditEntry, query, { system: "test" }, within)).rows.filter(({ action }) => action.startsWith("tool."));
    return {
      usage: usage.map(({ kind, operation, name, status }) => [kind, operation, name, status]),
      audit: audit.map(({ action, target, outcome, code, parameters }) => [action, target, outcome, code, parameters]),
    };
  };
  return { server, send, mcp, rows };
}
type Asking = (said: string) => readonly [method: string, params: object];
const prompt: Asking = (a) => ["prompts/get", { name: "s__p", arguments: { a } }];
const completion: Asking = (value) => [
  "completion/complete",
  { ref: { type: "ref/prompt", name: "s__p" }, argument: { name: "a", value }, context: { arguments: { b: value } } },
];
const resource: Asking = (path) => ["resources/read", { uri: `sallyport:s/x://${path}` }];
const askings = [
  ["prompt", "s__p", prompt],
  ["complete", "s__p", completion],
  ["read", "s__x://", resource],
] as const;

describe.each(askings)("[BUG] what is read over MCP passes the policy of tool calls: %s", (operation, name, asking) => {
  it("has a usage row and an audit row with what was asked", async () => {
    const { mcp, rows } = await reading({ audit: { parameters: "redacted" } });
    expect(await mcp(...asking("fine"))).toContain("12345678901234567890");
    const target = operation === "read" ? `${name}fine` : name;
    await expect.poll(rows).toEqual({
      usage: [["tool", operation, target, 200]],
      audit: [[`tool.${operation}`, target, "done", null, expect.anything()]],
    });
    expect(JSON.stringify((await rows()).audit)).toContain("fine");
  });

  it("is held to the limits of its server", async () => {
    const { send, mcp, server } = await reading();
    expect((await send("/api/v1/rate-limits", { subject: "server", subject_id: "s", requests_per_minute: 1 })).status).toBe(201);
    expect(await mcp(...asking("fine"))).toContain("12345678901234567890");
    expect(await mcp(...asking("fine"))).toContain("rate_limited");
    expect(server.read).toHaveLength(1);
  });

  it("is blocked by a guardrail on arguments (T21)", async () => {
    const { mcp, server } = await reading({ guardrails: words("block") });
    expect(await mcp(...asking(WORD))).toContain("content_blocked");
    expect(server.read).toEqual([]);
    // Results that nothing changed are as they came.
    expect(await mcp(...asking("fine"))).toContain("12345678901234567890");
  });

  it("is masked by one (T21)", async () => {
    const { mcp, server } = await reading({ guardrails: words("mask") });
    expect(await mcp(...asking(`a-${WORD}`))).toContain("12345678901234567890");
    expect(server.read).toHaveLength(1);
    expect(server.read[0]).toContain("a-[removed]");
    expect(server.read[0]).not.toContain(WORD);
  });

  it("needs nobody's approval", async () => {
    const { mcp } = await reading({ approvals: { tools: { "s__*": { class: "dangerous" } } } });
    expect(await mcp(...asking("fine"))).toContain("12345678901234567890");
  });
});
