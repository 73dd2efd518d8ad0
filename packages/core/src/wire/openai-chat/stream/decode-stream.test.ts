import { describe, expect, it } from "vitest";
import { breaking, byTheByte, bytesOf, collect, collectUntilFailure, framesOf, splitAt, stream } from "../../../../test/wire/chunks.js";
import { fold, type ModelAnswer, type ModelEvent } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { openaiChat } from "../openai-chat.js";

const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_700_000_000, model: "m" };
const chunk = (delta: object, more: object = {}) => ({ ...head, choices: [{ index: 0, delta, finish_reason: null, ...more }] });
const finish = (word = "stop", delta: object = {}) => chunk(delta, { finish_reason: word });
const usage = { ...head, choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } };
const role = chunk({ role: "assistant", content: "" });

const decode = (values: readonly unknown[]) => openaiChat.decodeStream(stream(framesOf(values)));
const answerOf = (values: readonly unknown[]): Promise<ModelAnswer> => fold(decode(values));
const contentOf = async (values: readonly unknown[]) => (await answerOf(values)).candidates[0]?.content;
const calls = (...deltas: object[]) => chunk({ tool_calls: deltas });
const part = (index: number | undefined, id: string | undefined, called: object) => ({
  ...(index === undefined ? {} : { index }),
  ...(id === undefined ? {} : { id, type: "function" }),
  function: called,
});
const toolCall = (id: unknown, name: string, args: string) => ({ type: "tool-call", id, name, arguments: args });

/** The grammar of `ModelEvent`: one start first; blocks numbered upwards, ended once, interleaved only when they are calls; one finish a candidate. */
function expectGrammar(events: readonly ModelEvent[]): void {
  const open = new Map<string, string>();
  const finished = new Set<number>();
  const lastBlock = new Map<number, number>();
  // A citation belongs to the text that is open.
  const kindOf = (event: ModelEvent) => (event.type === "citation" ? "text" : event.type.replace(/-(start|delta|end)$/, ""));
  events.forEach((event, i) => {
    expect(event.type === "start").toBe(i === 0);
    if (event.type === "start" || event.type === "usage" || event.type === "extra") return;
    expect(finished.has(event.index)).toBe(false);
    if (event.type === "finish") {
      finished.add(event.index);
      return;
    }
    const key = `${event.index}/${event.block}`;
    const kind = kindOf(event);
    const others = [...open].filter(([other]) => other.startsWith(`${event.index}/`) && other !== key);
    if (event.type.endsWith("-start") || event.type === "media") {
      expect(event.block).toBe((lastBlock.get(event.index) ?? -1) + 1);
      lastBlock.set(event.index, event.block);
      expect(others.every(([, other]) => other === "tool-call" && kind === "tool-call")).toBe(true);
      if (event.type !== "media") open.set(key, kind);
    } else {
      expect(open.get(key)).toBe(kind);
      if (event.type.endsWith("-end")) open.delete(key);
    }
  });
}

