import { describe, expect, it } from "vitest";
import { bytesOf, textOf } from "../../../../test/wire/chunks.js";
import { expectValid } from "../../../../test/wire/openai-schema.js";
import { needsData } from "../../../../test/wire/test-data.js";
import type { AnswerPart, Message, ModelCall } from "../../../calls/index.js";
import type { Quirks } from "../../shared/codec.js";
import { openaiResponses } from "../openai-responses.js";

type Json = Record<string, unknown>;
const own = (fields: Json) => ({ extras: { "openai-responses": fields } });
const decode = (body: Json): ModelCall => openaiResponses.decodeRequest(bytesOf(JSON.stringify({ model: "m", ...body })));
const encoded = (call: Partial<ModelCall>, quirks: Quirks = {}) => {
  const { bytes, warnings } = openaiResponses.encodeRequest({ model: "m", messages: [], ...call }, { model: "m", stream: false, quirks });
  return { body: JSON.parse(textOf(bytes)) as Json, warnings: warnings ?? [] };
};
const encode = (call: Partial<ModelCall>, quirks?: Quirks) => encoded(call, quirks).body;
const input = (messages: readonly Message[], call: Partial<ModelCall> = {}) => encode({ messages, ...call })["input"];
const again = (body: Json) => {
  const { input: items, instructions } = encode(decode(body));
  return { input: items, instructions };
};
const user = (text: string): Message => ({ role: "user", content: [{ type: "text", text }] });
const failure = (read: () => unknown) => {
  try {
    read();
  } catch (error) {
    return error;
  }
  return null;
};

