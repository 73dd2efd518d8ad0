import { describe, expect, it } from "vitest";
import { breaking, bytesOf, collect, collectUntilFailure, joined, splitAt, stream, textOf } from "../../../../test/wire/chunks.js";
import { Fold, fold, unfold, type ModelEvent, type Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { anthropicMessages as codec } from "../anthropic-messages.js";

type Json = Record<string, unknown>;
const sse = (events: readonly Json[]) =>
  events.map((event) => `event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`).join("");
const begin = (usage: Json = { input_tokens: 5, output_tokens: 1 }) => ({
  type: "message_start",
  message: { id: "msg_1", type: "message", role: "assistant", model: "m", content: [], stop_reason: null, stop_sequence: null, usage },
});
const block = (index: number, content: Json, ...deltas: Json[]): Json[] => [
  { type: "content_block_start", index, content_block: content },
  ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
  { type: "content_block_stop", index },
];
const text = (index: number, said: string) => block(index, { type: "text", text: "" }, { type: "text_delta", text: said });
const call = (index: number, ...parts: string[]) =>
  block(
    index,
    { type: "tool_use", id: `t${index}`, name: "f", input: {} },
    ...parts.map((partial) => ({ type: "input_json_delta", partial_json: partial })),
  );
const end = (reason = "end_turn", usage: Json = { output_tokens: 9 }): Json[] => [
  { type: "message_delta", delta: { stop_reason: reason, stop_sequence: null }, usage },
  { type: "message_stop" },
];
const decode = (...events: Json[]) => fold(codec.decodeStream(stream(sse(events))));
const contentOf = async (...events: Json[]) => (await decode(...events)).candidates[0]?.content;

async function* from(events: Iterable<ModelEvent>, error?: Error): AsyncGenerator<ModelEvent> {
  yield* events;
  if (error !== undefined) throw error;
}
async function framesOf(events: Iterable<ModelEvent>, error?: Error): Promise<{ frames: Json[]; told: GatewayError[] }> {
  const told: GatewayError[] = [];
  const written = await joined(codec.encodeStream(from(events, error), { includeUsage: true, onError: (found) => void told.push(found) }));
  const frames = written.trim().split("\n\n");
  return {
    told,
    frames: frames.map((frame) => {
      const [event, data] = frame.split("\n") as [string, string];
      const body = JSON.parse(data.slice("data: ".length)) as Json;
      expect(event).toBe(`event: ${String(body["type"])}`);
      return body;
    }),
  };
}

describe("a vendor's stream", () => {
  it("6: the signature ends the thinking, also where its text is not shown", async () => {
    const thinking = (index: number, ...deltas: Json[]) => block(index, { type: "thinking", thinking: "", signature: "" }, ...deltas);
    expect(
      await contentOf(
        begin(),
        ...thinking(0, { type: "thinking_delta", thinking: "so" }, { type: "signature_delta", signature: "S" }),
        ...thinking(1, { type: "signature_delta", signature: "T" }),
        ...block(2, { type: "redacted_thinking", data: "R" }),
        ...text(3, "a"),
        ...end(),
      ),
    ).toEqual([
      { type: "reasoning", text: "so", opaque: "S" },
      { type: "reasoning", text: "", opaque: "T" },
      { type: "reasoning", text: "", opaque: "R", redacted: true },
      { type: "text", text: "a" },
    ]);
  });

  it("67, 68, 69: counts are cumulative, a later one is true, and the cache may be named at the end alone", async () => {
    const usage = async (first: Json, last: Json) => (await decode(begin(first), ...text(0, "a"), ...end("end_turn", last))).usage;
    expect(await usage({ input_tokens: 10, output_tokens: 1 }, { input_tokens: 10, output_tokens: 21 })).toEqual({
      inputTokens: 10,
      outputTokens: 21,
    });
    expect(await usage({ input_tokens: 0, output_tokens: 0 }, { input_tokens: 61, output_tokens: 2 })).toEqual({
      inputTokens: 61,
      outputTokens: 2,
    });
    expect(
      await usage({ input_tokens: 34_824, output_tokens: 0 }, { input_tokens: 3883, output_tokens: 49, cache_read_input_tokens: 30_464 }),
    ).toEqual({ inputTokens: 3883, outputTokens: 49, cacheReadTokens: 30_464 });
    const split = { ephemeral_5m_input_tokens: 1, ephemeral_1h_input_tokens: 2 };
    expect(
      await usage(
        { input_tokens: 1, cache_creation: split, cache_creation_input_tokens: 3, output_tokens: 1 },
        { input_tokens: null, output_tokens: 2 },
      ),
    ).toEqual({ inputTokens: 1, outputTokens: 2, cacheWriteTokens: 1, cacheWriteLongTokens: 2 });
  });

  it("25, 29: fragments of input are joined exactly, and no input is an empty one", async () => {
    expect(await contentOf(begin(), ...call(0, '{"a"', ": 1", "}"), ...call(1, ""), ...call(2), ...end("tool_use"))).toMatchObject([
      { arguments: '{"a": 1}' },
      { arguments: "{}" },
      { arguments: "{}" },
    ]);
    const given = block(0, { type: "tool_use", id: "t", name: "f", input: { player: 1 }, caller: { type: "x" } });
    expect(await contentOf(begin(), ...given, ...end("tool_use"))).toEqual([
      { type: "tool-call", id: "t", name: "f", arguments: '{"player":1}', extras: { "anthropic-messages": { caller: { type: "x" } } } },
    ]);
  });

  it("30, 49: a call that was cut off is handed on by nobody; one that is invalid is, when the model meant it", async () => {
    expect(await contentOf(begin(), ...text(0, "a"), ...call(1, '{"a": '), ...end("max_tokens"))).toEqual([{ type: "text", text: "a" }]);
    expect(await contentOf(begin(), ...call(0), ...end("max_tokens"))).toEqual([]);
    expect(await contentOf(begin(), ...call(0, '{"a":1}'), ...end("max_tokens"))).toHaveLength(1);
    expect(await contentOf(begin(), ...call(0, '{"a": '), ...end("tool_use"))).toMatchObject([{ arguments: '{"a": ' }]);
    expect(await contentOf(begin(), ...call(0, '{"a": '), ...text(1, "b"), ...end("max_tokens"))).toHaveLength(2);
  });

  it("50, 62: what has no neutral form comes whole and in its place; unknown events ride along, unknown deltas are passed over", async () => {
    const search = { type: "server_tool_use", id: "s", name: "web_search", input: {} };
    const events = [
      begin(),
      ...block(0, search, { type: "input_json_delta", partial_json: '{"query":' }, { type: "input_json_delta", partial_json: '"q"}' }),
      ...block(1, { type: "fallback", from: { model: "a" }, to: { model: "b" } }),
      ...block(2, { type: "compaction", content: null }, { type: "compaction_delta", content: "sum", encrypted_content: "E" }),
      { type: "content_block_start", index: 3, content_block: { type: "text", text: "a" } },
      { type: "new_event", x: 1 },
      { type: "content_block_delta", index: 3, delta: { type: "new_delta" } },
      { type: "content_block_stop", index: 3 },
      ...end(),
    ];
    expect(await contentOf(...events)).toEqual([
      { type: "native", protocol: "anthropic-messages", item: { ...search, input: { query: "q" } } },
      { type: "native", protocol: "anthropic-messages", item: { type: "fallback", from: { model: "a" }, to: { model: "b" } } },
      { type: "native", protocol: "anthropic-messages", item: { type: "compaction", content: "sum", encrypted_content: "E" } },
      { type: "text", text: "a" },
    ]);
    const { frames } = await framesOf(await collect(codec.decodeStream(stream(sse(events)))));
    expect(frames).toContainEqual({ type: "new_event", x: 1 });
    expect(frames.at(-1)).toEqual({ type: "message_stop" });
  });

  it("an answer may come whole in its first event", async () => {
    const message = {
      ...begin().message,
      content: [{ type: "tool_use", id: "t", name: "f", input: { a: 1 } }],
      stop_reason: "tool_use",
      container: { id: "c" },
    };
    const answer = await decode({ type: "message_start", message }, { type: "message_stop" });
    expect(answer.candidates[0]).toMatchObject({ content: [{ arguments: '{"a":1}' }], finishReason: "tool-calls" });
  });

  it("54, 55: an error event, an end before the end and what breaks the connection fail, and what came before is kept", async () => {
    const cases: [AsyncIterable<Uint8Array>, string][] = [
      [
        stream(sse([begin(), ...text(0, "a"), { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }])),
        "upstream_unavailable",
      ],
      [stream(sse([begin(), ...text(0, "a")])), "upstream_interrupted"],
      [stream(sse([begin(), ...text(0, "a"), ...end().slice(0, 1)])), "upstream_interrupted"],
      [breaking(new GatewayError("upstream_timeout", "silent"), sse([begin(), ...text(0, "a")])), "upstream_timeout"],
      [stream(sse([begin(), ...text(0, "a")]), "event: content_block_start\ndata: {broken\n\n"), "upstream_protocol"],
    ];
    for (const [source, code] of cases) {
      const folding = new Fold();
      const { values, error } = await collectUntilFailure(codec.decodeStream(source));
      for (const event of values) folding.push(event);
      expect(error).toMatchObject({ code });
      expect(folding.text).toBe("a");
      expect(folding.usage.inputTokens).toBe(5);
    }
    const late = breaking(new Error("reset"), sse([begin(), ...text(0, "a"), ...end()]));
    expect((await fold(codec.decodeStream(late))).candidates[0]?.finishReason).toBe("stop");
  });

  it("51: a second beginning of the same answer is passed over, one of another fails", async () => {
    expect(await contentOf(begin(), begin(), ...text(0, "a"), ...end())).toHaveLength(1);
    const other = { type: "message_start", message: { ...begin().message, id: "msg_2" } };
    await expect(decode(begin(), ...text(0, "a"), other, ...text(0, "b"), ...end())).rejects.toMatchObject({ code: "upstream_protocol" });
    await expect(decode(...text(0, "a"), ...end())).rejects.toMatchObject({ code: "upstream_protocol" });
  });

  it("56: comments, line ends, names without a blank and a missing last blank line change nothing", async () => {
    const events = [begin(), ...text(0, "é😀"), ...end()];
    const plain = sse(events);
    const whole = await fold(codec.decodeStream(stream(plain)));
    const forms = [
      `: hi\n\n${plain}: complete`,
      plain.replaceAll("\n", "\r\n"),
      plain.replaceAll("\n", "\r"),
      `\ufeff${plain}`,
      plain.replaceAll(": ", ":").trimEnd(),
      plain.replaceAll(/event: .*\n/g, ""),
    ];
    for (const form of forms) expect((await fold(codec.decodeStream(stream(form)))).candidates).toEqual(whole.candidates);
    const bytes = bytesOf(plain);
    for (let at = 1; at < bytes.length; at++)
      expect((await fold(codec.decodeStream(splitAt(bytes, at)))).candidates).toEqual(whole.candidates);
  });
});

describe("a stream for a caller", () => {
  const start: ModelEvent = { type: "start", id: "i", model: "m", createdAtMs: 0 };
  const finish: ModelEvent = { type: "finish", index: 0, reason: "stop" };
  const at = (number: number) => ({ index: 0, block: number });

  it("51: has one beginning, blocks that are begun and ended once with places that count up, and one end", async () => {
    const { frames } = await framesOf([
      start,
      { type: "reasoning-start", ...at(0) },
      { type: "reasoning-delta", ...at(0), text: "hm" },
      { type: "reasoning-end", ...at(0), opaque: "S" },
      { type: "text-start", ...at(1) },
      { type: "text-end", ...at(1) },
      { type: "tool-call-start", ...at(2), id: "a", name: "f" },
      { type: "tool-call-start", ...at(3), id: "b", name: "g" },
      { type: "tool-call-delta", ...at(3), text: '{"b":' },
      { type: "tool-call-delta", ...at(2), text: "{}" },
      { type: "tool-call-delta", ...at(3), text: "1}" },
      { type: "tool-call-end", ...at(2) },
      { type: "tool-call-end", ...at(3) },
      finish,
      { type: "usage", usage: { inputTokens: 7, outputTokens: 3 } },
    ]);
    expect(frames.map((frame) => [frame["type"], frame["index"]])).toEqual([
      ["message_start", undefined],
      ["content_block_start", 0],
      ["content_block_delta", 0],
      ["content_block_delta", 0],
      ["content_block_stop", 0],
      ["content_block_start", 1],
      ["content_block_delta", 1],
      ["content_block_stop", 1],
      ["content_block_start", 2],
      ["content_block_delta", 2],
      ["content_block_delta", 2],
      ["content_block_stop", 2],
      ["message_delta", undefined],
      ["message_stop", undefined],
    ]);
    expect(frames[3]).toMatchObject({ delta: { type: "signature_delta", signature: "S" } });
    expect(frames.at(-2)).toMatchObject({ delta: { stop_reason: "tool_use" }, usage: { input_tokens: 7, output_tokens: 3 } });
  });

  it("says in the beginning what is known of the usage by then", async () => {
    const usage: ModelEvent = { type: "usage", usage: { inputTokens: 7, cacheReadTokens: 2 } };
    const { frames } = await framesOf([start, usage, finish]);
    expect(frames[0]).toMatchObject({ message: { usage: { input_tokens: 7, cache_read_input_tokens: 2, output_tokens: 0 } } });
  });

  it("says in the beginning what the answer that it is made of was counted as", async () => {
    const own = { usage: { input_tokens: 12, cache_read_input_tokens: 3, output_tokens: 4 } };
    const { frames } = await framesOf([{ ...start, extras: { "anthropic-messages": own } }, finish]);
    expect(frames[0]).toMatchObject({ message: { usage: { input_tokens: 12, cache_read_input_tokens: 3 } } });
  });

  it("49: ends a call that was cut off as the vendor does, and never begins one that waited", async () => {
    const { frames } = await framesOf([
      start,
      { type: "tool-call-start", ...at(0), id: "a", name: "f" },
      { type: "tool-call-delta", ...at(0), text: '{"a' },
      { type: "tool-call-start", ...at(1), id: "b", name: "g" },
      { type: "text-start", ...at(2) },
      { type: "text-delta", ...at(2), text: "late" },
      { type: "text-end", ...at(2) },
      { type: "finish", index: 0, reason: "length" },
    ]);
    const blocks = frames
      .filter((frame) => frame["type"] === "content_block_start")
      .map((frame) => (frame["content_block"] as Json)["type"]);
    expect(blocks).toEqual(["tool_use", "text"]);
    expect(frames.filter((frame) => frame["type"] === "content_block_stop")).toHaveLength(2);
    expect(frames.at(-2)).toMatchObject({ delta: { stop_reason: "max_tokens" } });
  });

  it("54: ends in an error event when the source fails or stops early, never in message_stop", async () => {
    const failed = await framesOf(
      [start, ...textEvents("a")],
      new GatewayError("upstream_unavailable", "gone", { details: { status: 529 } }),
    );
    expect(failed.frames.at(-1)).toMatchObject({ type: "error", error: { type: "overloaded_error", message: "gone" } });
    expect(failed.told).toHaveLength(1);
    const early = await framesOf([start, ...textEvents("a")]);
    expect(early.frames.at(-1)).toMatchObject({ type: "error", error: { type: "api_error" } });
    expect(early.told[0]).toMatchObject({ code: "upstream_interrupted" });
  });

  it("24: an answer of reasoning alone is a valid message", async () => {
    const answer = {
      id: "i",
      model: "m",
      createdAtMs: 0,
      usage: {},
      candidates: [{ index: 0, content: [{ type: "reasoning", text: "hm" } as const], finishReason: "stop" as const }],
    };
    const { frames } = await framesOf(unfold(answer));
    expect(frames.map((frame) => frame["type"])).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
  });

  function textEvents(said: string): ModelEvent[] {
    return [
      { type: "text-start", ...at(0) },
      { type: "text-delta", ...at(0), text: said },
      { type: "text-end", ...at(0) },
    ];
  }
});

describe("a relayed stream", () => {
  async function relay(source: AsyncIterable<Uint8Array>): Promise<{ text: string; usages: Usage[]; failed: GatewayError[] }> {
    const usages: Usage[] = [];
    const failed: GatewayError[] = [];
    const watch = {
      usage: (usage: Usage) => void usages.push(usage),
      tellable: (error: GatewayError) => error,
      failed: (error: GatewayError) => void failed.push(error),
    };
    return { text: await joined(codec.relayStream(source, { dropUsage: false, watch })), usages, failed };
  }
  const whole = sse([begin(), { type: "ping" }, ...text(0, "an error of message_stop"), { type: "new_event" }, ...end()]);

  it("62, 67: keeps every byte, and its usage is told as it grows", async () => {
    const { text: relayed, usages, failed } = await relay(stream(whole));
    expect(relayed).toBe(whole);
    expect(usages).toEqual([
      { inputTokens: 5, outputTokens: 1 },
      { inputTokens: 5, outputTokens: 9 },
    ]);
    expect(failed).toEqual([]);
  });

  it("54, 55: one that breaks off, or brings the vendor's error, ends in our error event", async () => {
    const begun = sse([begin(), ...text(0, "a")]);
    const cases: [AsyncIterable<Uint8Array>, string][] = [
      [stream(begun), "upstream_interrupted"],
      [stream(begun, sse(end().slice(0, 1))), "upstream_interrupted"],
      [breaking(new GatewayError("upstream_timeout", "silent"), begun), "upstream_timeout"],
      [
        stream(begun, 'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"key sk-ant-abc123"}}\n\n'),
        "upstream_rate_limited",
      ],
      [stream(begun, "event: error\ndata: broken\n\n"), "upstream_unavailable"],
    ];
    for (const [source, code] of cases) {
      const { text: relayed, failed } = await relay(source);
      expect(failed).toMatchObject([{ code }]);
      expect(relayed.startsWith(begun)).toBe(true);
      const last = relayed.trimEnd().split("\n\n").at(-1) ?? "";
      expect(last).toMatch(/^event: error\ndata: \{"type":"error"/);
      expect(last).not.toContain("sk-ant");
      expect(relayed).not.toContain("message_stop");
    }
    expect((await relay(breaking(new Error("reset"), whole))).failed).toEqual([]);
  });

  it("57: a reader that goes takes the source with it", async () => {
    let gone = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield bytesOf(sse([{ type: "ping" }]));
      } finally {
        gone = true;
      }
    }
    const watch = { usage: () => undefined, tellable: (error: GatewayError) => error, failed: () => undefined };
    for await (const chunk of codec.relayStream(source(), { dropUsage: false, watch })) {
      expect(textOf(chunk)).toContain("ping");
      break;
    }
    expect(gone).toBe(true);
  });
});
