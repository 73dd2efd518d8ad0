import { createHash } from "node:crypto";
import { sqlite } from "@sallyport/adapters-sqlite";
import { Gateway } from "@sallyport/core";
import { serve } from "../../src/node/index.js";

// A gateway with a vendor of its own, over a database that outlives it. It is killed in the middle of its work.

export interface MoneyWorkerOptions {
  readonly database: string;
  readonly ownerKey: string;
  /** How long each answer takes, ms; streams give a word before. */
  readonly answerMs: number;
}

const o = JSON.parse(process.argv[2] ?? "") as MoneyWorkerOptions;
const wait = () => new Promise((resolve) => setTimeout(resolve, o.answerMs));
const gateway = new Gateway({
  storage: sqlite(o.database),
  secret: createHash("sha256").update("money").digest(),
  ownerKey: o.ownerKey,
  env: {},
  logging: { level: "silent" },
});
gateway.providers.add({
  name: "v",
  models: [{ code: "m", maxOutputTokens: 100, contextTokens: 10_000, prices: { input: 0, output: 1_000, cacheRead: 0, cacheWrite: 0 } }],
  async *answer() {
    yield { type: "start", id: "a", model: "m", createdAtMs: 0 };
    yield { type: "text-start", index: 0, block: 0 };
    yield { type: "text-delta", index: 0, block: 0, text: "hello " };
    await wait();
    yield { type: "text-delta", index: 0, block: 0, text: "you" };
    yield { type: "text-end", index: 0, block: 0 };
    yield { type: "finish", index: 0, reason: "stop" };
    yield { type: "usage", usage: { inputTokens: 3, outputTokens: 2 } };
  },
});
const serving = await serve(gateway, { port: 0 });
process.stdout.write(`serving ${serving.url}\n`);
