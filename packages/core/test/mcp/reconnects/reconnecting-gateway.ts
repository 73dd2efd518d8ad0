import { createTestGateway } from "../../../src/testing/index.js";

// A gateway that connects stdio servers anew, again and again: after they were taken away, and after they crashed. It ends with servers connected, and is killed.

export interface ReconnectingOptions {
  readonly server: string;
  readonly marker: string;
  readonly times: number;
  readonly servers: number;
}

const o = JSON.parse(process.argv[2] ?? "") as ReconnectingOptions;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const gateway = await createTestGateway({ mcpServers: {}, log: () => undefined });
await gateway.start();

let made = 0;
// Now and then, and at last, one that is deaf to SIGTERM, with a child of its own.
const connect = (name: string, kind = made % 25 === 24 ? "stubborn" : "plain"): Promise<unknown> => {
  made++;
  return gateway.mcp.connect(name, { command: process.execPath, args: [o.server, o.marker, kind, String(made)] });
};
/** Until it is answered: one that crashed is not started again at once. */
async function greet(name: string): Promise<void> {
  for (;;) {
    const answer = await gateway.mcp.call(`${name}__hello`, {}, { timeoutMs: 60_000 }).catch(() => null);
    if (answer?.isError === false) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

await Promise.all(
  Array.from({ length: o.servers }, async (_, i) => {
    const name = `s${i}`;
    for (let turn = 0; made < o.times; turn++) {
      await connect(name);
      // Some are taken away before anybody has asked them anything.
      if (turn % 4 !== 0) await greet(name);
      // Its next call finds it gone; whoever asks then starts it again.
      if (turn % 4 === 1) {
        made++;
        await gateway.mcp.call(`${name}__crash`, {}, { timeoutMs: 60_000 }).catch(() => undefined);
        await greet(name);
      }
      await gateway.mcp.disconnect(name);
    }
    await connect(name, "stubborn");
    await greet(name);
  }),
);
say(`connected ${made}`);
setInterval(() => undefined, 1 << 30);
