import { describe, expect, it } from "vitest";
import { collect, joined, stream } from "../../../../test/wire/chunks.js";
import { expectValid } from "../../../../test/wire/openai-schema.js";
import { needsData } from "../../../../test/wire/test-data.js";
import { fold, type ModelEvent } from "../../../calls/index.js";
import { GatewayError, type ErrorCode } from "../../../errors/index.js";
import { openaiResponses } from "../openai-responses.js";

type Json = Record<string, unknown>;
const start: ModelEvent = { type: "start", id: "msg_foreign", model: "m", createdAtMs: 1000 };
const finish = (reason: Extract<ModelEvent, { type: "finish" }>["reason"] = "stop"): ModelEvent => ({ type: "finish", index: 0, reason });
const text = (block: number, words: string): ModelEvent[] => [
  { type: "text-start", index: 0, block },
  { type: "text-delta", index: 0, block, text: words },
  { type: "text-end", index: 0, block },
];
async function* from(events: readonly ModelEvent[], failure?: Error): AsyncGenerator<ModelEvent> {
  yield* events;
  if (failure !== undefined) throw failure;
}
async function encode(events: readonly ModelEvent[], failure?: Error): Promise<{ events: Json[]; errors: GatewayError[] }> {
  const errors: GatewayError[] = [];
  const out = await joined(
    openaiResponses.encodeStream(from(events, failure), { includeUsage: false, onError: (error) => errors.push(error) }),
  );
  const frames = out === "" ? [] : out.trimEnd().split("\n\n");
  return { events: frames.map((frame) => JSON.parse(frame.slice(frame.indexOf("data: ") + 6)) as Json), errors };
}
const types = (events: readonly Json[]) => events.map((event) => event["type"]);

