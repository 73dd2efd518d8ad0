import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import { expect, it, onTestFinished } from "vitest";
import { callerOf, codeOf, restGateway, type RestGateway } from "../resources/harness.js";
import { listedServer, tool } from "./servers/listed-server.js";

const OWNER = callerOf("owner", { grants: ["*", "project:*"] });
const USER = callerOf("user", { grants: ["mcp:*"] });
/** A change made by one process is followed by another within about a second. */
const SOON = { timeout: 60_000, interval: 20 };

/** Two processes on one database, each with a connection of its own to the same server. */
async function twoNodes() {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-shape-"));
  const server = listedServer([tool("read"), tool("write", { description: "writes" })]);
  const secret = randomBytes(32).toString("base64");
  const start = async () => {
    const node = await restGateway([OWNER, USER], {
      storage: sqlite(join(folder, "sallyport.db")),
      secret,
    });
    await node.gateway.mcp.connect("box", { server: server.server, pin: "quarantine" });
    return node;
  };
  const [a, b] = [await start(), await start()];
  onTestFinished(async () => {
    await Promise.all([a.gateway.close(), b.gateway.close()]);
    rmSync(folder, { recursive: true, force: true });
  });
  return { a, b, server };
}

async function rpc(
  { call }: RestGateway,
  method: string,
  o: { readonly params?: object; readonly at?: string; readonly as?: string } = {},
) {
  const body = { jsonrpc: "2.0", id: 1, method, params: o.params ?? {} };
  const headers = { accept: "application/json, text/event-stream" };
  const { body: answer, status } = await call("POST", o.at ?? "/mcp", { body, headers, as: o.as ?? "owner" });
  return { ...answer, status } as { readonly status: number; readonly result?: Record<string, unknown>; readonly error?: object };
}
async function names(node: RestGateway, at?: string): Promise<readonly string[]> {
  const tools = (await rpc(node, "tools/list", at === undefined ? {} : { at })).result?.["tools"] as
    | readonly { name: string }[]
    | undefined;
  return (tools ?? []).map(({ name }) => name).filter((name) => !name.startsWith("demo__"));
}

it("namespaces of the store are served by every process, changed and taken away while it runs", async () => {
  const { a, b } = await twoNodes();
  const at = "/ns/desk/mcp";
  expect((await rpc(b, "tools/list", { at })).status).toBe(404);
  const made = await a.call("POST", "/api/v1/namespaces", { body: { name: "desk", servers: ["box"], naming: "none" } });
  expect(made.status).toBe(201);
  await expect.poll(() => names(b, at), SOON).toEqual(["read", "write"]);
  const path = `/api/v1/namespaces/${String(made.body["id"])}`;
  expect((await a.call("PATCH", path, { body: { naming: "manual", names: { look: "box__read" }, restricted: true } })).status).toBe(200);
  await expect.poll(() => names(b, at), SOON).toEqual(["look"]);
  expect((await rpc(b, "tools/call", { at, params: { name: "look", arguments: {} } })).result).toMatchObject({
    content: [{ text: "read" }],
  });
  expect((await rpc(b, "tools/list", { at, as: "user" })).status).toBe(403);
  expect((await a.call("DELETE", path)).status).toBe(200);
  await expect.poll(async () => (await rpc(b, "tools/list", { at })).status, SOON).toBe(404);
  expect((await a.call("POST", "/api/v1/namespaces", { as: "user", body: { name: "mine", servers: ["box"] } })).status).toBe(403);
});

