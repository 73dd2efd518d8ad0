import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkMutatedBodies } from "../../../../test/wire/mutated-bodies.js";
import { utf8 } from "../../../util/json.js";
import type { Quirks } from "../../shared/codec.js";
import { openaiChat } from "../openai-chat.js";

const scan = (text: string) => openaiChat.scanHead(utf8(text));
const body = (more: string) => `{"model":"a/b","messages":[]${more === "" ? "" : `,${more}`}}`;
function splice(text: string, o: { model?: string; quirks?: Quirks } = {}): string {
  const bytes = utf8(text);
  const head = openaiChat.scanHead(bytes);
  const { bytes: out } = openaiChat.spliceRequest(bytes, head, { model: o.model ?? head.name, quirks: o.quirks ?? {} });
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(out);
}

describe("the head", () => {
  it("is read with the places of its parts", () => {
    const text =
      ' {"stream_options" : {"include_usage": true}, "model":"gpt\\u002d5", "max_tokens" : 7,"stream":true ,"messages":[{"role":"user"}]} ';
    const head = scan(text);
    expect(head).toMatchObject({
      kind: "model",
      protocol: "openai-chat",
      operation: "generate",
      name: "gpt-5",
      stream: true,
      maxOutputTokens: 7,
      wantsUsage: true,
    });
    const spans = Object.fromEntries(Object.entries(head.spans).map(([name, { start, end }]) => [name, text.slice(start, end)]));
    expect(spans).toEqual({
      stream_options: '{"include_usage": true}',
      "stream_options.include_usage": "true",
      model: '"gpt\\u002d5"',
      max_tokens: "7",
      stream: "true",
      messages: '[{"role":"user"}]',
    });
  });

  it.each([
    ["", { stream: false, wantsUsage: false, maxOutputTokens: undefined }],
    ['"stream":null,"stream_options":null,"max_tokens":null', { stream: false, wantsUsage: false, maxOutputTokens: undefined }],
    ['"stream":false,"stream_options":{}', { stream: false, wantsUsage: false }],
    ['"max_tokens":5,"max_completion_tokens":9', { maxOutputTokens: 9 }],
    ['"max_tokens":9,"max_completion_tokens":5', { maxOutputTokens: 9 }],
    ['"x":{"model":"other","stream":true}', { name: "a/b", stream: false }],
  ])("with %s", (more, expected) => {
    expect(scan(body(more))).toMatchObject(expected);
  });

  it.each([
    ["", "invalid_json", undefined],
    ["{", "invalid_json", undefined],
    ["{}x", "invalid_json", undefined],
    ['{"model":"a","messages":[],}', "invalid_json", undefined],
    ["[]", "validation_failed", ""],
    ["null", "validation_failed", ""],
    ["{}", "validation_failed", "model"],
    ['{"model":"a"}', "validation_failed", "messages"],
    ['{"model":5,"messages":[]}', "validation_failed", "model"],
    ['{"model":null,"messages":[]}', "validation_failed", "model"],
    ['{"model":"","messages":[]}', "validation_failed", "model"],
    ['{"model":"a","messages":"hi"}', "validation_failed", "messages"],
    [body('"stream":"yes"'), "validation_failed", "stream"],
    [body('"stream_options":[]'), "validation_failed", "stream_options"],
    [body('"stream_options":{"include_usage":1}'), "validation_failed", "stream_options.include_usage"],
    [body('"max_tokens":1.5'), "validation_failed", "max_tokens"],
    [body('"max_tokens":-1'), "validation_failed", "max_tokens"],
    [body('"max_tokens":"9"'), "validation_failed", "max_tokens"],
    [body('"max_completion_tokens":1e999'), "validation_failed", "max_completion_tokens"],
    [body('"model":"c"'), "validation_failed", "model"],
    [body('"mod\\u0065l":"c"'), "validation_failed", "model"],
    [body('"messages":[1]'), "validation_failed", "messages"],
    [body('"stream":true,"stream":false'), "validation_failed", "stream"],
    [body('"stream_options":{"include_usage":true,"include_usage":false}'), "validation_failed", "stream_options.include_usage"],
    [body('"tools":[],"tools":[]'), "validation_failed", "tools"],
  ])("%s is refused as %s", (text, code, param) => {
    expect(() => scan(text)).toThrow(expect.objectContaining({ code, ...(param === undefined ? {} : { details: { param } }) }));
  });

  it("quotes nothing of the body in an error", () => {
    const refused = ['{"model":"secret-name" x', '{"model":{"secret-name":1},"messages":[]}'].map((text) => {
      try {
        scan(text);
        return "";
      } catch (error) {
        return JSON.stringify(error);
      }
    });
    expect(refused.join()).not.toContain("secret");
  });

  it("is decided like the whole on mutated bodies, with typed errors only", () => {
    expect(() => checkMutatedBodies(2000)).not.toThrow();
  });
});

