import { describe, expect, it } from "vitest";
import type { ModelAnswer, ProtocolId, ToolCallPart } from "../../src/calls/index.js";
import { answerOf } from "./answer-features.js";
import { codecs, eventsOf, protocols, shown, streamed, translate } from "./wires.js";

// Cases of group B of the list of translations that cross protocols. Numbers are those of the list; `case-list` says where each one is tested.

const user = { role: "user", content: "hi" };
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
const chatTool = (name: string, more = {}) => ({ type: "function", function: { name, parameters: schema, ...more } });
const chatCall = (id: string, args: string, name = "f") => ({ id, type: "function", function: { name, arguments: args } });
const fromChat = (target: ProtocolId, body: object) =>
  translate({ face: "openai-chat", target }, { model: "m", messages: [user], ...body });
const fromMessages = (target: ProtocolId, body: object) =>
  translate({ face: "anthropic-messages", target }, { model: "m", max_tokens: 1000, messages: [user], ...body });
const twoCalls = [
  user,
  { role: "assistant", content: "so", tool_calls: [chatCall("1", '{"city":"Köln"}'), chatCall("2", "{}")] },
  { role: "tool", tool_call_id: "1", content: "sunny" },
  { role: "tool", tool_call_id: "2", content: "rain" },
];
const call = (id: string, args = "{}", name = "f"): ToolCallPart => ({ type: "tool-call", id, name, arguments: args });

describe("calls and results in a conversation", () => {
  it("31: C→M: results of parallel calls are one turn of the user, first in it, then its text", () => {
    const { body } = fromChat("anthropic-messages", { messages: [...twoCalls, { role: "user", content: "and?" }], tools: [chatTool("f")] });
    expect(body["messages"]).toMatchObject([
      { role: "user" },
      { role: "assistant", content: [{ type: "text" }, { type: "tool_use", input: { city: "Köln" } }, { type: "tool_use", input: {} }] },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "1" },
          { type: "tool_result", tool_use_id: "2" },
          { type: "text", text: "and?" },
        ],
      },
    ]);
  });

  it("32: M→C: results of a turn are messages of their own, its text follows them", () => {
    const { body } = fromMessages("openai-chat", {
      messages: [
        user,
        { role: "assistant", content: [{ type: "tool_use", id: "1", name: "f", input: { a: 1 } }] },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "1", content: "sunny" },
            { type: "text", text: "and?" },
          ],
        },
      ],
    });
    expect(body["messages"]).toMatchObject([
      { role: "user" },
      { role: "assistant", tool_calls: [{ id: "1", function: { name: "f" } }] },
      { role: "tool", tool_call_id: "1", content: "sunny" },
      { role: "user", content: "and?" },
    ]);
  });

  it.each(protocols)("33, 34: to %s a missing result is made, an orphan is left out, and both are told", (target) => {
    const messages = [
      { role: "tool", tool_call_id: "9", content: "of nothing" },
      user,
      { role: "assistant", tool_calls: [chatCall("1", "{}"), chatCall("2", "{}")] },
      { role: "tool", tool_call_id: "1", content: "sunny" },
      { role: "user", content: "never mind" },
    ];
    const { call: read, warnings } = fromChat(target, { messages, tools: [chatTool("f")] });
    expect(warnings.map(({ field }) => field)).toEqual(expect.arrayContaining(["messages[0].content[0]", "messages[2]"]));
    const results = read.messages.flatMap((message) => (message.role === "tool" ? message.content : []));
    expect(results.map(({ callId }) => callId)).toEqual(["1", "2"]);
    expect(JSON.stringify(results[1])).toContain("interrupted");
  });

  it.each(protocols)("35: to %s ids of 44 to 450 characters are such as it takes, the same in call and result", (target) => {
    for (const id of ["x".repeat(44), `call_${"y".repeat(64)}`, `fc|${"z".repeat(447)}`, "a b/c"]) {
      const messages = [user, { role: "assistant", tool_calls: [chatCall(id, "{}")] }, { role: "tool", tool_call_id: id, content: "ok" }];
      const { call: read } = fromChat(target, { messages, tools: [chatTool("f")] });
      const parts = read.messages.flatMap((message) => message.content as readonly { type: string; id?: string; callId?: string }[]);
      const sent = parts.find(({ type }) => type === "tool-call")?.id ?? "";
      expect(sent).toMatch(codecs[target].traits.toolCallId);
      expect(parts.find(({ type }) => type === "tool-result")?.callId).toBe(sent);
      if (codecs[target].traits.toolCallId.test(id)) expect(sent).toBe(id);
    }
  });

  it("36: C→G: a result has the name of its call", () => {
    const { body } = fromChat("google-genai", { messages: twoCalls, tools: [chatTool("f")] });
    expect(JSON.stringify(body)).toContain('"functionResponse":{"id":"1","name":"f"');
  });

  it("37: that a tool failed is said in each protocol's way", () => {
    const failed = (target: ProtocolId) =>
      JSON.stringify(
        fromMessages(target, {
          messages: [
            user,
            { role: "assistant", content: [{ type: "tool_use", id: "1", name: "f", input: {} }] },
            { role: "user", content: [{ type: "tool_result", tool_use_id: "1", content: "no such city", is_error: true }] },
          ],
          tools: [{ name: "f", input_schema: schema }],
        }).body,
      );
    expect(failed("anthropic-messages")).toContain('"is_error":true');
    expect(failed("google-genai")).toContain('"response":{"error":"no such city"}');
    expect(failed("openai-chat")).toContain('"content":"Error: no such city"');
    expect(failed("openai-responses")).toContain('"output":"Error: no such city"');
  });

  it("38: a picture in a result is there in M, R and G, and in C in a message of the user behind it", () => {
    const picture = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } };
    const sent = (target: ProtocolId) =>
      fromMessages(target, {
        messages: [
          user,
          { role: "assistant", content: [{ type: "tool_use", id: "1", name: "f", input: {} }] },
          { role: "user", content: [{ type: "tool_result", tool_use_id: "1", content: [{ type: "text", text: "see" }, picture] }] },
        ],
        tools: [{ name: "f", input_schema: schema }],
      });
    for (const target of ["anthropic-messages", "openai-responses", "google-genai"] as const)
      expect(sent(target).call.messages[2]?.content[0]).toMatchObject({
        type: "tool-result",
        content: [{ type: "text" }, { type: "media" }],
      });
    expect(sent("openai-chat").body["messages"]).toMatchObject([
      {},
      {},
      { role: "tool", tool_call_id: "1" },
      { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }] },
    ]);
  });

  it.each(protocols)("29, 30: to %s arguments keep their numbers and the order of their keys, none are an empty object", (target) => {
    const args = '{"z":12345678901234567890,"a":{"n":1.50}}';
    const messages = [
      user,
      { role: "assistant", tool_calls: [chatCall("1", args), chatCall("2", "")] },
      { role: "tool", tool_call_id: "1", content: "" },
      { role: "tool", tool_call_id: "2", content: "" },
    ];
    const { call: read } = fromChat(target, { messages, tools: [chatTool("f")] });
    expect(read.messages[1]?.content).toMatchObject([{ arguments: args }, { arguments: "{}" }]);
  });

  it.each(protocols)("30: to %s arguments that are no JSON go on, whole, in some form", (target) => {
    const messages = [
      user,
      { role: "assistant", tool_calls: [chatCall("1", '{"city": "Kö')] },
      { role: "tool", tool_call_id: "1", content: "bad input" },
    ];
    const { call: read } = fromChat(target, { messages, tools: [chatTool("f")] });
    expect(JSON.stringify(read.messages[1]?.content)).toContain("Kö");
  });
});

