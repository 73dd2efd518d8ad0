import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { sqlite } from "@sallyport/adapters-sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import type { Gateway } from "../../src/gateway.js";
import { createTestGateway, script, TEST_OWNER_KEY, type TestGatewayOptions } from "../../src/testing/index.js";
import { oldStory } from "../mcp/servers/http-story.js";
import { listedServer, tool } from "../mcp/servers/listed-server.js";
import { Browser, call, json, PASSWORD } from "./harness.js";

/** A change made by one process is followed by another within about a second. */
const SOON = { timeout: 60_000, interval: 20 };
const PERSONAS = "/api/v1/personas";

async function started(o: TestGatewayOptions = {}): Promise<Gateway> {
  const gateway = await createTestGateway(o);
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  await gateway.mcp.connect("story", { server: () => oldStory() });
  await gateway.mcp.connect("box", { server: listedServer([tool("read"), tool("rm")], { prompts: ["ask"] }).server });
  return gateway;
}

/** Makes, changes or removes one, as the owner unless `key` says otherwise. */
async function write(gateway: Gateway, path: string, o: { readonly body?: object; readonly method?: string; readonly key?: string } = {}) {
  const response = await call(gateway, path, { key: TEST_OWNER_KEY, ...o });
  return { status: response.status, body: await json(response) };
}
async function rpc(gateway: Gateway, key: string, method: string, params: object = {}, at = "/mcp") {
  const headers = { accept: "application/json, text/event-stream" };
  const response = await call(gateway, at, { key, headers, body: { jsonrpc: "2.0", id: 1, method, params } });
  return (await json(response)) as { result?: Record<string, readonly Record<string, unknown>[]>; error?: { data?: { code?: string } } };
}
async function named(gateway: Gateway, key: string, method: string, o: { readonly at?: string; readonly of?: string } = {}) {
  const { result = {} } = await rpc(gateway, key, method, {}, o.at);
  return (result[o.of ?? method.split("/")[0]!] ?? []).map(({ name, uri }) => (uri ?? name) as string).sort();
}
const toolsOf = (gateway: Gateway, key: string): Promise<readonly string[]> => named(gateway, key, "tools/list");
const refusedBy = async (asked: Promise<{ error?: { data?: { code?: string } } }>) => (await asked).error?.data?.code;

