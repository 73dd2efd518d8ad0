import { describe, expect, it } from "vitest";
import { byTheByte, bytesOf, collect, framesOf, joined, splitAt, stream, textOf } from "../../../test/wire/chunks.js";
import { expectValid } from "../../../test/wire/openai-schema.js";
import { dataFiles, needsData, readData, readDataText } from "../../../test/wire/test-data.js";
import { fold, unfold, type ModelAnswer, type ModelEvent, type Usage } from "../../calls/index.js";
import type { GatewayError } from "../../errors/index.js";
import { openaiChat } from "./openai-chat.js";

const folders = ["openai/chat", "deepseek/chat", "openai-compatible/chat", "groq", "mistral", "xai"].map((folder) => `recorded/${folder}`);
const direct = (folder: string, ending: string) => dataFiles(folder, ending).filter((path) => !path.slice(folder.length + 1).includes("/"));
const streams = folders.flatMap((folder) => direct(folder, ".chunks.txt"));
const wholes = folders.flatMap((folder) => direct(folder, ".json")).filter((path) => !/error|transcription/.test(path));
const requests = dataFiles("requests/requests/completions", ".json");

const chunksOf = (path: string) => readDataText(path).trim().split("\n");
const transcript = (path: string, lineEnd = "\n") => bytesOf(framesOf([...chunksOf(path), "[DONE]"], lineEnd));
const quiet = { includeUsage: true, onError: (error: GatewayError) => expect(error).toBeNull() };
async function* from(events: Iterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  yield* events;
}
/** What both forms of an answer have: a stream has its fields spread over its chunks. */
const essence = ({ extras: _extras, ...answer }: ModelAnswer) => ({
  ...answer,
  candidates: answer.candidates.map(({ extras: _own, ...candidate }) => candidate),
});

describe("recorded streams", () => {
  it("are there", (context) => {
    needsData(context);
    expect(streams.length).toBeGreaterThanOrEqual(12);
  });

  for (const path of streams) {
    it(`${path}: decoded, encoded and decoded again it is the same answer`, async () => {
      const answer = await fold(openaiChat.decodeStream(stream(transcript(path))));
      expect(answer.candidates[0]?.content.length).toBeGreaterThan(0);
      expect(["stop", "tool-calls", "length"]).toContain(answer.candidates[0]?.finishReason);
      expect(answer.usage.inputTokens).toBeGreaterThan(0);
      const frames = await collect(openaiChat.encodeStream(openaiChat.decodeStream(stream(transcript(path))), quiet));
      expect(essence(await fold(openaiChat.decodeStream(stream(...frames))))).toEqual(essence(answer));
      expect(essence(openaiChat.decodeAnswer(openaiChat.encodeAnswer(answer)))).toEqual(essence(answer));
    });

    it(`${path}: by the byte, with any line end, it is what it is as a whole`, async () => {
      const whole = await collect(openaiChat.decodeStream(stream(transcript(path))));
      expect(await collect(openaiChat.decodeStream(byTheByte(transcript(path))))).toEqual(whole);
      for (const lineEnd of ["\r\n", "\r"])
        expect(await collect(openaiChat.decodeStream(stream(transcript(path, lineEnd))))).toEqual(whole);
    });

    it(`${path}: relayed it keeps its bytes and tells its usage`, async () => {
      const bytes = transcript(path);
      const usages: Usage[] = [];
      const relay = (source: AsyncIterable<Uint8Array>) =>
        joined(
          openaiChat.relayStream(source, {
            dropUsage: false,
            watch: { tellable: (error) => error, usage: (usage) => usages.push(usage), failed: (error) => expect(error).toBeNull() },
          }),
        );
      expect(await relay(stream(bytes))).toBe(textOf(bytes));
      expect(usages.at(-1)).toEqual((await fold(openaiChat.decodeStream(stream(bytes)))).usage);
      expect(await relay(byTheByte(bytes))).toBe(textOf(bytes));
    });
  }

  for (const path of streams.filter((given) => transcript(given).length <= 4096))
    it(`${path}: split at every place it is what it is as a whole`, async () => {
      const bytes = transcript(path);
      const whole = await collect(openaiChat.decodeStream(stream(bytes)));
      const watch = {
        tellable: (error: GatewayError) => error,
        usage: () => undefined,
        failed: (error: GatewayError) => expect(error).toBeNull(),
      };
      const kept = await joined(openaiChat.relayStream(stream(bytes), { dropUsage: true, watch }));
      for (let at = 1; at < bytes.length; at++) {
        expect(await collect(openaiChat.decodeStream(splitAt(bytes, at)))).toEqual(whole);
        expect(await joined(openaiChat.relayStream(splitAt(bytes, at), { dropUsage: true, watch }))).toBe(kept);
      }
    });
});

