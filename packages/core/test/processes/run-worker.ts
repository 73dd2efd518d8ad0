import { sqlite } from "@sallyport/adapters-sqlite";
import { RunEngine } from "../../src/agents/run-engine.js";
import { SYSTEM_CALLER } from "../../src/calls/index.js";
import { allEntities } from "../../src/entities/index.js";
import { memoryBus, memoryCache, memoryCounters, memoryWakeup } from "../../src/memory/index.js";
import { crypto } from "../../src/platform/node-crypto.js";
import { clock } from "../../src/platform/system-clock.js";
import { createSeams, EventHub } from "../../src/seams/index.js";
import { Log } from "../../src/util/log.js";
import { scriptedModels, scriptedTools } from "../scripted-seams.js";
import { crashing, effect, type CrashPoint } from "./crash-points.js";
import { Redactor } from "../../src/secrets/redactor.js";

// A process that carries out runs. It may be killed at any moment, and may kill itself at a point that it is told.

export interface RunWorkerOptions {
  readonly name: string;
  readonly database: string;
  readonly effects: string;
  readonly leaseMs: number;
  /** How long the last answer takes. */
  readonly modelMs: number;
  readonly dies: CrashPoint | null;
  /** Starts a run instead of waiting for those of others. */
  readonly starts: boolean;
}

const o = JSON.parse(process.argv[2] ?? "") as RunWorkerOptions;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const store = await crashing(sqlite(o.database), o.dies).open({ entities: allEntities });
const seams = createSeams();
seams.models.fill(
  scriptedModels((call) => {
    const answered = call.messages.filter(({ role }) => role === "assistant").length;
    if (answered === 0)
      return ["First. ", { tool: "world__pay", args: '{"n":1}', id: "a" }, { tool: "world__pay", args: '{"n":2}', id: "b" }];
    if (answered === 1) return [{ tool: "world__pay", args: '{"n":3}', id: "a" }];
    say("last answer");
    return ["Paid", { wait: new Promise((resolve) => setTimeout(resolve, o.modelMs)) }, " thrice."];
  }),
);
seams.tools.fill(
  scriptedTools({
    world__pay: (args, { call }) => {
      effect(o.effects, `${call.idempotencyKey} ${o.name}`);
      return `paid ${(args as { n: number }).n}`;
    },
  }),
);
const log = new Log("warn", (level, message, fields) => say(`${level} ${message} ${JSON.stringify(fields)}`));
const services = {
  store,
  clock,
  crypto,
  log,
  seams,
  wakeup: memoryWakeup(),
  bus: memoryBus(),
  cache: memoryCache(),
  counters: memoryCounters(),
  redactor: new Redactor(),
  events: new EventHub(),
  nodeId: o.name,
};
const engine = new RunEngine(services, { eventView: (event) => event, leaseMs: o.leaseMs, pollMs: 50, maxParallelTools: 1 });

process.on("SIGTERM", () => {
  void engine
    .close({ graceMs: 50 })
    .then(() => store.close())
    .then(() => process.exit(0));
});
if (o.starts) say(`started ${(await engine.start({ model: "m", input: "go", tools: ["*"] }, SYSTEM_CALLER)).id}`);
else engine.work();
setInterval(() => undefined, 1 << 30);
say("ready");
