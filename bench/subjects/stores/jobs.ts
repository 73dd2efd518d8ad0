// Tasks end to end: what is created is done by a handler that does nothing, and its outcome is stored.
import { createClient } from "@redis/client";
import { createNodeRedisClient, Queue, Worker } from "bullmq";
import { mysql } from "../../../packages/adapters-mysql/src/index.js";
import { sqlite } from "../../../packages/adapters-sqlite/src/index.js";
import { Gateway } from "../../../packages/core/src/gateway.js";

const secret = "k7Qz1xWv9LmT4pRs8NcB2hJd6FgY3aEu";

/** Jobs a second of one worker that does 32 at once. */
export interface Jobs {
  run(count: number): Promise<number>;
  close(): Promise<void>;
}

export async function gatewayJobs(storage: "memory" | { readonly sqlite: string } | { readonly mysql: string }): Promise<Jobs> {
  const adapter = storage === "memory" ? undefined : "sqlite" in storage ? sqlite(storage.sqlite) : mysql(storage.mysql);
  const options = { env: {}, logging: { level: "silent" as const }, secret: Buffer.from(secret), mcpServers: {} };
  const gateway = new Gateway(adapter === undefined ? options : { ...options, storage: adapter });
  let left = 0;
  let done = (): void => undefined;
  await gateway.start();
  gateway.tasks.handle(
    "bench",
    () => {
      if (--left === 0) done();
      return { ok: true };
    },
    { concurrency: 32 },
  );
  return {
    run: async (count) => {
      left = count;
      const all = new Promise<void>((resolve) => (done = resolve));
      const startedAt = performance.now();
      for (let i = 0; i < count; i += 32)
        await Promise.all(
          Array.from({ length: Math.min(32, count - i) }, (_, n) => gateway.tasks.create({ type: "bench", payload: { n: i + n } })),
        );
      await all;
      return (count * 1_000) / (performance.now() - startedAt);
    },
    close: () => gateway.close({ graceMs: 1_000 }),
  };
}

export async function bullJobs(url: string): Promise<Jobs> {
  const client = createClient({ url });
  await client.connect();
  const connection = createNodeRedisClient(client as never);
  const queue = new Queue("bench", { connection });
  let left = 0;
  let done = (): void => undefined;
  const worker = new Worker("bench", () => Promise.resolve({ ok: true }), {
    connection,
    concurrency: 32,
    removeOnComplete: { count: 1_000 },
  });
  worker.on("completed", () => {
    if (--left === 0) done();
  });
  await worker.waitUntilReady();
  return {
    run: async (count) => {
      left = count;
      const all = new Promise<void>((resolve) => (done = resolve));
      const startedAt = performance.now();
      for (let i = 0; i < count; i += 32)
        await Promise.all(Array.from({ length: Math.min(32, count - i) }, (_, n) => queue.add("bench", { n: i + n })));
      await all;
      return (count * 1_000) / (performance.now() - startedAt);
    },
    close: async () => {
      await worker.close();
      await queue.close();
      client.destroy();
    },
  };
}
