import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Client as NewClient, StreamableHTTPClientTransport as NewTransport } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it } from "vitest";
import type { McpServerInput } from "../../src/mcp/index.js";
import { hosted, proxyHarness } from "./proxy-harness.js";
import { newHttpStory, newStory, oldHttpStory, oldStory } from "./servers/http-story.js";

const script = (name: string, ...args: string[]) => ({
  command: process.execPath,
  args: [join(import.meta.dirname, "servers", name), ...args],
});

const upstreams: readonly [string, "legacy" | "modern", () => Promise<McpServerInput>][] = [
  ["a v1 server over stdio", "legacy", () => Promise.resolve(script("old-stdio.mjs"))],
  ["a v2 server over stdio", "modern", () => Promise.resolve(script("new-stdio.mjs"))],
  ["a v2 server over stdio that refuses older revisions", "modern", () => Promise.resolve(script("new-stdio.mjs", "reject"))],
  ["a v1 server over HTTP with event streams", "legacy", async () => ({ url: (await oldHttpStory()).url })],
  ["a v1 server over HTTP with JSON", "legacy", async () => ({ url: (await oldHttpStory({ json: true })).url })],
  ["a v2 server over HTTP", "modern", async () => ({ url: (await newHttpStory("reject")).url })],
  ["a v1 server in this process", "legacy", () => Promise.resolve({ server: () => oldStory() })],
  ["a v2 server in this process", "legacy", () => Promise.resolve({ server: () => newStory() })],
];

interface AnyClient {
  close(): Promise<void>;
  getInstructions(): string | undefined;
  listTools(): Promise<{ tools: { name: string; outputSchema?: unknown }[] }>;
  readResource(p: { uri: string }): Promise<{ contents: { uri: string; text?: string }[] }>;
  getPrompt(p: object): Promise<{ messages: { content: { uri?: string } }[] }>;
  complete(p: object): Promise<{ completion: { values: string[] } }>;
  call(
    p: { name: string; arguments?: object; _meta?: object },
    o?: { signal?: AbortSignal; onprogress?: (p: object) => void },
  ): Promise<Record<string, unknown>>;
}

const clients: readonly [string, (url: URL) => Promise<AnyClient>][] = [
  [
    "the v1 client",
    async (url) => {
      const client = new OldClient({ name: "old", version: "1" });
      await client.connect(new OldTransport(url) as Parameters<typeof client.connect>[0]);
      return Object.assign(client, { call: (p: never, o: never) => client.callTool(p, undefined, o) }) as unknown as AnyClient;
    },
  ],
  [
    "a client of 2026-07-28",
    async (url) => {
      const client = new NewClient({ name: "new", version: "1" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
      await client.connect(new NewTransport(url));
      return Object.assign(client, { call: (p: never, o: never) => client.callTool(p, o) }) as unknown as AnyClient;
    },
  ],
];

describe.each(upstreams)("%s", (upstream, era, server) => {
  it.each(clients)("serves %s", async (clientName, connect) => {
    const harness = proxyHarness();
    const status = await harness.proxy.connect("story", await server());
    expect(status).toMatchObject({ name: "story", connected: true, era, lastError: null });
    const host = await hosted(harness);
    const client = await connect(host.url);

    const { tools } = await client.listTools();
    expect(tools.find((tool) => tool.name === "story__echo")?.outputSchema).toMatchObject({ type: "object" });
    expect(client.getInstructions()).toMatch(/# story\n(An old|A new) story\./);

    const echoed = await client.call({ name: "story__echo", arguments: { text: "héllo" }, _meta: { "example.com/mark": "kept" } });
    expect(echoed).toMatchObject({ structuredContent: { text: "héllo" }, _meta: { "example.com/seen": "kept" } });
    // What belongs to a hop was written anew, not relayed.
    expect((echoed["_meta"] as Record<string, unknown>)["example.com/keys"]).toEqual(["example.com/mark"]);
    expect(await client.call({ name: "story__fail" })).toMatchObject({ isError: true, content: [{ text: "it failed" }] });
    expect(await client.call({ name: "story__link" })).toMatchObject({
      content: [{ uri: "sallyport:story/story://one" }, { resource: { uri: "sallyport:story/story://two", text: "inside" } }],
    });

    const progress: object[] = [];
    await client.call({ name: "story__count", arguments: { to: 3 } }, { onprogress: (p) => void progress.push(p) });
    // A server that answers as JSON has no way to tell of progress.
    const steps = upstream.endsWith("with JSON") ? [] : [1, 2, 3];
    expect(progress).toEqual(steps.map((n) => ({ progress: n, total: 3, message: `step ${n}` })));

    expect((await client.readResource({ uri: "sallyport:story/story://one" })).contents).toMatchObject([
      { uri: "sallyport:story/story://one", text: "first" },
    ]);
    expect((await client.readResource({ uri: "sallyport:story/story://n/7" })).contents[0]?.text).toBe("number 7");
    const prompt = await client.getPrompt({ name: "story__greet", arguments: { name: "Ada" } });
    expect(prompt.messages[1]?.content.uri).toBe("sallyport:story/story://one");
    const byPrompt = { ref: { type: "ref/prompt", name: "story__greet" }, argument: { name: "name", value: "A" } };
    expect((await client.complete(byPrompt)).completion.values).toEqual(["Ada", "Alan"]);
    const byTemplate = {
      ref: { type: "ref/resource", uri: "sallyport:story/story://n/{number}" },
      argument: { name: "number", value: "" },
    };
    expect((await client.complete(byTemplate)).completion.values).toEqual(["1", "2"]);

    if (era === "legacy" && clientName !== "the v1 client" && !upstream.startsWith("a v2"))
      await expect(client.call({ name: "story__ask" })).rejects.toMatchObject({ code: -32021 });
    else expect(JSON.stringify((await client.call({ name: "story__ask" }))["content"])).toMatch(/refused|not asked/);
    await expect(client.call({ name: "story__echo", arguments: {} })).resolves.toMatchObject({ isError: true });
    await expect(client.call({ name: "story__nothing" })).rejects.toMatchObject({ code: -32602 });

    const label = `${upstream}, ${clientName}, ${randomUUID()}`;
    const abort = new AbortController();
    const waiting = client.call({ name: "story__wait", arguments: { label } }, { signal: abort.signal });
    const state = async () =>
      JSON.parse(((await harness.proxy.call("story__was_cancelled", { label })).raw["content"] as { text: string }[])[0]!.text) as object;
    await expect.poll(state).toEqual({ ran: 1, cancelled: false });
    abort.abort();
    await expect(waiting).rejects.toThrow();
    await expect.poll(state).toEqual({ ran: 1, cancelled: true });

    expect(harness.problems).toEqual([]);
    await client.close();
  });
});
