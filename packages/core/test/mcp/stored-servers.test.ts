import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { insert } from "../../src/ports/index.js";
import { mcpServer } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { systemClock } from "../../src/memory/system-clock.js";
import { callerOf, codeOf, restGateway, type Called } from "../resources/harness.js";
import { closed } from "./proxy-harness.js";
import { namedServer } from "./servers/named-server.js";

/** For what comes by itself, on a machine that may be busy. */
const SOON = { timeout: 30_000 };

const boss = callerOf("boss", { grants: ["*", "project:*"] });
const user = callerOf("user", { grants: ["mcp:*"] });
const node = process.execPath;

/** A gateway without servers of its own, which may dial this machine. */
async function gateway(o: Parameters<typeof restGateway>[1] = {}) {
  const store = memoryStore({ clock: systemClock });
  const storage = { name: "kept", open: () => Promise.resolve(store) };
  const rest = await restGateway([boss, user], { storage, mcpServers: {}, network: { allowPrivate: true }, ...o });
  onTestFinished(() => rest.gateway.close());
  const tools = async () =>
    ((await rest.call("GET", "/mcp/tools")).body["result"] as { tools: { name: string }[] }).tools.map(({ name }) => name);
  const execute = (name: string, args: object = {}) => rest.call("POST", "/mcp/execute", { body: { tool_name: name, args } });
  return { ...rest, store, tools, execute };
}
const add = (rest: Awaited<ReturnType<typeof gateway>>, body: object): Promise<Called> =>
  rest.call("POST", "/api/v1/mcp-servers", { body });

