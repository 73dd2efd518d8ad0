import { join } from "node:path";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, it } from "vitest";
import type { McpServerInput } from "../../src/mcp/index.js";
import { hosted, modern, post, proxyHarness, type Hosted } from "./proxy-harness.js";
import { newHttpStory, oldHttpStory } from "./servers/http-story.js";

const oldStdio = { command: process.execPath, args: [join(import.meta.dirname, "servers", "old-stdio.mjs")] };

async function story(input: McpServerInput) {
  const harness = proxyHarness();
  await harness.proxy.connect("story", input);
  return { harness, host: await hosted(harness) };
}
async function listener(host: Hosted, id: string, level?: "debug" | "error") {
  const client = new OldClient({ name: id, version: "1" });
  const options = { requestInit: { headers: { authorization: `Bearer ${id}` } } };
  await client.connect(new OldTransport(host.url, options) as Parameters<typeof client.connect>[0]);
  const heard: unknown[] = [];
  client.setNotificationHandler(LoggingMessageNotificationSchema, (note) => void heard.push(note.params.data));
  if (level !== undefined) await client.setLoggingLevel(level);
  return { client, heard, shout: (with_: string) => client.callTool({ name: "story__shout", arguments: { level: with_ } }) };
}

describe.each<[string, () => Promise<McpServerInput>]>([
  ["over stdio", () => Promise.resolve(oldStdio)],
  ["over HTTP", async () => ({ url: (await oldHttpStory()).url })],
])("logs of an older server %s", (_name, server) => {
  it("reach the session whose call they belong to, from its level on", async () => {
    const { host } = await story(await server());
    const { client, heard, shout } = await listener(host, "ada", "error");
    await shout("info");
    await shout("error");
    await shout("critical");
    expect(heard).toEqual(["said with error", "said with critical"]);
    await client.close();
  });

  it("reach a caller of 2026-07-28 only when its request asks for them", async () => {
    const { host } = await story(await server());
    const call = async (level?: string) => {
      const _meta = level === undefined ? {} : { "io.modelcontextprotocol/logLevel": level };
      const { message, headers } = modern("tools/call", { name: "story__shout", arguments: { level: "warning" }, _meta });
      return (await post(host.url, message, headers)).text;
    };
    expect(await call()).not.toContain("said with");
    expect(await call("error")).not.toContain("said with");
    expect(await call("info")).toMatch(/notifications\/message[^]*said with warning[^]*shouted/);
  });
});

describe("logs of a server of 2026-07-28", () => {
  it("are asked for as the caller asked", async () => {
    const upstream = await newHttpStory("reject");
    const { host } = await story({ url: upstream.url });
    const { message, headers } = modern("tools/call", {
      name: "story__shout",
      arguments: { level: "warning" },
      _meta: { "io.modelcontextprotocol/logLevel": "notice" },
    });
    expect((await post(host.url, message, headers)).text).toContain("said with warning");
    const sent = upstream.seen.find((seen) => seen.body.includes("story__shout") || seen.body.includes('"shout"'))!;
    expect(JSON.parse(sent.body)).toMatchObject({ params: { _meta: { "io.modelcontextprotocol/logLevel": "notice" } } });
  });
});

describe("a connection that two callers share", () => {
  it("tells neither of them what may be the other's", async () => {
    const { host } = await story(oldStdio);
    const [ada, bob] = [await listener(host, "ada", "debug"), await listener(host, "bob", "debug")];
    await ada.shout("error");
    await bob.shout("error");
    await ada.shout("error");
    expect([ada.heard, bob.heard]).toEqual([["said with error"], []]);
    await Promise.all([ada.client.close(), bob.client.close()]);
  });
});
