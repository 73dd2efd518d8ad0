import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Gateway } from "@sallyport/core";
import { serve, type Serving } from "@sallyport/core/node";
import { createProxy } from "./mcp-proxy.js";

const ownerKey = "mcp-proxy-owner-key-2e7d9a4c60f1b8";
const folder = realpathSync(mkdtempSync(join(tmpdir(), "sallyport-example-")));
writeFileSync(join(folder, "note.txt"), "written by hand");
let gateway: Gateway;
let serving: Serving;
let client: Client;

beforeAll(async () => {
  gateway = await createProxy({ folder, ownerKey });
  serving = await serve(gateway, { port: 0 });
  client = new Client({ name: "example", version: "1.0.0" });
  const requestInit = { headers: { authorization: `Bearer ${ownerKey}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${serving.url}/mcp`), { requestInit }));
});
afterAll(async () => {
  await client.close();
  await serving.close();
  await gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

it("shows the tools of both servers under one address", async () => {
  const { tools } = await client.listTools();
  expect(tools.map((tool) => tool.name)).toEqual(expect.arrayContaining(["files__read_text_file", "greeter__greet"]));
});

it("calls a tool of the process, and one of this program", async () => {
  const note = await client.callTool({ name: "files__read_text_file", arguments: { path: join(folder, "note.txt") } });
  expect(note.content).toEqual([{ type: "text", text: "written by hand" }]);
  const greeting = await client.callTool({ name: "greeter__greet", arguments: { name: "Ada" } });
  expect(greeting.content).toEqual([{ type: "text", text: "Hello, Ada" }]);
});

it("calls them from the program too, without HTTP", async () => {
  expect(await gateway.mcp.call("greeter__greet", { name: "Grace" })).toMatchObject({
    isError: false,
    raw: { content: [{ type: "text", text: "Hello, Grace" }] },
  });
});
