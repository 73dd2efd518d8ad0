import { describe, expect, it } from "vitest";
import { byTheByte, bytesOf, collect, joined, splitAt, stream, textOf } from "../../../test/wire/chunks.js";
import { dataFiles, needsData, readData, readDataText } from "../../../test/wire/test-data.js";
import { fold, unfold, type ModelAnswer, type ModelEvent, type Usage } from "../../calls/index.js";
import type { GatewayError } from "../../errors/index.js";
import { anthropicMessages as codec } from "./anthropic-messages.js";

const folder = "recorded/anthropic";
const direct = (ending: string) => dataFiles(folder, ending).filter((path) => !path.slice(folder.length + 1).includes("/"));
/** One answer was spliced into another here: it is refused, which another test shows. */
const spliced = `${folder}/spliced-message-start.chunks.txt`;
const wholes = [...direct(".json"), ...dataFiles("requests/response/anthropic", "thinking.json")];
const requests = dataFiles("requests/requests/messages", ".json");

interface Transcript {
  readonly name: string;
  readonly text: string;
}
/** A recording may hold several answers, one behind the other; the gateway's requests hold events with their names. */
const transcripts: readonly Transcript[] = [
  ...direct(".chunks.txt")
    .filter((path) => path !== spliced)
    .flatMap((path) =>
      answersIn(readDataText(path).trim().split("\n")).map((lines, i) => ({
        name: `${path} (${i + 1})`,
        text: lines.map(framed).join(""),
      })),
    ),
  ...dataFiles("requests/response/anthropic", ".json")
    .filter((path) => path.includes("/stream_"))
    .map((path) => ({ name: path, text: `${readDataText(path).trimEnd()}\n\n` })),
];

function answersIn(lines: readonly string[]): string[][] {
  const answers: string[][] = [[]];
  for (const line of lines.filter((given) => given.trim() !== "")) {
    answers.at(-1)?.push(line);
    if (typeOf(line) === "message_stop") answers.push([]);
  }
  return answers.filter((answer) => answer.length > 0);
}
function typeOf(line: string): string {
  return (JSON.parse(line) as { type: string }).type;
}
function framed(line: string): string {
  return `event: ${typeOf(line)}\ndata: ${line}\n\n`;
}

const quiet = { includeUsage: true, onError: (error: GatewayError) => expect(error).toBeNull() };
async function* from(events: Iterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  yield* events;
}
/** The protocol says no time of creation. */
const timeless = (answer: ModelAnswer) => ({ ...answer, createdAtMs: 0 });
const timelessEvents = (events: readonly ModelEvent[]) =>
  events.map((event) => (event.type === "start" ? { ...event, createdAtMs: 0 } : event));
/** Without the raw usage, which rides along and grows by our own words when it is written again. */
const essence = ({ extras, ...answer }: ModelAnswer) => {
  const { usage: _usage, ...own } = extras?.["anthropic-messages"] ?? {};
  return { ...timeless(answer), own };
};
const decodeText = (text: string) => collect(codec.decodeStream(stream(text)));
const watchFor = (usages: Usage[]) => ({
  tellable: (error: GatewayError) => error,
  usage: (usage: Usage) => void usages.push(usage),
  failed: (error: GatewayError) => expect(error).toBeNull(),
});