describe("input", () => {
  it("83: a text, instructions, and system and developer messages anywhere, each as it stood", () => {
    const body = {
      instructions: "Be brief.",
      input: [
        { role: "developer", content: "One." },
        { role: "user", content: "Hi" },
        { role: "system", content: [{ type: "input_text", text: "Two." }] },
        { role: "user", content: "?" },
      ],
    };
    expect(decode(body).messages).toEqual([
      { role: "system", content: [{ type: "text", text: "Be brief." }], ...own({ instructions: true }) },
      { role: "developer", content: [{ type: "text", text: "One." }] },
      user("Hi"),
      { role: "system", content: [{ type: "text", text: "Two." }] },
      user("?"),
    ]);
    expect(again(body)).toEqual({
      instructions: "Be brief.",
      input: [...body.input.slice(0, 2), { role: "system", content: "Two." }, body.input[3]],
    });
    expect(decode({ input: "Hi" }).messages).toEqual([user("Hi")]);
    expect(input([{ role: "system", content: [{ type: "text", text: "S" }] }, user("Hi")])).toEqual([
      { role: "system", content: "S" },
      { role: "user", content: "Hi" },
    ]);
    const plain = encode({ messages: [{ role: "developer", content: [{ type: "text", text: "D" }] }] }, { developerRole: false });
    expect(plain["input"]).toEqual([{ role: "system", content: "D" }]);
  });

  it("84, 85: images and documents by URL, bytes and file id, with their detail and name", () => {
    const content = [
      { type: "input_image", image_url: "https://x.test/a.png", detail: "high" },
      { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "auto" },
      { type: "input_image", file_id: "file-1", detail: "auto" },
      { type: "input_file", file_url: "https://x.test/a.pdf" },
      { type: "input_file", filename: "b.pdf", file_data: "data:application/pdf;base64,AAAA" },
      { type: "input_file", file_id: "file-2" },
    ];
    const body = { input: [{ role: "user", content }] };
    expect(decode(body).messages[0]?.content.map((part) => (part.type === "media" ? [part.mediaType, part.source.kind] : []))).toEqual([
      ["image/*", "url"],
      ["image/png", "base64"],
      ["image/*", "file"],
      ["application/pdf", "url"],
      ["application/pdf", "base64"],
      ["application/octet-stream", "file"],
    ]);
    expect(again(body).input).toEqual(body.input);
  });

  it("85: sound and film are refused before anything is spent, sound not where the caller spoke this protocol", () => {
    const media = (mediaType: string): Message => ({
      role: "user",
      content: [{ type: "media", mediaType, source: { kind: "base64", data: "AA" } }],
    });
    for (const type of ["audio/wav", "video/mp4"])
      expect(failure(() => input([media(type)]))).toMatchObject({
        code: "unsupported_feature",
        details: { param: "messages[0].content[0]" },
      });
    const body = { input: [{ role: "user", content: [{ type: "input_audio", input_audio: { data: "AA", format: "wav" } }] }] };
    expect(decode(body).messages[0]?.content[0]).toMatchObject({ type: "media", mediaType: "audio/wav" });
    expect(again(body).input).toEqual(body.input);
  });

  it("86: empty texts, results and turns with calls alone are kept", () => {
    const body = {
      input: [
        { role: "user", content: "" },
        { role: "assistant", content: " " },
        { type: "function_call", call_id: "c", name: "f", arguments: "" },
        { type: "function_call_output", call_id: "c", output: "" },
      ],
    };
    expect(decode(body).messages.map((message) => message.role)).toEqual(["user", "assistant", "tool"]);
    expect(again(body).input).toEqual([...body.input.slice(0, 2), { ...body.input[2], arguments: "{}" }, body.input[3]]);
  });

  it("2, 50: items of the vendor, its ids and its hosted tools' uses go back as they came and where they stood", () => {
    const items = [
      { role: "user", content: "Go." },
      { id: "rs_1", type: "reasoning", summary: [], encrypted_content: "sealed" },
      { id: "ws_1", type: "web_search_call", status: "completed", action: { type: "search", query: "x" } },
      {
        id: "rs_2",
        type: "reasoning",
        summary: [
          { type: "summary_text", text: "a" },
          { type: "summary_text", text: "b" },
        ],
        encrypted_content: "s2",
      },
      {
        id: "msg_1",
        type: "message",
        status: "completed",
        role: "assistant",
        phase: "commentary",
        content: [
          { type: "output_text", text: "One", annotations: [], logprobs: [] },
          { type: "output_text", text: "Two", annotations: [], logprobs: [] },
        ],
      },
      { id: "msg_2", type: "message", status: "completed", role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
      { id: "tsc_1", type: "tool_search_call", status: "completed", arguments: {} },
      { id: "tso_1", type: "tool_search_output", tools: [] },
      { id: "fc_1", type: "function_call", call_id: "c", name: "f", arguments: "{}", namespace: "n" },
      { type: "function_call_output", call_id: "c", output: "ok" },
      { type: "apply_patch_call_output", call_id: "p", status: "completed" },
      { type: "item_reference", id: "rs_9" },
    ];
    const call = decode({ store: false, input: items });
    expect(call.messages.map((message) => message.role)).toEqual(["user", "assistant", "user", "assistant", "tool", "user", "user"]);
    expect(encode(call)["input"]).toEqual(items);
    expect(decode({ input: [{ id: "rs_9" }] }).messages[0]?.content[0]).toMatchObject({ type: "native", item: { id: "rs_9" } });
  });

  it("87: messages of the assistant that follow each other stay apart", () => {
    const items = ["a", "b"].map((content) => ({ role: "assistant", content }));
    expect(decode({ input: items }).messages).toHaveLength(1);
    expect(again({ input: items }).input).toMatchObject(items.map(({ role }) => ({ role })));
  });

  it("19: reasoning without what followed it is left out, with a warning", () => {
    const reasoning: AnswerPart = { type: "reasoning", text: "r", opaque: "sealed", itemId: "rs_1" };
    const { body, warnings } = encoded({ messages: [user("a"), { role: "assistant", content: [reasoning] }, user("b")] });
    expect(body["input"]).toEqual([
      { role: "user", content: "a" },
      { role: "user", content: "b" },
    ]);
    expect(warnings).toEqual([{ field: "messages[1].content[0]", what: expect.stringContaining("without what followed it") as string }]);
    const kept = input([{ role: "assistant", content: [reasoning, { type: "text", text: "x" }] }]) as Json[];
    expect(kept.map((item) => item["type"] ?? item["role"])).toEqual(["reasoning", "assistant"]);
  });

  it("13: reasoning of others is left out, and what it led to is sent as new", () => {
    const content: AnswerPart[] = [
      { type: "reasoning", text: "thought" },
      { type: "text", text: "so", ...own({ item: { id: "msg_1" } }) },
      { type: "tool-call", id: "c", name: "f", arguments: "{}", ...own({ id: "fc_1" }) },
    ];
    const { body, warnings } = encoded({ messages: [{ role: "assistant", content }] });
    expect(body["input"]).toEqual([
      {
        type: "message",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: "so", annotations: [], logprobs: [] }],
      },
      { type: "function_call", id: "fc_1", call_id: "c", name: "f", arguments: "{}" },
    ]);
    expect(warnings).toHaveLength(1);
  });

  it("2: reasoning that is neither sealed nor kept is left out, one that an open model said in full is not", () => {
    const messages: Message[] = [
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "r", itemId: "rs_1" },
          { type: "text", text: "x" },
        ],
      },
      user("?"),
    ];
    const length = (call: Partial<ModelCall>) => (encode({ messages, ...call })["input"] as unknown[]).length;
    expect(length(own({}))).toBe(3);
    expect(length(own({ store: false }))).toBe(2);
    expect(length({})).toBe(2);
    const body = {
      store: false,
      input: [
        { id: "rs", type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: "hm" }] },
        { role: "assistant", content: "x" },
      ],
    };
    expect(again(body).input).toEqual(body.input);
  });

  it("37, 38: a result may hold pictures, and says in words that its tool failed", () => {
    const png = { type: "media", mediaType: "image/png", source: { kind: "base64", data: "AAAA" } } as const;
    expect(
      input([
        {
          role: "tool",
          content: [
            { type: "tool-result", callId: "c", content: [{ type: "text", text: "boom" }], isError: true },
            { type: "tool-result", callId: "d", content: [{ type: "text", text: "see" }, png] },
            { type: "tool-result", callId: "e", content: [], isError: true },
          ],
        },
      ]),
    ).toEqual([
      { type: "function_call_output", call_id: "c", output: "Error: boom" },
      {
        type: "function_call_output",
        call_id: "d",
        output: [
          { type: "input_text", text: "see" },
          { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "auto" },
        ],
      },
      { type: "function_call_output", call_id: "e", output: "Error" },
    ]);
  });

  it("42: calls of tools of text, and their results, are of their own kind", () => {
    const items = [
      { id: "ctc", type: "custom_tool_call", call_id: "c", name: "sh", input: "ls" },
      { type: "custom_tool_call_output", call_id: "c", output: "a" },
    ];
    const call = decode({ input: items });
    expect(call.messages[0]?.content[0]).toMatchObject({ type: "tool-call", input: "text", arguments: "ls" });
    expect(encode(call)["input"]).toEqual(items);
    const foreign: Message[] = [
      { role: "assistant", content: [{ type: "tool-call", id: "c", name: "sh", arguments: "ls", input: "text" }] },
      { role: "tool", content: [{ type: "tool-result", callId: "c", content: [{ type: "text", text: "a" }] }] },
    ];
    expect((input(foreign) as Json[]).map((item) => item["type"])).toEqual(["custom_tool_call", "custom_tool_call_output"]);
  });

  it("29, 30: arguments stay the text that they are", () => {
    for (const text of ['{"b":12345678901234567890,"a":1}', '{"broken": '])
      expect(input([{ role: "assistant", content: [{ type: "tool-call", id: "c", name: "f", arguments: text }] }])).toEqual([
        { type: "function_call", call_id: "c", name: "f", arguments: text },
      ]);
  });

  it.each([
    [{}, "input", "validation_failed"],
    [{ input: 5 }, "input", "validation_failed"],
    [{ input: [5] }, "input[0]", "validation_failed"],
    [{ input: [{ role: "robot", content: "x" }] }, "input[0].role", "validation_failed"],
    [{ input: [{ role: "user" }] }, "input[0].content", "validation_failed"],
    [{ input: [{ role: "user", content: [{ type: "smell" }] }] }, "input[0].content[0].type", "unsupported_feature"],
    [{ input: [{ role: "assistant", content: [{ type: "input_image" }] }] }, "input[0].content[0].type", "unsupported_feature"],
    [{ input: [{ type: "function_call", name: "f", arguments: "{}" }] }, "input[0].call_id", "validation_failed"],
    [{ input: [{ type: "function_call_output", call_id: "c" }] }, "input[0].output", "validation_failed"],
    [{ input: "x", tools: [{ type: "function" }] }, "tools[0].name", "validation_failed"],
    [{ input: "x", tool_choice: "maybe" }, "tool_choice", "validation_failed"],
    [{ input: "x", temperature: "hot" }, "temperature", "validation_failed"],
  ])("%j is refused, naming %s", (body, param, code) => {
    expect(failure(() => decode(body))).toMatchObject({ code, details: { param } });
  });

  it("may be at the vendor", () => {
    for (const stands of [{ previous_response_id: "resp_1" }, { conversation: "conv_1" }, { prompt: { id: "p" } }]) {
      const call = decode(stands);
      expect(call.messages).toEqual([]);
      expect(encode(call)).toMatchObject(stands);
      expect(encode(call)).not.toHaveProperty("input");
    }
  });
});

