import { appendFileSync } from "node:fs";
import { GatewayError, type Gateway } from "@sallyport/core";
import { serve } from "@sallyport/core/node";
import { crash, crashing } from "./crash-points.js";
import { gatewayOf, storageAt } from "./gateway-of.js";
import { mutated } from "./mutants.js";
import { skewClock } from "./skewed-clock.js";
import type { CrashPoint, WorkerOptions } from "./worker-options.js";

// One process of the harness: a gateway on the shared store that does tasks. It may be killed, frozen and cut off at any moment, and may kill itself at a point that it is told.

const o = JSON.parse(process.argv[2] ?? "") as WorkerOptions;
skewClock(o.skewMs);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
/** One line for what happened in the world outside: no database of ours takes it back. */
const note = (line: Readonly<Record<string, unknown>>): void =>
  appendFileSync(o.sink, `${JSON.stringify({ ...line, worker: o.name, atMs: Date.now() - o.skewMs })}\n`);

const gateway: Gateway = gatewayOf(mutated(crashing(storageAt(o.store), o.dies), o.mutant), {
  redis: o.redis,
  more: {
    log: (level, message, fields) => {
      if (message.includes("came after the lease was lost")) note({ saw: "refused", task: fields["task"], attempt: fields["attempt"] });
      say(`${level} ${message} ${JSON.stringify(fields)}`);
    },
  },
});

let effects = 0;
const dies = (moment: CrashPoint["moment"]): boolean => o.dies?.at === "effect" && o.dies.moment === moment && o.dies.nth === effects;

/**
 * What a task of the harness is to do. `fails`: so many attempts at first; `dead`: it can never succeed; `blockMs`: its first attempt computes and lets nothing else run; `firstMs`: how long its
 * first attempt takes.
 */
interface Plan {
  readonly fails?: number;
  readonly dead?: boolean;
  readonly blockMs?: number;
  readonly taskMs?: number;
  readonly firstMs?: number;
  readonly children?: number;
}

gateway.tasks.handle(
  "work",
  async ({ task, attempt, signal, idempotencyKey }) => {
    const plan = (task.payload ?? {}) as Plan;
    const isFirst = task.attempt === 1;
    effects++;
    if (dies("before")) return crash();
    note({ saw: "effect", key: idempotencyKey, task: task.id, attempt: task.attempt });
    if (dies("after")) return crash();
    say(`begun ${task.id}`);
    if (plan.dead === true) throw new GatewayError("forbidden", "As planned.");
    if (attempt <= (plan.fails ?? 0)) throw new Error("As planned, for now.");
    for (let i = 0; i < (plan.children ?? 0); i++)
      await gateway.tasks.create({
        type: "work",
        payload: {},
        idempotencyKey: `${idempotencyKey}:${i}`,
        maxAttempts: 1000,
        leaseMs: task.leaseMs,
        backoffMs: 10,
      });
    for (const untilMs = performance.now() + (isFirst ? (plan.blockMs ?? 0) : 0); performance.now() < untilMs; );
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, (isFirst ? plan.firstMs : undefined) ?? plan.taskMs ?? o.taskMs);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        note({ saw: "aborted", task: task.id, attempt: task.attempt, code: (signal.reason as { code?: string }).code ?? "" });
        reject(signal.reason as Error);
      });
    });
    return { by: o.name, attempt: task.attempt };
  },
  { concurrency: o.concurrency },
);
gateway.tasks.handle("poison", () => crash());
gateway.tasks.handle("deaf", ({ task }) => {
  say(`deaf ${task.id}`);
  return new Promise(() => undefined);
});

// As a host does it: the first signal drains, the second one hurries.
let signals = 0;
const stop = async (): Promise<void> => {
  const graceMs = ++signals === 1 ? o.graceMs : 0;
  gateway.drain({ graceMs });
  await gateway.close({ graceMs });
  process.exit(0);
};
process.on("SIGTERM", () => void stop());
process.on("SIGINT", () => void stop());

if (o.serves) {
  gateway.providers.add({
    name: "v",
    models: [{ code: "m", maxOutputTokens: 100, contextTokens: 10_000, prices: { input: 0, output: 1_000, cacheRead: 0, cacheWrite: 0 } }],
    async *answer() {
      yield { type: "start", id: "a", model: "m", createdAtMs: 0 };
      yield { type: "text-start", index: 0, block: 0 };
      yield { type: "text-delta", index: 0, block: 0, text: "hello " };
      await new Promise((resolve) => setTimeout(resolve, o.taskMs));
      yield { type: "text-delta", index: 0, block: 0, text: "you" };
      yield { type: "text-end", index: 0, block: 0 };
      yield { type: "finish", index: 0, reason: "stop" };
      yield { type: "usage", usage: { inputTokens: 3, outputTokens: 2 } };
    },
  });
  say(`serving ${(await serve(gateway, { port: 0 })).url}`);
} else {
  // A supervisor starts again what could not start; a process whose store is away for a moment tries again by itself.
  for (;;) {
    try {
      await gateway.start();
      break;
    } catch (error) {
      say(`not started ${GatewayError.from(error).code}: ${GatewayError.from(error).message}`);
      if (GatewayError.is(error, "misconfigured")) process.exit(3);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
setInterval(() => undefined, 1 << 30);
say("ready");
