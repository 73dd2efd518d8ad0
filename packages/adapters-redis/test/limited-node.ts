import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { redis } from "@sallyport/adapters-redis";
import { sqlite } from "@sallyport/adapters-sqlite";
import { Gateway } from "@sallyport/core";
import { serve } from "@sallyport/core/node";

// One of several processes of one operator: it serves, and what it is told on standard input it offers over HTTP. Each answer is a line with its instant and its status.

export interface LimitedNodeOptions {
  readonly database: string;
  readonly url: string;
  readonly requestsPerMinute: number;
}

const o = JSON.parse(process.argv[2] ?? "") as LimitedNodeOptions;
const gateway = new Gateway({
  storage: sqlite(o.database),
  redis: redis(o.url),
  env: {},
  secret: createHash("sha256").update("of all processes").digest(),
  auth: () => ({ kind: "key", id: "one", keyId: "one", name: "one", projects: ["default"], grants: ["*"] }),
  limits: { perKey: { requestsPerMinute: o.requestsPerMinute } },
  logging: { level: "warn" },
  log: (_, message) => console.log(`log ${message}`),
});
const serving = await serve(gateway, { port: 0 });
const body = JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "x" }] });
const ask = async (): Promise<void> => {
  const answer = await fetch(`${serving.url}/v1/chat/completions`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  });
  await answer.text();
  console.log(`${Date.now()} ${answer.status}`);
};
/** `offer <how many> <at once> <for ms at least>`. */
async function offer(count: number, atOnce: number, forMs: number): Promise<void> {
  const untilMs = Date.now() + forMs;
  let offered = 0;
  const one = async (): Promise<void> => {
    while (offered < count || Date.now() < untilMs) {
      offered++;
      await ask();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  console.log("offered");
}
createInterface({ input: process.stdin }).on("line", (line) => {
  const [verb, count, atOnce, forMs] = line.split(" ");
  if (verb === "offer") void offer(Number(count), Number(atOnce), Number(forMs));
  if (verb === "nodes") void gateway.nodes.list().then((nodes) => console.log(`nodes ${nodes.length}`));
  if (verb === "ready") void fetch(`${serving.url}/ready`).then(async (answer) => console.log(`ready ${await answer.text()}`));
  if (verb === "close")
    void serving
      .close()
      .then(() => gateway.close())
      .then(() => process.stdin.destroy());
});
console.log("serves");
