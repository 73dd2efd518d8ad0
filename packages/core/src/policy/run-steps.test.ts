import { describe, expect, it } from "vitest";
import { SYSTEM_CALLER, type Answer, type ModelEvent, type ModelHead, type Outcome } from "../calls/index.js";
import { noRecords } from "../config/records.js";
import { configSchema } from "../config/schema.js";
import { GatewayError } from "../errors/index.js";
import { LiveCall } from "./live-call.js";
import { runSteps, sightOf } from "./run-steps.js";
import type { Step } from "./step.js";

const head: ModelHead = {
  kind: "model",
  protocol: "openai-chat",
  operation: "generate",
  name: "demo/echo",
  stream: false,
  maxOutputTokens: undefined,
  bytes: 2,
};
const snapshot = { version: 1, config: configSchema.parse({}), keys: new Map(), routes: new Map(), records: noRecords, readAtMs: 0 };
const answer: Answer<ModelEvent> = { status: 200, headers: [], body: { kind: "bytes", bytes: new Uint8Array() } };

function liveCall(o: { signal?: AbortSignal; errors?: unknown[] } = {}) {
  return new LiveCall({
    id: "call_1",
    requestId: "req_1",
    runId: null,
    caller: SYSTEM_CALLER,
    head,
    snapshot,
    signal: o.signal ?? new AbortController().signal,
    deadlineMs: Date.now() + 1000,
    depth: 0,
    purpose: null,
    startedAtMs: 0,
    decode: () => ({ kind: "model", call: { model: "demo/echo", messages: [] } }),
    onLeaveError: (error) => o.errors?.push(error),
  });
}

/** A step that records what happens to it. */
function recorder(name: string, seen: string[], over: Partial<Step<ModelHead, ModelEvent>> = {}): Step<ModelHead, ModelEvent> {
  return {
    name,
    enter(call) {
      seen.push(`enter ${name}`);
      call.defer((outcome) => void seen.push(`leave ${name} ${outcome.kind}`));
    },
    ...over,
  };
}

describe("runSteps", () => {
  it("enters in order, calls the core, and leaves last first when the answer is done", async () => {
    const seen: string[] = [];
    const live = await runSteps([recorder("a", seen), recorder("b", seen)], liveCall(), async () => (seen.push("core"), answer));
    expect(seen).toEqual(["enter a", "enter b", "core"]);
    live.done("sent");
    expect(seen.slice(3)).toEqual(["leave b done", "leave a done"]);
  });

  it("leaves exactly once, however often the host reports", async () => {
    const seen: string[] = [];
    const live = await runSteps([recorder("a", seen)], liveCall(), async () => answer);
    live.done("left");
    live.done("sent");
    expect(seen.filter((line) => line.startsWith("leave"))).toEqual(["leave a aborted"]);
  });

  it("leaves only what was entered when a step refuses, and never reaches the core", async () => {
    const seen: string[] = [];
    const refusing = recorder("b", seen, {
      enter: () => {
        throw new GatewayError("forbidden", "no");
      },
    });
    const core = async () => (seen.push("core"), answer);
    await expect(runSteps([recorder("a", seen), refusing, recorder("c", seen)], liveCall(), core)).rejects.toMatchObject({
      code: "forbidden",
    });
    expect(seen).toEqual(["enter a", "leave a failed"]);
  });

  it("stops at a step that answers", async () => {
    const seen: string[] = [];
    const cached: Step<ModelHead, ModelEvent> = { name: "cache", enter: () => ({ ...answer, status: 203 }) };
    const live = await runSteps([recorder("a", seen), cached, recorder("c", seen)], liveCall(), async () => answer);
    expect(live.status).toBe(203);
    expect(seen).toEqual(["enter a"]);
  });

  it("tells an unexpected error from the core as internal, without its text", async () => {
    const outcomes: Outcome[] = [];
    const watch: Step = { name: "watch", enter: (call) => call.defer((outcome) => void outcomes.push(outcome)) };
    const failing = runSteps([watch], liveCall(), () => Promise.reject(new Error("password=hunter2")));
    await expect(failing).rejects.toMatchObject({ code: "internal", message: expect.not.stringContaining("hunter2") as string });
    expect(outcomes).toMatchObject([{ kind: "failed", code: "internal", status: 500, started: false }]);
  });

  it("tells an abort as cancelled and aborted", async () => {
    const outcomes: Outcome[] = [];
    const aborted = new AbortController();
    aborted.abort();
    const watch: Step = { name: "watch", enter: (call) => call.defer((outcome) => void outcomes.push(outcome)) };
    await expect(runSteps([watch], liveCall({ signal: aborted.signal }), async () => answer)).rejects.toMatchObject({ code: "cancelled" });
    expect(outcomes).toMatchObject([{ kind: "aborted", code: "cancelled" }]);
  });

  it("counts a stream that broke off as failed and partial, although its writing ended well", async () => {
    const outcomes: Outcome[] = [];
    const watch: Step = { name: "watch", enter: (call) => call.defer((outcome) => void outcomes.push(outcome)) };
    const call = liveCall();
    const live = await runSteps([watch], call, async () => answer);
    call.failed("upstream_interrupted");
    live.done("sent");
    expect(outcomes).toMatchObject([{ kind: "failed", code: "upstream_interrupted", started: true }]);
    expect(call.meter.partial).toBe(true);
  });

  it("goes on leaving when a leave throws or rejects, and reports both", async () => {
    const errors: unknown[] = [];
    const left: string[] = [];
    const call = liveCall({ errors });
    const settled = new Promise<void>((resolve) => call.defer(() => (left.push("first"), resolve())));
    call.defer(() => Promise.reject(new Error("late")));
    call.defer(() => {
      throw new Error("early");
    });
    call.settle({ kind: "done", status: 200, started: true });
    await settled;
    expect(left).toEqual(["first"]);
    expect(errors.map((error) => (error as Error).message)).toEqual(["early", "late"]);
  });

  it("lets a step read the events of an answer, in order of the list", async () => {
    const tag = (name: string): Step<ModelHead, ModelEvent> => ({
      name,
      sees: () => "write",
      async *events(_call, source) {
        for await (const event of source) yield event.type === "text-delta" ? { ...event, text: event.text + name } : event;
      },
    });
    async function* events(): AsyncGenerator<ModelEvent> {
      yield { type: "text-delta", index: 0, block: 0, text: "-" };
    }
    const steps = [tag("a"), tag("b")];
    expect(sightOf(steps, liveCall())).toBe("write");
    const live = await runSteps(steps, liveCall(), async () => ({ ...answer, body: { kind: "events", events: events() } }));
    const texts: string[] = [];
    if (live.body.kind === "events") for await (const event of live.body.events) if (event.type === "text-delta") texts.push(event.text);
    expect(texts).toEqual(["-ab"]);
  });
});