describe("the splice", () => {
  it("replaces the name and leaves every other byte", () => {
    expect(splice('{ "x":1.0e1 ,\n"model" : "openai/gpt" ,"messages":[ ] , "u":"\\u00e9é" }', { model: 'g"p' })).toBe(
      '{ "x":1.0e1 ,\n"model" : "g\\"p" ,"messages":[ ] , "u":"\\u00e9é" }',
    );
  });

  it("gives the caller's own array when nothing changes", () => {
    const bytes = utf8(body(""));
    expect(openaiChat.spliceRequest(bytes, openaiChat.scanHead(bytes), { model: "a/b", quirks: {} }).bytes).toBe(bytes);
  });

  it.each([
    [
      "no options",
      '{"model":"a","stream":true,"messages":[]}',
      '{"stream_options":{"include_usage":true},"model":"a","stream":true,"messages":[]}',
    ],
    [
      "options that are null",
      '{"model":"a","stream":true,"stream_options":null,"messages":[]}',
      '{"model":"a","stream":true,"stream_options":{"include_usage":true},"messages":[]}',
    ],
    [
      "empty options",
      '{"stream_options":{ },"model":"a","stream":true,"messages":[]}',
      '{"stream_options":{"include_usage":true },"model":"a","stream":true,"messages":[]}',
    ],
    [
      "other options",
      '{"stream_options":{"include_obfuscation":false},"model":"a","stream":true,"messages":[]}',
      '{"stream_options":{"include_usage":true,"include_obfuscation":false},"model":"a","stream":true,"messages":[]}',
    ],
    [
      "usage that was declined",
      '{"messages":[],"stream_options":{"include_usage" : false},"model":"a","stream":true}',
      '{"messages":[],"stream_options":{"include_usage" : true},"model":"a","stream":true}',
    ],
    [
      "usage that was asked for",
      '{"messages":[],"stream_options":{"include_usage":true},"model":"a","stream":true}',
      '{"messages":[],"stream_options":{"include_usage":true},"model":"a","stream":true}',
    ],
    [
      "no stream",
      '{"messages":[],"stream_options":{},"model":"a","stream":false}',
      '{"messages":[],"stream_options":{},"model":"a","stream":false}',
    ],
  ])("asks for usage in a stream with %s", (_name, given, expected) => {
    expect(splice(given)).toBe(expected);
    const renamed = splice(given, { model: "long/name" });
    expect(JSON.parse(renamed)).toEqual({ ...(JSON.parse(expected) as object), model: "long/name" });
  });

  it("does not ask a vendor that does not know usage in streams", () => {
    const text = '{"model":"a","stream":true,"messages":[]}';
    expect(splice(text, { quirks: { usageInStream: false } })).toBe(text);
  });

  it("names path and headers", () => {
    const bytes = utf8('{"model":"a","stream":true,"messages":[]}');
    expect(openaiChat.spliceRequest(bytes, openaiChat.scanHead(bytes), { model: "a", quirks: {} })).toMatchObject({
      path: "/chat/completions",
      headers: [
        ["content-type", "application/json"],
        ["accept", "text/event-stream"],
      ],
    });
  });

  it("changes what it means only in the name and the usage, whatever else is said", () => {
    const fields = fc.dictionary(
      fc
        .string()
        .filter(
          (key) =>
            ![
              "model",
              "messages",
              "stream",
              "stream_options",
              "n",
              "tools",
              "tool_choice",
              "functions",
              "function_call",
              "response_format",
              "max_tokens",
              "max_completion_tokens",
            ].includes(key),
        ),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fields, fc.boolean(), fc.nat({ max: 2 }), (more, stream, indent) => {
        const given = { ...more, model: "a/b", stream, messages: [] };
        const expected = { ...given, model: "c", ...(stream ? { stream_options: { include_usage: true } } : {}) };
        expect(JSON.parse(splice(JSON.stringify(given, null, indent), { model: "c" }))).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
    );
  });
});
