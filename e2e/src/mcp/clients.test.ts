import { Client as V2Client, StreamableHTTPClientTransport as V2Transport } from "@modelcontextprotocol/client";
import { Client as V1Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as V1Transport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Gateway } from "@sallyport/core";
import { OWNER_KEY, served } from "../served.js";
import { folder, inProcess, listening, overStdio } from "./real-upstreams.js";

const { gateway, url } = await served({
  mcpServers: {
    ...overStdio,
    everything_http: { url: await listening("streamableHttp") },
    broken: { command: "no-such-program-anywhere" },
  },
  namespaces: { only: { servers: ["files"], naming: "none" } },
});
await gateway.mcp.connect("everything_here", { server: await inProcess() } as Parameters<Gateway["mcp"]["connect"]>[1]);
/** What fronts this gateway as one more server: its names get a second prefix. */
const chained = await served({
  mcpServers: { inner: { url: `${url}/mcp`, headers: { authorization: `Bearer ${OWNER_KEY}` } } },
});
const everywhere = ["everything", "everything_http", "everything_here"];
const requestInit = { headers: { authorization: `Bearer ${OWNER_KEY}` } };
const info = { name: "e2e", version: "1" };

const clients = {
  "the v1 SDK's client": async (address: string) => {
    const client = new V1Client(info);
    await client.connect(new V1Transport(new URL(address), { requestInit }) as Parameters<V1Client["connect"]>[0]);
    return client;
  },
  "the v2 SDK's client, older era": async (address: string) => {
    const client = new V2Client(info);
    await client.connect(new V2Transport(new URL(address), { requestInit }));
    return client;
  },
  "the v2 SDK's client, newer era": async (address: string) => {
    const client = new V2Client(info, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    await client.connect(new V2Transport(new URL(address), { requestInit }));
    return client;
  },
};

describe.each(Object.entries(clients))("%s", (_name, connect) => {
  it.each(everywhere)("uses all of %s", async (server) => {
    const client = await connect(`${url}/mcp`);
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toContain(`${server}__echo`);
    const said = expect.stringContaining("hello") as string;
    expect(await client.callTool({ name: `${server}__echo`, arguments: { message: "hello" } })).toMatchObject({
      content: [{ type: "text", text: said }],
    });
    expect(await client.callTool({ name: `${server}__get-structured-content`, arguments: { location: "New York" } })).toMatchObject({
      structuredContent: { temperature: expect.any(Number) as number },
    });
    expect(JSON.stringify(await client.callTool({ name: `${server}__get-tiny-image`, arguments: {} }))).toContain("image/png");
    const steps: number[] = [];
    const long = { name: `${server}__trigger-long-running-operation`, arguments: { duration: 0.02, steps: 2 } };
    const onprogress = ({ progress }: { progress: number }) => void steps.push(progress);
    await (client instanceof V1Client ? client.callTool(long, undefined, { onprogress }) : client.callTool(long, { onprogress }));
    expect(steps).toEqual([1, 2]);
    const { prompts } = await client.listPrompts();
    expect(prompts.map((prompt) => prompt.name)).toContain(`${server}__simple-prompt`);
    expect((await client.getPrompt({ name: `${server}__simple-prompt` })).messages).toHaveLength(1);
    const { resources } = await client.listResources();
    const own = resources.filter(({ uri }) => uri.startsWith(`sallyport:${server}/`));
    expect((await client.readResource({ uri: own[0]!.uri })).contents.length).toBeGreaterThan(0);
    await client.close();
  });

  it("reads a file, and remembers", async () => {
    const client = await connect(`${url}/mcp`);
    const read = await client.callTool({ name: "files__read_text_file", arguments: { path: join(folder, "note.txt") } });
    expect(JSON.stringify(read)).toContain("kept in a file");
    const entities = [{ name: "Ada", entityType: "person", observations: ["wrote the first program"] }];
    await client.callTool({ name: "memory__create_entities", arguments: { entities } });
    expect(await client.callTool({ name: "memory__open_nodes", arguments: { names: ["Ada"] } })).toMatchObject({
      structuredContent: { entities },
    });
    await client.close();
  });

  it("calls a single server by its own names in a namespace", async () => {
    const client = await connect(`${url}/ns/only/mcp`);
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toContain("read_text_file");
    const read = await client.callTool({ name: "read_text_file", arguments: { path: join(folder, "note.txt") } });
    expect(JSON.stringify(read)).toContain("kept in a file");
    await client.close();
  });

  it("reaches it all through a second gateway", async () => {
    const client = await connect(`${chained.url}/mcp`);
    const called = await client.callTool({ name: "inner__everything__echo", arguments: { message: "twice" } });
    expect(JSON.stringify(called)).toContain("twice");
    const { resources } = await client.listResources();
    const far = resources.find(({ uri }) => uri.startsWith("sallyport:inner/sallyport:everything/"));
    expect((await client.readResource({ uri: far!.uri })).contents[0]!.uri).toBe(far!.uri);
    await client.close();
  });

  it("hears of an unknown tool as an error, and of nothing of a server that is down", async () => {
    const client = await connect(`${url}/mcp`);
    await expect(client.callTool({ name: "nobody__knows", arguments: {} })).rejects.toThrow();
    expect((await client.listTools()).tools.filter(({ name }) => name.startsWith("broken__"))).toEqual([]);
    await client.close();
  });
});

it("an upstream that is down is reported and isolated", async () => {
  const health = (await (await fetch(`${url}/health`)).json()) as { status: string; servers: { configured: number; connected: number } };
  expect(health).toMatchObject({ status: "degraded", servers: { configured: 6, connected: 5 } });
  const broken = gateway.mcp.status().find((server) => server.name === "broken");
  expect(broken).toMatchObject({ connected: false, lastError: expect.stringContaining("no-such-program-anywhere") as string });
});