describe("a stream of the protocol's own vendor", () => {
  it("is told as start, blocks, finish and usage", async () => {
    const events = await collect(decode([role, chunk({ content: "Hel" }), chunk({ content: "lo" }), finish(), usage, "[DONE]"]));
    expect(events).toEqual([
      { type: "start", id: "chatcmpl-1", model: "m", createdAtMs: 1_700_000_000_000 },
      { type: "text-start", index: 0, block: 0 },
      { type: "text-delta", index: 0, block: 0, text: "Hel" },
      { type: "text-delta", index: 0, block: 0, text: "lo" },
      { type: "text-end", index: 0, block: 0 },
      { type: "finish", index: 0, reason: "stop" },
      { type: "usage", usage: { inputTokens: 3, outputTokens: 2 }, extras: { "openai-chat": { usage: usage.usage } } },
    ]);
    expectGrammar(events);
  });

  it("with parallel calls in fragments gives each call its own text", async () => {
    const values = [
      role,
      calls(part(0, "call_a", { name: "a", arguments: "" })),
      calls(part(0, undefined, { arguments: '{"x":' })),
      calls(part(1, "call_b", { name: "b", arguments: "" }), part(0, undefined, { arguments: "1}" })),
      calls(part(1, undefined, { arguments: '{"y":2}' })),
      finish("tool_calls"),
      "[DONE]",
    ];
    const events = await collect(decode(values));
    expectGrammar(events);
    expect(await contentOf(values)).toEqual([toolCall("call_a", "a", '{"x":1}'), toolCall("call_b", "b", '{"y":2}')]);
    expect(events.findIndex((event) => event.type === "tool-call-end")).toBeGreaterThan(
      events.findLastIndex((event) => event.type === "tool-call-delta"),
    );
  });

  it("with a call without arguments gives an empty object of them", async () => {
    expect(await contentOf([calls(part(0, "1", { name: "f", arguments: "" })), finish("tool_calls")])).toEqual([toolCall("1", "f", "{}")]);
  });

  it("with a refusal, several candidates, findings of a filter before the start, and what rides along", async () => {
    const findings = { id: "", object: "", created: 0, model: "", choices: [], prompt_filter_results: [{ prompt_index: 0 }] };
    const two = {
      ...head,
      choices: [
        { index: 0, delta: { refusal: "no" }, finish_reason: null },
        { index: 1, delta: { content: "b" }, finish_reason: null, content_filter_results: { x: 1 } },
      ],
    };
    const ends = {
      ...head,
      obfuscation: "abc",
      choices: [
        { index: 1, delta: { annotations: [{ type: "url_citation" }] }, finish_reason: "length" },
        { index: 0, delta: {}, finish_reason: "stop" },
      ],
    };
    const values = [findings, two, ends, "[DONE]"];
    expectGrammar(await collect(decode(values)));
    expect(await answerOf(values)).toMatchObject({
      id: "chatcmpl-1",
      candidates: [
        { index: 0, content: [{ type: "refusal", text: "no" }], finishReason: "refusal" },
        {
          index: 1,
          content: [{ type: "text", text: "b" }],
          finishReason: "length",
          extras: { "openai-chat": { content_filter_results: { x: 1 }, message: { annotations: [{ type: "url_citation" }] } } },
        },
      ],
      extras: { "openai-chat": { prompt_filter_results: [{ prompt_index: 0 }] } },
    });
  });

  it("90: with logprobs has them with the text that they are of", async () => {
    const probs = (token: string) => ({ content: [{ token, logprob: -1, bytes: null, top_logprobs: [] }], refusal: null });
    const values = [
      chunk({ role: "assistant", content: "" }, { logprobs: probs("") }),
      chunk({ content: "a" }, { logprobs: probs("a") }),
      chunk({ content: "b" }, { logprobs: probs("b") }),
      chunk({}, { logprobs: probs("<end>") }),
      finish(),
    ];
    const events = await collect(decode(values));
    expectGrammar(events);
    expect(
      events.flatMap((event) => (event.type === "text-delta" ? [[event.text, event.logprobs?.map(({ token }) => token)]] : [])),
    ).toEqual([
      ["a", ["", "a"]],
      ["b", ["b"]],
      ["", ["<end>"]],
    ]);
    expect((await answerOf([chunk({}, { logprobs: probs("x") }), finish()])).candidates[0]).toMatchObject({
      content: [],
      extras: { "openai-chat": { logprobs: { content: [{ token: "x" }], refusal: null } } },
    });
  });

  it("92: with citations has them in the text, wherever they came, counted from where it begins", async () => {
    const cite = (start: number, end: number) => ({
      annotations: [{ type: "url_citation", url_citation: { url: "https://x", title: "x", start_index: start, end_index: end } }],
    });
    const values = [
      chunk(cite(0, 2)),
      chunk({ content: "one" }),
      chunk({ reasoning_content: "hm" }),
      chunk({ content: "two" }),
      chunk({ ...cite(3, 6) }),
      chunk({ annotations: [{ type: "file" }] }),
      finish(),
    ];
    const events = await collect(decode(values));
    expectGrammar(events);
    expect((await answerOf(values)).candidates[0]).toMatchObject({
      content: [
        { type: "text", text: "one", citations: [{ start: 0, end: 2 }] },
        { type: "reasoning" },
        { type: "text", text: "two", citations: [{ start: 0, end: 3 }] },
      ],
      extras: { "openai-chat": { message: { annotations: [{ type: "file" }] } } },
    });
  });

  it("with sound gives it piece by piece", async () => {
    const values = [
      chunk({ audio: { id: "a", transcript: "hi" } }),
      chunk({ audio: { data: "AAAA" } }),
      chunk({ audio: { data: "BBBB", expires_at: 5 } }),
      finish(),
    ];
    expect(await contentOf(values)).toMatchObject([
      { extras: { "openai-chat": { id: "a", transcript: "hi" } } },
      { source: { data: "AAAA" } },
      { source: { data: "BBBB" } },
    ]);
    const body = JSON.parse(new TextDecoder().decode(openaiChat.encodeAnswer(await answerOf(values)))) as { choices: unknown[] };
    expect(body.choices).toMatchObject([{ message: { audio: { id: "a", transcript: "hi", data: "AAAABBBB", expires_at: 5 } } }]);
  });
});

