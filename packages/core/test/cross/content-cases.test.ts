import { describe, expect, it } from "vitest";
import type { ModelAnswer, ProtocolId } from "../../src/calls/index.js";
import { urlMediaOf, withMedia } from "../../src/wire/shared/adapt-call.js";
import { answerOf } from "./answer-features.js";
import { answered, codecs, plain, protocols, refusedField, sentTo, shown, translate } from "./wires.js";

// Cases of group E of the list of translations that cross protocols.

const user = { role: "user", content: "hi" };
const fromChat = (target: ProtocolId, body: object) =>
  translate({ face: "openai-chat", target }, { model: "m", messages: [user], ...body });
const told = (sent: { warnings: readonly { field: string }[] }) => sent.warnings.map(({ field }) => field);
const from = (protocol: ProtocolId, body: object): ModelAnswer =>
  codecs[protocol].decodeAnswer(new TextEncoder().encode(JSON.stringify(body)));

describe("what is said by whom", () => {
  it("83: the system's and the developer's words at the front, as a text, in parts, several", () => {
    const messages = [
      { role: "system", content: "a" },
      {
        role: "developer",
        content: [
          { type: "text", text: "b" },
          { type: "text", text: "c" },
        ],
      },
      user,
    ];
    expect(fromChat("anthropic-messages", { messages }).body).toMatchObject({
      system: [{ text: "a" }, { text: "b" }, { text: "c" }],
      messages: [user],
    });
    expect(fromChat("google-genai", { messages }).body).toMatchObject({
      systemInstruction: { parts: [{ text: "a" }, { text: "b" }, { text: "c" }] },
    });
    expect(fromChat("openai-responses", { messages }).call.messages.map(({ role }) => role)).toEqual(["system", "developer", "user"]);
  });

  it.each(protocols)("83: to %s in the middle they stay in their place", (target) => {
    const { call } = fromChat(target, { messages: [user, { role: "assistant", content: "a" }, { role: "system", content: "NOW" }, user] });
    const place = call.messages.findIndex((message) => JSON.stringify(message).includes("NOW"));
    expect(place).toBe(2);
  });

  it.each(protocols)("86: to %s empty texts, no content beside calls, blanks and trailing blanks", (target) => {
    const messages = [
      { role: "user", content: "" },
      {
        role: "user",
        content: [
          { type: "text", text: "" },
          { type: "text", text: "hi" },
        ],
      },
      { role: "assistant", content: null, tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }] },
      { role: "tool", tool_call_id: "1", content: "" },
      { role: "assistant", content: " \n" },
      { role: "user", content: "go on" },
      { role: "assistant", content: "so  \n" },
    ];
    const { body, call } = fromChat(target, { messages, tools: [{ type: "function", function: { name: "f" } }] });
    const said = call.messages.flatMap((message) => message.content.map((part) => (part.type === "text" ? part.text : ""))).join("");
    expect(said.replace(/\s/g, "")).toBe("higoonso");
    // Vendors that refuse them get none.
    if (target === "anthropic-messages") expect(JSON.stringify(body)).not.toMatch(/"text":"\s*"|"content":\[\]/);
    if (target === "google-genai") expect(JSON.stringify(body)).not.toMatch(/"parts":\[\]/);
  });

  it.each(["anthropic-messages", "google-genai"] as const)(
    "87: to %s turns of one role are one, and what is said is all there",
    (target) => {
      const messages = [user, user, { role: "assistant", content: "a" }, { role: "assistant", content: "b" }, user];
      const { call } = fromChat(target, { messages });
      expect(call.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    },
  );

  it("87: C→G: a first turn that is not the user's", () => {
    const { body } = fromChat("google-genai", { messages: [{ role: "assistant", content: "a" }, user] });
    expect((body["contents"] as { role: string }[])[0]?.role).toBe("user");
  });

  it.each(protocols)("88: to %s what the assistant is to begin with goes last, for the vendor to take or refuse", (target) => {
    const { call } = fromChat(target, { messages: [user, { role: "assistant", content: "{" }] });
    expect(call.messages.at(-1)).toMatchObject({ role: "assistant", content: [{ text: "{" }] });
  });
});

