import { describe, expect, it } from "vitest";
import { bytesOf, textOf } from "../../../../test/wire/chunks.js";
import type { Message, ModelCall } from "../../../calls/index.js";
import type { Quirks, Warning } from "../../shared/codec.js";
import { googleGenai } from "../google-genai.js";
import { skipSignature } from "../signature.js";

type Json = Record<string, unknown>;

const at = { model: "gemini-x", stream: false };
const decode = (body: unknown) => googleGenai.decodeRequest(bytesOf(typeof body === "string" ? body : JSON.stringify(body)), at);
const hi: Message = { role: "user", content: [{ type: "text", text: "hi" }] };
const text = (said: string) => ({ type: "text" as const, text: said });

interface Encoded {
  readonly body: Json & { contents: { role: string; parts: Json[] }[] };
  readonly text: string;
  readonly warnings: readonly Warning[];
  readonly path: string;
}
function encode(call: Partial<ModelCall>, quirks: Quirks = {}): Encoded {
  const given = { model: "m", messages: [hi], ...call };
  const { bytes, warnings, path } = googleGenai.encodeRequest(given, { model: "gemini-x", stream: false, quirks });
  return { body: JSON.parse(textOf(bytes)) as Encoded["body"], text: textOf(bytes), warnings: warnings ?? [], path };
}
const fieldsOf = (warnings: readonly Warning[]) => warnings.map(({ field }) => field);
const call = (id: string, name: string, more: object = {}) => ({ type: "tool-call" as const, id, name, arguments: "{}", ...more });
const result = (callId: string, said: string, more: object = {}) => ({
  type: "tool-result" as const,
  callId,
  content: [text(said)],
  ...more,
});

describe("the path", () => {
  it("107: names the model, each of its segments encoded, and asks for SSE", () => {
    const path = (model: string, stream: boolean, quirks: Quirks = {}) =>
      googleGenai.encodeRequest({ model: "m", messages: [hi] }, { model, stream, quirks }).path;
    expect(path("gemini-x", false)).toBe("/v1beta/models/gemini-x:generateContent");
    expect(path("models/gemini-x", true)).toBe("/v1beta/models/gemini-x:streamGenerateContent?alt=sse");
    expect(path("tuned/a b:c?d", false)).toBe("/v1beta/models/tuned/a%20b%3Ac%3Fd:generateContent");
    expect(path("g", false, { modelsPath: "/v1/publishers/google/models" })).toBe("/v1/publishers/google/models/g:generateContent");
  });

  it("is where model and stream come from, not the body, whose own name of a model is replaced in the relay", () => {
    const bytes = bytesOf('{ "model": "models/other", "contents": [ ] , "generationConfig":{"maxOutputTokens":7}, "x": 1 }');
    const head = googleGenai.scanHead(bytes, { model: "a/b", stream: true });
    expect(head).toMatchObject({ name: "a/b", stream: true, maxOutputTokens: 7, protocol: "google-genai", operation: "generate" });
    const spliced = googleGenai.spliceRequest(bytes, head, { model: "gemini-x", quirks: {} });
    expect(spliced.path).toBe("/v1beta/models/gemini-x:streamGenerateContent?alt=sse");
    expect(textOf(spliced.bytes)).toBe(
      '{ "model": "models/gemini-x", "contents": [ ] , "generationConfig":{"maxOutputTokens":7}, "x": 1 }',
    );
  });

  it("relays the caller's own bytes when they name no model", () => {
    const bytes = bytesOf('{"contents":[],"safety_settings":[]}');
    const head = googleGenai.scanHead(bytes, at);
    expect(googleGenai.spliceRequest(bytes, head, { model: "g", quirks: {} }).bytes).toBe(bytes);
  });
});