describe("dialects", () => {
  const thought = (text: string, field = "reasoning_content") => ({ type: "reasoning", text, extras: { "openai-chat": { field } } });
  it.each<[string, unknown[], unknown]>([
    [
      "reasoning_content",
      [
        chunk({ content: null, reasoning_content: "" }),
        chunk({ reasoning_content: "a" }),
        chunk({ content: "b", reasoning_content: null }),
        finish(),
      ],
      [thought("a"), { type: "text", text: "b" }],
    ],
    [
      "reasoning",
      [chunk({ content: "", reasoning: "a" }), chunk({ content: "b" }), finish()],
      [thought("a", "reasoning"), { type: "text", text: "b" }],
    ],
    [
      "empty reasoning with every text",
      [chunk({ content: "a", reasoning_content: "" }), chunk({ content: "b", reasoning_content: "" }), finish()],
      [thought(""), { type: "text", text: "ab" }],
    ],
    [
      "sealed reasoning, in order, also behind the text",
      [
        chunk({ reasoning: "a", reasoning_details: [{ index: 0, text: "a" }] }),
        chunk({ content: "b" }),
        chunk({ content: "", reasoning_details: [{ index: 0, signature: "s" }] }),
        finish(),
      ],
      [
        { type: "reasoning", text: "a", extras: { "openai-chat": { field: "reasoning", reasoning_details: [{ index: 0, text: "a" }] } } },
        { type: "text", text: "b" },
        { type: "reasoning", text: "", extras: { "openai-chat": { reasoning_details: [{ index: 0, signature: "s" }] } } },
      ],
    ],
    [
      "a list of parts",
      [
        chunk({ content: [{ type: "thinking", thinking: [{ type: "text", text: "a" }] }] }),
        chunk({ content: [{ type: "text", text: "b" }] }),
        finish(),
      ],
      [
        { type: "reasoning", text: "a" },
        { type: "text", text: "b" },
      ],
    ],
    [
      "a whole call in one delta",
      [calls(part(0, "1", { name: "f", arguments: '{"a":1}' })), finish("tool_calls")],
      [toolCall("1", "f", '{"a":1}')],
    ],
    [
      "calls without an index",
      [
        calls(part(undefined, "1", { name: "f", arguments: '{"a"' })),
        calls(part(undefined, undefined, { arguments: ":1}" })),
        calls(part(undefined, "2", { name: "g", arguments: "{}" })),
        finish(),
      ],
      [toolCall("1", "f", '{"a":1}'), toolCall("2", "g", "{}")],
    ],
    [
      "an id with every delta",
      [
        calls(part(0, "1", { name: "f", arguments: "" })),
        calls(part(0, "1", { arguments: '{"a"' })),
        calls(part(0, "1", { arguments: ":1}" })),
        finish(),
      ],
      [toolCall("1", "f", '{"a":1}')],
    ],
    [
      "28: a name with every delta",
      [calls(part(0, "1", { name: "f", arguments: '{"a"' })), calls(part(0, undefined, { name: "f", arguments: ":1}" })), finish()],
      [toolCall("1", "f", '{"a":1}')],
    ],
    [
      "an empty name with later deltas",
      [
        calls(part(0, "1", { name: "f", arguments: "" })),
        calls({ index: 0, type: "function", function: { name: "", arguments: "{}" } }),
        finish(),
      ],
      [toolCall("1", "f", "{}")],
    ],
    [
      "27: two calls at index 0 with ids",
      [calls(part(0, "1", { name: "f", arguments: "{}" })), calls(part(0, "2", { name: "f", arguments: '{"b":1}' })), finish()],
      [toolCall("1", "f", "{}"), toolCall("2", "f", '{"b":1}')],
    ],
    [
      "27: two calls at index 0 without ids",
      [calls(part(0, "", { name: "f", arguments: "{}" }), part(0, "", { name: "f", arguments: '{"b":1}' })), finish()],
      [toolCall(expect.stringMatching(/^call_/), "f", "{}"), toolCall(expect.stringMatching(/^call_/), "f", '{"b":1}')],
    ],
    [
      "indexes with gaps",
      [calls(part(3, "1", { name: "f", arguments: "{}" })), calls(part(7, "2", { name: "g", arguments: "{}" })), finish()],
      [toolCall("1", "f", "{}"), toolCall("2", "g", "{}")],
    ],
    [
      "one id for two calls",
      [calls(part(0, "1", { name: "f", arguments: "{}" })), calls(part(1, "1", { name: "g", arguments: "{}" })), finish()],
      [toolCall("1", "f", "{}"), toolCall("call_chatcmpl1_0_1", "g", "{}")],
    ],
    [
      "28: a name behind the arguments",
      [
        calls(part(0, "1", { arguments: '{"a"' })),
        calls(part(0, undefined, { arguments: ":1}" })),
        calls(part(0, undefined, { name: "f" })),
        finish(),
      ],
      [toolCall("1", "f", '{"a":1}')],
    ],
    [
      "28: a name in pieces",
      [
        calls(part(0, "1", { name: "get_" })),
        calls(part(0, undefined, { name: "weather" })),
        calls(part(0, undefined, { arguments: "{}" })),
        finish(),
      ],
      [toolCall("1", "get_weather", "{}")],
    ],
    ["arguments as an object", [calls(part(0, "1", { name: "f", arguments: { a: 1 } })), finish()], [toolCall("1", "f", '{"a":1}')]],
    [
      "empty texts between fragments",
      [
        calls(part(0, "1", { name: "f" })),
        chunk({ content: "" }),
        calls(part(0, undefined, { arguments: '{"a"' })),
        chunk({ content: "" }),
        calls(part(0, undefined, { arguments: ":1}" })),
        finish("tool_calls", { content: null }),
      ],
      [toolCall("1", "f", '{"a":1}')],
    ],
    [
      "text behind a call, which is told behind it",
      [
        chunk({ content: "a" }),
        calls(part(0, "1", { name: "f", arguments: "{}" })),
        chunk({ content: "b" }),
        chunk({ content: "c" }),
        finish(),
      ],
      [{ type: "text", text: "a" }, toolCall("1", "f", "{}"), { type: "text", text: "bc" }],
    ],
    [
      "the legacy function call",
      [chunk({ function_call: { name: "f", arguments: "" } }), chunk({ function_call: { arguments: "{}" } }), finish("function_call")],
      [{ ...toolCall("function_call", "f", "{}"), extras: { "openai-chat": { type: "function_call" } } }],
    ],
    [
      "a custom tool",
      [
        calls({ index: 0, id: "1", type: "custom", custom: { name: "c", input: "" } }),
        calls({ index: 0, custom: { input: "abc" } }),
        finish("tool_calls"),
      ],
      [{ ...toolCall("1", "c", "abc"), input: "text" }],
    ],
    [
      "a sealed thought with a call",
      [calls({ ...part(0, "1", { name: "f", arguments: "{}" }), extra_content: { google: { thought_signature: "s" } } }), finish()],
      [{ ...toolCall("1", "f", "{}"), extras: { "openai-chat": { extra_content: { google: { thought_signature: "s" } } } } }],
    ],
    [
      "a message instead of a delta",
      [{ ...head, choices: [{ index: 0, message: { role: "assistant", content: "a" }, finish_reason: "stop" }] }],
      [{ type: "text", text: "a" }],
    ],
    [
      "chunks without index, id and model",
      [{ choices: [{ delta: { content: "a" } }] }, { choices: [{ delta: {}, finish_reason: "stop" }] }],
      [{ type: "text", text: "a" }],
    ],
    [
      "an empty finish reason in every chunk",
      [chunk({ content: "a" }, { finish_reason: "" }), chunk({ content: "b" }, { finish_reason: "" }), finish()],
      [{ type: "text", text: "ab" }],
    ],
    [
      "more after the finish, which is not told",
      [chunk({ content: "a" }), finish(), chunk({ content: "b" }), finish("length")],
      [{ type: "text", text: "a" }],
    ],
    ["a delta with the finish", [finish("stop", { content: "a" })], [{ type: "text", text: "a" }]],
    [
      "unknown events, comments and an error that is null",
      ["[]".replace("[]", '{"choices":[],"x":1}'), { ...chunk({ content: "a" }), error: null }, finish()],
      [{ type: "text", text: "a" }],
    ],
    [
      "members named like those of every object",
      [
        {
          ...head,
          choices: [
            {
              index: 0,
              delta: JSON.parse('{"content":"a","__proto__":{"x":1},"constructor":1}') as object,
              logprobs: JSON.parse('{"__proto__":[1]}') as object,
              finish_reason: "stop",
            },
          ],
        },
      ],
      [{ type: "text", text: "a" }],
    ],
  ])("%s", async (_name, values, content) => {
    const events = await collect(decode([...values, "[DONE]"]));
    expectGrammar(events);
    expect(await contentOf([...values, "[DONE]"])).toEqual(content);
  });

  it("stop after calls means tool calls", async () => {
    expect((await answerOf([calls(part(0, "1", { name: "f", arguments: "{}" })), finish("stop")])).candidates[0]).toMatchObject({
      finishReason: "tool-calls",
      rawFinishReason: "stop",
    });
  });

  it("usage with the last chunk, with every chunk, before the first choice", async () => {
    const with_ = (n: number) => ({ usage: { prompt_tokens: 3, completion_tokens: n, total_tokens: 3 + n } });
    expect((await answerOf([chunk({ content: "a" }), { ...finish(), ...with_(4) }])).usage).toEqual({ inputTokens: 3, outputTokens: 4 });
    expect(
      (
        await answerOf([
          { ...chunk({ content: "a" }), ...with_(1) },
          { ...chunk({ content: "b" }), ...with_(2) },
          { ...finish(), ...with_(3) },
        ])
      ).usage,
    ).toEqual({ inputTokens: 3, outputTokens: 3 });
    expect((await answerOf([usage, chunk({ content: "a" }), finish()])).usage).toEqual({ inputTokens: 3, outputTokens: 2 });
  });
});

