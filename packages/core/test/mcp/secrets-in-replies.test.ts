import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createTestGateway, TEST_OWNER_KEY, type TestGatewayOptions } from "../../src/testing/index.js";

const SECRET = ["mcp-token", "CANARY/0123456789abcdef"].join("-");
const MESSAGE = { jsonrpc: "2.0" };

interface Asked {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly _meta?: { readonly progressToken?: unknown } };
}

/** A server that tells everybody the credential that it is given. */
async function telltale() {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => answer(body === "" ? null : (JSON.parse(body) as Asked), request.headers.authorization ?? SECRET, response));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

function answer(asked: Asked | null, said: string, response: ServerResponse): void {
  if (asked === null) return void response.writeHead(405).end();
  const json = (status: number, message: object, escape = (text: string) => text) =>
    void response
      .writeHead(status, { "content-type": "application/json" })
      .end(escape(JSON.stringify({ ...MESSAGE, id: asked.id, ...message })));
  const content = { content: [{ type: "text", text: `echo ${said}` }] };
  if (asked.method.startsWith("notifications/")) return void response.writeHead(202).end();
  if (asked.method === "initialize")
    return json(200, {
      result: { protocolVersion: "2025-06-18", capabilities: { tools: {}, prompts: {} }, serverInfo: { name: "s", version: "1" } },
    });
  if (asked.method === "tools/list")
    return json(200, { result: { tools: NAMES.map((name) => ({ name, description: `uses ${said}`, inputSchema: { type: "object" } })) } });
  if (asked.method === "prompts/list") return json(200, { result: { prompts: [{ name: "p" }] } });
  if (asked.method === "prompts/get") return json(200, { error: { code: -32001, message: said } });
  switch (asked.params?.name) {
    case "error":
      return json(200, { error: { code: -32001, message: `bad ${said}`, data: { said } } });
    case "status":
      return json(400, { error: { code: -32001, message: `bad ${said}` } });
    case "failed":
      return json(200, { result: { ...content, isError: true } });
    case "escaped":
      return json(200, { result: content }, (text) => text.replaceAll("/", "\\/").replaceAll("CANARY", "\\u0043ANARY"));
    case "streamed": {
      const notice = {
        ...MESSAGE,
        method: "notifications/progress",
        params: { progressToken: asked.params._meta?.progressToken, progress: 1, message: said },
      };
      response.writeHead(200, { "content-type": "text/event-stream" }).write(`data: ${JSON.stringify(notice)}\n\n`);
      return void response.end(`data: ${JSON.stringify({ ...MESSAGE, id: asked.id, result: content })}\n\n`);
    }
    case "plain":
      return json(200, { result: content });
    default:
      json(200, { error: { code: -32601, message: "no" } });
  }
}
const NAMES = ["error", "status", "failed", "escaped", "streamed", "plain"];

async function calling(options: TestGatewayOptions) {
  const gateway = await createTestGateway(options);
  onTestFinished(() => gateway.close());
  return async (method: string, params: object = {}) => {
    const response = await gateway.fetch(
      new Request("http://localhost/mcp", {
        method: "POST",
        headers: {
          authorization: `Bearer ${TEST_OWNER_KEY}`,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
        },
        body: JSON.stringify({ ...MESSAGE, id: 1, method, params }),
      }),
    );
    return { status: response.status, text: await response.text() };
  };
}

describe("[BUG] the credential of an MCP server (T26)", () => {
  const looking = { w: { kind: "words", settings: { words: ["nothing"] }, action: "log" } } satisfies TestGatewayOptions["guardrails"];
  it.each([
    ["relayed", {} as TestGatewayOptions],
    ["decoded", { guardrails: looking }],
  ])("is in nothing that the server answers or says on the way: %s", async (_lane, more) => {
    const mcp = await calling({ mcpServers: { s: { url: await telltale(), headers: { authorization: `Bearer ${SECRET}` } } }, ...more });
    const texts = [await mcp("tools/list"), await mcp("prompts/get", { name: "s__p" })];
    for (const name of NAMES) texts.push(await mcp("tools/call", { name: `s__${name}`, arguments: {}, _meta: { progressToken: 7 } }));
    for (const { status, text } of texts) {
      expect(status).toBe(200);
      expect(text).toContain("***");
      for (const part of [SECRET, "0123456789abcdef", "ANARY"]) expect(text).not.toContain(part);
      for (const line of text.split("\n").map((each) => each.replace(/^data: /, ""))) if (line.startsWith("{")) JSON.parse(line);
    }
  });

  it("is taken out of the errors of other servers too, whose results are relayed as they are", async () => {
    const url = await telltale();
    const mcp = await calling({ mcpServers: { s: { url, headers: { authorization: `Bearer ${SECRET}` } }, open: { url } } });
    expect((await mcp("tools/call", { name: "open__error", arguments: {} })).text).not.toContain(SECRET);
    expect((await mcp("tools/call", { name: "open__plain", arguments: {} })).text).toContain(SECRET);
  });
});