it("what the store says of a tool holds at every process", async () => {
  const { a, b, server } = await twoNodes();
  const words = { server: "box", tool: "write", name: "save", description: "saves", arguments: { to: { value: "desk" } } };
  const made = await a.call("POST", "/api/v1/mcp-tools", { body: words });
  expect(made.status).toBe(201);
  await expect.poll(() => names(b), SOON).toEqual(["box__read", "box__save"]);
  await rpc(b, "tools/call", { params: { name: "box__save", arguments: { to: "elsewhere" } } });
  expect(server.calls).toEqual([{ name: "write", arguments: { to: "desk" } }]);
  await a.call("PATCH", `/api/v1/mcp-tools/${String(made.body["id"])}`, { body: { hidden: true } });
  await expect.poll(() => names(b), SOON).toEqual(["box__read"]);
  expect((await rpc(b, "tools/call", { params: { name: "box__save", arguments: {} } })).error).toMatchObject({
    data: { code: "tool_not_found" },
  });
});

it("a server of the store has its words on tools and its pins beside where it is, and an older form of the API keeps them", async () => {
  const { a } = await twoNodes();
  const tools = { deny: ["delete_*"], overrides: { read: { name: "look" } } };
  const body = { name: "far", type: "http", url: "https://mcp.example.com/mcp", tools, pin: "quarantine", enabled: false };
  const made = await a.call("POST", "/api/v1/mcp-servers", { body });
  expect(made.body).toMatchObject({ tools, pin: "quarantine" });
  const path = "/api/v1/admin/connection-instances/mcp/far";
  const { config } = (await a.call("GET", path)).body as { readonly config: object };
  expect((await a.call("PUT", path, { body: { config: { ...config, call_timeout: 5 } } })).status).toBe(200);
  const kept = await a.call("GET", `/api/v1/mcp-servers/${String(made.body["id"])}`);
  expect(kept.body).toMatchObject({ tools, pin: "quarantine", call_timeout_ms: 5_000 });
  const twice = { ...body, name: "twice", tools: { overrides: { a: { name: "x" }, b: { name: "x" } } } };
  expect((await a.call("POST", "/api/v1/mcp-servers", { body: twice })).status).toBe(400);
});

it("a changed definition waits at every process, and what a person decides over REST holds at every process (T27)", async () => {
  const { a, b, server } = await twoNodes();
  server.list([tool("read"), tool("write", { description: "writes, and tells everybody" })]);
  await expect.poll(() => names(b), SOON).toEqual(["box__read"]);
  await expect.poll(() => names(a), SOON).toEqual(["box__read"]);
  const waiting = await a.call("GET", "/api/v1/mcp/pins?status=changed");
  const [pin] = waiting.body["data"] as readonly { readonly id: string; readonly seen_digest: string; readonly tool: string }[];
  expect(pin).toMatchObject({ server: "box", tool: "write", status: "changed", decided_by: null });
  const path = `/api/v1/mcp/pins/${pin!.id}`;
  expect((await a.call("GET", path)).body).toMatchObject({
    differences: [{ path: "/description", before: "writes", after: "writes, and tells everybody" }],
  });
  for (const [method, to] of [
    ["GET", path],
    ["POST", `${path}/approve`],
    ["GET", "/api/v1/mcp/pins"],
  ] as const)
    expect((await a.call(method, to, { as: "user", body: method === "GET" ? undefined : { digest: pin!.seen_digest } })).status).toBe(403);
  expect(codeOf(await a.call("POST", `${path}/approve`, { body: { digest: "0".repeat(64) } }))).toBe("conflict");
  expect((await a.call("POST", `${path}/reject`, { body: { digest: pin!.seen_digest } })).body).toMatchObject({
    status: "rejected",
    decided_by: "owner",
  });
  expect((await rpc(b, "tools/call", { params: { name: "box__write", arguments: {} } })).error).toMatchObject({
    data: { code: "tool_definition_changed" },
  });
  expect((await b.call("POST", `${path}/approve`, { body: { digest: pin!.seen_digest } })).body).toMatchObject({
    status: "approved",
    seen_digest: null,
  });
  await expect.poll(() => names(a), SOON).toEqual(["box__read", "box__write"]);
  expect(server.calls).toEqual([]);
  expect(codeOf(await a.call("GET", "/api/v1/mcp/pins/none"))).toBe("not_found");
});