describe("at every face", () => {
  const LEFT = { servers: { allow: ["story"] }, tools: { deny: ["story__f*", "story__story://one", "story__greet", "*__story://n/*"] } };
  const shown = (name: string): boolean => name.startsWith("story__") && !name.startsWith("story__f");

  it("what a persona keeps back is neither shown nor to be had (T19)", async () => {
    const gateway = await started();
    const scopes = ["mcp:*", "runs:*", "models:*"];
    const { id, key } = await gateway.keys.create({ name: "desk", scopes });
    const free = await gateway.keys.create({ name: "free", scopes });
    const all = (await gateway.mcp.tools()).map(({ name }) => name);
    expect(await toolsOf(gateway, key)).toEqual([...all].sort());
    expect((await write(gateway, PERSONAS, { body: { name: "desk", keys: [id], ...LEFT } })).status).toBe(201);
    const left = all.filter(shown).sort();
    expect(left.length).toBeLessThan(all.length - 3);
    expect(await toolsOf(gateway, key)).toEqual(left);
    // A list that was kept for one is not shown to another with the same grants and another persona.
    await write(gateway, PERSONAS, { body: { name: "other", keys: [free.id] } });
    expect(await toolsOf(gateway, free.key)).toEqual([...all].sort());
    expect(await toolsOf(gateway, key)).toEqual(left);
    expect(await toolsOf(gateway, TEST_OWNER_KEY)).toEqual([...all].sort());

    // MCP: what is shown is what can be called.
    for (const name of ["story__echo", "story__count", "story__fail", "box__read", "demo__echo"]) {
      const code = await refusedBy(rpc(gateway, key, "tools/call", { name, arguments: { text: "x", to: 1 } }));
      expect([name, code]).toEqual([name, shown(name) ? undefined : "forbidden"]);
    }
    expect(await refusedBy(rpc(gateway, key, "tools/call", { name: "box__rm", arguments: {} }))).toBe("forbidden");
    const uri = "sallyport:story/story://one";
    expect(await named(gateway, key, "resources/list")).toEqual([]);
    expect(await named(gateway, key, "resources/templates/list", { of: "resourceTemplates" })).toEqual([]);
    expect(await named(gateway, key, "prompts/list")).toEqual([]);
    expect(await refusedBy(rpc(gateway, key, "resources/read", { uri }))).toBe("forbidden");
    expect(await refusedBy(rpc(gateway, key, "prompts/get", { name: "story__greet", arguments: { name: "x" } }))).toBe("forbidden");
    expect(await refusedBy(rpc(gateway, key, "prompts/get", { name: "box__ask" }))).toBe("forbidden");
    const argument = { name: "name", value: "A" };
    const completion = { ref: { type: "ref/prompt", name: "story__greet" }, argument };
    expect(await refusedBy(rpc(gateway, key, "completion/complete", completion))).toBe("forbidden");
    expect(await named(gateway, TEST_OWNER_KEY, "resources/list")).toEqual([uri]);

    // REST.
    const at = (path: string, body?: object) => write(gateway, path, { key, ...(body === undefined ? {} : { body }) });
    const listed = (await at("/mcp/tools")).body.result.tools as readonly { name: string }[];
    expect(listed.map(({ name }) => name).sort()).toEqual(left);
    expect(Object.keys((await at("/mcp/servers")).body.result)).toEqual(["story"]);
    const found = (await at("/mcp/search", { query: "rm read echo" })).body.result as readonly { tool_name: string }[];
    expect(found.map(({ tool_name: name }) => name)).toContain("story__echo");
    expect(found.every(({ tool_name: name }) => left.includes(name))).toBe(true);
    expect(await at("/mcp/execute", { name: "box__read", args: {} })).toMatchObject({
      status: 403,
      body: { error: { code: "forbidden", details: { persona: "desk" } } },
    });
    expect((await at("/mcp/execute", { name: "story__echo", args: { text: "x" } })).status).toBe(200);
    expect((await at("/v1/mcp/box/tools/call", { name: "read", arguments: {} })).status).toBe(403);
    expect((await at("/v1/mcp/box/tools/list", {})).body).toMatchObject({ tools: [] });
    expect((await at("/v1/mcp/story/resources/read", { uri: "story://one" })).status).toBe(403);
  });

  it("in code and in runs, also of a caller that was kept, and of whatever it claims of personas", async () => {
    const model = script({ tool: "box__rm" }, "tried", { tool: "story__echo", args: { text: "x" } }, "done");
    const gateway = await started({ model });
    const { id } = await gateway.keys.create({ name: "desk", scopes: ["mcp:*", "models:*"] });
    const caller: Caller = { kind: "key", id, name: "desk", keyId: id, projects: ["default"], grants: ["mcp:*", "models:*"] };
    await write(gateway, PERSONAS, { body: { name: "desk", keys: [id], ...LEFT } });
    for (const who of [caller, { ...caller, personas: [] }]) {
      const tools = await gateway.mcp.tools(undefined, { caller: who });
      expect(tools.map(({ name }) => name).every(shown)).toBe(true);
      expect(tools.length).toBeGreaterThan(3);
      await expect(gateway.mcp.call("box__rm", {}, { caller: who })).rejects.toMatchObject({ code: "forbidden" });
    }
    const client = new Client({ name: "t", version: "1" });
    await client.connect(gateway.mcp.transport({ caller }));
    expect((await client.listTools()).tools.every(({ name }) => shown(name))).toBe(true);
    await client.close();
    const modelSaw = async (): Promise<readonly string[]> => {
      await gateway.as(caller).run({ model: "test/script", input: "go", tools: ["*"] });
      return (model.calls.at(-1)!.tools ?? []).flatMap((each) => ("name" in each ? [each.name] : []));
    };
    expect((await modelSaw()).every(shown)).toBe(true);
    expect(JSON.stringify(model.calls.at(-1)!.messages)).toContain("box__rm");
    await modelSaw();
    expect(model.left).toBe(0);
  });
});

