import { expect, it } from "vitest";
import type { Caller } from "../calls/index.js";
import { memoryBus, memoryCache, memoryCounters, memoryStore, memoryWakeup } from "../memory/index.js";
import { crypto } from "../platform/node-crypto.js";
import { clock } from "../platform/system-clock.js";
import { processOn, scriptedModels, type ScriptedModels } from "../../test/scripted-seams.js";
import { gate } from "../../test/shared-ports.js";
import { Redactor } from "../secrets/redactor.js";

const ada: Caller = { kind: "key", id: "key_ada", name: "Ada", projects: ["default"], grants: ["*"] };

function engineWith(models: ScriptedModels) {
  return processOn(
    {
      clock,
      crypto,
      store: memoryStore(),
      wakeup: memoryWakeup(),
      bus: memoryBus(),
      cache: memoryCache(),
      counters: memoryCounters(),
      redactor: new Redactor(),
    },
    { models },
  ).engine;
}
interface Frame {
  readonly id: number;
  readonly event: string;
  readonly data: { readonly type: string; readonly seq: number };
}
function framesOf(text: string): Frame[] {
  const frames = text.split("\n\n").filter((frame) => frame !== "" && !frame.startsWith(":"));
  return frames.map((frame) => {
    const fields = new Map(frame.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
    return { id: Number(fields.get("id")), event: fields.get("event") ?? "", data: JSON.parse(fields.get("data") ?? "") as Frame["data"] };
  });
}

it("is an event stream of all events that ends with the run, and can be read again from any of them", async () => {
  const engine = engineWith(scriptedModels([["Two\n\nlines"]]));
  const run = engine.run({ model: "m", input: "go" }, ada);
  const response = run.toResponse({ headers: { "x-mine": "1" } });
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toEqual({
    "content-type": "text/event-stream",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "x-run-id": run.id,
    "x-mine": "1",
  });
  const frames = framesOf(await response.text());
  expect(frames.map(({ event }) => event)).toEqual(["run.started", "step.started", "text.delta", "step.finished", "run.succeeded"]);
  for (const [i, { id, event, data }] of frames.entries()) expect([id, event, data.seq, data.type]).toEqual([i + 1, event, i + 1, event]);
  expect(framesOf(await engine.open(run.id, ada).toResponse({ after: 3 }).text())).toEqual(frames.slice(3));
  await engine.close();
});

it("comes event by event, and a reader that leaves leaves the run alone", async () => {
  const middle = gate();
  const engine = engineWith(scriptedModels([["one", { wait: middle.passed }, "two"]]));
  const run = engine.run({ model: "m", input: "go" }, ada);
  const reader = run.toResponse().body!.getReader();
  let seen = "";
  while (!seen.includes("text.delta")) seen += new TextDecoder().decode((await reader.read()).value);
  expect(seen).not.toContain("step.finished");
  await reader.cancel();
  expect((await engine.get(run.id, ada))?.status).toBe("running");
  middle.open();
  expect((await run).text).toBe("onetwo");
  await engine.close();
});

it("tells what was wrong with the request as an error event", async () => {
  const engine = engineWith(scriptedModels([]));
  const response = engine.run({ model: "", input: "go" }, ada).toResponse();
  expect(await response.text()).toMatch(/^event: error\ndata: {"error":{"code":"validation_failed","message":"model: .*}}\n\n$/);
  await engine.close();
});

it("does not end the process when nobody looks at a run that was refused, and two engines share nothing", async () => {
  const [a, b] = [engineWith(scriptedModels([["a"]])), engineWith(scriptedModels([["b"]]))];
  a.run({ model: "", input: "" }, ada);
  expect((await b.run({ model: "m", input: "go", idempotencyKey: "k" }, ada)).text).toBe("b");
  expect((await a.run({ model: "m", input: "go", idempotencyKey: "k" }, ada)).text).toBe("a");
  await a.close();
  await b.close();
});
