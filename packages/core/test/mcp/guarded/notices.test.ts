import { lyingMcpServer } from "@sallyport/adapter-kit";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { ResourceUpdatedNotificationSchema, SubscribeRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { expect, it, onTestFinished } from "vitest";
import { TEST_OWNER_KEY } from "../../../src/testing/index.js";
import { saying, served } from "../../safety/safety-harness.js";
import { post } from "../proxy-harness.js";
import { ANSWERED, ASKED, words } from "./word-servers.js";

// Notices of servers, and what they are asked for, where somebody looks.

const authorization = `Bearer ${TEST_OWNER_KEY}`;
const uri = "later://r";

/** A server of one resource, which says more than that it changed. */
async function watched() {
  const asked: string[] = [];
  const make = (): McpServer => {
    const server = new McpServer({ name: "s", version: "1" }, { capabilities: { tools: {}, resources: { subscribe: true } } });
    server.registerResource("r", uri, {}, () => ({ contents: [{ uri, text: "x" }] }));
    server.server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
      asked.push(params.uri);
      return {};
    });
    server.registerTool("change", {}, async () => {
      const params = { uri, title: ASKED, _meta: { "x/y": ASKED } };
      await server.server.notification({ method: "notifications/resources/updated", params });
      return { content: [] };
    });
    return server;
  };
  const to = await served({ model: saying({ text: "x" }), guardrails: words("block") });
  await to.gateway.mcp.connect("s", { server: make });
  const client = new Client({ name: "t", version: "1" });
  onTestFinished(() => client.close());
  const transport = new StreamableHTTPClientTransport(new URL(`${to.base}/mcp`), { requestInit: { headers: { authorization } } });
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return { asked, to, client };
}

it("that a resource changed is told without what else stands there", async () => {
  const { client } = await watched();
  const told = new Promise<unknown>((resolve) => client.setNotificationHandler(ResourceUpdatedNotificationSchema, resolve));
  await client.subscribeResource({ uri: `sallyport:s/${uri}` });
  await client.callTool({ name: "s__change", arguments: {} });
  const text = JSON.stringify(await told);
  expect([text.includes(uri), text.includes(ASKED)]).toEqual([true, false]);
});

it("a resource is not watched under an address that may not be said", async () => {
  const { asked, client, to } = await watched();
  const at = `sallyport:s/later://${ANSWERED}`;
  await expect(client.subscribeResource({ uri: at })).rejects.toThrow(/content_blocked|blocked|guardrail/i);
  const _meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} };
  const params = { _meta, notifications: { resourceSubscriptions: [at] } };
  const headers = { authorization, "mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen" };
  const left = new AbortController();
  const response = await fetch(new URL(`${to.base}/mcp`), {
    method: "POST",
    headers: { ...headers, "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params }),
    signal: left.signal,
  });
  const first = await response.body!.getReader().read();
  left.abort();
  expect(new TextDecoder().decode(first.value)).not.toContain(ANSWERED);
  expect(asked.join()).not.toContain(ANSWERED);
});

it("progress says nothing where no text is expected", async () => {
  const liar = await lyingMcpServer({ era: "legacy" });
  onTestFinished(() => liar.close());
  const said = [
    `"progress":1,"message":{"${ASKED}":"${ASKED}"}`,
    `"progress":2,"total":"${ASKED}"`,
    '"progress":3,"total":4,"message":"fine"',
  ];
  liar.lie = (asked, say) => {
    if (asked.id === undefined || asked.method !== "tools/call") return false;
    for (const members of said)
      say.sse(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${asked.id},${members}}}`);
    say.sse(`{"jsonrpc":"2.0","id":${asked.id},"result":{"content":[]}}`);
    return void say.end();
  };
  const to = await served({ model: saying({ text: "x" }), guardrails: words("block") });
  await to.gateway.mcp.connect("liar", { url: liar.url });
  const params = { name: "liar__ok", arguments: {}, _meta: { progressToken: "mine" } };
  const { text } = await post(new URL(`${to.base}/mcp`), { jsonrpc: "2.0", id: 1, method: "tools/call", params }, { authorization });
  expect([text.includes(ASKED), text.includes('"progress":1'), text.includes('"progress":2'), text.includes('"message":"fine"')]).toEqual([
    false,
    true,
    true,
    true,
  ]);
});
