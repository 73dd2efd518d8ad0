import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import {
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  SubscribeRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { expect, it } from "vitest";
import { TEST_OWNER_KEY, type TestGatewayOptions } from "../../../src/testing/index.js";
import { saying, served } from "../../safety/safety-harness.js";
import { words } from "./word-servers.js";

const uri = "later://r";

/** It logs in the course of its only tool, and when it has answered; then it changes its resource. */
function talkative(): McpServer {
  const server = new McpServer({ name: "s", version: "1" }, { capabilities: { logging: {}, tools: {}, resources: { subscribe: true } } });
  server.registerResource("r", uri, {}, () => ({ contents: [{ uri, text: "x" }] }));
  server.server.setRequestHandler(SubscribeRequestSchema, () => ({}));
  server.registerTool("talk", {}, async () => {
    await server.sendLoggingMessage({ level: "error", data: "before" });
    setTimeout(() => {
      void server.sendLoggingMessage({ level: "error", data: "after" }).then(() => server.server.sendResourceUpdated({ uri }));
    }, 100);
    return { content: [] };
  });
  return server;
}
const { w } = words("log");

it.each<[string, TestGatewayOptions["guardrails"], readonly string[]]>([
  ["reach the session whose they are where nobody looks at results", { w: { ...w, stages: ["arguments"] } }, ["before", "after"]],
  ["do not where somebody does: nobody knows which call they are of", { w }, []],
  ["do not where somebody looks at one of its tools by its full name", { w: { ...w, applies: { tools: ["s__ta*"] } } }, []],
  ["do not where somebody looks at one of its tools by its own name", { w: { ...w, applies: { tools: ["talk"] } } }, []],
  ["do where somebody looks at tools of another", { w: { ...w, applies: { tools: ["t__*", "*x__talk"] } } }, ["before", "after"]],
])("logs of a server on a wire %s", async (_what, guardrails, expected) => {
  const to = await served({ model: saying({ text: "x" }), guardrails });
  await to.gateway.mcp.connect("s", { server: talkative });
  const client = new Client({ name: "t", version: "1" });
  const requestInit = { headers: { authorization: `Bearer ${TEST_OWNER_KEY}` } };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${to.base}/mcp`), { requestInit }) as Parameters<typeof client.connect>[0],
  );
  const heard: unknown[] = [];
  client.setNotificationHandler(LoggingMessageNotificationSchema, (note) => void heard.push(note.params.data));
  const touched = new Promise<void>((resolve) => client.setNotificationHandler(ResourceUpdatedNotificationSchema, () => resolve()));
  await client.setLoggingLevel("debug");
  await client.subscribeResource({ uri: `sallyport:s/${uri}` });
  await client.callTool({ name: "s__talk", arguments: {} });
  // On the same stream, and later.
  await touched;
  expect(heard).toEqual(expected);
  await client.close();
});
