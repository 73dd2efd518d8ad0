import { spawn } from "node:child_process";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "@sallyport/adapter-kit";
import { hosted, proxyHarness, type Hosted } from "./proxy-harness.js";

const require = createRequire(import.meta.url);
const bin = (name: string) => join(dirname(require.resolve(`@modelcontextprotocol/${name}/package.json`)), "dist", "index.js");
const everything = { command: process.execPath, args: [bin("server-everything"), "stdio"] };

async function folder() {
  const path = await realpath(await mkdtemp(join(tmpdir(), "sallyport-")));
  onTestFinished(() => rm(path, { recursive: true }));
  await writeFile(join(path, "hello.txt"), "hello from a file");
  return path;
}

type AnyClient = Pick<ModernClient, "close"> & {
  listTools(): Promise<{ tools: { name: string }[] }>;
  listPrompts(): Promise<{ prompts: { name: string }[] }>;
  listResources(): Promise<{ resources: { uri: string }[] }>;
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string }[] }>;
  readResource(p: { uri: string }): Promise<{ contents: { uri: string; text?: string }[] }>;
  getPrompt(p: { name: string; arguments?: Record<string, string> }): Promise<{ messages: unknown[] }>;
  complete(p: object): Promise<{ completion: { values: string[] } }>;
  callTool(p: { name: string; arguments?: Record<string, unknown> }): Promise<Record<string, unknown>>;
};

const clients: readonly [string, (host: Hosted, url?: URL) => Promise<AnyClient>][] = [
  [
    "the v1 client",
    async (host, url = host.url) => {
      const client = new OldClient({ name: "old", version: "1" });
      await client.connect(new OldTransport(url) as Parameters<typeof client.connect>[0]);
      return client as unknown as AnyClient;
    },
  ],
  ...(["legacy", "auto", { pin: "2026-07-28" }] as const).map(
    (mode) =>
      [
        `the v2 client (${JSON.stringify(mode)})`,
        async (host: Hosted, url = host.url) => {
          const client = new ModernClient({ name: "new", version: "1" }, { versionNegotiation: { mode } });
          await client.connect(new ModernTransport(url));
          return client as unknown as AnyClient;
        },
      ] as [string, (host: Hosted, url?: URL) => Promise<AnyClient>],
  ),
];

describe.each(clients)("%s", (_name, connect) => {
  it("uses server-everything and server-filesystem over stdio through one address", async () => {
    const path = await folder();
    const harness = proxyHarness({
      config: { mcpServers: { everything, files: { command: process.execPath, args: [bin("server-filesystem"), path] } } },
    });
    await harness.proxy.start();
    const host = await hosted(harness);
    const client = await connect(host);
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(
      expect.arrayContaining(["everything__echo", "everything__get-sum", "files__read_text_file"]),
    );
    expect(await client.callTool({ name: "everything__echo", arguments: { message: "hi" } })).toMatchObject({
      content: [{ type: "text", text: "Echo: hi" }],
    });
    const read = await client.callTool({ name: "files__read_text_file", arguments: { path: join(path, "hello.txt") } });
    expect(read).toMatchObject({ content: [{ type: "text", text: "hello from a file" }] });
    const { resources } = await client.listResources();
    const uri = resources[0]!.uri;
    expect(uri).toMatch(/^sallyport:everything\//);
    expect((await client.readResource({ uri })).contents[0]!.uri).toBe(uri);
    expect(
      (await client.listResourceTemplates()).resourceTemplates.every((template) =>
        template.uriTemplate.startsWith("sallyport:everything/"),
      ),
    ).toBe(true);
    const { prompts } = await client.listPrompts();
    expect(prompts.map((prompt) => prompt.name)).toContain("everything__simple-prompt");
    expect((await client.getPrompt({ name: "everything__simple-prompt" })).messages).toHaveLength(1);
    const completed = await client.complete({
      ref: { type: "ref/prompt", name: "everything__completable-prompt" },
      argument: { name: "department", value: "E" },
    });
    expect(completed.completion.values).toContain("Engineering");
    expect(harness.problems).toEqual([]);
    await client.close();
  });
});

describe("server-everything over Streamable HTTP", () => {
  it("is an upstream like any other", async () => {
    const port = await freePort();
    const child = spawn(process.execPath, [bin("server-everything"), "streamableHttp"], {
      env: { ...process.env, PORT: String(port) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    await new Promise<void>((resolve) => child.stderr.on("data", (chunk: Buffer) => String(chunk).includes("listening") && resolve()));
    const harness = proxyHarness({ config: { mcpServers: { everything: { url: `http://127.0.0.1:${port}/mcp` } } } });
    await harness.proxy.start();
    expect(harness.proxy.status()).toMatchObject([
      { name: "everything", transport: "http", connected: true, era: "legacy", lastError: null },
    ]);
    expect(await harness.proxy.call("everything__get-sum", { a: 2, b: 3 })).toMatchObject({
      isError: false,
      raw: { content: [{ text: expect.stringContaining("5") as unknown }] },
    });
  });
});
