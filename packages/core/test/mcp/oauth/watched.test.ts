import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import type { Caller } from "../../../src/calls/index.js";
import { createTestGateway } from "../../../src/testing/index.js";
import { ask } from "./harness.js";

const results: Readonly<Record<string, object>> = {
  initialize: {
    protocolVersion: "2025-11-25",
    capabilities: { resources: { subscribe: true } },
    serverInfo: { name: "notes", version: "1" },
  },
  "resources/list": { resources: [{ uri: "note:1", name: "one" }] },
  "resources/templates/list": { resourceTemplates: [] },
  "resources/subscribe": {},
  "resources/read": { contents: [{ uri: "note:1", text: "mine" }] },
};

/** A server of 2025-11-25 with one resource, which may be watched. */
async function notes() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.method !== "POST") return void response.writeHead(405).end();
      const { id, method } = JSON.parse(Buffer.concat(chunks).toString()) as { id?: number; method: string };
      asked.push(method);
      if (id === undefined) return void response.writeHead(202).end();
      const result = results[method];
      const said = result === undefined ? { error: { code: -32601, message: "no" } } : { result };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ jsonrpc: "2.0", id, ...said }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void (server.closeAllConnections(), server.close()));
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` };
}

it("what one caller's server says of a resource is told to no other: such a server's resources are read, and not watched (T16)", async () => {
  const server = await notes();
  const ada: Caller = { kind: "user", id: "user_ada", userId: "user_ada", name: "ada", projects: ["default"], grants: ["mcp:*"] };
  const endpoints = { tokenUrl: "https://as.example/token", authorizationUrl: "https://as.example/authorize" };
  const auth = { type: "oauth" as const, credentials: "perUser" as const, clientId: "me", ...endpoints };
  const gateway = await createTestGateway({ mcpServers: { web: { url: server.url, auth } }, auth: () => ada });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  await gateway.mcp.oauth.ingest("web", { accessToken: "of-ada" }, { principal: "user_ada" });
  const rpc = (method: string, params: object) => ({ body: { jsonrpc: "2.0", id: 1, method, params } });
  const accept = { accept: "application/json, text/event-stream" };
  const greeting = rpc("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "c", version: "1" } });
  const opened = await ask(gateway, ["POST", "/mcp"], { ...greeting, headers: accept });
  const headers = { ...accept, "mcp-session-id": opened.headers.get("mcp-session-id")! };
  const uri = "sallyport:web/note:1";
  const read = await ask(gateway, ["POST", "/mcp"], { ...rpc("resources/read", { uri }), headers });
  expect(read.json()).toMatchObject({ result: { contents: [{ text: "mine" }] } });
  const watched = await ask(gateway, ["POST", "/mcp"], { ...rpc("resources/subscribe", { uri }), headers });
  expect(watched.json()).toMatchObject({ error: { data: { code: "unsupported_feature" } } });
  expect(server.asked).not.toContain("resources/subscribe");
});