describe("the head", () => {
  const scan = (body: string, path: { model: string; stream: boolean } | undefined = at) => googleGenai.scanHead(bytesOf(body), path);
  it.each([
    ["", "invalid_json", undefined],
    ["[]", "validation_failed", ""],
    ["{", "invalid_json", undefined],
    ["{}", "validation_failed", "contents"],
    ['{"contents":{}}', "validation_failed", "contents"],
    ['{"contents":[],"contents":[]}', "validation_failed", "contents"],
    ['{"contents":[],"tools":[],"tools":[]}', "validation_failed", "tools"],
    ['{"contents":[],"systemInstruction":{},"system_instruction":{}}', "validation_failed", "systemInstruction"],
    ['{"contents":[],"generation_config":{"max_output_tokens":-1}}', "validation_failed", "generationConfig.maxOutputTokens"],
    [
      '{"contents":[],"generationConfig":{"maxOutputTokens":1,"max_output_tokens":2}}',
      "validation_failed",
      "generationConfig.maxOutputTokens",
    ],
  ])("refuses %s", (body, code, param) => {
    expect(() => scan(body)).toThrow(expect.objectContaining({ code }));
    if (param !== undefined) expect(() => scan(body)).toThrow(expect.objectContaining({ details: { param } }));
  });

  it("needs a model in the path", () => {
    expect(() => googleGenai.scanHead(bytesOf('{"contents":[]}'))).toThrow(expect.objectContaining({ code: "validation_failed" }));
  });
});

describe("both names of a field", () => {
  it("are read, of Google's own fields and not of what people name", () => {
    const given = decode({
      system_instruction: { parts: [{ text: "s" }] },
      contents: [
        { parts: [{ inline_data: { mime_type: "image/png", data: "AAAA" } }] },
        { role: "model", parts: [{ function_call: { name: "f", args: { a_b: 1 } }, thought_signature: "c2ln" }] },
        { parts: [{ function_response: { name: "f", response: { x_y: 2 } } }] },
      ],
      tools: [{ function_declarations: [{ name: "f", parameters: { type: "OBJECT", properties: { a_b: { type: "STRING" } } } }] }],
      generation_config: { max_output_tokens: 3, thinking_config: { include_thoughts: true } },
      labels: { c_d: "e" },
    });
    expect(given).toMatchObject({
      messages: [
        { role: "system" },
        { role: "user", content: [{ type: "media", mediaType: "image/png" }] },
        { role: "assistant", content: [{ name: "f", arguments: '{"a_b":1}', opaque: "c2ln" }] },
        { role: "tool", content: [{ content: [{ text: '{"x_y":2}' }] }] },
      ],
      tools: [{ name: "f", inputSchema: { type: "object", properties: { a_b: { type: "string" } } } }],
      maxOutputTokens: 3,
      reasoning: { visible: true },
      metadata: { c_d: "e" },
    });
  });

  it("may not both be said", () => {
    expect(() => decode({ contents: [{ parts: [{ inlineData: {}, inline_data: {} }] }] })).toThrow(
      expect.objectContaining({ code: "validation_failed", details: { param: "contents[0].parts[0].inlineData" } }),
    );
  });
});

