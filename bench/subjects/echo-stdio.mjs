// The mock vendor's MCP server over standard streams, in raw lines: what stands behind the peers that front child processes.
import { createInterface } from "node:readline";

const tools = [{ name: "echo", description: "Says it again", inputSchema: { type: "object", properties: { text: { type: "string" } } } }];
const answers = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "mock", version: "1" } }),
  "tools/list": () => ({ tools }),
  "tools/call": ({ arguments: { text } }) => ({ content: [{ type: "text", text: String(text) }] }),
  ping: () => ({}),
};
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  const answer = answers[method];
  const rest = answer === undefined ? { error: { code: -32601, message: "no such method" } } : { result: answer(params) };
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...rest })}\n`);
}
