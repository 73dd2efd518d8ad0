import { describe, expect, it } from "vitest";
import { noRecords } from "../../config/records.js";
import { configSchema } from "../../config/schema.js";
import { GatewayError } from "../../errors/index.js";
import { LiveCall } from "../../policy/live-call.js";
import type { ToolHead } from "../../calls/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { readMessage, upstreamPlan, type RpcMessage } from "../frames/message.js";
import { utf8 } from "../frames/splice.js";
import { answerSoon } from "./tool-stream.js";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const notice = readMessage(utf8('{"jsonrpc":"2.0","method":"notifications/message","params":{}}'), upstreamPlan);

function call(clock: FakeClock): LiveCall<ToolHead> {
  return new LiveCall({
    id: "c",
    requestId: "r",
    runId: null,
    caller: { kind: "owner", id: "o", name: "o", projects: ["default"], grants: ["*"] },
    head: { kind: "tool", name: "a__b", server: "a", tool: "b", bytes: 0 },
    snapshot: { version: 1, config: configSchema.parse({}), keys: new Map(), routes: new Map(), records: noRecords, readAtMs: 0 },
    signal: new AbortController().signal,
    deadlineMs: clock.now() + 60_000,
    depth: 0,
    purpose: null,
    startedAtMs: clock.now(),
    decode: () => ({ kind: "tool", name: "a__b", arguments: "{}" }),
    onLeaveError: () => expect.unreachable(),
  });
}

function soon(takesStream = true) {
  const clock = new FakeClock();
  const live = call(clock);
  let say: ((notice: RpcMessage) => void) | undefined;
  let resolve: (bytes: Uint8Array) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const answer = answerSoon({
    clock,
    call: live,
    id: "1",
    takesStream,
    encodeNotice: (note) => note.bytes,
    work: (onNotice) => {
      say = onNotice;
      return new Promise((yes, no) => {
        resolve = yes;
        reject = no;
      });
    },
  });
  return {
    clock,
    live,
    answer,
    say: () => say?.(notice),
    resolve: (json: string) => resolve(utf8(json)),
    reject: (error: Error) => reject(error),
  };
}
async function frames(answer: Awaited<ReturnType<typeof answerSoon>>): Promise<string> {
  if (answer.body.kind !== "frames") return answer.body.kind;
  let all = "";
  for await (const frame of answer.body.frames) all += text(frame);
  return all;
}

describe("the answer to a call", () => {
  it("is JSON when the result is the first that comes, and leaves no timer", async () => {
    const { clock, answer, resolve } = soon();
    resolve('{"a":1}');
    expect((await answer).body).toEqual({ kind: "bytes", bytes: utf8('{"a":1}') });
    expect(clock.pending).toBe(0);
  });

  it("is a stream as soon as something else comes first", async () => {
    const { answer, say, resolve } = soon();
    say();
    const all = frames(await answer);
    say();
    resolve('{"a":1}');
    expect(await all).toMatch(/^(event: message\ndata: \{"jsonrpc".*\n\n){2}event: message\ndata: \{"a":1\}\n\n$/);
  });

  it("is a stream when it takes long, kept open by comments", async () => {
    const { clock, answer, resolve } = soon();
    await clock.advance(10_000);
    const all = frames(await answer);
    await clock.advance(15_000);
    resolve('{"a":1}');
    expect(await all).toBe(': keep-alive\n\nevent: message\ndata: {"a":1}\n\n');
    expect(clock.pending).toBe(0);
  });

  it("is JSON however long it takes for who takes nothing else", async () => {
    const { clock, answer, say, resolve } = soon(false);
    say();
    await clock.advance(60_000);
    resolve("{}");
    expect((await answer).body.kind).toBe("bytes");
  });

  it("ends a stream with the error that came too late for a status", async () => {
    const { live, answer, say, reject } = soon();
    say();
    const all = frames(await answer);
    reject(new GatewayError("outcome_unknown", "It broke."));
    expect(await all).toContain('"error":{"code":-32000,"message":"It broke.","data":{"code":"outcome_unknown","request_id":"r"}}');
    let told: unknown;
    live.defer((outcome) => void (told = outcome));
    live.settle({ kind: "done", status: 200, started: true });
    expect(told).toMatchObject({ kind: "failed", code: "outcome_unknown" });
  });

  it("fails when nothing came before the error", async () => {
    const { answer, reject } = soon();
    reject(new GatewayError("upstream_timeout", "Late."));
    await expect(answer).rejects.toMatchObject({ code: "upstream_timeout" });
  });

  it("is over for its stream when the call is", async () => {
    const { clock, live, answer, say } = soon();
    say();
    await answer;
    live.settle({ kind: "aborted", code: "cancelled", status: 200, started: true });
    expect(clock.pending).toBe(0);
  });
});
