import { describe, expect, it } from "vitest";
import type { ModelEvent, ProtocolId, Usage } from "../../src/calls/index.js";
import { GatewayError } from "../../src/errors/index.js";
import { breaking, bytesOf, byTheByte, collect, collectUntilFailure, joined, stream } from "../wire/chunks.js";
import { answerOf } from "./answer-features.js";
import { cells, codecs, eventsOf, framesOf, protocols, shown } from "./wires.js";

// Cases of groups C and D of the list of translations that cross protocols.

const answer = answerOf([
  { type: "reasoning", text: "so", opaque: "c2VhbGVk" },
  { type: "text", text: "hé 😀" },
  { type: "tool-call", id: "c1", name: "f", arguments: '{"a":"b\\"c","n":12345678901234567890}' },
  { type: "tool-call", id: "c2", name: "g", arguments: "{}" },
]);
/** What ends a stream well in each dialect. */
const terminators: Readonly<Record<ProtocolId, RegExp>> = {
  "openai-chat": /\[DONE\]|"finish_reason":"/,
  "openai-responses": /response\.completed/,
  "anthropic-messages": /message_stop/,
  "google-genai": /"finishReason"/,
};
const errorFrames: Readonly<Record<ProtocolId, RegExp>> = {
  "openai-chat": /data: \{"error":\{"message"/,
  "openai-responses": /event: (?:error|response\.failed)/,
  "anthropic-messages": /event: error\ndata: \{"type":"error"/,
  "google-genai": /data: \{"error":\{"code"/,
};
/** A vendor's stream, and the same translated to a face. */
const vendorBytes = async (vendor: ProtocolId) => bytesOf(await joined(framesOf(vendor, eventsOf(answer))));
function told(
  face: ProtocolId,
  events: AsyncIterable<ModelEvent>,
): { readonly frames: AsyncIterable<Uint8Array>; readonly errors: GatewayError[] } {
  const errors: GatewayError[] = [];
  return { frames: codecs[face].encodeStream(events, { includeUsage: true, onError: (error) => void errors.push(error) }), errors };
}

describe.each(cells)("a stream of $target to the face $face", ({ target: vendor, face }) => {
  it("25, 56, 62: by the byte, with strangers between, it is what it is as a whole", async () => {
    const bytes = await vendorBytes(vendor);
    const whole = await joined(told(face, codecs[vendor].decodeStream(stream(bytes))).frames);
    const strange = new TextDecoder().decode(bytes).replace("\n\n", "\n\n: a comment\n\n");
    const again = await joined(told(face, codecs[vendor].decodeStream(byTheByte(bytesOf(strange)))).frames);
    // Google says no time; an answer without one is of now.
    const timeless = (text: string) => text.replace(/"created(?:_at)?":\d+|"createTime":"[^"]*"/g, "");
    expect(timeless(again)).toBe(timeless(whole));
    const calls = (await collect(codecs[face].decodeStream(stream(whole)))).flatMap((event) =>
      event.type === "tool-call-delta" ? [event.text] : [],
    );
    expect(calls.join("")).toContain('{"a":"b\\"c","n":12345678901234567890}');
  });

  it("55: broken off anywhere it ends in the face's error and in no success", async () => {
    const bytes = await vendorBytes(vendor);
    const broken = new GatewayError("upstream_unavailable", "The connection was reset.");
    // Every tenth place: all of them are tried where a protocol is on both sides.
    for (let at = 0; at < bytes.length * 0.6; at += 10) {
      for (const source of [stream(bytes.subarray(0, at)), breaking(broken, bytes.subarray(0, at))]) {
        const { frames, errors } = told(face, codecs[vendor].decodeStream(source));
        const text = await joined(frames);
        expect(errors).toHaveLength(1);
        expect(text).toMatch(errorFrames[face]);
        expect(text).not.toMatch(terminators[face]);
      }
    }
  });
});

describe.each(protocols)("a stream to the face %s", (face) => {
  it("49, 55: a call that was begun and not ended is never told as whole", async () => {
    async function* cut(): AsyncGenerator<ModelEvent> {
      yield { type: "start", id: "r", model: "m", createdAtMs: 1 };
      yield { type: "tool-call-start", index: 0, block: 0, id: "c1", name: "f" };
      yield { type: "tool-call-delta", index: 0, block: 0, text: '{"a":1}' };
      throw new GatewayError("upstream_interrupted", "The vendor's stream ended.");
    }
    const { frames } = told(face, cut());
    const { values, error } = await collectUntilFailure(codecs[face].decodeStream(frames));
    expect(GatewayError.is(error)).toBe(true);
    expect(values.filter(({ type }) => type === "tool-call-end")).toEqual([]);
  });

  it("54: an error after the beginning is the face's error, told once, and the end", async () => {
    async function* fails(): AsyncGenerator<ModelEvent> {
      yield* eventsUntil("text-delta");
      throw new GatewayError("upstream_rate_limited", "slow down");
    }
    const { frames, errors } = told(face, fails());
    const text = await joined(frames);
    expect(errors.map(({ code }) => code)).toEqual(["upstream_rate_limited"]);
    expect(text.match(new RegExp(errorFrames[face], "g"))?.length).toBeGreaterThanOrEqual(1);
    expect(text).not.toMatch(terminators[face]);
  });

  it("51, 52, 53: has a beginning, each block begun and ended, and one end", async () => {
    const text = await joined(framesOf(face, eventsOf(answer)));
    const count = (pattern: RegExp) => text.match(pattern)?.length ?? 0;
    const data = text
      .split("\n")
      .filter((line) => line.startsWith("data: {"))
      .map((line) => JSON.parse(line.slice(6)) as Record<string, unknown>);
    switch (face) {
      case "anthropic-messages":
        expect([count(/event: message_start/g), count(/event: message_stop/g)]).toEqual([1, 1]);
        expect(count(/event: content_block_start/g)).toBe(count(/event: content_block_stop/g));
        expect(data.filter(({ type }) => type === "content_block_start").map(({ index }) => index)).toEqual([0, 1, 2, 3]);
        break;
      case "openai-responses":
        expect(data.map(({ sequence_number: number }) => number)).toEqual(data.map((_event, i) => i));
        expect(count(/event: response\.output_item\.added/g)).toBe(count(/event: response\.output_item\.done/g));
        expect(data.at(-1)?.["type"]).toBe("response.completed");
        break;
      case "openai-chat":
        expect(data[0]).toMatchObject({ choices: [{ delta: { role: "assistant" } }] });
        expect(count(/"finish_reason":"/g)).toBe(1);
        expect(data.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 10 } });
        expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
        break;
      case "google-genai":
        expect(count(/"finishReason"/g)).toBe(1);
        expect(count(/"functionCall"/g)).toBe(2);
    }
  });
});

async function* eventsUntil(type: ModelEvent["type"]): AsyncGenerator<ModelEvent> {
  for await (const event of eventsOf(answer)) {
    yield event;
    if (event.type === type) return;
  }
}

describe("what a call consumed", () => {
  const usageIn = (face: ProtocolId, usage: Usage) => shown(face, answerOf([{ type: "text", text: "a" }], {}, usage));
  const read = (vendor: ProtocolId, body: object) => codecs[vendor].decodeAnswer(bytesOf(JSON.stringify(body))).usage;

  it("65: M→C: the prompt is all that was read; what was cached is what was read from the cache", () => {
    const usage = read("anthropic-messages", {
      id: "msg",
      type: "message",
      role: "assistant",
      model: "m",
      content: [{ type: "text", text: "a" }],
      stop_reason: "end_turn",
      usage: { input_tokens: 10, cache_creation_input_tokens: 30, cache_read_input_tokens: 20, output_tokens: 5 },
    });
    expect(usageIn("openai-chat", usage)["usage"]).toMatchObject({
      prompt_tokens: 60,
      completion_tokens: 5,
      prompt_tokens_details: { cached_tokens: 20 },
    });
    expect(usageIn("openai-responses", usage)["usage"]).toMatchObject({ input_tokens: 60, input_tokens_details: { cached_tokens: 20 } });
    expect(usageIn("google-genai", usage)["usageMetadata"]).toMatchObject({ promptTokenCount: 60, cachedContentTokenCount: 20 });
  });

  it("66: C→M: the input is without what was cached, and never less than nothing", () => {
    const usage = (prompt: number, cached: number) =>
      read("openai-chat", {
        id: "x",
        model: "m",
        choices: [{ index: 0, message: { content: "a" }, finish_reason: "stop" }],
        usage: { prompt_tokens: prompt, completion_tokens: 5, total_tokens: prompt + 5, prompt_tokens_details: { cached_tokens: cached } },
      });
    expect(usageIn("anthropic-messages", usage(60, 20))["usage"]).toMatchObject({
      input_tokens: 40,
      cache_read_input_tokens: 20,
      output_tokens: 5,
    });
    expect(usageIn("anthropic-messages", usage(5, 9))["usage"]).toMatchObject({ input_tokens: 0, cache_read_input_tokens: 5 });
  });

  it("70: G: the output is candidates and thoughts, the input has what tools used", () => {
    const usage = read("google-genai", {
      candidates: [{ index: 0, content: { role: "model", parts: [{ text: "a" }] }, finishReason: "STOP" }],
      usageMetadata: {
        promptTokenCount: 10,
        toolUsePromptTokenCount: 4,
        cachedContentTokenCount: 3,
        candidatesTokenCount: 5,
        thoughtsTokenCount: 7,
        totalTokenCount: 26,
      },
    });
    expect(usageIn("openai-chat", usage)["usage"]).toMatchObject({
      prompt_tokens: 14,
      completion_tokens: 12,
      total_tokens: 26,
      completion_tokens_details: { reasoning_tokens: 7 },
      prompt_tokens_details: { cached_tokens: 3 },
    });
    expect(usageIn("anthropic-messages", usage)["usage"]).toMatchObject({
      input_tokens: 11,
      cache_read_input_tokens: 3,
      output_tokens: 12,
    });
  });

  it("73: writing to a cache for long is a count of its own, from M to R and back", () => {
    const usage: Usage = { inputTokens: 1, cacheWriteTokens: 2, cacheWriteLongTokens: 3, outputTokens: 4 };
    expect(usageIn("anthropic-messages", usage)["usage"]).toMatchObject({
      cache_creation_input_tokens: 5,
      cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 3 },
    });
    const back = codecs["openai-responses"].decodeAnswer(
      codecs["openai-responses"].encodeAnswer(answerOf([{ type: "text", text: "a" }], {}, usage)),
    ).usage;
    expect(back).toMatchObject(usage);
  });

  it("71: more reasoning than output is cut to it, whoever asks", () => {
    const usage = read("openai-chat", {
      id: "x",
      model: "m",
      choices: [{ index: 0, message: { content: "a" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 5, completion_tokens: 4, completion_tokens_details: { reasoning_tokens: 9 } },
    });
    for (const face of protocols)
      expect(codecs[face].decodeAnswer(codecs[face].encodeAnswer(answerOf([{ type: "text", text: "a" }], {}, usage))).usage).toMatchObject({
        outputTokens: 0,
        reasoningTokens: 4,
      });
  });
});