describe("pictures, documents and sound", () => {
  const asks = (part: object) => ({ messages: [{ role: "user", content: [{ type: "text", text: "see" }, part] }] });

  it.each(protocols)("84: to %s a picture by URL, by data URL, with a detail", (target) => {
    const byUrl = fromChat(target, asks({ type: "image_url", image_url: { url: "https://x.test/a.png" } })).call;
    expect(byUrl.messages[0]?.content[1]).toMatchObject({ type: "media", source: { kind: "url", url: "https://x.test/a.png" } });
    const inline = fromChat(target, asks({ type: "image_url", image_url: { url: "data:image/png;base64,AAAA", detail: "low" } })).call;
    expect(inline.messages[0]?.content[1]).toMatchObject({ mediaType: "image/png", source: { kind: "base64", data: "AAAA" } });
  });

  it("84: what a target does not take by URL is known before, and sent inline when it was fetched", () => {
    const call = codecs["anthropic-messages"].decodeRequest(
      new TextEncoder().encode(
        JSON.stringify({
          model: "m",
          max_tokens: 9,
          messages: [{ role: "user", content: [{ type: "document", source: { type: "url", url: "https://x.test/a.pdf" } }] }],
        }),
      ),
    );
    const target = { traits: codecs["openai-chat"].traits, quirks: {} };
    expect(refusedField(() => sentTo("openai-chat", call))).toBe("messages[0].content[0]");
    expect(urlMediaOf(call, target)).toMatchObject([{ field: "messages[0].content[0]", url: "https://x.test/a.pdf" }]);
    const inlined = withMedia(call, new Map([["https://x.test/a.pdf", { mediaType: "application/pdf", data: "AAAA" }]]));
    expect(urlMediaOf(inlined, target)).toEqual([]);
    expect(sentTo("openai-chat", inlined).body["messages"]).toMatchObject([
      { content: [{ type: "file", file: { file_data: "data:application/pdf;base64,AAAA" } }] },
    ]);
  });

  it("85: sound is refused by its place where the protocol has none, a document is not", () => {
    const sound = asks({ type: "input_audio", input_audio: { data: "AAAA", format: "wav" } });
    expect(refusedField(() => fromChat("anthropic-messages", sound))).toBe("messages[0].content[1]");
    expect(refusedField(() => fromChat("openai-responses", sound))).toBe("messages[0].content[1]");
    expect(fromChat("google-genai", sound).call.messages[0]?.content[1]).toMatchObject({ mediaType: "audio/wav" });
    const document = asks({ type: "file", file: { file_data: "data:application/pdf;base64,AAAA", filename: "a.pdf" } });
    for (const target of protocols)
      expect(fromChat(target, document).call.messages[0]?.content[1]).toMatchObject({ mediaType: "application/pdf" });
  });
});

