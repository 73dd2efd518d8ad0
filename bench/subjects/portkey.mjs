// Portkey's gateway as its package starts it, on a port of its own.
import { createRequire } from "node:module";
import { createServer, connect } from "node:net";

const probe = createServer().listen(0, "127.0.0.1");
await new Promise((resolve) => probe.once("listening", resolve));
const { port } = probe.address();
await new Promise((resolve) => probe.close(resolve));
process.argv.push(`--port=${port}`, "--headless");
process.env.NODE_ENV = "production";
const log = console.log;
console.log = () => undefined;
await import(createRequire(import.meta.url).resolve("@portkey-ai/gateway/build/start-server.js"));
for (;;) {
  const open = await new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => (socket.destroy(), resolve(true))).on("error", () => resolve(false));
  });
  if (open) break;
  await new Promise((resolve) => setTimeout(resolve, 50));
}
log(JSON.stringify({ port }));