describe("recorded streams", () => {
  it("are there", (context) => {
    needsData(context);
    expect(transcripts.length).toBeGreaterThanOrEqual(35);
  });

  for (const { name, text } of transcripts) {
    it(`${name}: decoded, encoded and decoded again, also as a whole, it is the same answer`, async () => {
      const answer = await fold(codec.decodeStream(stream(text)));
      expect(["stop", "tool-calls"]).toContain(answer.candidates[0]?.finishReason);
      expect(answer.usage.outputTokens).toBeGreaterThanOrEqual(0);
      const frames = await collect(codec.encodeStream(codec.decodeStream(stream(text)), quiet));
      expect(essence(await fold(codec.decodeStream(stream(...frames))))).toEqual(essence(answer));
      expect(essence(codec.decodeAnswer(codec.encodeAnswer(answer)))).toEqual(essence(answer));
    });

    it(`${name}: by the byte, with any line end, it is what it is as a whole`, async () => {
      const whole = timelessEvents(await decodeText(text));
      expect(timelessEvents(await collect(codec.decodeStream(byTheByte(bytesOf(text)))))).toEqual(whole);
      for (const lineEnd of ["\r\n", "\r"]) expect(timelessEvents(await decodeText(text.replaceAll("\n", lineEnd)))).toEqual(whole);
    });

    it(`${name}: relayed it keeps its bytes and tells its usage`, async () => {
      const usages: Usage[] = [];
      const relay = (source: AsyncIterable<Uint8Array>) => joined(codec.relayStream(source, { dropUsage: false, watch: watchFor(usages) }));
      expect(await relay(stream(text))).toBe(text);
      expect(usages.at(-1)).toEqual((await fold(codec.decodeStream(stream(text)))).usage);
      expect(await relay(byTheByte(bytesOf(text)))).toBe(text);
    });
  }

  for (const { name, text } of transcripts.filter((given) => bytesOf(given.text).length <= 4096))
    it(`${name}: split at every place it is what it is as a whole`, async () => {
      const bytes = bytesOf(text);
      const whole = timelessEvents(await decodeText(text));
      for (let at = 1; at < bytes.length; at++) {
        expect(timelessEvents(await collect(codec.decodeStream(splitAt(bytes, at))))).toEqual(whole);
        expect(await joined(codec.relayStream(splitAt(bytes, at), { dropUsage: true, watch: watchFor([]) }))).toBe(text);
      }
    });

  it("51: one answer spliced into another is refused, and its call is handed on by nobody", async (context) => {
    needsData(context);
    const text = readDataText(spliced).trim().split("\n").map(framed).join("");
    await expect(fold(codec.decodeStream(stream(text)))).rejects.toMatchObject({ code: "upstream_protocol" });
  });
});

describe("recorded answers", () => {
  it("are there", (context) => {
    needsData(context);
    expect(wholes.length).toBeGreaterThanOrEqual(20);
  });

  for (const path of wholes)
    it(`${path}: decoded, encoded and decoded again, also as a stream, it is the same answer`, async () => {
      const answer = codec.decodeAnswer(readData(path));
      expect(["stop", "tool-calls", "refusal"]).toContain(answer.candidates[0]?.finishReason);
      expect(essence(codec.decodeAnswer(codec.encodeAnswer(answer)))).toEqual(essence(answer));
      expect(codec.readUsage(readData(path))).toEqual(answer.usage);
      const frames = await collect(codec.encodeStream(from(unfold(answer)), quiet));
      expect(essence(await fold(codec.decodeStream(stream(...frames))))).toEqual(essence(answer));
    });

  for (const path of wholes)
    it(`${path}: its content is written as it came`, () => {
      const given = JSON.parse(readDataText(path)) as { content: unknown; stop_reason: unknown };
      const written = JSON.parse(textOf(codec.encodeAnswer(codec.decodeAnswer(readData(path))))) as typeof given;
      expect(written.content).toEqual(given.content);
      expect(written.stop_reason).toEqual(given.stop_reason);
    });
});

describe("recorded requests", () => {
  it("are there", (context) => {
    needsData(context);
    expect(requests.length).toBeGreaterThanOrEqual(9);
  });

  for (const path of requests)
    it(`${path}: the head agrees with the whole, and encoding what was decoded says the same`, () => {
      const bytes = readData(path);
      const head = codec.scanHead(bytes);
      const call = codec.decodeRequest(bytes);
      expect(head.name).toBe(call.model);
      expect(head.maxOutputTokens).toBe(call.maxOutputTokens);
      const back = codec.encodeRequest(call, { model: call.model, stream: head.stream, quirks: {} });
      const given = JSON.parse(textOf(bytes)) as Record<string, unknown>;
      const marks = textOf(bytes).split('"cache_control"').length - 1;
      // With more marks than the vendor takes the request was one for our gateway alone.
      if (marks > 4) expect(back.warnings).toEqual([{ field: "cache", what: expect.stringContaining("marks") as string }]);
      else expect(asBlocks(JSON.parse(textOf(back.bytes)))).toEqual(asBlocks(given));
    });
});

/** Texts as lists of one block: both forms say the same. */
function asBlocks(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(asBlocks);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      (key === "content" || key === "system") && typeof inner === "string" ? [{ type: "text", text: inner }] : asBlocks(inner),
    ]),
  );
}