describe("options", () => {
  it("89: stop sequences arrive, too many are refused or told, and the one that was met is told where a face can", () => {
    for (const target of ["openai-chat", "anthropic-messages", "google-genai"] as const)
      expect(fromChat(target, { stop: ["a", "b"] }).call.stop).toEqual(["a", "b"]);
    expect(refusedField(() => fromChat("openai-responses", { stop: "a" }))).toBe("stop");
    expect(refusedField(() => fromChat("google-genai", { stop: ["1", "2", "3", "4", "5", "6"] }))).toBe("stop");
    const stopped = answerOf([{ type: "text", text: "a" }], { stopSequence: "END" });
    expect(shown("anthropic-messages", stopped)).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: "END" });
    expect(shown("openai-chat", stopped)).toMatchObject({ choices: [{ finish_reason: "stop", stop_reason: "END" }] });
  });

  it("90: several answers, probabilities, zeros and penalties: kept, told, or refused by name", () => {
    for (const target of protocols) {
      expect(fromChat(target, { temperature: 0 }).call.temperature).toBe(0);
      const seeded = fromChat(target, { seed: 0 });
      if (seeded.call.seed !== 0) expect(told(seeded)).toContain("seed");
      const penalised = fromChat(target, { presence_penalty: 1 });
      if (penalised.call.presencePenalty !== 1) expect(told(penalised)).toContain("presencePenalty");
    }
    expect(fromChat("google-genai", { n: 2, logprobs: true, top_logprobs: 3 }).body["generationConfig"]).toMatchObject({
      candidateCount: 2,
      responseLogprobs: true,
      logprobs: 3,
    });
    expect(refusedField(() => fromChat("anthropic-messages", { n: 2 }))).toBe("n");
    expect(refusedField(() => fromChat("openai-responses", { n: 2 }))).toBe("n");
    expect(refusedField(() => fromChat("anthropic-messages", { logprobs: true }))).toBe("logprobs");
  });

  it("91: one limit under every name, and a default where the protocol demands one", () => {
    for (const said of [{ max_tokens: 77 }, { max_completion_tokens: 77 }]) {
      expect(fromChat("openai-chat", said).body["max_completion_tokens"]).toBe(77);
      expect(fromChat("openai-responses", said).body["max_output_tokens"]).toBe(77);
      expect(fromChat("anthropic-messages", said).body["max_tokens"]).toBe(77);
      expect(fromChat("google-genai", said).body["generationConfig"]).toMatchObject({ maxOutputTokens: 77 });
    }
    expect(fromChat("anthropic-messages", {}).body["max_tokens"]).toBeGreaterThan(0);
  });

  it("94: a schema with references, recursion, unions with null, constants and bounds, to every target, with a word about what was taken out", () => {
    const schema = {
      type: "object",
      properties: {
        kind: { const: "a" },
        count: { type: "integer", exclusiveMinimum: 0 },
        mail: { type: "string", format: "email", pattern: "@" },
        maybe: { anyOf: [{ type: "string" }, { type: "null" }] },
        level: { enum: [1, 2] },
        children: { type: "array", items: { $ref: "#/$defs/node" } },
      },
      required: ["kind"],
      propertyNames: { pattern: "^[a-z]+$" },
      $defs: { node: { type: "object", properties: { next: { $ref: "#/$defs/node" } } } },
    };
    for (const target of protocols) {
      const sent = fromChat(target, {
        response_format: { type: "json_schema", json_schema: { name: "s", schema } },
        tools: [{ type: "function", function: { name: "f", parameters: schema } }],
      });
      expect(sent.call.output?.type).toBe("json-schema");
      const text = JSON.stringify(sent.body);
      for (const name of Object.keys(schema.properties)) expect(text).toContain(`"${name}"`);
      const arrived = JSON.stringify(plain(sent.call.output)).includes("exclusiveMinimum");
      if (!arrived) expect(told(sent).some((field) => /output|schema/.test(field))).toBe(true);
    }
  });

  it("95: metadata and the user go where there is a place, or are told", () => {
    for (const target of protocols) {
      const sent = fromChat(target, { user: "u", metadata: { Team: "A b" } });
      if (sent.call.user !== "u") expect(told(sent)).toContain("user");
      if (sent.call.metadata === undefined) expect(told(sent).some((field) => field.startsWith("metadata"))).toBe(true);
      expect(fromChat(target, { safety_identifier: "u" }).call.user ?? "u").toBe("u");
    }
  });

  it("95: what both of OpenAI's dialects know passes between them as what it is, and is no loss", () => {
    const same = {
      ...{ safety_identifier: "s", prompt_cache_key: "k", prompt_cache_retention: "24h", service_tier: "flex" },
      metadata: { team: "a" },
    };
    const chat = fromChat("openai-responses", { ...same, verbosity: "low", store: true });
    expect(chat.body).toMatchObject({ ...same, text: { verbosity: "low" }, store: true });
    expect(chat.body).not.toHaveProperty("user");
    const said = {
      model: "m",
      input: "hi",
      store: false,
      ...same,
      user: "u",
      text: { verbosity: "high", format: { type: "json_object" } },
    };
    const responses = translate({ face: "openai-responses", target: "openai-chat" }, said);
    expect(responses.body).toMatchObject({ ...same, user: "u", verbosity: "high", response_format: { type: "json_object" } });
    expect([told(chat), told(responses)]).toEqual([[], []]);
    expect(fromChat("openai-responses", {}).body).toMatchObject({ store: false });
    for (const target of ["anthropic-messages", "google-genai"] as const) {
      const sent = fromChat(target, { verbosity: "low", store: true, prompt_cache_retention: "24h" });
      expect(told(sent)).toEqual(expect.arrayContaining(["verbosity", "store", "promptCacheRetention"]));
      expect(told(fromChat(target, { store: false }))).toEqual([]);
    }
  });
});