describe("tools", () => {
  it("43: the vendor's own go back whole, those of another protocol are refused by name", () => {
    const tools = [
      { type: "web_search", filters: { allowed_domains: ["x.test"] } },
      { type: "mcp", server_label: "s", server_url: "https://x.test" },
    ];
    expect(encode(decode({ input: "x", tools }))["tools"]).toEqual(tools);
    expect(failure(() => encode({ tools: [{ hosted: "anthropic-messages", definition: { type: "bash" } }] }))).toMatchObject({
      code: "unsupported_feature",
      details: { param: "tools[0]" },
    });
  });

  it("46: strictness that was not said is said to be none, except by callers of this protocol", () => {
    const tool = { name: "f", inputSchema: { type: "object" } };
    expect(encode({ tools: [tool] })["tools"]).toEqual([{ type: "function", name: "f", parameters: { type: "object" }, strict: false }]);
    expect(encode({ tools: [{ ...tool, strict: true }] })["tools"]).toMatchObject([{ strict: true }]);
    const said = [{ type: "function", name: "f", parameters: { type: "object" } }];
    expect(encode(decode({ input: "x", tools: said }))["tools"]).toEqual(said);
  });

  it("48: two of one name are refused", () => {
    const tool = { type: "function", name: "f", parameters: {}, strict: null };
    expect(failure(() => decode({ input: "x", tools: [tool, tool] }))).toMatchObject({
      code: "validation_failed",
      details: { param: "tools[1].name" },
    });
  });

  it("42: a tool of text with its grammar", () => {
    const tools = [{ type: "custom", name: "sh", description: "d", format: { type: "grammar", syntax: "regex", definition: "a+" } }];
    expect(decode({ input: "x", tools }).tools).toMatchObject([{ name: "sh", input: "text", inputSchema: {} }]);
    expect(encode(decode({ input: "x", tools }))["tools"]).toEqual(tools);
  });

  it("39: the choice of tools, of some of them, and of hosted ones", () => {
    const tools = [{ type: "custom", name: "sh" }];
    for (const choice of [
      "auto",
      "none",
      "required",
      { type: "function", name: "f" },
      { type: "custom", name: "sh" },
      {
        type: "allowed_tools",
        mode: "required",
        tools: [
          { type: "function", name: "f" },
          { type: "custom", name: "sh" },
        ],
      },
      { type: "allowed_tools", mode: "auto", tools: [{ type: "mcp", server_label: "s" }] },
      { type: "file_search" },
    ])
      expect(encode(decode({ input: "x", tools, tool_choice: choice }))["tool_choice"]).toEqual(choice);
    expect(encode({ toolChoice: { allowed: ["f"], required: false }, parallelToolCalls: false })).toMatchObject({
      tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "f" }] },
      parallel_tool_calls: false,
    });
  });

  it("35, 47: what ids and names the protocol takes", () => {
    const { toolCallId, toolName } = openaiResponses.traits;
    expect([toolCallId.test("x".repeat(64)), toolCallId.test("x".repeat(65)), toolCallId.test("")]).toEqual([true, false, false]);
    expect([toolName.test("a-b_9"), toolName.test("a.b"), toolName.test("x".repeat(65))]).toEqual([true, false, false]);
  });
});