describe("whom a persona binds", () => {
  const NO_RM = { tools: { deny: ["*__rm"] } };
  const sees = async (gateway: Gateway, key: string): Promise<boolean> => (await toolsOf(gateway, key)).includes("box__rm");

  it("a key and its children; a project; nobody else", async () => {
    const gateway = await started();
    const parent = await gateway.keys.create({ name: "parent", scopes: ["mcp:*", "keys:write"] });
    const child = (await write(gateway, "/api/v1/keys", { key: parent.key, body: { name: "child", scopes: ["mcp:*"] } })).body;
    const other = await gateway.keys.create({ name: "other", scopes: ["mcp:*"] });
    await write(gateway, "/api/v1/projects", { body: { id: "p1", name: "P1" } });
    const inside = await gateway.keys.create({ name: "inside", scopes: ["mcp:*"], projectId: "p1" });
    const all = [parent.key, child.key as string, other.key, inside.key];
    const seen = () => Promise.all(all.map((key) => sees(gateway, key)));
    expect(await seen()).toEqual([true, true, true, true]);
    const made = await write(gateway, PERSONAS, { body: { name: "no-rm", keys: [parent.id], ...NO_RM } });
    expect(await seen()).toEqual([false, false, true, true]);
    const at = `${PERSONAS}/${String(made.body.id)}`;
    expect((await write(gateway, at, { method: "PATCH", body: { keys: [], projects: ["p*"] } })).status).toBe(200);
    expect(await seen()).toEqual([true, true, true, false]);
    expect((await write(gateway, at, { method: "DELETE" })).status).toBe(200);
    expect(await seen()).toEqual([true, true, true, true]);
  });

  it("a user, by role and by id, with the keys that it makes, as of now", async () => {
    const gateway = await started();
    const ada = await gateway.users.create({ username: "ada", password: PASSWORD, role: "developer" });
    const browser = new Browser(gateway);
    await browser.login("ada");
    const sees = async (): Promise<boolean> => {
      const body = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
      const answer = await browser.send("/mcp", { body, headers: { accept: "application/json, text/event-stream" } });
      return (await answer.text()).includes('"box__rm"');
    };
    expect(await sees()).toBe(true);
    const made = await write(gateway, PERSONAS, { body: { name: "no-rm", roles: ["developer"], ...NO_RM } });
    expect(await sees()).toBe(false);
    const at = `${PERSONAS}/${String(made.body.id)}`;
    await write(gateway, at, { method: "PATCH", body: { roles: ["viewer"] } });
    expect(await sees()).toBe(true);
    await write(gateway, at, { method: "PATCH", body: { roles: [], users: [ada.id] } });
    expect(await sees()).toBe(false);
  });

  it("an agent, and what several of them leave is what all of them leave", async () => {
    const personas = { builder: { agents: ["builder"], servers: { allow: ["box"] } }, "no-rm": { users: ["*"], ...NO_RM } };
    const gateway = await started({ access: { personas } });
    const caller: Caller = { kind: "host", id: "shop", name: "shop", projects: ["default"], grants: ["mcp:*"] };
    const names = async (who: Caller) => (await gateway.mcp.tools("*__r*", { caller: who })).map(({ name }) => name);
    expect(await names({ ...caller, agentId: "builder" })).toEqual(["box__read"]);
    expect(await names(caller)).toEqual(["box__read"]);
    expect(await gateway.mcp.tools("story__echo", { caller })).toHaveLength(1);
    expect(await gateway.mcp.tools("story__echo", { caller: { ...caller, agentId: "builder" } })).toHaveLength(0);
  });
});