describe("signatures", () => {
  const signed = (id: string, opaque?: string) => call(id, "f", opaque === undefined ? {} : { opaque });
  const contents = (...messages: Message[]) => encode({ messages: [hi, ...messages] }).body.contents;

  it("8: survive a tool loop through a client that keeps none, restored by the id of the call", () => {
    const [, model] = contents({ role: "assistant", content: [signed("a", "c2ln")] }, { role: "tool", content: [result("a", "ok")] });
    expect(model?.parts).toEqual([{ functionCall: { id: "a", name: "f", args: {} }, thoughtSignature: "c2ln" }]);
  });

  it("9: of calls made together only the first has one", () => {
    const [, model] = contents({ role: "assistant", content: [signed("a", "c2ln"), signed("b"), signed("c")] });
    expect(model?.parts.map((part) => part["thoughtSignature"])).toEqual(["c2ln", undefined, undefined]);
  });

  it("10: of calls made one after another each has its own", () => {
    const all = contents(
      { role: "assistant", content: [signed("a", "b25l")] },
      { role: "tool", content: [result("a", "1")] },
      { role: "assistant", content: [signed("b", "dHdv")] },
      { role: "tool", content: [result("b", "2")] },
    );
    expect(all.flatMap(({ parts }) => parts).flatMap((part) => part["thoughtSignature"] ?? [])).toEqual(["b25l", "dHdv"]);
  });

  it("11: on an empty text it is kept, and an empty text without one is left out", () => {
    const [, model] = contents({ role: "assistant", content: [text("said"), { ...text(""), opaque: "c2ln" }, text("")] });
    expect(model?.parts).toEqual([{ text: "said" }, { text: "", thoughtSignature: "c2ln" }]);
  });

  it("12: what another vendor called has the word that Google takes in place of one, on the first call of each turn", () => {
    const all = contents(
      { role: "assistant", content: [text("let me see"), signed("a"), signed("b")] },
      { role: "tool", content: [result("a", "1"), result("b", "2")] },
      { role: "assistant", content: [signed("c")] },
    );
    expect(all.flatMap(({ parts }) => parts).map((part) => part["thoughtSignature"])).toEqual([
      undefined,
      undefined,
      skipSignature,
      undefined,
      undefined,
      undefined,
      skipSignature,
    ]);
  });

  it("12: that word is no signature when it comes back", () => {
    const { messages } = decode({
      contents: [{ role: "model", parts: [{ functionCall: { name: "f" }, thoughtSignature: skipSignature }] }],
    });
    expect(messages[0]?.content[0]).not.toHaveProperty("opaque");
  });

  it("18: only tokens that the call holds are sent: routing has taken out those of another route", () => {
    const { text: sent } = encode({ messages: [hi, { role: "assistant", content: [{ type: "reasoning", text: "hm" }, text("so")] }, hi] });
    expect(sent).not.toContain("thoughtSignature");
  });

  it("6: of a thought that was streamed comes back on the last of its pieces, and is of the whole", () => {
    const parts = [
      { text: "he", thought: true },
      { text: "llo", thought: true },
      { text: "", thought: true, thoughtSignature: "c2ln" },
    ];
    const [message] = decode({ contents: [{ role: "model", parts: [...parts, { text: "so", thought: true }, { text: "hi" }] }] }).messages;
    expect(message?.content).toEqual([
      { type: "reasoning", text: "hello", opaque: "c2ln" },
      { type: "reasoning", text: "so" },
      { type: "text", text: "hi" },
    ]);
  });

  it("stand with thoughts, texts and pictures as they came", () => {
    const parts = [
      { text: "hm", thought: true, thoughtSignature: "b25l" },
      { text: "", thought: true, thoughtSignature: "dHdv" },
      { inlineData: { mimeType: "image/png", data: "AAAA" }, thoughtSignature: "dHJl" },
      { text: "done", thoughtSignature: "Zm91" },
    ];
    const given = decode({
      contents: [
        { role: "user", parts: [{ text: "draw" }] },
        { role: "model", parts },
      ],
    });
    expect(given.messages[1]?.content).toMatchObject([
      { type: "reasoning", opaque: "b25l" },
      { type: "reasoning", text: "", opaque: "dHdv" },
      { type: "media" },
      { type: "text", opaque: "Zm91" },
    ]);
    expect(encode(given).body.contents[1]?.parts).toEqual(parts);
  });
});