describe("what an answer rests on, and what it refuses", () => {
  it("92: places count UTF-16 units in every face, whatever Google counts", () => {
    const said = "😀 é said";
    const google = from("google-genai", {
      candidates: [
        {
          index: 0,
          content: { role: "model", parts: [{ text: said }] },
          finishReason: "STOP",
          groundingMetadata: {
            groundingChunks: [{ web: { uri: "https://x.test/a", title: "A" } }],
            // Bytes of UTF-8: four, a blank, two, a blank.
            groundingSupports: [{ segment: { startIndex: 8, endIndex: 12, text: "said" }, groundingChunkIndices: [0] }],
          },
        },
      ],
    });
    const place = { url: "https://x.test/a", title: "A", start_index: said.indexOf("said"), end_index: said.length };
    expect(shown("openai-chat", google)).toMatchObject({
      choices: [{ message: { annotations: [{ type: "url_citation", url_citation: place }] } }],
    });
    expect(shown("openai-responses", google)).toMatchObject({
      output: [{ content: [{ annotations: [{ type: "url_citation", ...place }] }] }],
    });
    expect(shown("anthropic-messages", google)).toMatchObject({ content: [{ citations: [{ url: "https://x.test/a", title: "A" }] }] });
  });

  it("93: a refusal, and a prompt that is refused without an answer, are no empty success", () => {
    const refusal = answerOf([{ type: "refusal", text: "no" }], { finishReason: "refusal" });
    expect(shown("openai-chat", refusal)).toMatchObject({ choices: [{ message: { refusal: "no" } }] });
    expect(shown("openai-responses", refusal)).toMatchObject({ output: [{ content: [{ type: "refusal", refusal: "no" }] }] });
    expect(shown("anthropic-messages", refusal)).toMatchObject({ stop_reason: "refusal" });
    const blocked = from("google-genai", { promptFeedback: { blockReason: "PROHIBITED_CONTENT" } });
    for (const face of protocols) expect(answered(face, blocked).candidates[0]?.finishReason).toMatch(/content-filter|refusal/);
    expect(shown("openai-chat", blocked)).toMatchObject({ choices: [{ finish_reason: "content_filter" }] });
  });
});

describe("text as it is", () => {
  it("96: members called __proto__ and keys that stand twice harm nobody", () => {
    const body =
      '{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"__proto__":{"type":"string"}}}}}],"metadata":{"__proto__":"x"}}';
    for (const target of protocols) sentTo(target, codecs["openai-chat"].decodeRequest(new TextEncoder().encode(body)));
    expect(({} as Record<string, unknown>)["type"]).toBeUndefined();
    const twice = body.replace('"model":"m"', '"model":"m","model":"n"');
    expect(() => codecs["openai-chat"].decodeRequest(new TextEncoder().encode(twice))).toThrow(
      expect.objectContaining({ code: "validation_failed" }),
    );
  });

  it.each(protocols)("97: to %s NUL, emoji and text from right to left arrive, half a pair does not", (target) => {
    const said = "\u0000 😀 שלום ‏";
    const sent = fromChat(target, { messages: [{ role: "user", content: `${said}\ud800` }] });
    expect(sent.call.messages[0]?.content[0]).toMatchObject({ text: `${said}\ufffd` });
    expect(told(sent)).toContain("messages");
    expect(JSON.stringify(sent.body)).not.toMatch(/\\ud800(?!\\ud[c-f])/i);
  });
});