describe("options", () => {
  it("a call of another protocol is not kept at the vendor and has its reasoning sealed, unless the model seals none", () => {
    expect(encode({ messages: [user("x")] })).toMatchObject({ store: false, include: ["reasoning.encrypted_content"] });
    expect(encode({ messages: [user("x")] }, { sealedReasoning: false })).not.toHaveProperty("include");
    const own = encode(decode({ input: "x" }));
    expect(own).not.toHaveProperty("store");
    expect(own).not.toHaveProperty("include");
    expect(encode(decode({ input: "x", store: true, include: ["file_search_call.results"] }))).toMatchObject({
      store: true,
      include: ["file_search_call.results"],
    });
  });

  it("20: how much to think, in any word, and whether it is shown", () => {
    for (const effort of ["none", "minimal", "low", "medium", "high", "xhigh", "max"])
      expect(encode({ reasoning: { effort } })["reasoning"]).toEqual({ effort });
    expect(encode({})).not.toHaveProperty("reasoning");
    expect(encode({ reasoning: { effort: "low", visible: true } })["reasoning"]).toEqual({ effort: "low", summary: "auto" });
    for (const reasoning of [
      { effort: "high", summary: "detailed", context: "all_turns", mode: "pro" },
      { summary: "auto" },
      {},
      { mode: "pro" },
    ])
      expect(encode(decode({ input: "x", reasoning }))["reasoning"]).toEqual(reasoning);
    expect(decode({ input: "x", reasoning: { summary: "auto" } }).reasoning).toEqual({ visible: true });
    expect(openaiResponses.traits.reasoningBy).toBe("effort");
  });

  it("89, 90: what changes the answer and has no counterpart is refused, what colours it is left out with a warning", () => {
    for (const [field, call] of [
      ["stop", { stop: ["x"] }],
      ["n", { n: 2 }],
      ["outputModalities", { outputModalities: ["text", "audio"] }],
    ] as const)
      expect(failure(() => encode(call))).toMatchObject({ code: "unsupported_feature", details: { param: field } });
    const { body, warnings } = encoded({ n: 1, stop: [], seed: 0, topK: 3, presencePenalty: 1, frequencyPenalty: 0, temperature: 0 });
    expect(warnings.map((warning) => warning.field).sort()).toEqual(["frequencyPenalty", "presencePenalty", "seed", "topK"]);
    expect(body).toMatchObject({ temperature: 0 });
    for (const key of ["seed", "n", "stop", "presence_penalty"]) expect(body).not.toHaveProperty(key);
  });

  it("90: probabilities, by the name that the vendor wants to hear", () => {
    expect(encode({ logprobs: 2 })).toMatchObject({
      top_logprobs: 2,
      include: ["message.output_text.logprobs", "reasoning.encrypted_content"],
    });
    expect(decode({ input: "x", include: ["message.output_text.logprobs"] }).logprobs).toBe(0);
    expect(decode({ input: "x", top_logprobs: 3 }).logprobs).toBeUndefined();
    expect(encode(decode({ input: "x", top_logprobs: 3 }))).toMatchObject({ top_logprobs: 3 });
  });

  it("95: metadata, user and the key of a cache; metadata of others within the vendor's bounds", () => {
    const metadata = {
      a: "b".repeat(600),
      n: 5,
      ["k".repeat(65)]: "x",
      ...Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`m${i}`, "v"])),
    };
    const { body, warnings } = encoded({ metadata, user: "u", promptCacheKey: "k", serviceTier: "flex" });
    const sent = body["metadata"] as Record<string, string>;
    expect(Object.keys(sent)).toHaveLength(16);
    expect(sent["a"]).toHaveLength(512);
    expect(sent["n"]).toBe("5");
    expect(warnings.length).toBeGreaterThan(2);
    expect(body).toMatchObject({ user: "u", prompt_cache_key: "k", service_tier: "flex" });
    expect(encode(decode({ input: "x", safety_identifier: "s", metadata: { a: "b" } }))).toMatchObject({
      safety_identifier: "s",
      metadata: { a: "b" },
    });
    expect(encode({ extras: { "anthropic-messages": { container: "c" } } })).not.toHaveProperty("container");
  });

  it("marks of a cache go back to this protocol, and from another one to vendors that know them", () => {
    const marked: Message = { role: "user", content: [{ type: "text", text: "x", cache: { ttl: "5m" } }] };
    const breakpoint = [{ type: "input_text", text: "x", prompt_cache_breakpoint: { mode: "explicit" } }];
    expect(encode({ messages: [marked] }, { cacheMarks: "prompt_cache_breakpoint" })["input"]).toEqual([
      { role: "user", content: breakpoint },
    ]);
    const { body, warnings } = encoded({ messages: [marked, marked] });
    expect(body["input"]).toMatchObject([{ content: "x" }, { content: "x" }]);
    expect(warnings).toHaveLength(1);
    const result: Message = {
      role: "tool",
      content: [{ type: "tool-result", callId: "c", content: [{ type: "text", text: "x" }], cache: {} }],
    };
    expect(encode({ messages: [result] }, { cacheMarks: "prompt_cache_breakpoint" })["input"]).toMatchObject([{ output: breakpoint }]);
    const nowhere: Partial<ModelCall> = {
      tools: [{ name: "f", inputSchema: {}, cache: {} }],
      messages: [{ role: "assistant", content: [{ type: "text", text: "x", cache: {} }] }],
    };
    expect(encoded(nowhere, { cacheMarks: "prompt_cache_breakpoint" }).warnings).toMatchObject([{ field: "messages[0].content[0].cache" }]);
    const own = { input: [{ role: "user", content: breakpoint }], prompt_cache_options: { mode: "explicit", ttl: "30m" } };
    expect(encode(decode(own))).toMatchObject(own);
  });

  it("62: fields that nobody knows ride along", () => {
    const body = { input: [{ role: "user", content: [{ type: "input_text", text: "x", novel: 1 }], later: true }], newer: { a: 1 } };
    expect(encode(decode(body))).toMatchObject({ newer: { a: 1 }, input: body.input });
  });

  it("96: keys of the prototype are keys, and one that stands twice is refused", () => {
    const call = openaiResponses.decodeRequest(
      bytesOf('{"model":"m","input":"x","__proto__":{"polluted":1},"metadata":{"__proto__":"y"}}'),
    );
    expect(({} as Json)["polluted"]).toBeUndefined();
    expect(textOf(openaiResponses.encodeRequest(call, { model: "m", stream: false, quirks: {} }).bytes)).toContain(
      '"__proto__":{"polluted":1}',
    );
    expect(failure(() => openaiResponses.decodeRequest(bytesOf('{"model":"m","input":"x","input":"y"}')))).toMatchObject({
      code: "validation_failed",
    });
  });

  it("is what the vendor describes", (context) => {
    needsData(context);
    const messages: Message[] = [
      { role: "system", content: [{ type: "text", text: "S" }] },
      {
        role: "user",
        content: [
          { type: "text", text: "x" },
          { type: "media", mediaType: "image/*", source: { kind: "url", url: "https://x.test/a.png" } },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "text", text: "ok" },
          { type: "tool-call", id: "c", name: "f", arguments: "{}" },
        ],
      },
      { role: "tool", content: [{ type: "tool-result", callId: "c", content: [{ type: "text", text: "r" }] }] },
    ];
    const call: ModelCall = {
      model: "m",
      messages,
      tools: [
        { name: "f", inputSchema: { type: "object" } },
        { name: "t", inputSchema: {}, input: "text" },
      ],
      toolChoice: { allowed: ["f"], required: true },
      output: { type: "json-schema", name: "n", schema: { type: "object" } },
      reasoning: { effort: "high", visible: true },
      logprobs: 1,
      maxOutputTokens: 100,
    };
    expectValid("CreateResponse", encode(call));
    const { bytes, path } = openaiResponses.count?.encodeRequest(call, { model: "m", quirks: {} }) ?? { bytes: new Uint8Array(), path: "" };
    expect(path).toBe("/responses/input_tokens");
    expectValid("TokenCountsBody", JSON.parse(textOf(bytes)));
    expect(Object.keys(JSON.parse(textOf(bytes)) as Json)).not.toContain("store");
  });

  it("reads the vendor's count, and nothing that is none", () => {
    const read = (body: unknown) => openaiResponses.count?.decodeAnswer(bytesOf(JSON.stringify(body)));
    expect(read({ object: "response.input_tokens", input_tokens: 7 })).toEqual({ inputTokens: 7, estimated: false });
    expect(failure(() => read({ input_tokens: "7" }))).toMatchObject({ code: "upstream_protocol" });
  });
});