describe("a stream of another protocol", () => {
  it("52: has every event of its items, in order", async () => {
    const { events } = await encode([
      start,
      { type: "reasoning-start", index: 0, block: 0 },
      { type: "reasoning-delta", index: 0, block: 0, text: "Hm" },
      { type: "reasoning-end", index: 0, block: 0, opaque: "sealed" },
      { type: "text-start", index: 0, block: 1 },
      { type: "text-delta", index: 0, block: 1, text: "Hi" },
      { type: "citation", index: 0, block: 1, citation: { url: "https://x.test", title: "X" } },
      { type: "text-end", index: 0, block: 1 },
      ...text(2, "there"),
      { type: "tool-call-start", index: 0, block: 3, id: "c", name: "f" },
      { type: "tool-call-delta", index: 0, block: 3, text: '{"a":1}' },
      { type: "tool-call-end", index: 0, block: 3 },
      { type: "usage", usage: { inputTokens: 1, outputTokens: 2 } },
      finish("tool-calls"),
    ]);
    expect(types(events)).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.reasoning_summary_part.added",
      "response.reasoning_summary_text.delta",
      "response.reasoning_summary_text.done",
      "response.reasoning_summary_part.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.annotation.added",
      "response.output_text.done",
      "response.content_part.done",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.output_item.done",
      "response.completed",
    ]);
    expect(events.map((event) => event["sequence_number"])).toEqual(events.map((_event, i) => i));
    expect(events.find((event) => event["type"] === "response.output_item.done")).toMatchObject({ item: { encrypted_content: "sealed" } });
    expect(events.at(-1)).toMatchObject({
      response: {
        status: "completed",
        usage: { total_tokens: 3 },
        output: [{ type: "reasoning" }, { content: [{ text: "Hi" }, { text: "there" }] }, { call_id: "c" }],
      },
    });
  });

  it("52: calls beside each other keep their places and ids", async () => {
    const call = (block: number, type: "start" | "end"): ModelEvent =>
      type === "start"
        ? { type: "tool-call-start", index: 0, block, id: `c${block}`, name: "f" }
        : { type: "tool-call-end", index: 0, block };
    const delta = (block: number, words: string): ModelEvent => ({ type: "tool-call-delta", index: 0, block, text: words });
    const { events } = await encode([
      start,
      call(0, "start"),
      call(1, "start"),
      delta(1, "{}"),
      delta(0, "{"),
      delta(0, "}"),
      call(1, "end"),
      call(0, "end"),
      finish("tool-calls"),
    ]);
    const deltas = events.filter((event) => event["type"] === "response.function_call_arguments.delta");
    expect(deltas.map((event) => event["output_index"])).toEqual([1, 0, 0]);
    expect(events.at(-1)).toMatchObject({
      response: {
        output: [
          { call_id: "c0", arguments: "{}" },
          { call_id: "c1", arguments: "{}" },
        ],
      },
    });
  });

  it("49: a call that never ended is done as incomplete, and nobody takes it for whole", async () => {
    const given: ModelEvent[] = [
      start,
      { type: "tool-call-start", index: 0, block: 0, id: "c", name: "f" },
      { type: "tool-call-delta", index: 0, block: 0, text: '{"a' },
      finish("length"),
    ];
    const { events } = await encode(given);
    expect(types(events).slice(-2)).toEqual(["response.output_item.done", "response.incomplete"]);
    expect(events.at(-2)).toMatchObject({ item: { status: "incomplete", arguments: '{"a' } });
    const frames = await collect(openaiResponses.encodeStream(from(given), { includeUsage: true, onError: () => undefined }));
    expect((await fold(openaiResponses.decodeStream(stream(...frames)))).candidates[0]).toMatchObject({
      content: [],
      finishReason: "length",
    });
  });

  it("24: of reasoning alone is complete; a message that was cut is incomplete", async () => {
    const reasoning: ModelEvent[] = [
      { type: "reasoning-start", index: 0, block: 0 },
      { type: "reasoning-end", index: 0, block: 0, opaque: "s", redacted: true },
    ];
    expect((await encode([start, ...reasoning, finish()])).events.at(-1)).toMatchObject({
      type: "response.completed",
      response: { output: [{ summary: [] }] },
    });
    expect((await encode([start, ...text(0, "x"), finish("length")])).events.at(-1)).toMatchObject({
      type: "response.incomplete",
      response: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, output: [{ status: "incomplete" }] },
    });
  });

  it("90: tells the first candidate, the only one that the protocol has", async () => {
    const second = text(0, "other").map((event) => ({ ...event, index: 1 }) as ModelEvent);
    const { events } = await encode([start, ...text(0, "x"), ...second, finish(), { type: "finish", index: 1, reason: "stop" }]);
    expect(JSON.stringify(events)).not.toContain("other");
  });

  it("leaves out what is another protocol's alone", async () => {
    const { events } = await encode([
      start,
      { type: "extra", extras: { "openai-chat": { x: 1 } } },
      { type: "native", index: 0, block: 0, protocol: "anthropic-messages", item: { type: "server_tool_use" } },
      { type: "media", index: 0, block: 1, mediaType: "audio/wav", data: "AA" },
      { type: "media", index: 0, block: 2, mediaType: "image/png", data: "iVBO" },
      finish(),
    ]);
    expect(events.at(-1)).toMatchObject({ response: { output: [{ type: "image_generation_call", result: "iVBO" }] } });
  });
});

describe("a stream that fails", () => {
  it.each([
    ["upstream_interrupted", "server_error"],
    ["upstream_rate_limited", "rate_limit_exceeded"],
    ["internal", "server_error"],
  ] as const)("54: with %s ends in an error and a failed response, never in a complete one", async (code: ErrorCode, shown) => {
    const failure = new GatewayError(code, "It failed.");
    const { events, errors } = await encode([start, ...text(0, "Hal").slice(0, 2)], failure);
    expect(errors).toEqual([failure]);
    expect(types(events).slice(-2)).toEqual(["error", "response.failed"]);
    expect(events.at(-2)).toMatchObject({ message: "It failed.", param: null, error: { message: "It failed." } });
    expect(events.at(-1)).toMatchObject({ response: { status: "failed", error: { code: shown, message: "It failed." } } });
    expect(events.map((event) => event["sequence_number"])).toEqual(events.map((_event, i) => i));
  });

  it("54: before it began, or without an end, it fails too", async () => {
    expect(types((await encode([], new GatewayError("overloaded", "Full."))).events)).toEqual(["error"]);
    for (const events of [[], [start], [start, ...text(0, "x")], text(0, "x")])
      expect((await encode(events)).errors).toMatchObject([{ code: "upstream_interrupted" }]);
  });

  it("is what the vendor describes", async (context) => {
    needsData(context);
    for (const event of (await encode([start, ...text(0, "Hal")], new GatewayError("upstream_rate_limited", "x"))).events)
      expectValid("ResponseStreamEvent", event);
  });
});