describe("the end of a stream", () => {
  const text = [role, chunk({ content: "a" })];
  const broken = new GatewayError("upstream_interrupted", "The connection broke.");

  it("may lack [DONE] when every candidate has its reason", async () => {
    expect((await answerOf([...text, finish()])).candidates).toHaveLength(1);
  });
  it("may lack the reason when [DONE] came", async () => {
    expect((await answerOf([...text, "[DONE]"])).candidates[0]).toMatchObject({ finishReason: "other", content: [{ text: "a" }] });
    expect((await answerOf([calls(part(0, "1", { name: "f", arguments: "{}" })), "[DONE]"])).candidates[0]).toMatchObject({
      finishReason: "tool-calls",
    });
  });
  it("is an interruption when both are missing, told after what came", async () => {
    const { values, error } = await collectUntilFailure(decode(text));
    expect(error).toMatchObject({ code: "upstream_interrupted" });
    expect(values).toContainEqual({ type: "text-delta", index: 0, block: 0, text: "a" });
  });
  it("is an interruption when one of two candidates has no reason, or nothing came at all", async () => {
    const two = {
      ...head,
      choices: [
        { index: 0, delta: {}, finish_reason: "stop" },
        { index: 1, delta: { content: "b" }, finish_reason: null },
      ],
    };
    for (const text of [framesOf([two]), "", ": only a comment\n\n"])
      expect((await collectUntilFailure(openaiChat.decodeStream(stream(text)))).error).toMatchObject({ code: "upstream_interrupted" });
  });
  it("that breaks is the source's error, unless the answer was whole", async () => {
    expect((await collectUntilFailure(openaiChat.decodeStream(breaking(broken, framesOf(text))))).error).toBe(broken);
    for (const last of [finish(), "[DONE]"])
      expect((await collectUntilFailure(openaiChat.decodeStream(breaking(broken, framesOf([...text, last]))))).error).toBeNull();
  });
  it("is not held up by a vendor that goes on after [DONE]", async () => {
    let pulled = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield bytesOf(framesOf([...text, finish(), "[DONE]"]));
      for (;;) {
        pulled++;
        yield new Uint8Array(1024);
      }
    }
    await collect(openaiChat.decodeStream(endless()));
    expect(pulled).toBeLessThan(100);
  });
  it("cut anywhere inside a call hands no part of it on as whole", async () => {
    const whole = bytesOf(
      framesOf([
        role,
        calls(part(0, "1", { name: "f", arguments: "" })),
        calls(part(0, undefined, { arguments: '{"a":' })),
        calls(part(0, undefined, { arguments: '{"b":1}}' })),
        finish("tool_calls"),
        "[DONE]",
      ]),
    );
    for (let end = 0; end < whole.length; end++) {
      const { values, error } = await collectUntilFailure(openaiChat.decodeStream(stream(whole.subarray(0, end))));
      const ended = values.some((event) => event.type === "tool-call-end");
      expect(ended).toBe(values.some((event) => event.type === "finish"));
      expect(error === null).toBe(ended);
      if (!ended) expect(error).toMatchObject({ code: "upstream_interrupted" });
    }
  });
  it("by the token limit leaves out the call that was cut off, and keeps the whole one", async () => {
    const values = [
      calls(part(0, "1", { name: "f", arguments: '{"a":1}' })),
      calls(part(1, "2", { name: "g", arguments: '{"b":' })),
      finish("length"),
      "[DONE]",
    ];
    const events = await collect(decode(values));
    expect(events.filter((event) => event.type === "tool-call-end")).toHaveLength(1);
    expect((await answerOf(values)).candidates[0]).toMatchObject({ finishReason: "length", content: [toolCall("1", "f", '{"a":1}')] });
  });
});

