import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { modelCall } from "../../../../test/wire/chat-arbitraries.js";
import type { ModelCall } from "../../../calls/index.js";
import { utf8 } from "../../../util/json.js";
import type { Quirks } from "../../shared/codec.js";
import { openaiChat } from "../openai-chat.js";

const user = { role: "user", content: "hi" };
const decode = (body: object): ModelCall => openaiChat.decodeRequest(utf8(JSON.stringify(body)));
function encode(call: ModelCall, o: { stream?: boolean; quirks?: Quirks } = {}): Record<string, unknown> {
  const { bytes } = openaiChat.encodeRequest(call, { model: call.model, stream: o.stream ?? false, quirks: o.quirks ?? {} });
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}
/** A body that goes through the neutral shape and comes back. */
const there = (body: object, o: { stream?: boolean; quirks?: Quirks } = {}) => encode(decode({ model: "m", messages: [user], ...body }), o);
const message = (given: object, quirks: Quirks = {}) => (there({ messages: [given] }, { quirks })["messages"] as unknown[])[0];

describe("decoding what was encoded", () => {
  it("gives the same neutral call", () => {
    const property = fc.property(modelCall, fc.boolean(), (call, stream) => {
      const { bytes } = openaiChat.encodeRequest(call, { model: call.model, stream, quirks: {} });
      expect(openaiChat.decodeRequest(bytes)).toEqual(call);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it("finds in the head what the whole says", () => {
    const property = fc.property(modelCall, fc.boolean(), (call, stream) => {
      const { bytes } = openaiChat.encodeRequest(call, { model: call.model, stream, quirks: {} });
      const head = openaiChat.scanHead(bytes);
      expect(head).toMatchObject({
        name: call.model,
        stream,
        maxOutputTokens: call.maxOutputTokens,
        bytes: bytes.length,
        wantsUsage: stream,
      });
    });
    fc.assert(property);
  });
});

describe("messages that go through the neutral shape", () => {
  const image = (url: string, detail?: string) => ({ type: "image_url", image_url: { url, ...(detail === undefined ? {} : { detail }) } });
  it.each([
    ["a system message", { role: "system", content: "Be kind." }],
    ["a named system message", { role: "system", content: "Be kind.", name: "boss" }],
    [
      "a developer message in parts",
      {
        role: "developer",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
    ],
    ["a user message", { role: "user", content: "hi", name: "ann" }],
    ["an empty text", { role: "user", content: "" }],
    ["a lone surrogate", { role: "user", content: "\ud83d" }],
    [
      "a part with a mark of the protocol",
      { role: "user", content: [{ type: "text", text: "a", prompt_cache_breakpoint: { mode: "explicit" } }] },
    ],
    ["a picture by URL", { role: "user", content: [image("https://example.com/a.png", "high")] }],
    ["a picture in the message", { role: "user", content: [image("data:image/png;base64,iVBORw0KGgo=", "low")] }],
    ["a data URL that is no base64", { role: "user", content: [image("data:image/svg+xml,%3Csvg/%3E")] }],
    ["a data URL that does not say that it is a picture", { role: "user", content: [image("data:application/octet-stream;base64,AAAA")] }],
    ["sound", { role: "user", content: [{ type: "input_audio", input_audio: { data: "AAAA", format: "wav" } }] }],
    ["sound in another format", { role: "user", content: [{ type: "input_audio", input_audio: { data: "AAAA", format: "mp3" } }] }],
    ["sound in a dialect's format", { role: "user", content: [{ type: "input_audio", input_audio: { data: "AAAA", format: "flac" } }] }],
    ["a file", { role: "user", content: [{ type: "file", file: { file_data: "data:application/pdf;base64,AAAA", filename: "a.pdf" } }] }],
    ["an uploaded file", { role: "user", content: [{ type: "file", file: { file_id: "file-1" } }] }],
    ["an uploaded file with a name", { role: "user", content: [{ type: "file", file: { file_id: "file-1", filename: "a.pdf" } }] }],
    ["an answer", { role: "assistant", content: "hello" }],
    [
      "an answer in parts",
      {
        role: "assistant",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
    ],
    ["a refusal", { role: "assistant", content: null, refusal: "no" }],
    [
      "a refusal before a text",
      {
        role: "assistant",
        content: [
          { type: "refusal", refusal: "no" },
          { type: "text", text: "but" },
        ],
      },
    ],
    ["sound of the model", { role: "assistant", content: null, audio: { id: "audio_1" } }],
    ["reasoning", { role: "assistant", content: "4", reasoning_content: "two and two" }],
    ["reasoning by another name", { role: "assistant", content: "4", reasoning: "two and two" }],
    ["empty reasoning", { role: "assistant", content: "4", reasoning_content: "" }],
    [
      "sealed reasoning",
      { role: "assistant", content: "4", reasoning: "so", reasoning_details: [{ type: "reasoning.encrypted", data: "x", index: 0 }] },
    ],
    ["sealed reasoning alone", { role: "assistant", content: "4", reasoning_details: [{ type: "reasoning.encrypted", data: "x" }] }],
    ["a field of a dialect", { role: "assistant", content: "4", reasoning_signature: "sig" }],
  ])("%s", (_name, given) => {
    expect(message(given)).toEqual(given);
  });

  it.each([
    ["a list of one text is a text", { role: "user", content: [{ type: "text", text: "hi" }] }, { role: "user", content: "hi" }],
    [
      "an answer that is handed back loses its nulls",
      { role: "assistant", content: "a", audio: null, function_call: null, refusal: null },
      { role: "assistant", content: "a" },
    ],
    [
      "data without a media type becomes a data URL",
      { role: "user", content: [{ type: "file", file: { file_data: "AAAA", filename: "a.pdf" } }] },
      { role: "user", content: [{ type: "file", file: { file_data: "data:application/pdf;base64,AAAA", filename: "a.pdf" } }] },
    ],
  ])("%s", (_name, given, expected) => {
    expect(message(given)).toEqual(expected);
  });

  const call = (id: string, args: string, more = {}) => ({ id, type: "function", function: { name: "f", arguments: args }, ...more });
  it("a turn of tools, with results in parts, with fields of dialects and numbers that no double holds", () => {
    const messages = [
      user,
      {
        role: "assistant",
        content: null,
        tool_calls: [
          call("1", '{"n": 12345678901234567890, "b":1,"a":2}'),
          call("2", "{}", { extra_content: { google: { thought_signature: "s" } } }),
        ],
      },
      { role: "tool", tool_call_id: "1", content: "one" },
      {
        role: "tool",
        tool_call_id: "2",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
        name: "f",
      },
      { role: "assistant", content: null, tool_calls: [{ id: "3", type: "custom", custom: { name: "c", input: "" } }] },
      { role: "tool", tool_call_id: "3", content: "" },
    ];
    expect(there({ messages })["messages"]).toEqual(messages);
    expect(decode({ model: "m", messages }).messages.map((given) => given.content.length)).toEqual([1, 2, 2, 1, 1]);
  });

  it("a call without arguments has an empty object of them", () => {
    const given = { role: "assistant", content: null, tool_calls: [call("1", "")] };
    expect(decode({ model: "m", messages: [given] }).messages[0]?.content).toMatchObject([{ arguments: "{}" }]);
    expect(message(given)).toMatchObject({ tool_calls: [call("1", "{}")] });
    const neutral: ModelCall = {
      model: "m",
      messages: [{ role: "assistant", content: [{ type: "tool-call", id: "1", name: "f", arguments: "" }] }],
    };
    expect(encode(neutral)["messages"]).toMatchObject([{ tool_calls: [call("1", "{}")] }]);
  });

  it("functions of the time before tools", () => {
    const body = {
      messages: [
        user,
        { role: "assistant", content: null, function_call: { name: "f", arguments: '{"a":1}' } },
        { role: "function", name: "f", content: "42" },
      ],
      functions: [{ name: "f", description: "d", parameters: { type: "object" } }],
      function_call: { name: "f" },
    };
    expect(there(body)).toEqual({ model: "m", ...body });
    const neutral = decode({ model: "m", ...body });
    expect(neutral.messages[1]?.content[0]).toMatchObject({
      type: "tool-call",
      name: "f",
      id: (neutral.messages[2]?.content[0] as { callId: string }).callId,
    });
    expect(neutral.tools).toMatchObject([{ name: "f", inputSchema: { type: "object" } }]);
    expect(neutral.toolChoice).toEqual({ name: "f" });
    expect(decode({ model: "m", ...body, function_call: "none" }).toolChoice).toBe("none");
    expect(() => decode({ model: "m", ...body, function_call: "perhaps" })).toThrow(expect.objectContaining({ code: "validation_failed" }));
  });
});

describe("the other fields", () => {
  const schema = { type: "object", properties: { a: { type: "integer", maximum: 3 } }, required: ["a"] };
  it.each([
    ["a function", { tools: [{ type: "function", function: { name: "f", description: "d", parameters: schema, strict: true } }] }],
    [
      "a custom tool",
      { tools: [{ type: "custom", custom: { name: "c", format: { type: "grammar", grammar: { syntax: "lark", definition: "x" } } } }] },
    ],
    [
      "a function and a custom tool",
      {
        tools: [
          { type: "function", function: { name: "f", parameters: schema } },
          { type: "custom", custom: { name: "c" } },
        ],
      },
    ],
    ["no tools, said", { tools: [] }],
    ["tool_choice auto", { tool_choice: "auto" }],
    ["tool_choice none", { tool_choice: "none" }],
    ["tool_choice required", { tool_choice: "required" }],
    ["tool_choice of a name", { tool_choice: { type: "function", function: { name: "f" } } }],
    [
      "tool_choice of a custom tool",
      { tools: [{ type: "custom", custom: { name: "c" } }], tool_choice: { type: "custom", custom: { name: "c" } } },
    ],
    ["tool_choice of a vendor's own tool", { tool_choice: { type: "web_search" } }],
    ["a vendor's own tool", { tools: [{ type: "web_search", depth: 2 }] }],
    [
      "tool_choice of several, one of them custom",
      {
        tools: [
          { type: "function", function: { name: "f", parameters: schema } },
          { type: "custom", custom: { name: "c" } },
        ],
        tool_choice: {
          type: "allowed_tools",
          allowed_tools: {
            mode: "required",
            tools: [
              { type: "function", function: { name: "f" } },
              { type: "custom", custom: { name: "c" } },
            ],
          },
        },
      },
    ],
    [
      "tool_choice of several",
      { tool_choice: { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "f" } }] } } },
    ],
    ["parallel_tool_calls", { parallel_tool_calls: false }],
    ["text", { response_format: { type: "text" } }],
    ["JSON", { response_format: { type: "json_object" } }],
    ["a schema", { response_format: { type: "json_schema", json_schema: { name: "s", description: "d", schema, strict: true } } }],
    ["a schema that is only named", { response_format: { type: "json_schema", json_schema: { name: "s" } } }],
    ["a format of a dialect", { response_format: { type: "grammar", grammar: "x" } }],
    ["zeros", { temperature: 0, seed: 0, top_p: 0, presence_penalty: 0, frequency_penalty: 0, n: 1, max_completion_tokens: 0 }],
    ["stop words", { stop: ["a", "b"] }],
    ["both limits", { max_tokens: 5, max_completion_tokens: 6 }],
    ["reasoning, user, metadata", { reasoning_effort: "low", user: "u", metadata: { a: "b" } }],
    ["reasoning in OpenRouter's field", { reasoning: { max_tokens: 5, exclude: true, x: 1 } }],
    ["reasoning in DeepSeek's fields", { thinking: { type: "enabled" }, reasoning_effort: "high" }],
    [
      "probabilities, tier, modalities, keys",
      { logprobs: true, service_tier: "flex", modalities: ["text", "audio"], prompt_cache_key: "k" },
    ],
    ["top_k of a dialect", { top_k: 5 }],
    ["both names of the user", { user: "u", safety_identifier: "s" }],
    [
      "fields without a neutral meaning",
      {
        logprobs: true,
        top_logprobs: 3,
        logit_bias: { "50256": -100 },
        store: true,
        service_tier: "flex",
        prediction: { type: "content", content: "x" },
        modalities: ["text"],
        verbosity: "low",
        safety_identifier: "s",
        prompt_cache_key: "k",
        web_search_options: {},
        thinking: { type: "disabled" },
      },
    ],
  ])("%s", (_name, fields) => {
    expect(there(fields)).toEqual({ model: "m", messages: [user], ...fields });
  });

  it("one stop word is a list of one, max_tokens has a newer name, null says nothing", () => {
    const body = {
      stop: "x",
      max_tokens: 7,
      temperature: null,
      tools: null,
      tool_choice: null,
      response_format: null,
      stream: null,
      stream_options: null,
      seed: null,
    };
    expect(there(body)).toEqual({ model: "m", messages: [user], stop: ["x"], max_completion_tokens: 7 });
  });

  it("a stream is asked for with usage, beside what else stands in its options", () => {
    expect(there({ stream: true, stream_options: { include_obfuscation: false } }, { stream: true })).toMatchObject({
      stream: true,
      stream_options: { include_obfuscation: false, include_usage: true },
    });
    expect(there({ stream: true, stream_options: { include_usage: true } })).toEqual({ model: "m", messages: [user] });
  });

  it("__proto__ stays a member and reaches nobody's prototype", () => {
    const bytes = utf8(
      '{"model":"m","messages":[{"role":"user","content":"hi","__proto__":{"polluted":1}}],"__proto__":{"polluted":2},"tools":[{"type":"function","function":{"name":"__proto__","parameters":{"__proto__":{}}}}]}',
    );
    const call = openaiChat.decodeRequest(bytes);
    const out = openaiChat.encodeRequest(call, { model: "m", stream: false, quirks: {} }).bytes;
    expect(new TextDecoder().decode(out)).toContain('"__proto__":{"polluted":2}');
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("what a vendor's row says", () => {
  it("max_tokens", () => {
    expect(there({ max_completion_tokens: 5 }, { quirks: { maxTokensField: "max_tokens" } })).toEqual({
      model: "m",
      messages: [user],
      max_tokens: 5,
    });
  });
  it("no developer messages", () => {
    expect(message({ role: "developer", content: "x" }, { developerRole: false })).toEqual({ role: "system", content: "x" });
  });
  it("no usage in streams", () => {
    expect(there({}, { stream: true, quirks: { usageInStream: false } })).toEqual({ model: "m", messages: [user], stream: true });
  });
  it("no reasoning in messages", () => {
    expect(message({ role: "assistant", content: "4", reasoning_content: "x" }, { reasoningField: "none" })).toEqual({
      role: "assistant",
      content: "4",
    });
  });
  it("a field for reasoning from elsewhere, which is left out without one", () => {
    const foreign: ModelCall = {
      model: "m",
      messages: [
        {
          role: "assistant",
          content: [
            { type: "reasoning", text: "so", opaque: "sealed" },
            { type: "text", text: "4" },
          ],
        },
      ],
    };
    expect(encode(foreign)["messages"]).toEqual([{ role: "assistant", content: "4" }]);
    expect(encode(foreign, { quirks: { reasoningField: "reasoning" } })["messages"]).toEqual([
      { role: "assistant", content: "4", reasoning: "so" },
    ]);
  });
});

describe("in neutral terms", () => {
  const neutral = (fields: object) => decode({ model: "m", messages: [user], ...fields });

  it("42: a custom tool takes text, and its calls are text", () => {
    const format = { type: "grammar", grammar: { syntax: "lark", definition: "x" } };
    const call = neutral({
      tools: [{ type: "custom", custom: { name: "c", description: "d", format } }],
      messages: [{ role: "assistant", content: null, tool_calls: [{ id: "1", type: "custom", custom: { name: "c", input: "ls" } }] }],
    });
    expect(call.tools).toMatchObject([{ name: "c", description: "d", inputSchema: {}, input: "text" }]);
    expect(call.messages[0]?.content).toMatchObject([{ type: "tool-call", input: "text", arguments: "ls" }]);
  });

  it("43: a vendor's own tool is hosted, and another protocol's is refused", () => {
    expect(neutral({ tools: [{ type: "web_search" }] }).tools).toEqual([{ hosted: "openai-chat", definition: { type: "web_search" } }]);
    const foreign: ModelCall = { model: "m", messages: [], tools: [{ hosted: "openai-responses", definition: { type: "web_search" } }] };
    expect(() => encode(foreign)).toThrow(expect.objectContaining({ code: "unsupported_feature", details: { param: "tools[0]" } }));
  });

  it("39: allowed tools are a choice", () => {
    const tools = [{ type: "function", function: { name: "f" } }];
    expect(neutral({ tool_choice: { type: "allowed_tools", allowed_tools: { mode: "required", tools } } }).toolChoice).toEqual({
      allowed: ["f"],
      required: true,
    });
  });

  it.each([
    [{ logprobs: true }, { logprobs: 0 }],
    [{ logprobs: true, top_logprobs: 5 }, { logprobs: 5 }],
    [{ logprobs: false }, {}],
    [{ modalities: ["text", "audio"] }, { outputModalities: ["text", "audio"] }],
    [{ service_tier: "flex" }, { serviceTier: "flex" }],
    [{ prompt_cache_key: "k" }, { promptCacheKey: "k" }],
    [{ safety_identifier: "s" }, { user: "s", safetyIdentifier: "s" }],
    [
      { user: "u", safety_identifier: "s" },
      { user: "u", safetyIdentifier: "s" },
    ],
    [{ prompt_cache_retention: "24h" }, { promptCacheRetention: "24h" }],
    [{ verbosity: "low" }, { verbosity: "low" }],
    [{ store: true }, { store: true }],
    [{ top_k: 5 }, { topK: 5 }],
    [{ reasoning_effort: "low" }, { reasoning: { effort: "low" } }],
    [{ reasoning: { effort: "high", exclude: true } }, { reasoning: { effort: "high", visible: false } }],
    [{ reasoning: { max_tokens: 2000 } }, { reasoning: { budgetTokens: 2000 } }],
    [{ reasoning: { enabled: true } }, { reasoning: {} }],
    [{ reasoning: { enabled: false } }, { reasoning: { effort: "none" } }],
    [{ thinking: { type: "disabled" } }, { reasoning: { effort: "none" } }],
    [{ thinking: { type: "enabled" }, reasoning_effort: "max" }, { reasoning: { effort: "max" } }],
    [{ thinking: { type: "enabled", budget_tokens: 9 } }, { reasoning: { budgetTokens: 9 } }],
  ])("%j is %j", (fields, expected) => {
    const { extras: _extras, model: _model, messages: _messages, ...call } = neutral(fields);
    expect(JSON.parse(JSON.stringify(call))).toEqual(expected);
  });

  it.each([
    ["reasoning_effort", { effort: "low", visible: true }, { reasoning_effort: "low" }],
    ["reasoning_effort", {}, {}],
    ["reasoning", { effort: "low" }, { reasoning: { effort: "low" } }],
    ["reasoning", { effort: "low", budgetTokens: 5, visible: false }, { reasoning: { max_tokens: 5, exclude: true } }],
    ["reasoning", {}, { reasoning: { enabled: true } }],
    ["thinking", {}, { thinking: { type: "enabled" } }],
    ["thinking", { effort: "max" }, { thinking: { type: "enabled" }, reasoning_effort: "max" }],
    ["thinking", { effort: "none" }, { thinking: { type: "disabled" } }],
    ["thinking", { budgetTokens: 7 }, { thinking: { type: "enabled", budget_tokens: 7 } }],
  ] as const)("20: a vendor with the field %s is told %j as %j", (reasoningRequest, reasoning, expected) => {
    const {
      model: _model,
      messages: _messages,
      ...body
    } = encode({ model: "m", messages: [], reasoning }, { quirks: { reasoningRequest } });
    expect(body).toEqual(expected);
  });

  it("a dialect's field becomes the vendor's where the vendor is known", () => {
    const call = neutral({ reasoning: { effort: "low", exclude: false, x: 1 } });
    expect(encode(call, { quirks: { reasoningRequest: "reasoning_effort" } })).toMatchObject({ reasoning_effort: "low" });
    expect(encode(call, { quirks: { reasoningRequest: "reasoning_effort" } })).not.toHaveProperty("reasoning");
    expect(encode(call, { quirks: { reasoningRequest: "reasoning" } })).toMatchObject({
      reasoning: { effort: "low", exclude: false, x: 1 },
    });
  });

  it("marks of a cache are neutral, and go to a vendor in its form or are told to be left out", () => {
    const control = { type: "ephemeral", ttl: "1h" };
    const call = neutral({
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "a", cache_control: control },
            { type: "text", text: "b", prompt_cache_breakpoint: { mode: "explicit" } },
          ],
        },
      ],
      tools: [{ type: "function", function: { name: "f", parameters: {} }, cache_control: { type: "ephemeral" } }],
    });
    expect(call.messages[0]?.content).toMatchObject([{ cache: { ttl: "1h" } }, { cache: {} }]);
    expect(call.tools).toMatchObject([{ cache: {} }]);
    const sent = (quirks: Quirks) => encode(call, { quirks }) as { messages: { content: unknown }[]; tools: unknown[] };
    expect(sent({ cacheMarks: "cache_control" })).toMatchObject({
      messages: [{ content: [{ cache_control: control }, { cache_control: { type: "ephemeral" } }] }],
      tools: [{ cache_control: { type: "ephemeral" } }],
    });
    const breakpoint = { mode: "explicit" };
    expect(sent({ cacheMarks: "prompt_cache_breakpoint" }).messages[0]?.content).toEqual([
      { type: "text", text: "a", prompt_cache_breakpoint: breakpoint },
      { type: "text", text: "b", prompt_cache_breakpoint: breakpoint },
    ]);
    expect(JSON.stringify(sent({ cacheMarks: "none" }))).not.toMatch(/cache/);
    const foreign: ModelCall = { model: "m", messages: [{ role: "user", content: [{ type: "text", text: "a", cache: {} }] }] };
    expect(openaiChat.encodeRequest(foreign, { model: "m", stream: false, quirks: {} }).warnings).toMatchObject([
      { field: "messages[0].content[0].cache" },
    ]);
    expect(encode(foreign)["messages"]).toEqual([{ role: "user", content: "a" }]);
    const result = { type: "tool-result", callId: "1", content: [{ type: "text", text: "r" }], cache: {} } as const;
    expect(
      encode({ model: "m", messages: [{ role: "tool", content: [result] }] }, { quirks: { cacheMarks: "cache_control" } }),
    ).toMatchObject({
      messages: [{ content: [{ type: "text", text: "r", cache_control: { type: "ephemeral" } }] }],
    });
  });

  it("90: top_k goes only where it is known, and is told", () => {
    const call: ModelCall = { model: "m", messages: [], topK: 4 };
    expect(openaiChat.encodeRequest(call, { model: "m", stream: false, quirks: {} }).warnings).toMatchObject([{ field: "topK" }]);
    expect(encode(call, { quirks: { topK: true } })).toMatchObject({ top_k: 4 });
  });

  it("16: a turn of tools has its reasoning field, even empty, where the vendor wants it", () => {
    const quirks: Quirks = { reasoningOnToolTurns: true, reasoningField: "reasoning_content" };
    const turn = (...more: unknown[]) =>
      ({ role: "assistant", content: [...more, { type: "tool-call", id: "1", name: "f", arguments: "{}" }] }) as ModelCall["messages"][0];
    const sent = (given: ModelCall["messages"][0]) =>
      (encode({ model: "m", messages: [given] }, { quirks })["messages"] as Record<string, unknown>[])[0]?.["reasoning_content"];
    expect(sent(turn())).toBe("");
    expect(sent(turn({ type: "reasoning", text: "so" }))).toBe("so");
    expect(sent(turn({ type: "reasoning", text: "", extras: { "openai-chat": { field: "reasoning_content" } } }))).toBe("");
    expect(sent({ role: "assistant", content: [{ type: "text", text: "a" }] })).toBeUndefined();
  });

  it("17: sealed reasoning goes back verbatim and in order", () => {
    const details = [
      { type: "reasoning.summary", summary: "s", format: "x", index: 0 },
      { type: "reasoning.encrypted", data: "d", id: null, format: "x", index: 1 },
      { type: "reasoning.text", text: "t", signature: "sig", index: 2 },
    ];
    expect(message({ role: "assistant", content: "4", reasoning: "s", reasoning_details: details })).toEqual({
      role: "assistant",
      content: "4",
      reasoning: "s",
      reasoning_details: details,
    });
  });

  it("13: a turn of which only foreign reasoning is left is no message", () => {
    const call: ModelCall = { model: "m", messages: [{ role: "assistant", content: [{ type: "reasoning", text: "so", opaque: "x" }] }] };
    expect(encode(call)["messages"]).toEqual([]);
  });
});

describe("what the protocol has no field for", () => {
  it("a failed tool says so in its text, once", () => {
    const result = (text: string): ModelCall => ({
      model: "m",
      messages: [{ role: "tool", content: [{ type: "tool-result", callId: "1", isError: true, content: [{ type: "text", text }] }] }],
    });
    expect(encode(result("no such file"))["messages"]).toMatchObject([{ content: "Error: no such file" }]);
    expect(encode(result("error: no such file"))["messages"]).toMatchObject([{ content: "error: no such file" }]);
  });

  it("a picture of a tool follows all results of the turn in a message of the user", () => {
    const picture = { type: "media", mediaType: "image/png", source: { kind: "base64", data: "AAAA" } } as const;
    const call: ModelCall = {
      model: "m",
      messages: [
        {
          role: "tool",
          content: [
            { type: "tool-result", callId: "1", content: [{ type: "text", text: "a" }, picture] },
            { type: "tool-result", callId: "2", content: [{ type: "text", text: "b" }] },
            { type: "tool-result", callId: "3", content: [] },
          ],
        },
      ],
    };
    expect(encode(call)["messages"]).toEqual([
      { role: "tool", tool_call_id: "1", content: "a\n(image/png: in the next message)" },
      { role: "tool", tool_call_id: "2", content: "b" },
      { role: "tool", tool_call_id: "3", content: "" },
      { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }] },
    ]);
  });

  it("gives nothing of other protocols to this one", () => {
    const foreign = { extras: { "anthropic-messages": { cache_control: 1 } } };
    const call: ModelCall = {
      model: "m",
      messages: [{ role: "user", content: [{ type: "text", text: "a", ...foreign }], ...foreign }],
      ...foreign,
    };
    expect(encode(call)).toEqual({ model: "m", messages: [{ role: "user", content: "a" }] });
  });

  it.each([
    [
      "a document by URL",
      { type: "media", mediaType: "application/pdf", source: { kind: "url", url: "https://example.com/a.pdf" } },
      "user",
    ],
    ["sound that it has no name for", { type: "media", mediaType: "audio/x-thing", source: { kind: "base64", data: "AAAA" } }, "user"],
    ["a picture of the assistant", { type: "media", mediaType: "image/png", source: { kind: "base64", data: "AAAA" } }, "assistant"],
  ])("refuses %s, naming it", (_name, part, role) => {
    const call = { model: "m", messages: [{ role, content: [part] }] } as unknown as ModelCall;
    expect(() => encode(call)).toThrow(
      expect.objectContaining({ code: "unsupported_feature", details: { param: "messages[0].content[0]" } }),
    );
  });
});

