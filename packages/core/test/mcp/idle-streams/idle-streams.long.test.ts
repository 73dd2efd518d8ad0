import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Caller } from "../../../src/calls/index.js";
import { serve } from "../../../src/node/index.js";
import { createTestGateway } from "../../../src/testing/index.js";
import { startChild } from "../../processes/child-bundle.js";

const STREAMS = 10_000;
/** No one of them may have more than 2,000 sessions. */
const CALLERS = 10;
const TOOLS = 10_000;
const callerOf = (id: string): Caller => ({ kind: "key", id, keyId: id, name: id, projects: ["default"], grants: ["*"] });

/** A server of many tools that can be given one more. */
function manyTools(count: number) {
  const server = new McpServer({ name: "many", version: "1" }, { capabilities: { tools: { listChanged: true } } });
  const tool = (name: string) =>
    server.registerTool(name, { description: `The tool ${name}` }, () => ({ content: [{ type: "text", text: name }] }));
  server.sendToolListChanged = () => undefined;
  for (let i = 0; i < count; i++) tool(`t${i}`);
  return {
    server,
    grow: () => {
      tool("grown");
      return server.server.sendToolListChanged();
    },
  };
}

describe.runIf(process.platform === "linux")("ten thousand idle streams beside ten thousand tools (T41)", () => {
  it("stand at once, keep nobody from being served, hear of a change, and leave nothing behind when they go", async () => {
    const many = manyTools(TOOLS);
    const gateway = await createTestGateway({
      mcpServers: {},
      auth: ({ header }) => callerOf(header("x-who") ?? "somebody"),
    });
    await gateway.mcp.connect("many", { server: many.server });
    const serving = await serve(gateway, { port: 0 });
    onTestFinished(async () => {
      await serving.close();
      await gateway.close({ graceMs: 0 });
    });
    const ask = async (method: string, params: object = {}) => {
      const response = await fetch(`${serving.url}/mcp`, {
        method: "POST",
        headers: { "x-who": "healthy", "content-type": "application/json", accept: "application/json, text/event-stream" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      });
      return (await response.json()) as { result?: { tools?: unknown[]; nextCursor?: string; content?: unknown } };
    };
    const call = () => ask("tools/call", { name: "many__t7", arguments: {} });
    await expect.poll(async () => (await call()).result?.content).toEqual([{ type: "text", text: "t7" }]);
    const descriptors = () => readdirSync("/proc/self/fd").length;
    const before = descriptors();
    const rssBefore = process.memoryUsage().rss;
    const file = fileURLToPath(new URL("idle-clients.mjs", import.meta.url));
    const clients = startChild(file, { port: serving.port, count: STREAMS, callers: CALLERS, atOnce: 50 });
    onTestFinished(async () => {
      clients.process.kill("SIGKILL");
      await clients.ended;
    });
    await clients.said(`open ${STREAMS}`);
    expect(descriptors() - before).toBeGreaterThanOrEqual(STREAMS);
    for (let i = 0; i < 20; i++) expect((await call()).result?.content).toEqual([{ type: "text", text: "t7" }]);
    expect((await ask("tools/list")).result?.tools?.length).toBeGreaterThan(0);
    await many.grow();
    await clients.said("all heard");
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(512 * 1_048_576);
    clients.process.kill("SIGKILL");
    await expect.poll(descriptors).toBeLessThanOrEqual(before + 20);
    expect((await call()).result?.content).toEqual([{ type: "text", text: "t7" }]);
  });
});
