import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { redis } from "@sallyport/adapters-redis";
import { Gateway } from "@sallyport/core";

// One of several processes of one operator: what it is told to ask, it asks over its HTTP face. Each answer is a line: its status and its text.

const { url, vendor } = JSON.parse(process.argv[2] ?? "") as { readonly url: string; readonly vendor: string };
const gateway = new Gateway({
  redis: redis(url),
  env: {},
  secret: createHash("sha256").update("of all processes").digest(),
  auth: () => ({ kind: "key", id: "one", keyId: "one", name: "one", projects: ["default"], grants: ["*"] }),
  providers: { v: { vendor: "openai-compatible", baseUrl: vendor, models: ["m"] } },
  routes: { kept: { targets: [{ model: "v/m" }], cache: { ttlMs: 60_000 } } },
  logging: { level: "warn" },
  log: (_, message) => console.log(`log ${message}`),
});
await gateway.start();
const of = (path: string, body?: unknown): Promise<Response> =>
  gateway.fetch(
    new Request(`http://localhost${path}`, {
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    }),
  );
async function ask(): Promise<void> {
  console.log("asks");
  const answer = await of("/v1/chat/completions", { model: "route/kept", messages: [{ role: "user", content: "hello" }] });
  const { choices } = (await answer.json()) as { choices?: { message: { content: string } }[] };
  console.log(`answered ${answer.status} ${choices?.[0]?.message.content}`);
}
createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "ask") void ask();
  if (line === "ready") void of("/ready").then(async (answer) => console.log(`ready ${await answer.text()}`));
  if (line === "close") void gateway.close().then(() => process.stdin.destroy());
});
console.log("serves");
