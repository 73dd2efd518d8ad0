import { describe, expect, it } from "vitest";
import { byTheByte, bytesOf, collect, framesOf, joined, splitAt, stream, textOf } from "../../../test/wire/chunks.js";
import { dataFiles, needsData, readData, readDataText } from "../../../test/wire/test-data.js";
import { fold, unfold, type ModelAnswer, type ModelEvent, type Usage } from "../../calls/index.js";
import type { GatewayError } from "../../errors/index.js";
import { googleGenai } from "./google-genai.js";

const folder = "recorded/google";
const direct = (ending: string) => dataFiles(folder, ending).filter((path) => !path.slice(folder.length + 1).includes("/"));
const streams = direct(".chunks.txt");
const answers = [...direct(".json").filter((path) => !path.includes("429")), ...dataFiles("requests/response/vertex-gemini", ".json")];
const requests = [...dataFiles("requests/requests/gemini", ".json"), "requests/requests/policies/gemini_with_system.json"].filter(
  () => streams.length > 0,
);

const transcript = (path: string, lineEnd = "\n") => bytesOf(framesOf(readDataText(path).trim().split("\n"), lineEnd));
const quiet = { includeUsage: true, onError: (error: GatewayError) => expect(error).toBeNull() };
async function* from(events: Iterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  yield* events;
}
/** The vendor does not say when an answer was made, then it is the time of reading. */
const timeless = (answer: ModelAnswer) => ({ ...answer, createdAtMs: 0 });
const timelessEvents = (events: readonly ModelEvent[]) =>
  events.map((event) => (event.type === "start" ? { ...event, createdAtMs: 0 } : event));

describe("recorded streams", () => {
  it("are there", (context) => {
    needsData(context);
    expect(streams.length).toBeGreaterThanOrEqual(6);
  });

  for (const path of streams) {
    it(`${path}: decoded, encoded and decoded again it is the same answer`, async () => {
      const answer = await fold(googleGenai.decodeStream(stream(transcript(path))));
      expect(answer.candidates[0]?.content.length).toBeGreaterThan(0);
      expect(["stop", "tool-calls"]).toContain(answer.candidates[0]?.finishReason);
      expect(answer.usage.inputTokens).toBeGreaterThan(0);
      const frames = await collect(googleGenai.encodeStream(googleGenai.decodeStream(stream(transcript(path))), quiet));
      expect(timeless(await fold(googleGenai.decodeStream(stream(...frames))))).toEqual(timeless(answer));
      expect(googleGenai.decodeAnswer(googleGenai.encodeAnswer(answer))).toEqual(answer);
    });

    it(`${path}: by the byte, with any line end, it is what it is as a whole`, async () => {
      const whole = timelessEvents(await collect(googleGenai.decodeStream(stream(transcript(path)))));
      expect(timelessEvents(await collect(googleGenai.decodeStream(byTheByte(transcript(path)))))).toEqual(whole);
      for (const lineEnd of ["\r\n", "\r"])
        expect(timelessEvents(await collect(googleGenai.decodeStream(stream(transcript(path, lineEnd)))))).toEqual(whole);
    });

    it(`${path}: relayed it keeps its bytes and tells its usage`, async () => {
      const bytes = transcript(path);
      const usages: Usage[] = [];
      const relay = (source: AsyncIterable<Uint8Array>) =>
        joined(
          googleGenai.relayStream(source, {
            dropUsage: true,
            watch: { tellable: (error) => error, usage: (usage) => usages.push(usage), failed: (error) => expect(error).toBeNull() },
          }),
        );
      expect(await relay(stream(bytes))).toBe(textOf(bytes));
      expect(usages.at(-1)).toEqual((await fold(googleGenai.decodeStream(stream(bytes)))).usage);
      expect(await relay(byTheByte(bytes))).toBe(textOf(bytes));
    });
  }

  for (const path of streams.filter((given) => transcript(given).length <= 4096))
    it(`${path}: split at every place it is what it is as a whole`, async () => {
      const bytes = transcript(path);
      const whole = timelessEvents(await collect(googleGenai.decodeStream(stream(bytes))));
      const watch = {
        tellable: (error: GatewayError) => error,
        usage: () => undefined,
        failed: (error: GatewayError) => expect(error).toBeNull(),
      };
      for (let at = 1; at < bytes.length; at++) {
        expect(timelessEvents(await collect(googleGenai.decodeStream(splitAt(bytes, at))))).toEqual(whole);
        expect(await joined(googleGenai.relayStream(splitAt(bytes, at), { dropUsage: true, watch }))).toBe(textOf(bytes));
      }
    });
});

