import { sqlite } from "@sallyport/adapters-sqlite";
import { SYSTEM_CALLER } from "../../src/calls/index.js";
import { allEntities } from "../../src/entities/index.js";
import { GatewayError } from "../../src/errors/index.js";
import { memoryBus, memoryCache, memoryCounters, memoryWakeup } from "../../src/memory/index.js";
import { crypto } from "../../src/platform/node-crypto.js";
import { clock } from "../../src/platform/system-clock.js";
import { StoredResponses } from "../../src/routing/stored-responses/stored-responses.js";
import { createSeams, EventHub, type ModelCaller } from "../../src/seams/index.js";
import { Log } from "../../src/util/log.js";
import { Redactor } from "../../src/secrets/redactor.js";

// A process that makes one response in the background: it says half a sentence and thinks on. It is told of a cancellation by what it may no longer write.

export interface ResponsesWorkerOptions {
  readonly database: string;
  readonly leaseMs: number;
}

const o = JSON.parse(process.argv[2] ?? "") as ResponsesWorkerOptions;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const store = await sqlite(o.database).open({ entities: allEntities });
const seams = createSeams();
const unused = () => Promise.reject(new GatewayError("internal", "not called here"));
const frame = (type: string, fields: object) =>
  new TextEncoder().encode(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);

async function* thinking(signal: AbortSignal) {
  const response = { id: "resp_of_the_vendor", object: "response", status: "in_progress", output: [] };
  yield frame("response.created", { sequence_number: 0, response });
  yield frame("response.output_text.delta", { sequence_number: 1, delta: "half a " });
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  say("aborted");
  throw signal.reason;
}
const relay: ModelCaller["relay"] = (_call, { signal }) =>
  Promise.resolve({ status: 200, headers: [], body: { kind: "frames", frames: thinking(signal) }, done: () => undefined });
seams.models.fill({ relay, call: unused, operate: unused, list: () => [], find: () => null });
const log = new Log("warn", (level, message, fields) => say(`${level} ${message} ${JSON.stringify(fields)}`));
const ports = {
  store,
  clock,
  crypto,
  wakeup: memoryWakeup(),
  bus: memoryBus(),
  cache: memoryCache(),
  counters: memoryCounters(),
  redactor: new Redactor(),
};
const responses = new StoredResponses({ ...ports, log, seams, events: new EventHub(), nodeId: "worker" }, { leaseMs: o.leaseMs });
const answer = await responses.create(new TextEncoder().encode('{"model":"m","input":"go","background":true}'), {
  ...{ caller: SYSTEM_CALLER, requestId: "req_1", signal: new AbortController().signal, deadlineMs: Date.now() + 60_000, depth: 0 },
});
if (answer.body.kind !== "bytes") throw new Error("It was streamed.");
say(`created ${(JSON.parse(new TextDecoder().decode(answer.body.bytes)) as { id: string }).id}`);
setInterval(() => undefined, 1 << 30);
