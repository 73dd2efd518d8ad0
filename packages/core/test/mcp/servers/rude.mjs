// A server without manners, in raw lines: what it does is its argument.
import { createInterface } from "node:readline";

const mode = process.argv[2];
const say = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const text = (value) => ({ content: [{ type: "text", text: value }] });
const tool = (name) => ({ name, description: name, inputSchema: { type: "object" } });

if (mode === "crash-at-start") {
  process.stderr.write("cannot find my configuration\n");
  process.exit(7);
}
if (mode === "silent") setInterval(() => {}, 1e6);
if (mode === "slow-start") await new Promise((resolve) => setTimeout(resolve, Number(process.argv[3])));
if (mode === "garbage") process.stdout.write("Server started!\n\n{not json}\n[1,2]\n\u0000\n");
process.on("SIGTERM", () => mode !== "stubborn" && process.exit(0));

let page = 0;
for await (const line of createInterface({ input: process.stdin })) {
  if (mode === "silent") continue;
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  if (method === "server/discover" && mode === "dies-when-probed") process.exit(1);
  if (method === "initialize")
    say({
      id,
      result: {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: { listChanged: true } },
        serverInfo: { name: mode ?? "rude", version: "1" },
      },
    });
  else if (method === "tools/list") list(id);
  else if (method === "tools/call") await call(id, params);
  else say({ id, error: { code: -32601, message: "no" } });
}

function list(id) {
  if (mode === "no-list") return;
  const tools = ["ok", "crash", "hang", "wrong-id", "huge", "flood", "error", "question", "both", "pid"].map(tool);
  if (mode === "circle") return say({ id, result: { tools: [tool(`page_${page++}`)], nextCursor: "again" } });
  if (mode === "bad-tools")
    return say({
      id,
      result: {
        tools: [
          { ...tool("ok"), extra: 12345678901234567890n.toString() },
          { name: 5 },
          { description: "nameless" },
          tool("ok"),
          { name: "no-schema" },
          { name: "x".repeat(600), inputSchema: { type: "object" } },
          { ...tool("list-schema"), inputSchema: { type: "array" } },
        ],
      },
    });
  say({ id, result: { tools } });
}

async function call(id, params) {
  switch (params.name) {
    case "crash":
      return process.exit(3);
    case "hang":
      return;
    case "wrong-id":
      say({ id: 99999, result: text("for nobody") });
      return say({ id, result: text("mine") });
    case "huge":
      return process.stdout.write(
        `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"${"x".repeat(3_000_000)}"}]}}\n`,
      );
    case "flood":
      for (let i = 0; i < 1000; i++) say({ method: "notifications/tools/list_changed" });
      return say({ id, result: text("flooded") });
    case "error":
      return say({ id, error: { code: -32099, message: "out of order", data: { why: ["x", 1.5] } } });
    case "question":
      say({ id: "q", method: "sampling/createMessage", params: {} });
      return say({ id, result: text("asked") });
    case "both":
      return say({ id, result: text("x"), error: { code: 1, message: "x" } });
    case "pid":
      return say({ id, result: text(String(process.pid)) });
    default:
      return say({ id, result: { ...text("fine"), unknown: { kept: true } } });
  }
}
