// A peer that is a command: its own entry with its own arguments in this process, so that its time and memory are counted as ours are. PEER is the module, ARGS a JSON list in which PORT stands for a free port.
import { createServer, connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const probe = createServer().listen(0, "127.0.0.1");
await new Promise((resolve) => probe.once("listening", resolve));
const { port } = probe.address();
await new Promise((resolve) => probe.close(resolve));

const [node] = process.argv;
process.argv = [node, process.env.PEER, ...JSON.parse(process.env.ARGS).map((arg) => (arg === "PORT" ? String(port) : arg))];
// What it says to the console would be taken for its ready line.
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;
await import(process.env.PEER);
while (!(await isOpen())) await delay(50);
write(`${JSON.stringify({ port })}\n`);

function isOpen() {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });
}