describe("tools and the choice of them", () => {
  const choices: readonly (readonly [string, unknown, Partial<Record<ProtocolId, unknown>>])[] = [
    ["auto", "auto", { "anthropic-messages": { type: "auto" }, "google-genai": { mode: "AUTO" }, "openai-responses": "auto" }],
    ["none", "none", { "anthropic-messages": { type: "none" }, "google-genai": { mode: "NONE" }, "openai-responses": "none" }],
    ["required", "required", { "anthropic-messages": { type: "any" }, "google-genai": { mode: "ANY" }, "openai-responses": "required" }],
    [
      "one",
      { type: "function", function: { name: "f" } },
      {
        "anthropic-messages": { type: "tool", name: "f" },
        "google-genai": { mode: "ANY", allowedFunctionNames: ["f"] },
        "openai-responses": { type: "function", name: "f" },
      },
    ],
    [
      "some",
      { type: "allowed_tools", allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "f" } }] } },
      {
        "google-genai": { mode: "ANY", allowedFunctionNames: ["f"] },
        "openai-responses": { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "f" }] },
      },
    ],
  ];
  it.each(choices)("39: the choice %s in each protocol's words", (_name, tool_choice, expected) => {
    const tools = [chatTool("f"), chatTool("g")];
    const sent = (target: ProtocolId) => fromChat(target, { tools, tool_choice }).body;
    for (const [target, words] of Object.entries(expected) as [ProtocolId, object][]) {
      const body = sent(target);
      const said =
        target === "google-genai" ? (body["toolConfig"] as { functionCallingConfig: unknown }).functionCallingConfig : body["tool_choice"];
      if (typeof words === "string") expect(said).toBe(words);
      else expect(said).toMatchObject(words);
    }
  });

  it("39: C→M: one call at a time", () => {
    const { body } = fromChat("anthropic-messages", { tools: [chatTool("f")], parallel_tool_calls: false });
    expect(body["tool_choice"]).toEqual({ type: "auto", disable_parallel_tool_use: true });
  });

  it.each(protocols)("40: to %s tools are there beside the choice of none when they were called before", (target) => {
    const { call: read } = fromChat(target, { messages: twoCalls, tools: [chatTool("f")], tool_choice: "none" });
    expect(read).toMatchObject({ tools: [{ name: "f" }], toolChoice: "none" });
  });

  it("40: C→M: tools that are not declared any more are, and none may be called", () => {
    const { body, warnings } = fromChat("anthropic-messages", { messages: twoCalls });
    expect(body).toMatchObject({ tools: [{ name: "f" }], tool_choice: { type: "none" } });
    expect(warnings.map(({ field }) => field)).toContain("tools");
  });

  it.each(["anthropic-messages", "google-genai"] as const)(
    "42: R→%s: a tool of text is a function of one text, and its call comes back as text",
    async (target) => {
      const sent = translate(
        { face: "openai-responses", target },
        {
          model: "m",
          input: [
            { type: "message", role: "user", content: "run it" },
            { type: "custom_tool_call", call_id: "c0", name: "shell", input: 'echo "1"' },
            { type: "custom_tool_call_output", call_id: "c0", output: "1" },
          ],
          tools: [{ type: "custom", name: "shell", description: "runs" }],
        },
      );
      expect(JSON.stringify(sent.body)).toContain('{"input":"echo \\"1\\""}');
      const vendor = answerOf([call("c1", '{"input":"ls\\n-la"}', "shell")]);
      const whole = sent.restoreAnswer(codecs[target].decodeAnswer(codecs[target].encodeAnswer(vendor)));
      expect(shown("openai-responses", whole)["output"]).toMatchObject([{ type: "custom_tool_call", name: "shell", input: "ls\n-la" }]);
      const back = await streamed("openai-responses", sent.restore(eventsOf(vendor)));
      expect(back.candidates[0]?.content).toMatchObject([{ type: "tool-call", input: "text", arguments: "ls\n-la" }]);
    },
  );

  it.each(["openai-chat", "openai-responses", "google-genai"] as const)(
    "43: M→%s: a tool that the vendor runs is refused by name, its use before is left out and told",
    (target) => {
      const search = { type: "web_search_20260209", name: "web_search" };
      expect(() => fromMessages(target, { tools: [search] })).toThrow(
        expect.objectContaining({ code: "unsupported_feature", details: { param: "tools[0]" } }),
      );
      const messages = [
        user,
        {
          role: "assistant",
          content: [
            { type: "server_tool_use", id: "srv_1", name: "web_search", input: { query: "x" } },
            { type: "web_search_tool_result", tool_use_id: "srv_1", content: [] },
            { type: "text", text: "found" },
          ],
        },
        user,
      ];
      const { call: read, warnings } = fromMessages(target, { messages });
      expect(read.messages[1]?.content).toEqual([{ type: "text", text: "found" }]);
      expect(warnings.map(({ field }) => field)).toEqual(["messages[1].content[0]", "messages[1].content[1]"]);
    },
  );

  it("46: that a tool is not strict is said to Responses, where strict is the default", () => {
    const { body } = fromMessages("openai-responses", { tools: [{ name: "f", input_schema: schema }] });
    expect(body["tools"]).toMatchObject([{ type: "function", name: "f", strict: false }]);
    const strict = fromChat("anthropic-messages", { tools: [chatTool("f", { strict: true })] });
    expect(strict.body["tools"]).toMatchObject([{ name: "f", strict: true }]);
  });

  it.each(protocols)(
    "47: to %s a name that it does not take is another, which comes back in the answer and in the next call",
    async (target) => {
      const names = ["files.read/v2", "9lives", `n${"x".repeat(200)}`, "grüße"];
      const sent = translate(
        { face: "google-genai", target },
        {
          contents: [{ role: "user", parts: [{ text: "hi" }] }],
          tools: [{ functionDeclarations: names.map((name) => ({ name, parametersJsonSchema: schema })) }],
        },
      );
      const made = (sent.call.tools ?? []).map((tool) => ("hosted" in tool ? "" : tool.name));
      expect(new Set(made).size).toBe(names.length);
      for (const name of made) expect(name).toMatch(codecs[target].traits.toolName);
      const vendor = answerOf(made.map((name, i) => call(`c${i}`, "{}", name)));
      const nameOf = (answer: ModelAnswer) => answer.candidates[0]?.content.map((part) => (part.type === "tool-call" ? part.name : ""));
      expect(nameOf(sent.restoreAnswer(vendor))).toEqual(names);
      expect(nameOf(await streamed("google-genai", sent.restore(eventsOf(vendor))))).toEqual(names);
    },
  );

  it("48: a name that stands twice is refused early, whoever says it", () => {
    const twice: readonly (readonly [ProtocolId, object])[] = [
      ["openai-chat", { model: "m", messages: [user], tools: [chatTool("f"), chatTool("f")] }],
      ["openai-responses", { model: "m", input: "hi", tools: [1, 2].map(() => ({ type: "function", name: "f", parameters: schema })) }],
      [
        "anthropic-messages",
        { model: "m", max_tokens: 9, messages: [user], tools: [1, 2].map(() => ({ name: "f", input_schema: schema })) },
      ],
      [
        "google-genai",
        { contents: [{ role: "user", parts: [{ text: "a" }] }], tools: [{ functionDeclarations: [{ name: "f" }, { name: "f" }] }] },
      ],
    ];
    for (const [face, body] of twice)
      for (const target of protocols)
        expect(() => translate({ face, target }, body)).toThrow(expect.objectContaining({ code: "validation_failed" }));
  });
});

