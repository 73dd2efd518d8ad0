import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { mysql } from "@sallyport/adapters-mysql";
import { redis } from "@sallyport/adapters-redis";
import { sqlite } from "@sallyport/adapters-sqlite";
import { Gateway, type ModelCall, type ModelEvent } from "@sallyport/core";
import { serve } from "@sallyport/core/node";
import { OWNER_KEY, type Asked, type NodeOptions } from "./node-options.js";

// One gateway process: serves HTTP, works at tasks and runs, and does what it is told, a line each. It may be killed or frozen at any moment.

const o = JSON.parse(process.argv[2] ?? "") as NodeOptions;
const say = (what: string, value: unknown): void => void process.stdout.write(`${what} ${JSON.stringify(value)}\n`);
let fenced = 0;

const gateway = new Gateway({
  storage: "sqlite" in o.store ? sqlite(o.store.sqlite) : mysql(o.store.mysql),
  ...(o.redis === null ? {} : { redis: redis(o.redis) }),
  secret: createHash("sha256").update("many nodes").digest(),
  ownerKey: OWNER_KEY,
  env: {},
  logging: { level: "debug" },
  log: (level, message, fields) => {
    if (message.includes("lease was lost") || fields["code"] === "lease_lost") fenced++;
    if (level === "warn" || level === "error") process.stderr.write(`${level} ${message} ${JSON.stringify(fields)}\n`);
  },
  mcpServers: o.mcp === null ? {} : { story: { url: o.mcp } },
  ...o.settings,
  approvals: { tools: { story__pay: { class: "dangerous" } } },
});

/** What the world answers; it says who asks, and may take its time. */
async function world(path: string, body: object, signal?: AbortSignal): Promise<Record<string, unknown>> {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ node: process.pid, ...body }) };
  const response = await fetch(`${o.world}${path}`, { ...init, ...(signal === undefined ? {} : { signal }) });
  return (await response.json()) as Record<string, unknown>;
}

async function* answer(call: ModelCall, signal: AbortSignal): AsyncGenerator<ModelEvent> {
  const said = await world("/model", { messages: call.messages }, signal);
  yield { type: "start", id: "a", model: "m", createdAtMs: 0 };
  const tool = said["tool"] as { name: string; arguments: object } | undefined;
  if (tool !== undefined) {
    yield { type: "tool-call-start", index: 0, block: 0, id: "call_1", name: tool.name };
    yield { type: "tool-call-delta", index: 0, block: 0, text: JSON.stringify(tool.arguments) };
    yield { type: "tool-call-end", index: 0, block: 0 };
    yield { type: "finish", index: 0, reason: "tool-calls" };
  } else {
    yield { type: "text-start", index: 0, block: 0 };
    yield { type: "text-delta", index: 0, block: 0, text: String(said["text"]) };
    yield { type: "text-end", index: 0, block: 0 };
    yield { type: "finish", index: 0, reason: "stop" };
  }
  yield { type: "usage", usage: { inputTokens: 3, outputTokens: Number(said["tokens"] ?? 5) } };
}

gateway.providers.add({
  name: "v",
  models: [{ code: "m", maxOutputTokens: 100, contextTokens: 10_000, prices: { input: 0, output: 1_000, cacheRead: 0, cacheWrite: 0 } }],
  answer: (call, { signal }) => answer(call, signal),
});
gateway.tasks.handle("effect", async ({ idempotencyKey, attempt, task }) => {
  return await world("/task", { key: idempotencyKey, attempt, payload: task.payload });
});

const methods: Readonly<Record<Asked["method"], (args: Readonly<Record<string, unknown>>) => Promise<unknown>>> = {
  task: async (args) => (await gateway.tasks.create({ type: "effect", ...args })).id,
  taskOf: async ({ id }) => gateway.tasks.get(String(id)),
  run: async (args) => {
    const run = gateway.run(args as unknown as Parameters<Gateway["run"]>[0]);
    run.then(
      () => undefined,
      () => undefined,
    );
    return run.id;
  },
  nodes: () => gateway.nodes.list().then((nodes) => [...nodes]),
  fenced: async () => fenced,
};

for (const name of ["internal.error", "call.reconciled"] as const)
  gateway.on(name, (event: unknown) => process.stderr.write(`${name} ${JSON.stringify(event)}\n`));
const server = await serve(gateway, { host: "127.0.0.1", port: 0 });
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, args } = JSON.parse(line) as Asked;
  methods[method](args).then(
    (value) => say("answer", { id, value: value ?? null }),
    (error: unknown) => say("answer", { id, error: String(error) }),
  );
});
process.on("SIGTERM", () => {
  void (async () => {
    gateway.drain({ graceMs: o.graceMs });
    // `/ready` says so; whoever sends here hears of it before connections are closed.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await server.close();
    await gateway.close({ graceMs: o.graceMs });
    process.exit(0);
  })();
});
say("ready", { url: server.url });
