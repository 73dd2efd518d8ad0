import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { expect, it } from "vitest";
import { TEST_OWNER_KEY, type TestGatewayOptions } from "../../../src/testing/index.js";
import { saying, served } from "../../safety/safety-harness.js";
import { words } from "./word-servers.js";

const story = join(import.meta.dirname, "..", "servers", "old-stdio.mjs");
const { w } = words("log");

it.each<[string, TestGatewayOptions["guardrails"], readonly string[]]>([
  [
    "reach the session whose call they belong to where nobody looks at results",
    { w: { ...w, stages: ["arguments"] } },
    ["said with error"],
  ],
  ["do not where somebody does: nobody knows which call they are of", { w }, []],
])("logs of a server on a wire %s", async (_what, guardrails, expected) => {
  const to = await served({
    model: saying({ text: "x" }),
    guardrails,
    mcpServers: { story: { command: process.execPath, args: [story] } },
  });
  const client = new Client({ name: "t", version: "1" });
  const requestInit = { headers: { authorization: `Bearer ${TEST_OWNER_KEY}` } };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${to.base}/mcp`), { requestInit }) as Parameters<typeof client.connect>[0],
  );
  const heard: unknown[] = [];
  client.setNotificationHandler(LoggingMessageNotificationSchema, (note) => void heard.push(note.params.data));
  await client.setLoggingLevel("debug");
  const called = await client.callTool({ name: "story__shout", arguments: { level: "error" } });
  expect(JSON.stringify(called)).toContain("shouted");
  // What a server says before its answer is told before it.
  expect(heard).toEqual(expected);
  await client.close();
});