describe("function calls and results", () => {
  it("26: calls without ids get ids of their places, and results find them by their names", () => {
    const { messages } = decode({
      contents: [
        { role: "user", parts: [{ text: "go" }] },
        { role: "model", parts: [{ functionCall: { name: "f" } }, { functionCall: { name: "g" } }, { functionCall: { name: "f" } }] },
        {
          role: "user",
          parts: ["g", "f", "f"].map((name, i) => ({ functionResponse: { name, response: { output: `${name}${i}` } } })),
        },
      ],
    });
    const ids = messages[1]?.content.map((part) => (part.type === "tool-call" ? part.id : ""));
    expect(new Set(ids).size).toBe(3);
    expect(messages[2]?.content.map((part) => (part.type === "tool-result" ? [part.callId, part.content[0]] : []))).toEqual([
      [ids?.[1], text("g0")],
      [ids?.[0], text("f1")],
      [ids?.[2], text("f2")],
    ]);
  });

  it("29: no arguments are an empty object", () => {
    const empty = { ...call("a", "f"), arguments: "" };
    const { body } = encode({ messages: [hi, { role: "assistant", content: [empty] }] });
    expect(body.contents[1]?.parts[0]?.["functionCall"]).toEqual({ id: "a", name: "f", args: {} });
    expect(decode({ contents: [{ role: "model", parts: [{ functionCall: { name: "f" } }] }] }).messages[0]?.content[0]).toMatchObject({
      arguments: "{}",
    });
  });

  it("30: big numbers and the order of keys pass both ways", () => {
    const args = '{"n":12345678901234567890,"2":1,"1":[1.0,{"a":"b c"}]}';
    const sent = encode({ messages: [hi, { role: "assistant", content: [{ ...call("a", "f"), arguments: args }] }] }).text;
    expect(sent).toContain(`"args":${args}`);
    expect(decode(sent).messages[1]?.content[0]).toMatchObject({ arguments: args });
  });

  it("30: arguments that are no JSON object are told as text, with a warning", () => {
    const { body, warnings } = encode({ messages: [hi, { role: "assistant", content: [{ ...call("a", "f"), arguments: '{"x": ' }] }] });
    expect(body.contents[1]?.parts[0]?.["functionCall"]).toMatchObject({ args: { input: '{"x": ' } });
    expect(fieldsOf(warnings)).toEqual(["messages[1].content[0].arguments"]);
  });

  const answered = (said: string, more: object = {}) =>
    encode({
      messages: [hi, { role: "assistant", content: [call("a", "f")] }, { role: "tool", content: [result("a", said, more)] }],
    }).body.contents[2]?.parts[0]?.["functionResponse"];

  it("36: a result has the name of its call, whatever else was called since", () => {
    const { body } = encode({
      messages: [
        hi,
        { role: "assistant", content: [call("a", "f"), call("b", "g")] },
        { role: "tool", content: [result("b", "2"), result("a", "1")] },
      ],
    });
    expect(body.contents[2]?.parts.map((part) => part["functionResponse"])).toMatchObject([
      { id: "b", name: "g" },
      { id: "a", name: "f" },
    ]);
  });

  it("34: a result of no call is left out with a warning", () => {
    const { body, warnings } = encode({ messages: [hi, { role: "tool", content: [result("x", "1")] }] });
    expect(body.contents).toHaveLength(1);
    expect(fieldsOf(warnings)).toEqual(["messages[1].content[0]"]);
  });

  it("37: an error is the response's error, and back", () => {
    expect(answered("no", { isError: true })).toMatchObject({ response: { error: "no" } });
    const { messages } = decode({
      contents: [{ parts: [{ functionResponse: { name: "f", id: "a", response: { error: { code: 5 } } } }] }],
    });
    expect(messages[0]?.content[0]).toMatchObject({ isError: true, content: [text('{"code":5}')] });
  });

  it("a response is always an object: one that is, as it is; all else as its output", () => {
    expect(answered("plain")).toMatchObject({ response: { output: "plain" } });
    expect(answered("[1]")).toMatchObject({ response: { output: "[1]" } });
    expect(answered('{"a":1}')).toMatchObject({ response: { a: 1 } });
    expect(answered('{"error":"x"}')).toMatchObject({ response: { output: { error: "x" } } });
  });

  it("38: pictures and documents of a result are its parts", () => {
    const picture = { type: "media" as const, mediaType: "image/png", source: { kind: "base64" as const, data: "AAAA" } };
    expect(answered("", { content: [text("see"), picture] })).toEqual({
      id: "a",
      name: "f",
      response: { output: "see" },
      parts: [{ inlineData: { mimeType: "image/png", data: "AAAA" } }],
    });
  });

  it("96: a member called __proto__ is a member", () => {
    const body = '{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":{"__proto__":{"x":1}}}}]}],"__proto__":{"y":1}}';
    const given = decode(body);
    expect(given.messages[0]?.content[0]).toMatchObject({ arguments: '{"__proto__":{"x":1}}' });
    expect(({} as Json)["y"]).toBeUndefined();
    expect(() => decode('{"contents":[],"contents":[]}')).toThrow(expect.objectContaining({ code: "validation_failed" }));
  });
});