describe("failures inside a stream that began with 200", () => {
  it.each<[string, string, object]>([
    [
      "OpenAI's shape",
      framesOf([role, { error: { message: "slow down", type: "rate_limit_error", code: "rate_limit_exceeded" } }]),
      { code: "upstream_rate_limited", message: "slow down" },
    ],
    ["a text", framesOf([role, { error: "model is loading" }]), { code: "upstream_unavailable", message: "model is loading" }],
    [
      "OpenRouter's, in a chunk",
      framesOf([{ ...finish("error"), error: { code: 502, message: "Provider returned error", metadata: { raw: "boom" } } }]),
      { code: "upstream_unavailable", message: "Provider returned error: boom" },
    ],
    [
      "an error event",
      'event: error\ndata: {"message":"too long: maximum context length","code":400}\n\n',
      { code: "upstream_rejected", details: { reason: "context_length_exceeded" } },
    ],
    ["JSON that is broken", framesOf([role, '{"choices":[']), { code: "upstream_protocol" }],
    ["JSON that is no object", framesOf([role, "[1]"]), { code: "upstream_protocol" }],
    ["prose", framesOf([role, "hello"]), { code: "upstream_protocol" }],
  ])("%s", async (_name, text, expected) => {
    const { values, error } = await collectUntilFailure(openaiChat.decodeStream(stream(text)));
    expect(error).toMatchObject(expected);
    expect(values.every((event) => event.type !== "finish")).toBe(true);
  });

  it("tells what came before it, even out of the same chunk, and lets the source go", async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield bytesOf(framesOf([role, chunk({ content: "a" }), { error: "x" }, chunk({ content: "b" })]));
        yield bytesOf("never read");
      } finally {
        closed = true;
      }
    }
    const { values } = await collectUntilFailure(openaiChat.decodeStream(source()));
    expect(values.filter((event) => event.type === "text-delta")).toHaveLength(1);
    expect(closed).toBe(true);
  });

  it("bytes that are not UTF-8", async () => {
    const bytes = bytesOf(framesOf([chunk({ content: "@" })]));
    bytes[bytes.indexOf(0x40)] = 0xff;
    expect((await collectUntilFailure(openaiChat.decodeStream(stream(bytes)))).error).toMatchObject({ code: "upstream_protocol" });
  });
});