describe("recorded streams of arguments in pieces", () => {
  it("45: partialArgs become the JSON text that they are of, in deltas that concatenate to it", async (context) => {
    needsData(context);
    const events = await collect(
      googleGenai.decodeStream(stream(transcript(`${folder}/google-vertex-stream-tool-call-arguments-nested.1.chunks.txt`))),
    );
    const deltas = events.flatMap((event) => (event.type === "tool-call-delta" ? [event.text] : []));
    expect(deltas.length).toBeGreaterThan(50);
    const args = JSON.parse(deltas.join("")) as { recipe: { ingredients: unknown[]; name: string; steps: string[] } };
    expect(args.recipe.name).toBe("Lasagna");
    expect(args.recipe.ingredients).toHaveLength(10);
    expect(args.recipe.ingredients[0]).toEqual({ amount: "16 oz", name: "Lasagna noodles" });
    expect(args.recipe.steps[1]).toBe("Cook lasagna noodles according to package directions, drain and set aside.");
    expect(events.filter((event) => event.type === "tool-call-end")).toHaveLength(1);
  });

  it("45, 9: two calls in pieces are two calls, of which the first is signed", async (context) => {
    needsData(context);
    const path = `${folder}/google-stream-tool-call-arguments.chunks.txt`;
    const { candidates } = await fold(googleGenai.decodeStream(stream(transcript(path))));
    expect(candidates[0]?.content).toMatchObject([
      { type: "tool-call", name: "getWeather", arguments: '{"location":"Boston"}', opaque: expect.stringMatching(/^CiMBjz1r/) as string },
      { type: "tool-call", name: "getWeather", arguments: '{"location":"San Francisco"}' },
    ]);
    const [first, second] = candidates[0]?.content ?? [];
    expect(second).not.toHaveProperty("opaque");
    expect(first).not.toHaveProperty("id", (second as { id: string }).id);
    expect(candidates[0]?.finishReason).toBe("tool-calls");
  });

  it("45: a call whose last piece has no end mark is whole all the same", async (context) => {
    needsData(context);
    const path = `${folder}/google-stream-tool-call-array-arguments-missing-terminal-function-call.chunks.txt`;
    const [call] = (await fold(googleGenai.decodeStream(stream(transcript(path))))).candidates[0]?.content ?? [];
    expect(JSON.parse((call as { arguments: string }).arguments)).toEqual({
      operations: [
        { action: "add", description: "Fresh red apple", itemid: "apple_001", price: 0.5 },
        { action: "add", description: "Ripe yellow banana", itemid: "banana_001", price: 0.3 },
      ],
    });
  });
});