describe("tools", () => {
  const tool = (name: string, more: object = {}) => ({
    name,
    inputSchema: { type: "object", properties: { a: { type: "string" } } },
    ...more,
  });
  const config = (given: Partial<ModelCall>) => encode({ tools: [tool("f"), tool("g")], ...given }).body["toolConfig"];

  it("39: the choice, with the functions allowed", () => {
    const calling = (functionCallingConfig: object) => ({ functionCallingConfig });
    expect(config({})).toBeUndefined();
    expect(config({ toolChoice: "auto" })).toEqual(calling({ mode: "AUTO" }));
    expect(config({ toolChoice: "none" })).toEqual(calling({ mode: "NONE" }));
    expect(config({ toolChoice: "required" })).toEqual(calling({ mode: "ANY" }));
    expect(config({ toolChoice: { name: "f" } })).toEqual(calling({ mode: "ANY", allowedFunctionNames: ["f"] }));
    expect(config({ toolChoice: { allowed: ["f", "g"], required: true } })).toEqual(
      calling({ mode: "ANY", allowedFunctionNames: ["f", "g"] }),
    );
    expect(config({ toolChoice: { allowed: ["f"], required: false } })).toEqual(
      calling({ mode: "VALIDATED", allowedFunctionNames: ["f"] }),
    );
    expect(fieldsOf(encode({ parallelToolCalls: false }).warnings)).toEqual(["parallelToolCalls"]);
  });

  it("40: none keeps the tools of a conversation that has used them", () => {
    expect(encode({ tools: [tool("f")], toolChoice: "none" }).body["tools"]).toHaveLength(1);
  });

  it("43: tools that Google runs pass as they are, those of another vendor are refused", () => {
    const given = decode({ contents: [], tools: [{ googleSearch: { x: 1 } }, { functionDeclarations: [{ name: "f" }], urlContext: {} }] });
    expect(given.tools).toEqual([
      { hosted: "google-genai", definition: { googleSearch: { x: 1 } } },
      { name: "f", inputSchema: { type: "object", properties: {} } },
      { hosted: "google-genai", definition: { urlContext: {} } },
    ]);
    expect(encode({ ...given, messages: [hi] }).body["tools"]).toEqual([
      { googleSearch: { x: 1 } },
      { functionDeclarations: [{ name: "f" }] },
      { urlContext: {} },
    ]);
    expect(() => encode({ tools: [{ hosted: "anthropic-messages", definition: { type: "web_search" } }] })).toThrow(
      expect.objectContaining({ code: "unsupported_feature", details: { param: "tools[0]" } }),
    );
  });

  it("46: strict functions are VALIDATED, others not", () => {
    expect(config({ tools: [tool("f", { strict: true })] })).toEqual({ functionCallingConfig: { mode: "VALIDATED" } });
    expect(config({ tools: [tool("f", { strict: false })] })).toBeUndefined();
    const given = decode({
      contents: [],
      tools: [{ functionDeclarations: [{ name: "f" }] }],
      toolConfig: { functionCallingConfig: { mode: "VALIDATED" } },
    });
    expect(given).toMatchObject({ toolChoice: "auto", tools: [{ name: "f", strict: true }] });
  });

  it("47, 48: which names go as they are, and that none stands twice", () => {
    const { toolName } = googleGenai.traits;
    for (const name of ["f", "_a.b-c:d", "mcp__server__tool", "x".repeat(64)]) expect(name).toMatch(toolName);
    for (const name of ["", "1f", "a/b", "a b", "-a", "x".repeat(65)]) expect(name).not.toMatch(toolName);
    expect(() => decode({ contents: [], tools: [{ functionDeclarations: [{ name: "f" }, { name: "f" }] }] })).toThrow(
      expect.objectContaining({ details: { param: "tools[0].functionDeclarations[1].name" } }),
    );
  });
});