describe("a stored server", () => {
  it("is there as soon as it is stored, and gone as soon as it is deleted, while others are called", async () => {
    const [first, second] = [await namedServer("one"), await namedServer("two")];
    const rest = await gateway();
    const made = await add(rest, { name: "a", url: first.url, auth_mode: "bearer", credential: "canary-of-a" });
    expect(made).toMatchObject({ status: 201, body: { name: "a", credential: { set: true }, trust_level: "untrusted" } });
    expect(made.text).not.toContain("canary");
    await expect.poll(rest.tools, SOON).toEqual(["a__one"]);
    expect(new Set(first.authorizations())).toEqual(new Set(["Bearer canary-of-a"]));
    await add(rest, { name: "b", url: second.url });
    await expect.poll(rest.tools, SOON).toEqual(["a__one", "b__two"]);
    expect((await rest.execute("b__two")).body["result"]).toMatchObject({ success: true, content: "two" });
    const greeted = second.greetings();
    const { id } = made.body as { id: string };
    expect((await rest.call("DELETE", `/api/v1/mcp-servers/${id}`)).status).toBe(200);
    await expect.poll(rest.tools, SOON).toEqual(["b__two"]);
    expect((await rest.execute("a__one")).status).toBe(404);
    // What happened to one is nothing to the other.
    expect(second.greetings()).toBe(greeted);
  });

  it("is connected anew when what is used of it changed, and only then; the others stay as they are", async () => {
    const [first, second, moved] = [await namedServer("one"), await namedServer("two"), await namedServer("moved")];
    const rest = await gateway();
    const { id } = (await add(rest, { name: "a", url: first.url })).body as { id: string };
    await add(rest, { name: "b", url: second.url });
    await expect.poll(rest.tools, SOON).toEqual(["a__one", "b__two"]);
    const greeted = [first.greetings(), second.greetings()];
    expect((await rest.call("PATCH", `/api/v1/mcp-servers/${id}`, { body: { description: "of the lab" } })).status).toBe(200);
    expect((await rest.call("POST", "/api/v1/admin/gateway/connections/a/refresh")).body).toMatchObject({ healthy: true });
    expect([first.greetings(), second.greetings()]).toEqual(greeted);
    await rest.call("PATCH", `/api/v1/mcp-servers/${id}`, { body: { url: moved.url } });
    await expect.poll(rest.tools, SOON).toEqual(["a__moved", "b__two"]);
    expect(second.greetings()).toBe(greeted[1]);
    await rest.call("PATCH", `/api/v1/mcp-servers/${id}`, { body: { enabled: false } });
    await expect.poll(rest.tools, SOON).toEqual(["b__two"]);
  });

  it("is there on every process of the store, with its credential, and gone from all of them", async () => {
    const server = await namedServer("one");
    const store = memoryStore({ clock: systemClock });
    const shared = { storage: { name: "shared", open: () => Promise.resolve(store) }, secret: crypto.getRandomValues(new Uint8Array(32)) };
    const [here, there] = [await gateway(shared), await gateway(shared)];
    const { id } = (await add(here, { name: "a", url: server.url, auth_mode: "bearer", credential: "canary-of-all" })).body as {
      id: string;
    };
    for (const rest of [here, there]) await expect.poll(rest.tools, SOON).toEqual(["a__one"]);
    expect((await there.execute("a__one")).body["result"]).toMatchObject({ success: true });
    expect(new Set(server.authorizations())).toEqual(new Set(["Bearer canary-of-all"]));
    expect((await there.call("DELETE", `/api/v1/mcp-servers/${id}`)).status).toBe(200);
    for (const rest of [here, there]) await expect.poll(rest.tools, SOON).toEqual([]);
  });

  it("hands its own instructions on only when it is trusted", async () => {
    const server = await namedServer("one");
    const rest = await gateway();
    const { id } = (await add(rest, { name: "a", url: server.url })).body as { id: string };
    await expect.poll(rest.tools, SOON).toEqual(["a__one"]);
    const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } };
    const headers = { accept: "application/json, text/event-stream" };
    const instructions = async () => {
      const { body } = await rest.call("POST", "/mcp", { body: { jsonrpc: "2.0", id: 1, method: "initialize", params }, headers });
      return (body["result"] as { instructions?: string }).instructions ?? null;
    };
    expect(await instructions()).toBeNull();
    await rest.call("PATCH", `/api/v1/mcp-servers/${id}`, { body: { trust_level: "trusted" } });
    await expect.poll(instructions, SOON).toContain("How to use one.");
  });

  it("that is deleted, or given to another, while it is dialled never comes", async () => {
    const held: ServerResponse[] = [];
    const slow = createServer((request, response) => {
      request.resume();
      held.push(response);
    });
    await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => closed(slow));
    const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}/mcp`;
    const other = await namedServer("other");
    const rest = await gateway();
    const [gone, moved] = [await add(rest, { name: "gone", url }), await add(rest, { name: "moved", url })].map(({ body }) =>
      String(body["id"]),
    );
    await expect.poll(() => held.length, SOON).toBe(2);
    await rest.call("DELETE", `/api/v1/mcp-servers/${gone!}`);
    await rest.call("PATCH", `/api/v1/mcp-servers/${moved!}`, { body: { url: other.url } });
    await expect.poll(rest.tools, SOON).toEqual(["moved__other"]);
    // What comes late finds nobody.
    const late = { jsonrpc: "2.0", id: 1, result: { supportedVersions: ["2026-07-28"], capabilities: { tools: {} } } };
    for (const response of held) response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(late));
    expect(await rest.tools()).toEqual(["moved__other"]);
    expect(rest.gateway.mcp.status().map(({ name, connected }) => [name, connected])).toEqual([["moved", true]]);
  });

  it("has bounds of its own for its calls, shown, changed and taken away again", async () => {
    const server = await namedServer("one");
    const rest = await gateway();
    const made = await add(rest, { name: "a", url: server.url, resilience: { max_concurrent: 1, retries: 2, idempotent: ["one"] } });
    expect(made).toMatchObject({
      status: 201,
      body: { resilience: { max_concurrent: 1, max_queued: 100, retries: 2, trust_annotations: false } },
    });
    await expect.poll(rest.tools, SOON).toEqual(["a__one"]);
    const path = `/api/v1/mcp-servers/${String(made.body["id"])}`;
    const refused = await rest.call("PATCH", path, { body: { resilience: { coalesce: true } } });
    expect([refused.status, codeOf(refused)]).toEqual([400, "validation_failed"]);
    expect(refused.text).toContain("resilience.coalesce");
    const greeted = server.greetings();
    expect((await rest.call("PATCH", path, { body: { resilience: { max_concurrent: 1, max_queued: 0 } } })).status).toBe(200);
    await expect.poll(() => server.greetings(), SOON).toBeGreaterThan(greeted);
    expect((await rest.call("PATCH", path, { body: { resilience: null } })).body).toMatchObject({ resilience: null });
  });

  it("is waited for as long as its time, and no longer", async () => {
    const server = createServer((request) => void request.resume());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => closed(server));
    const rest = await gateway();
    await add(rest, { name: "silent", url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, connect_timeout_ms: 50 });
    await expect.poll(() => rest.gateway.mcp.status()[0]?.lastError ?? "", SOON).toMatch(/in time/);
  });

  it("never takes the name of one that is configured, and its credential goes nowhere else", async () => {
    const [first, other] = [await namedServer("one"), await namedServer("two")];
    const rest = await gateway({ mcpServers: { mine: { url: first.url } } });
    expect(codeOf(await add(rest, { name: "mine", url: other.url }))).toBe("conflict");
    const { id } = (await add(rest, { name: "a", url: other.url, auth_mode: "api_key", credential: "canary-key-1" })).body as {
      id: string;
    };
    const moved = await rest.call("PATCH", `/api/v1/mcp-servers/${id}`, { body: { url: first.url } });
    expect([moved.status, codeOf(moved)]).toEqual([400, "validation_failed"]);
    const again = await rest.call("PATCH", `/api/v1/mcp-servers/${id}`, { body: { url: first.url, credential: "canary-key-2" } });
    expect(again.status).toBe(200);
    await expect.poll(() => first.keys(), SOON).toContain("canary-key-2");
    expect(first.keys()).not.toContain("canary-key-1");
    // What is configured is shown beside them, and is not changed here.
    expect((await rest.call("GET", "/api/v1/mcp-servers/mine")).body).toMatchObject({ name: "mine", origin: "configuration" });
    expect((await rest.call("DELETE", "/api/v1/mcp-servers/mine")).status).toBe(403);
  });

  it.each([
    ["no address", { url: null }, "url"],
    ["an address with a password", { url: "http://u:p@127.0.0.1/mcp" }, "url"],
    ["a fragment", { url: "http://127.0.0.1/mcp#x" }, "url"],
    ["a credential among the headers", { url: "http://127.0.0.1/mcp", headers: { "X-Api-Key": "k" } }, "headers"],
    ["a header that breaks the line", { url: "http://127.0.0.1/mcp", headers: { "x-a": "b\r\nc: d" } }, "headers"],
    ["a credential that nothing uses", { url: "http://127.0.0.1/mcp", credential: "x" }, "credential"],
    ["a bearer without a credential", { url: "http://127.0.0.1/mcp", auth_mode: "bearer" }, "credential"],
    ["a command beside an address", { url: "http://127.0.0.1/mcp", command: "x" }, "command"],
  ])("is refused with %s", async (_what, body, field) => {
    const rest = await gateway();
    const refused = await add(rest, { name: "a", ...body });
    expect([refused.status, codeOf(refused)]).toEqual([400, "validation_failed"]);
    expect(refused.text).toContain(field);
  });

  it("starts a process only as the operator's list has it to the letter, also when its row stands in the store already (T01)", async () => {
    const script = new URL("servers/new-stdio.mjs", import.meta.url).pathname;
    const rest = await gateway({ mcp: { allowStdio: [{ command: node, args: [script] }] } });
    for (const args of [[script, "reject"], [], ["-e", "1"]]) {
      const refused = await add(rest, { name: "p", type: "stdio", command: node, args });
      expect([refused.status, codeOf(refused)]).toEqual([403, "stdio_not_allowed"]);
      expect(refused.text).toContain("mcp.allowStdio");
    }
    const tested = await rest.call("POST", "/api/v1/admin/gateway/connections/p/test", {
      body: { config: { type: "stdio", command: node, args: ["-e", "1"] } },
    });
    expect([tested.status, codeOf(tested)]).toEqual([403, "stdio_not_allowed"]);
    expect((await add(rest, { name: "p", type: "stdio", command: node, args: [script] })).status).toBe(201);
    await expect.poll(async () => (await rest.tools()).length, SOON).toBeGreaterThan(3);
    expect(rest.gateway.mcp.status().map(({ name, transport }) => [name, transport])).toEqual([["p", "stdio"]]);
  });

  it("that has a command and no type is a process, as in the configuration", async () => {
    const script = new URL("servers/new-stdio.mjs", import.meta.url).pathname;
    const rest = await gateway({ mcp: { allowStdio: [{ command: node, args: [script] }] } });
    const config = { command: node, args: ["-e", "1"] };
    const paths = [
      await add(rest, { name: "p", ...config }),
      await rest.call("PUT", "/api/v1/admin/connection-instances/mcp/p", { body: { config } }),
      await rest.call("POST", "/api/v1/admin/gateway/connections/p/test", { body: { config } }),
    ];
    for (const refused of paths) expect([refused.status, codeOf(refused)], refused.text).toEqual([403, "stdio_not_allowed"]);
    expect(await add(rest, { name: "p", command: node, args: [script] })).toMatchObject({ status: 201, body: { type: "stdio" } });
    const said = await add(rest, { name: "q", type: "sse", command: node });
    expect([said.status, said.text]).toEqual([400, expect.stringContaining("of the type sse")]);
  });

  it("that was written into the store by hand starts nothing (T01)", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-never-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const touched = join(folder, "touched");
    const rest = await gateway();
    const nothing = {
      description: null,
      url: null,
      headers: null,
      credential: null,
      credentialHeader: null,
      openapi: null,
      connectTimeoutMs: null,
      callTimeoutMs: null,
    };
    const row = {
      ...nothing,
      id: "mcp_server_bad",
      name: "bad",
      type: "stdio",
      command: node,
      args: ["-e", `require("fs").writeFileSync(${JSON.stringify(touched)}, "")`],
      authMode: "none",
      trustLevel: "trusted",
      enabled: true,
      createdBy: null,
    };
    await rest.store.commit([{ scope: { system: "test" }, writes: [insert(mcpServer, row as never)] }], { deadlineMs: Date.now() + 5_000 });
    await expect.poll(() => rest.gateway.mcp.status()[0]?.lastError ?? "", SOON).toContain("may not be started");
    expect(existsSync(touched)).toBe(false);
  });
});