describe("calls in an answer", () => {
  it("41: G's STOP after calls is each face's word for calls", () => {
    const google = codecs["google-genai"].decodeAnswer(
      new TextEncoder().encode(
        JSON.stringify({
          candidates: [
            { content: { role: "model", parts: [{ functionCall: { name: "f", args: { a: 1 } } }] }, finishReason: "STOP", index: 0 },
          ],
        }),
      ),
    );
    expect(shown("openai-chat", google)).toMatchObject({
      choices: [{ finish_reason: "tool_calls", message: { tool_calls: [{ function: { name: "f" } }] } }],
    });
    expect(shown("anthropic-messages", google)).toMatchObject({
      stop_reason: "tool_use",
      content: [{ type: "tool_use", name: "f", input: { a: 1 } }],
    });
    expect(shown("openai-responses", google)).toMatchObject({
      status: "completed",
      output: [{ type: "function_call", name: "f", arguments: '{"a":1}' }],
    });
    expect(shown("google-genai", google)).toMatchObject({ candidates: [{ finishReason: "STOP" }] });
  });

  it("41: and a dialect's stop after calls", () => {
    const dialect = codecs["openai-chat"].decodeAnswer(
      new TextEncoder().encode(
        JSON.stringify({
          id: "x",
          model: "m",
          choices: [{ index: 0, message: { tool_calls: [chatCall("1", "{}")] }, finish_reason: "stop" }],
        }),
      ),
    );
    expect(shown("anthropic-messages", dialect)).toMatchObject({ stop_reason: "tool_use" });
  });

  it("26, 36: calls without ids have some in every face, each its own", () => {
    const parts = [1, 2].map(() => ({ functionCall: { name: "f", args: {} } }));
    const google = codecs["google-genai"].decodeAnswer(
      new TextEncoder().encode(
        JSON.stringify({ responseId: "r", candidates: [{ content: { role: "model", parts }, finishReason: "STOP", index: 0 }] }),
      ),
    );
    for (const face of protocols) {
      const ids = codecs[face]
        .decodeAnswer(codecs[face].encodeAnswer(google))
        .candidates[0]?.content.map((part) => (part.type === "tool-call" ? part.id : ""));
      expect(new Set(ids).size).toBe(2);
      expect(ids?.every((id) => id !== "")).toBe(true);
    }
  });

  it("44: M's pause is not told as an end", () => {
    const paused = answerOf([{ type: "text", text: "so far" }], { finishReason: "paused" });
    expect(shown("openai-chat", paused)).toMatchObject({ choices: [{ finish_reason: "length" }] });
    expect(shown("openai-responses", paused)).toMatchObject({ status: "incomplete" });
    expect(shown("anthropic-messages", paused)).toMatchObject({ stop_reason: "pause_turn" });
  });

  it.each(protocols)("49: a call that was cut off is not in the answer to %s, whole or as a stream", async (face) => {
    const chat = {
      id: "x",
      model: "m",
      choices: [
        {
          index: 0,
          message: { content: "so", tool_calls: [chatCall("1", '{"a":1}'), chatCall("2", '{"city": "Kö')] },
          finish_reason: "length",
        },
      ],
    };
    const cut = codecs["openai-chat"].decodeAnswer(new TextEncoder().encode(JSON.stringify(chat)));
    const callsIn = (answer: ModelAnswer) => answer.candidates[0]?.content.filter(({ type }) => type === "tool-call").length;
    const whole = codecs[face].decodeAnswer(codecs[face].encodeAnswer(cut));
    expect([callsIn(whole), whole.candidates[0]?.finishReason]).toEqual([1, "length"]);
    expect(callsIn(await streamed(face, eventsOf(cut)))).toBe(1);
  });
});
