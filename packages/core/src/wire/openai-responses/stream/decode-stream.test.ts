import { describe, expect, it } from "vitest";
import { breaking, bytesOf, collect, collectUntilFailure, splitAt, stream } from "../../../../test/wire/chunks.js";
import { fold, type ModelEvent } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { openaiResponses } from "../openai-responses.js";

type Json = Record<string, unknown>;
const head = { id: "resp_1", object: "response", created_at: 1, model: "m", status: "in_progress", output: [] };
const created = { type: "response.created", response: head };
const completed = (more: Json = {}): Json => ({
  type: "response.completed",
  response: { ...head, status: "completed", usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 }, ...more },
});
const frames = (events: readonly Json[], lineEnd = "\n") =>
  events
    .map(
      (event, i) =>
        `event: ${String(event["type"])}${lineEnd}data: ${JSON.stringify({ ...event, sequence_number: i })}${lineEnd}${lineEnd}`,
    )
    .join("");
const decode = (events: readonly Json[]) => openaiResponses.decodeStream(stream(frames(events)));
const answerOf = (events: readonly Json[]) => fold(decode(events));
const contentOf = async (events: readonly Json[]) => (await answerOf(events)).candidates[0]?.content;
const added = (output_index: number, item: Json): Json => ({ type: "response.output_item.added", output_index, item });
const done = (output_index: number, item: Json): Json => ({ type: "response.output_item.done", output_index, item });
const text = (words: string, more: Json = {}) => ({ type: "output_text", text: words, annotations: [], logprobs: [], ...more });
const message = (content: Json[], more: Json = {}) => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  status: "completed",
  content,
  ...more,
});
const call = (args: string, more: Json = {}) => ({
  id: "fc_1",
  type: "function_call",
  call_id: "c1",
  name: "f",
  arguments: args,
  status: "completed",
  ...more,
});