describe("recorded answers", () => {
  it("are there", (context) => {
    needsData(context);
    expect(answers.length).toBeGreaterThanOrEqual(6);
  });

  for (const path of answers)
    it(`${path}: decoded, encoded and decoded again, also as a stream, it is the same answer`, async () => {
      const answer = googleGenai.decodeAnswer(readData(path));
      expect(answer.candidates).toHaveLength(1);
      expect(googleGenai.decodeAnswer(googleGenai.encodeAnswer(answer))).toEqual(answer);
      expect(googleGenai.readUsage(readData(path))).toEqual(answer.usage);
      const frames = await collect(googleGenai.encodeStream(from(unfold(answer)), quiet));
      expect(await fold(googleGenai.decodeStream(stream(...frames)))).toEqual(answer);
    });

  it("93: a prompt that was refused is no empty success", (context) => {
    needsData(context);
    const answer = googleGenai.decodeAnswer(readData("requests/response/vertex-gemini/blocked.json"));
    expect(answer.candidates).toMatchObject([{ content: [], finishReason: "content-filter", rawFinishReason: "SAFETY" }]);
    expect(answer.usage).toEqual({ inputTokens: 12, outputTokens: 0 });
    expect(JSON.parse(textOf(googleGenai.encodeAnswer(answer)))).toMatchObject({ promptFeedback: { blockReason: "SAFETY" } });
  });

  it("99: the wait that an error names in its details is told", (context) => {
    needsData(context);
    const error = googleGenai.decodeError(429, [], readData(`${folder}/google-429-retry-info.json`));
    expect(error).toMatchObject({
      code: "upstream_rate_limited",
      retryAfterMs: 34_400,
      details: { type: "RESOURCE_EXHAUSTED", status: 429 },
    });
    expect(error.details).not.toHaveProperty("reason");
  });

  it("116: Vertex AI's form of vectors", (context) => {
    needsData(context);
    const answer = googleGenai.embed?.decodeAnswer(readData("requests/response/vertex/embeddings.json"));
    expect(answer).toMatchObject({
      vectors: [[-0.006603240966796875, expect.anything(), expect.anything()], expect.anything()],
      usage: { inputTokens: 9 },
    });
  });
});

describe("recorded requests", () => {
  it("are there", (context) => {
    needsData(context);
    expect(requests.length).toBeGreaterThanOrEqual(5);
  });

  for (const path of requests)
    it(`${path}: the head agrees with the whole, and encoding what was decoded says the same`, () => {
      const bytes = readData(path);
      const at = { model: "gemini-x", stream: true };
      const call = googleGenai.decodeRequest(bytes, at);
      const head = googleGenai.scanHead(bytes, at);
      expect(head).toMatchObject({ name: call.model, stream: true, maxOutputTokens: call.maxOutputTokens });
      const back = googleGenai.encodeRequest(call, { model: "gemini-x", stream: true, quirks: {} });
      expect(back.path).toBe("/v1beta/models/gemini-x:streamGenerateContent?alt=sse");
      expect(JSON.parse(textOf(back.bytes))).toEqual(asWeSayIt(JSON.parse(textOf(bytes)) as Body));
      const again = googleGenai.encodeRequest(googleGenai.decodeRequest(back.bytes, at), { model: "gemini-x", stream: true, quirks: {} });
      expect(textOf(again.bytes)).toBe(textOf(back.bytes));
    });
});

interface Body {
  contents: { role: string; parts: unknown[] }[];
  tools?: Record<string, unknown>[];
  generationConfig?: { thinkingConfig?: { thinkingLevel?: string } };
}
/** Turns of one role are one, what stands beside functions is a tool of its own, levels are upper case. */
function asWeSayIt(body: Body): unknown {
  const contents: Body["contents"] = [];
  for (const content of body.contents) {
    const last = contents.at(-1);
    if (last?.role === content.role) contents[contents.length - 1] = { ...last, ...content, parts: [...last.parts, ...content.parts] };
    else contents.push(content);
  }
  const tools = body.tools?.flatMap(({ functionDeclarations, ...own }) => [
    ...(functionDeclarations === undefined ? [] : [{ functionDeclarations }]),
    ...(Object.keys(own).length === 0 ? [] : [own]),
  ]);
  const thinking = body.generationConfig?.thinkingConfig;
  if (thinking?.thinkingLevel !== undefined) thinking.thinkingLevel = thinking.thinkingLevel.toUpperCase();
  return { ...body, contents, ...(tools === undefined ? {} : { tools }) };
}