describe("a persona", () => {
  it("is written by who may write roles in every project, never by whom it binds, and read by no others (T05)", async () => {
    const gateway = await started({ access: { personas: { fixed: { keys: ["none"] } } } });
    await write(gateway, "/api/v1/projects", { body: { id: "p1", name: "P1" } });
    const everywhere = await gateway.keys.create({ name: "e", scopes: ["mcp:*", "roles:*", "project:*"] });
    const here = await gateway.keys.create({ name: "h", scopes: ["mcp:*", "roles:*"] });
    const none = await gateway.keys.create({ name: "n", scopes: ["mcp:*"] });
    const body = { name: "desk", keys: [everywhere.id], tools: { deny: ["box__*"] } };
    for (const { key } of [here, none]) {
      expect((await write(gateway, PERSONAS, { key, body })).status).toBe(403);
      expect((await write(gateway, PERSONAS, { key })).status).toBe(403);
    }
    const made = await write(gateway, PERSONAS, { key: everywhere.key, body });
    expect(made).toMatchObject({ status: 201, body: { name: "desk", created_by: everywhere.id, roles: [], tools: { deny: ["box__*"] } } });
    const at = `${PERSONAS}/${String(made.body.id)}`;
    for (const change of [{ method: "PATCH", body: { keys: [] } }, { method: "DELETE" }])
      expect(await write(gateway, at, { key: everywhere.key, ...change })).toMatchObject({
        status: 403,
        body: { error: { code: "forbidden" } },
      });
    expect((await write(gateway, at, { method: "PATCH", body: { keys: ["x"] } })).status).toBe(200);
    expect((await write(gateway, at, { key: everywhere.key, method: "DELETE" })).status).toBe(200);
    expect((await write(gateway, PERSONAS, { body: { name: "fixed" } })).status).toBe(409);
    expect((await write(gateway, PERSONAS, { body: { name: "x", tools: { allow: ["!box__*"] } } })).status).toBe(400);
    expect(JSON.stringify((await write(gateway, PERSONAS)).body)).toContain("configuration.fixed");
  });

  it("that is made, changed or removed at one node counts at all, and clients hear that their lists are others", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-personas-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const secret = randomBytes(32).toString("base64");
    const node = () => started({ storage: sqlite(join(folder, "sallyport.db")), secret });
    const [a, b] = [await node(), await node()];
    const { id, key } = await a.keys.create({ name: "k", scopes: ["mcp:*"] });
    const sees = async (): Promise<boolean> => (await toolsOf(b, key)).includes("box__rm");
    await expect.poll(sees, SOON).toBe(true);
    const client = new Client({ name: "t", version: "1" });
    const heard: string[] = [];
    for (const list of ["tools", "prompts", "resources"] as const)
      client.setNotificationHandler(`notifications/${list}/list_changed`, () => void heard.push(list));
    const caller: Caller = { kind: "key", id, name: "k", keyId: id, projects: ["default"], grants: ["mcp:*"] };
    await client.connect(b.mcp.transport({ caller }));
    const updates: string[] = [];
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => void updates.push(params.uri));
    await client.subscribeResource({ uri: "sallyport:story/story://one" });
    const touch = () => b.mcp.call("story__touch");
    await touch();
    await expect.poll(() => updates.length, SOON).toBe(1);
    const made = await write(a, PERSONAS, { body: { name: "k", keys: [id], tools: { deny: ["box__rm", "story__story://*"] } } });
    await expect.poll(sees, SOON).toBe(false);
    await expect.poll(() => [...new Set(heard)].sort(), SOON).toEqual(["prompts", "resources", "tools"]);
    await touch();
    // What is told comes in the order in which it was said.
    await client.listTools();
    expect(updates).toHaveLength(1);
    await write(a, `${PERSONAS}/${String(made.body.id)}`, { method: "DELETE" });
    await expect.poll(sees, SOON).toBe(true);
    await touch();
    await expect.poll(() => updates.length, SOON).toBe(2);
    await client.close();
  });
});