describe("wherever a transcript is split", () => {
  const values = [
    role,
    chunk({ content: "héllo 😀 " }),
    chunk({ reasoning_content: "…" }),
    calls(part(0, "1", { name: "f", arguments: '{"ä":' })),
    calls(part(0, undefined, { arguments: "1}" })),
    finish("tool_calls"),
    usage,
  ];
  it.each(["\n", "\r\n", "\r"])("the events are those of the whole, with line ends %j", async (lineEnd) => {
    const bytes = bytesOf(`\ufeff: hello${lineEnd}${lineEnd}${framesOf([...values, "[DONE]"], lineEnd)}`);
    const whole = await collect(openaiChat.decodeStream(stream(bytes)));
    expect(await collect(openaiChat.decodeStream(byTheByte(bytes)))).toEqual(whole);
    for (let at = 1; at < bytes.length; at++) expect(await collect(openaiChat.decodeStream(splitAt(bytes, at)))).toEqual(whole);
  });
  it("data: needs no space, and the last frame no blank line", async () => {
    const text = framesOf(values).replaceAll("data: ", "data:").trimEnd();
    expect((await fold(openaiChat.decodeStream(stream(text)))).usage).toEqual({ inputTokens: 3, outputTokens: 2 });
  });
  it("data on several lines is joined", async () => {
    const text = `data: {"choices":\ndata: [{"delta":{"content":"a"},\ndata: "finish_reason":"stop"}]}\n\n`;
    expect((await fold(openaiChat.decodeStream(stream(text)))).candidates[0]?.content).toEqual([{ type: "text", text: "a" }]);
  });
});
