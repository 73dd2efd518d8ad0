import { Client as V2Client, StreamableHTTPClientTransport as V2Transport } from "@modelcontextprotocol/client";
import { Client as V1Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as V1Transport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OWNER_KEY, served } from "./served.js";

const require = createRequire(import.meta.url);
const entry = (name: string) => join(require.resolve(`${name}/package.json`), "..", "dist", "index.js");
const folder = realpathSync(mkdtempSync(join(tmpdir(), "sallyport-files-")));
writeFileSync(join(folder, "note.txt"), "kept in a file");

const { gateway, url } = await served({
  mcpServers: {
    everything: { command: process.execPath, args: [entry("@modelcontextprotocol/server-everything")] },
    files: { command: process.execPath, args: [entry("@modelcontextprotocol/server-filesystem"), folder] },
    broken: { command: "no-such-program-anywhere" },
  },
  namespaces: { only: { servers: ["files"], naming: "none" } },
});
const requestInit = { headers: { authorization: `Bearer ${OWNER_KEY}` } };
const info = { name: "e2e", version: "1" };

const clients = {
  "the v1 SDK's client": async (path: string) => {
    const client = new V1Client(info);
    await client.connect(new V1Transport(new URL(`${url}${path}`), { requestInit }) as Parameters<V1Client["connect"]>[0]);
    return client;
  },
  "the v2 SDK's client, older era": async (path: string) => {
    const client = new V2Client(info);
    await client.connect(new V2Transport(new URL(`${url}${path}`), { requestInit }));
    return client;
  },
  "the v2 SDK's client, newer era": async (path: string) => {
    const client = new V2Client(info, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    await client.connect(new V2Transport(new URL(`${url}${path}`), { requestInit }));
    return client;
  },
};

describe.each(Object.entries(clients))("%s", (_name, connect) => {
  it("sees the tools, resources and prompts of every server that is up, and calls them", async () => {
    const client = await connect("/mcp");
    const { tools } = await client.listTools();
    const names = tools.map((tool) => tool.name);
    expect(names).toEqual(expect.arrayContaining(["everything__echo", "files__read_text_file"]));
    expect(names.filter((name) => name.startsWith("broken__"))).toEqual([]);
    expect(await client.callTool({ name: "everything__echo", arguments: { message: "hello" } })).toMatchObject({
      content: [{ type: "text", text: expect.stringContaining("hello") as string }],
    });
    const read = await client.callTool({ name: "files__read_text_file", arguments: { path: join(folder, "note.txt") } });
    expect(JSON.stringify(read)).toContain("kept in a file");
    const { prompts } = await client.listPrompts();
    expect(prompts.some((prompt) => prompt.name.startsWith("everything__"))).toBe(true);
    const { resources } = await client.listResources();
    expect(resources.length).toBeGreaterThan(0);
    expect((await client.readResource({ uri: resources[0]!.uri })).contents.length).toBeGreaterThan(0);
    await client.close();
  });

  it("calls a single server by its own names in a namespace", async () => {
    const client = await connect("/ns/only/mcp");
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toContain("read_text_file");
    expect(JSON.stringify(await client.callTool({ name: "read_text_file", arguments: { path: join(folder, "note.txt") } }))).toContain(
      "kept in a file",
    );
    await client.close();
  });

  it("hears of an unknown tool as an error", async () => {
    const client = await connect("/mcp");
    await expect(client.callTool({ name: "nobody__knows", arguments: {} })).rejects.toThrow();
    await client.close();
  });
});

it("an upstream that is down is reported and isolated", async () => {
  const health = (await (await fetch(`${url}/health`)).json()) as { status: string; servers: { configured: number; connected: number } };
  expect(health).toMatchObject({ status: "degraded", servers: { configured: 3, connected: 2 } });
  const broken = gateway.mcp.status().find((server) => server.name === "broken");
  expect(broken).toMatchObject({ connected: false, lastError: expect.stringContaining("no-such-program-anywhere") as string });
});