describe("recorded answers", () => {
  it("are there", (context) => {
    needsData(context);
    expect(wholes.length).toBeGreaterThanOrEqual(9);
  });

  for (const path of wholes)
    it(`${path}: decoded, encoded and decoded again, also as a stream, it is the same answer`, async () => {
      const answer = openaiChat.decodeAnswer(readData(path));
      expect(answer.candidates[0]?.content.length).toBeGreaterThan(0);
      expect(essence(openaiChat.decodeAnswer(openaiChat.encodeAnswer(answer)))).toEqual(essence(answer));
      expect(openaiChat.readUsage(readData(path))).toEqual(answer.usage);
      const frames = await collect(openaiChat.encodeStream(from(unfold(answer)), quiet));
      expect(essence(await fold(openaiChat.decodeStream(stream(...frames))))).toEqual(essence(answer));
    });
});

describe("recorded requests", () => {
  it("are there", (context) => {
    needsData(context);
    expect(requests.length).toBeGreaterThanOrEqual(10);
  });

  for (const path of requests)
    it(`${path}: the head agrees with the whole, and encoding what was decoded says the same`, () => {
      const bytes = readData(path);
      const head = openaiChat.scanHead(bytes);
      const call = openaiChat.decodeRequest(bytes);
      expect(head.name).toBe(call.model);
      expect(head.maxOutputTokens).toBe(call.maxOutputTokens);
      const back = openaiChat.encodeRequest(call, {
        model: call.model,
        stream: head.stream,
        quirks: { maxTokensField: "max_tokens" },
      }).bytes;
      const { stream: _stream, ...given } = JSON.parse(textOf(bytes)) as Record<string, unknown>;
      expect(JSON.parse(textOf(back))).toEqual(given);
    });
});

describe("what we encode is what the vendor describes", () => {
  it("whole answers", (context) => {
    needsData(context);
    const schema = "CreateChatCompletionResponse";
    for (const path of wholes)
      expectValid(schema, asVendor(JSON.parse(textOf(openaiChat.encodeAnswer(openaiChat.decodeAnswer(readData(path)))))));
  });

  it("chunks of streams", async (context) => {
    needsData(context);
    const schema = "CreateChatCompletionStreamResponse";
    for (const path of streams) {
      const text = await joined(openaiChat.encodeStream(openaiChat.decodeStream(stream(transcript(path))), quiet));
      const frames = text
        .trim()
        .split("\n\n")
        .map((frame) => frame.slice("data: ".length));
      expect(frames.at(-1)).toBe("[DONE]");
      for (const frame of frames.slice(0, -1)) expectValid(schema, asVendor(JSON.parse(frame)));
    }
  });

  it("requests", (context) => {
    needsData(context);
    const schema = "CreateChatCompletionRequest";
    for (const path of requests) {
      const call = openaiChat.decodeRequest(readData(path));
      const { bytes } = openaiChat.encodeRequest(
        { ...call, n: undefined },
        { model: "gpt-4o", stream: true, quirks: { reasoningField: "none" } },
      );
      expectValid(schema, JSON.parse(textOf(bytes)));
    }
  });

  it("errors", async (context) => {
    needsData(context);
    const schema = "ErrorResponse";
    const { codes, GatewayError } = await import("../../errors/index.js");
    for (const code of Object.keys(codes) as (keyof typeof codes)[])
      expectValid(schema, JSON.parse(textOf(openaiChat.encodeError(new GatewayError(code, "x"), "r").bytes)));
  });
});

/** Without what other vendors put into fields of the vendor's own: they are passed on, and not ours to judge. */
function asVendor(body: unknown): unknown {
  const { service_tier: _tier, system_fingerprint: _print, ...rest } = body as Record<string, unknown>;
  return rest;
}
