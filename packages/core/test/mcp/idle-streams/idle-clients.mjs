// Opens sessions of 2025-11-25, each with its standing stream, and reads on. Says how many stand; a few at once, so that the listener's queue is not what is tested.
import { Agent, request } from "node:http";

const { port, count, callers, atOnce } = JSON.parse(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const accept = "application/json, text/event-stream";

function send(method, headers, body) {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: "127.0.0.1", method, path: "/mcp", agent, headers: { accept, ...headers } }, resolve);
    sent.on("error", reject);
    sent.end(body);
  });
}
const initialize = JSON.stringify({
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "idle", version: "1" } },
});

let next = 0;
let heard = 0;
async function open() {
  while (next < count) {
    const who = `caller-${next++ % callers}`;
    const answer = await send("POST", { "x-who": who, "content-type": "application/json" }, initialize);
    const session = answer.headers["mcp-session-id"];
    await answer.resume().toArray();
    const stream = await send("GET", { "x-who": who, "mcp-session-id": session, "mcp-protocol-version": "2025-11-25" });
    if (stream.statusCode !== 200) throw new Error(`stream ${next}: ${stream.statusCode}`);
    let isTold = false;
    stream.on("data", (bytes) => {
      if (isTold || !String(bytes).includes("notifications/tools/list_changed")) return;
      isTold = true;
      heard++;
      if (heard === count) process.stdout.write(`all heard\n`);
    });
  }
}
await Promise.all(Array.from({ length: atOnce }, open));
process.stdout.write(`open ${count}\n`);