describe("a wrong request is refused with the name of the field", () => {
  it.each([
    [{ messages: "hi" }, "messages"],
    [{ messages: [1] }, "messages[0]"],
    [{ messages: [{ content: "hi" }] }, "messages[0].role"],
    [{ messages: [{ role: "robot", content: "hi" }] }, "messages[0].role"],
    [{ messages: [{ role: "user" }] }, "messages[0].content"],
    [{ messages: [user, { role: "user", content: 5 }] }, "messages[1].content"],
    [{ messages: [{ role: "user", content: [{ type: "text" }] }] }, "messages[0].content[0].text"],
    [{ messages: [{ role: "user", content: [{ text: "x" }] }] }, "messages[0].content[0].type"],
    [{ messages: [{ role: "system", content: [{ type: "image_url", image_url: { url: "x" } }] }] }, "messages[0].content[0].type"],
    [{ messages: [{ role: "user", content: [{ type: "image_url", image_url: "x" }] }] }, "messages[0].content[0].image_url"],
    [{ messages: [{ role: "user", content: [{ type: "file", file: {} }] }] }, "messages[0].content[0].file"],
    [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].tool_call_id"],
    [{ messages: [{ role: "assistant", tool_calls: [{ type: "function", function: { name: "f" } }] }] }, "messages[0].tool_calls[0].id"],
    [{ messages: [{ role: "assistant", tool_calls: [{ id: "1", type: "robot" }] }] }, "messages[0].tool_calls[0].type"],
    [{ messages: [{ role: "assistant", content: [{ type: "image_url" }] }] }, "messages[0].content[0].type"],
    [{ temperature: "hot" }, "temperature"],
    [{ max_tokens: 1.5 }, "max_tokens"],
    [{ stop: [1] }, "stop"],
    [{ tools: [{ type: "function", function: {} }] }, "tools[0].function.name"],
    [
      {
        tools: [
          { type: "function", function: { name: "f" } },
          { type: "function", function: { name: "f" } },
        ],
      },
      "tools[1].function.name",
    ],
    [{ tool_choice: "sometimes" }, "tool_choice"],
    [{ response_format: { type: "json_schema" } }, "response_format.json_schema"],
    [{ metadata: [] }, "metadata"],
  ])("%j", (fields, param) => {
    expect(() => decode({ model: "m", messages: [user], ...fields })).toThrow(
      expect.objectContaining({ code: "validation_failed", details: { param } }),
    );
  });

  it("a number that is too large for any", () => {
    const bytes = utf8('{"model":"m","messages":[],"temperature":1e999}');
    expect(() => openaiChat.decodeRequest(bytes)).toThrow(expect.objectContaining({ details: { param: "temperature" } }));
  });

  it("content of a kind that nobody can translate", () => {
    const body = { model: "m", messages: [{ role: "user", content: [{ type: "video_url", video_url: { url: "x" } }] }] };
    expect(() => decode(body)).toThrow(
      expect.objectContaining({ code: "unsupported_feature", details: { param: "messages[0].content[0].type" } }),
    );
  });
});
