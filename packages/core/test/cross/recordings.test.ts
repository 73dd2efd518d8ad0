import { describe, expect, it } from "vitest";
import type { FinishReason, ModelAnswer, ModelEvent, ProtocolId, ToolCallPart, Usage } from "../../src/calls/index.js";
import { joined } from "../wire/chunks.js";
import { expectValid } from "../wire/openai-schema.js";
import { needsData } from "../wire/test-data.js";
import { answerFates } from "./answer-fates.js";
import { recordings } from "./recordings.js";
import { answered, codecs, eventsOf, framesOf, protocols, shown, streamed } from "./wires.js";

/** What every face can carry of an answer, in what it becomes there. */
function essence(answer: ModelAnswer, face: ProtocolId): unknown {
  const candidates = face === "openai-chat" || face === "google-genai" ? answer.candidates : answer.candidates.slice(0, 1);
  return candidates.map(({ content, finishReason }) => {
    const calls = content.flatMap((part) => (part.type === "tool-call" ? [[part.id, part.name, inputOf(part)]] : []));
    const refused = content.some((part) => part.type === "refusal");
    return {
      said: content.map((part) => (part.type === "text" || part.type === "refusal" ? part.text : "")).join(""),
      thought: content.map((part) => (part.type === "reasoning" ? part.text : "")).join(""),
      pictures: content.flatMap((part) =>
        part.type === "media" && part.mediaType.startsWith("image/") && part.source.kind === "base64" ? [part.source.data] : [],
      ),
      calls,
      // Where a refusal is a text of its own it ends as one; Google has no such text.
      ...((refused && face !== "google-genai") || calls.length > 0 ? {} : { end: endIn(face, finishReason) }),
    };
  });
}
/** JSON by its value: a face may write it anew. */
function inputOf({ input, arguments: given }: ToolCallPart): unknown {
  return input === "text" ? given : (JSON.parse(given) as unknown);
}
function endIn(face: ProtocolId, end: FinishReason): unknown {
  const fate = answerFates[`the end ${end}`]?.[face]?.as as readonly unknown[] | undefined;
  return fate === undefined ? end : fate[0];
}

/** Whole sums, which no face may change; each has its own words for the parts. */
function sums(usage: Usage): unknown {
  const sum = (...parts: (number | undefined)[]) => parts.reduce<number>((total, part) => total + (part ?? 0), 0);
  if (usage.inputTokens === undefined || usage.outputTokens === undefined) return "unknown";
  const { inputTokens, cacheReadTokens, cacheWriteTokens, cacheWriteLongTokens, audioInputTokens, imageInputTokens } = usage;
  return {
    input: sum(inputTokens, cacheReadTokens, cacheWriteTokens, cacheWriteLongTokens, audioInputTokens, imageInputTokens),
    output: sum(usage.outputTokens, usage.reasoningTokens, usage.audioOutputTokens, usage.imageOutputTokens),
  };
}

function expectSame(back: ModelAnswer, answer: ModelAnswer, face: ProtocolId): void {
  // What a face makes of an end is checked once; here both sides are what it can say.
  expect(essence(back, face)).toEqual(essence(answer, face));
  if (sums(answer.usage) !== "unknown") expect(sums(back.usage)).toEqual(sums(answer.usage));
}

/** xAI cites without a place: to a caller of its own protocol its annotations go on as they came. */
const describedAsOpenai = recordings.filter(({ vendor, name }) => vendor !== "openai-responses" || !name.includes("xai/"));

/** Without what rides along for the protocol of the vendor itself, and is its vendor's to answer for. */
function foreign(answer: ModelAnswer): ModelAnswer {
  const { extras: _extras, ...rest } = answer;
  const candidates = answer.candidates.map(({ extras: _own, ...candidate }) => ({
    ...candidate,
    content: candidate.content.filter((part) => part.type !== "native"),
  }));
  return { ...rest, candidates };
}

/** Other vendors' words in fields of OpenAI's own are passed on, and not ours to judge. */
function ownOf(body: Record<string, unknown>): Record<string, unknown> {
  const { service_tier: _tier, system_fingerprint: _print, ...own } = body;
  return own;
}
async function expectValidFrames(face: ProtocolId, events: AsyncIterable<ModelEvent>): Promise<void> {
  const frames = (await joined(framesOf(face, events))).trim().split("\n\n");
  const data = frames.map(
    (frame) =>
      frame
        .split("\n")
        .find((line) => line.startsWith("data: "))
        ?.slice("data: ".length) ?? "",
  );
  if (face === "openai-chat") expect(data.pop()).toBe("[DONE]");
  const schema = face === "openai-chat" ? "CreateChatCompletionStreamResponse" : "ResponseStreamEvent";
  for (const text of data) expectValid(schema, ownOf(JSON.parse(text) as Record<string, unknown>));
}

describe("recorded answers", () => {
  it("are there, of every protocol", (context) => {
    needsData(context);
    for (const protocol of protocols) {
      const own = recordings.filter(({ vendor }) => vendor === protocol);
      expect(own.filter(({ events }) => events === null).length).toBeGreaterThanOrEqual(5);
      expect(own.filter(({ events }) => events !== null).length).toBeGreaterThanOrEqual(5);
    }
  });

  // No suite of its own for what is made one a recording: without the data it would be one without a test.
  for (const face of protocols) {
    // Who cannot declare tools that take text is never answered with a call of one.
    const answerable = recordings.filter(({ name }) => codecs[face].traits.textTools || !name.includes("custom-tool"));

    it.each(answerable)(`$name is the same answer to the face ${face}, whole and as a stream`, async ({ answer, events }) => {
      const given = await answer();
      expectSame(answered(face, given), given, face);
      expectSame(await streamed(face, (events ?? (() => eventsOf(given)))()), given, face);
    });
  }

  it.each(recordings)("$name in Chat Completions is what OpenAI describes", async ({ answer, events }) => {
    const given = await answer();
    expectValid("CreateChatCompletionResponse", ownOf(shown("openai-chat", given)));
    await expectValidFrames("openai-chat", (events ?? (() => eventsOf(given)))());
  });

  it.each(describedAsOpenai)("$name in Responses is what OpenAI describes", async ({ vendor, answer, events }) => {
    const isOwn = vendor === "openai-responses";
    const given = isOwn ? foreign(await answer()) : await answer();
    expectValid("Response", ownOf(shown("openai-responses", given)));
    await expectValidFrames("openai-responses", isOwn || events === null ? eventsOf(given) : events());
  });
});