describe("the events of a response", () => {
  it("1: reasoning is sealed by what is done, never by what was added", async () => {
    const item = { id: "rs_1", type: "reasoning", summary: [] };
    const content = await contentOf([
      created,
      added(0, { ...item, encrypted_content: "too early" }),
      done(0, { ...item, encrypted_content: "sealed" }),
      done(1, message([text("x")])),
      completed(),
    ]);
    expect(content?.[0]).toMatchObject({ type: "reasoning", text: "", opaque: "sealed", itemId: "rs_1" });
    const unsealed = await contentOf([created, added(0, { ...item, encrypted_content: "too early" }), done(0, item), completed()]);
    expect(unsealed?.[0]).not.toHaveProperty("opaque");
  });

  it("23: summaries and the reasoning itself are reasoning, and nothing else", async () => {
    const part = (type: string, more: Json): Json => ({ type: `response.${type}`, output_index: 0, item_id: "rs_1", ...more });
    const events = [
      created,
      added(0, { id: "rs_1", type: "reasoning", summary: [] }),
      part("reasoning_summary_part.added", { summary_index: 0, part: { type: "summary_text", text: "" } }),
      part("reasoning_summary_text.delta", { summary_index: 0, delta: "One" }),
      part("reasoning_summary_text.done", { summary_index: 0, text: "One" }),
      part("reasoning_summary_part.done", { summary_index: 0, part: { type: "summary_text", text: "One" } }),
      part("reasoning_summary_part.added", { summary_index: 1, part: { type: "summary_text", text: "" } }),
      part("reasoning_summary_text.delta", { summary_index: 1, delta: "Two" }),
      part("reasoning_text.delta", { content_index: 0, delta: "Hm" }),
      done(0, { id: "rs_1", type: "reasoning", summary: [], encrypted_content: "s" }),
      completed(),
    ];
    expect(await contentOf(events)).toEqual([
      {
        type: "reasoning",
        text: "One\n\nTwo\n\nHm",
        opaque: "s",
        itemId: "rs_1",
        extras: {
          "openai-responses": {
            segments: [
              ["summary", 3],
              ["summary", 3],
              ["content", 2],
            ],
          },
        },
      },
    ]);
    const told = (await collect(decode(events))).map((event) => event.type);
    expect(told.filter((type) => type.startsWith("text"))).toEqual([]);
  });

  it("25: a call is whole when its item is done, not when a prefix of it is JSON", async () => {
    const events = [
      created,
      added(0, call("", { status: "in_progress" })),
      { type: "response.function_call_arguments.delta", output_index: 0, item_id: "fc_1", delta: '{"a":1}' },
      { type: "response.function_call_arguments.delta", output_index: 0, item_id: "fc_1", delta: " " },
      { type: "response.function_call_arguments.done", output_index: 0, item_id: "fc_1", arguments: '{"a":1} ' },
      done(0, call('{"a":1} ')),
      completed(),
    ];
    const types = (await collect(decode(events))).map((event) => event.type);
    expect(types).toEqual(["start", "tool-call-start", "tool-call-delta", "tool-call-delta", "tool-call-end", "usage", "finish"]);
    expect(await contentOf(events)).toMatchObject([{ id: "c1", name: "f", arguments: '{"a":1} ' }]);
    const { values } = await collectUntilFailure(decode(events.slice(0, 4)));
    expect(values.some((event) => event.type === "tool-call-end")).toBe(false);
  });

  it("25: what comes without deltas is told from where it comes whole", async () => {
    const content = await contentOf([
      created,
      added(0, message([], { status: "in_progress" })),
      { type: "response.output_text.done", output_index: 0, item_id: "msg_1", content_index: 0, text: "Hi" },
      done(0, message([text("Hi", { annotations: [{ type: "url_citation", url: "u", title: "t", start_index: 0, end_index: 1 }] })])),
      added(1, call("")),
      done(1, call('{"a":1}')),
      done(2, { type: "custom_tool_call", id: "ctc", call_id: "c2", name: "sh", input: "ls" }),
      completed(),
    ]);
    expect(content).toMatchObject([
      { type: "text", text: "Hi", citations: [{ url: "u" }] },
      { type: "tool-call", arguments: '{"a":1}' },
      { type: "tool-call", arguments: "ls", input: "text" },
    ]);
    expect(await contentOf([created, completed({ output: [message([text("only here")])] })])).toMatchObject([{ text: "only here" }]);
  });

  it("31: calls may be streamed beside each other", async () => {
    const delta = (place: number, words: string): Json => ({
      type: "response.function_call_arguments.delta",
      output_index: place,
      delta: words,
    });
    const content = await contentOf([
      created,
      added(0, call("")),
      added(1, call("", { id: "fc_2", call_id: "c2" })),
      delta(0, '{"a"'),
      delta(1, "{"),
      delta(0, ":1}"),
      delta(1, "}"),
      done(1, call("{}", { id: "fc_2", call_id: "c2" })),
      done(0, call('{"a":1}')),
      completed(),
    ]);
    expect(content).toMatchObject([
      { id: "c1", arguments: '{"a":1}' },
      { id: "c2", arguments: "{}" },
    ]);
  });

  it("29: a call without arguments is called with none", async () => {
    expect(await contentOf([created, added(0, call("")), done(0, call("")), completed()])).toMatchObject([{ arguments: "{}" }]);
  });

  it("49: a call that was cut is never handed on as whole", async () => {
    const cut = {
      type: "response.incomplete",
      response: { ...head, status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
    };
    const delta = { type: "response.function_call_arguments.delta", output_index: 0, delta: '{"a' };
    for (const last of [[done(0, call('{"a', { status: "incomplete" }))], [done(0, call('{"a', { status: undefined }))], []]) {
      const answer = await answerOf([created, added(0, call("")), delta, ...last, cut]);
      expect(answer.candidates[0]).toMatchObject({ content: [], finishReason: "length" });
    }
    expect(await contentOf([created, done(0, call("{}", { status: "incomplete" })), completed()])).toEqual([]);
    expect(await contentOf([created, added(0, call("")), delta, done(0, call('{"a', { status: undefined })), completed()])).toMatchObject([
      { arguments: '{"a' },
    ]);
  });

  it("93: a refusal", async () => {
    const answer = await answerOf([
      created,
      added(0, message([])),
      { type: "response.refusal.delta", output_index: 0, content_index: 0, delta: "N" },
      { type: "response.refusal.done", output_index: 0, content_index: 0, refusal: "No." },
      done(0, message([{ type: "refusal", refusal: "No." }])),
      completed(),
    ]);
    expect(answer.candidates[0]).toMatchObject({ content: [{ type: "refusal", text: "No." }], finishReason: "refusal" });
  });

  it("62: unknown events and those of hosted tools are handed on, and change nothing", async () => {
    const search = { id: "ws_1", type: "web_search_call", status: "in_progress" };
    const events = [
      created,
      { type: "response.novel", x: 1 },
      { type: "keepalive" },
      added(0, search),
      { type: "response.web_search_call.searching", output_index: 0, item_id: "ws_1" },
      done(0, { ...search, status: "completed" }),
      done(1, message([text("x")])),
      completed(),
    ];
    const told = await collect(decode(events));
    expect(told.filter((event) => event.type === "extra")).toHaveLength(4);
    expect((await answerOf(events)).candidates[0]?.content.map((part) => part.type)).toEqual(["native", "text"]);
  });

  it("90: probabilities, told with their words or only at the end", async () => {
    const logprobs = [{ token: "x", logprob: -1, bytes: [120], top_logprobs: [{ token: "y", logprob: -2 }] }];
    const expected = [{ token: "x", logprob: -1, bytes: [120], top: [{ token: "y", logprob: -2 }] }];
    const delta = { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "x", logprobs };
    const last = done(0, message([text("x", { logprobs })]));
    expect(await contentOf([created, added(0, message([])), delta, last, completed()])).toMatchObject([{ text: "x", logprobs: expected }]);
    expect(await contentOf([created, last, completed()])).toMatchObject([{ text: "x", logprobs: expected }]);
  });
});

describe("the end of a stream", () => {
  const said = [created, added(0, message([])), { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "Hal" }];

  it("55: without its event it is interrupted, whatever was said", async () => {
    const { values, error } = await collectUntilFailure(decode(said));
    expect(error).toMatchObject({ code: "upstream_interrupted" });
    expect(values.some((event) => event.type === "text-delta")).toBe(true);
    expect((await collectUntilFailure(openaiResponses.decodeStream(stream("")))).error).toMatchObject({ code: "upstream_interrupted" });
  });

  it("55: what the connection throws is thrown, unless the answer was whole", async () => {
    const reset = new GatewayError("upstream_unavailable", "reset");
    expect((await collectUntilFailure(openaiResponses.decodeStream(breaking(reset, frames(said))))).error).toBe(reset);
    expect((await collectUntilFailure(openaiResponses.decodeStream(breaking(reset, frames([created, completed()]))))).error).toBeNull();
  });

  it.each([
    [{ type: "error", code: "server_error", message: "Sorry.", param: null }, "upstream_unavailable", "Sorry."],
    [
      { type: "error", error: { type: "insufficient_quota", code: "insufficient_quota", message: "Broke." } },
      "upstream_rate_limited",
      "Broke.",
    ],
    [
      { type: "response.failed", response: { ...head, status: "failed", error: { code: "rate_limit_exceeded", message: "Slowly." } } },
      "upstream_rate_limited",
      "Slowly.",
    ],
    [
      { type: "response.failed", response: { ...head, status: "failed", error: null } },
      "upstream_unavailable",
      "The vendor failed to make the response.",
    ],
    [{ error: { message: "Bare.", type: "invalid_request_error" } }, "upstream_rejected", "Bare."],
  ])("54: %j is thrown", async (event: Json, code, words) => {
    const { values, error } = await collectUntilFailure(decode([...said, event]));
    expect(error).toMatchObject({ code, message: words });
    expect(values.at(-1)?.type).toBe("text-delta");
  });

  it("103: what is no JSON is the vendor's fault", async () => {
    const { error } = await collectUntilFailure(openaiResponses.decodeStream(stream(`${frames(said)}data: {"broken\n\n`)));
    expect(error).toMatchObject({ code: "upstream_protocol" });
  });

  it("56: a comment, a byte order mark, any line end, no blank line at the end, [DONE], split anywhere: the same", async () => {
    const events = [...said, done(0, message([text("Hallo 😀 é")])), completed()];
    const whole = await collect(decode(events));
    for (const lineEnd of ["\n", "\r\n", "\r"]) {
      const bytes = bytesOf(`\ufeff: hi${lineEnd}${lineEnd}${frames(events, lineEnd)}data: [DONE]`);
      for (let at = 1; at < bytes.length; at++) expect(await collect(openaiResponses.decodeStream(splitAt(bytes, at)))).toEqual(whole);
    }
    const cut = frames(events).trimEnd();
    expect(await collect(openaiResponses.decodeStream(stream(cut)))).toEqual(whole);
  });

  it("its reader may go: the source is told", async () => {
    let told = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield bytesOf(frames(said));
        yield bytesOf(frames([completed()]));
      } finally {
        told = true;
      }
    }
    const seen: ModelEvent[] = [];
    for await (const event of openaiResponses.decodeStream(source())) {
      seen.push(event);
      break;
    }
    expect(told).toBe(true);
    expect(seen).toHaveLength(1);
  });
});
