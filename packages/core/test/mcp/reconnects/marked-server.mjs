// An MCP server whose command line says whose it is. "stubborn": deaf to SIGTERM, and so is the child that it starts.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const [, , marker, kind] = process.argv;
if (kind === "stubborn") {
  process.on("SIGTERM", () => undefined);
  spawn(process.execPath, ["-e", "process.on('SIGTERM', () => {}); setInterval(() => {}, 1 << 30)", marker], { stdio: "ignore" });
  setInterval(() => undefined, 1 << 30);
}
const tool = (name) => ({ name, inputSchema: { type: "object" } });
const results = {
  initialize: () => ({ protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "marked", version: "1" } }),
  "tools/list": () => ({ tools: [tool("hello"), tool("crash")] }),
  "tools/call": ({ name }) => (name === "crash" ? process.exit(1) : { content: [{ type: "text", text: "hello" }] }),
};
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const result = results[method]?.(params);
  const answer = result === undefined ? { error: { code: -32601, message: "no" } } : { result };
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...answer })}\n`);
});
