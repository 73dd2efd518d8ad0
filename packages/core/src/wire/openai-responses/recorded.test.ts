import { describe, expect, it } from "vitest";
import { byTheByte, bytesOf, collect, joined, splitAt, stream, textOf } from "../../../test/wire/chunks.js";
import { expectValid } from "../../../test/wire/openai-schema.js";
import { dataFiles, needsData, readData, readDataText } from "../../../test/wire/test-data.js";
import { fold, unfold, type ModelAnswer, type ModelEvent, type Usage } from "../../calls/index.js";
import type { GatewayError } from "../../errors/index.js";
import { openaiResponses } from "./openai-responses.js";

const folders = ["openai", "xai", "open-responses"].map((vendor) => `recorded/${vendor}/responses`);
const wholes = [
  ...folders.flatMap((folder) => dataFiles(folder, ".json")).filter((path) => !path.includes("error")),
  ...dataFiles("requests/response/responses", ".json").filter((path) => !path.includes("stream-")),
];

/** What some recordings had taken out, and we would make up anew each time: the time, and the ids. */
const steady = (text: string) =>
  text
    .replaceAll('"created_at":0', '"created_at":1700000000')
    .replaceAll('"id":""', '"id":"x"')
    .replace(/("id": "resp_123",)(?! *\n *"created)/, '$1 "created_at": 1700000000,');
/** A recording of several calls is several streams. */
interface Transcript {
  readonly name: string;
  readonly events: readonly string[];
}
const recorded: Transcript[] = folders
  .flatMap((folder) => dataFiles(folder, ".chunks.txt"))
  .filter((path) => !path.includes("error"))
  .flatMap((path) => {
    const streams: string[][] = [];
    for (const line of steady(readDataText(path)).trim().split("\n")) {
      if (line.includes('"type":"response.created"')) streams.push([]);
      streams.at(-1)?.push(line);
    }
    return streams.map((events, i) => ({ name: `${path} ${i + 1}`, events }));
  });
const typeOf = (event: string) => (JSON.parse(event) as { type: string }).type;
const transcript = ({ events }: Transcript, lineEnd = "\n") =>
  bytesOf(events.map((event) => `event: ${typeOf(event)}${lineEnd}data: ${event}${lineEnd}${lineEnd}`).join(""));
const frameFiles = dataFiles("requests/response/responses", ".json").filter((path) => path.includes("stream-"));
const streams: { readonly name: string; readonly bytes: (lineEnd?: string) => Uint8Array }[] = [
  ...recorded.map((given) => ({ name: given.name, bytes: (lineEnd?: string) => transcript(given, lineEnd) })),
  ...frameFiles.map((path) => ({
    name: path,
    bytes: (lineEnd = "\n") => bytesOf(steady(readDataText(path)).replaceAll("\n", lineEnd)),
  })),
];

const quiet = { includeUsage: true, onError: (error: GatewayError) => expect(error).toBeNull() };
async function* from(events: Iterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  yield* events;
}
/** Without what the answer says of its request: of that a re-encoded answer has what the protocol demands. */
const essence = ({ extras: _extras, ...answer }: ModelAnswer) => answer;
/** The vendor seals the same reasoning another time for the response at the end. */
const sealedAnew = (answer: ModelAnswer): unknown =>
  JSON.parse(JSON.stringify(essence(answer), (key, value: unknown) => (key === "opaque" ? "sealed" : value)));
const decoded = (bytes: Uint8Array) => fold(openaiResponses.decodeStream(stream(bytes)));

describe("recorded streams", () => {
  it("are there", (context) => {
    needsData(context);
    expect(streams.length).toBeGreaterThanOrEqual(24);
  });

  for (const { name, bytes } of streams) {
    it(`${name}: decoded, encoded and decoded again it is the same answer`, async () => {
      const answer = await decoded(bytes());
      expect(["stop", "tool-calls", "refusal"]).toContain(answer.candidates[0]?.finishReason);
      const frames = await collect(openaiResponses.encodeStream(openaiResponses.decodeStream(stream(bytes())), quiet));
      expect(essence(await fold(openaiResponses.decodeStream(stream(...frames))))).toEqual(essence(answer));
      expect(essence(openaiResponses.decodeAnswer(openaiResponses.encodeAnswer(answer)))).toEqual(essence(answer));
    });

    it(`${name}: by the byte, with any line end, it is what it is as a whole`, async () => {
      const whole = await collect(openaiResponses.decodeStream(stream(bytes())));
      expect(await collect(openaiResponses.decodeStream(byTheByte(bytes())))).toEqual(whole);
      for (const lineEnd of ["\r\n", "\r"]) expect(await collect(openaiResponses.decodeStream(stream(bytes(lineEnd))))).toEqual(whole);
    });

    it(`${name}: relayed it keeps its bytes and tells its usage`, async () => {
      const usages: Usage[] = [];
      const watch = {
        tellable: (error: GatewayError) => error,
        usage: (usage: Usage) => usages.push(usage),
        failed: (error: GatewayError) => expect(error).toBeNull(),
      };
      const relay = (source: AsyncIterable<Uint8Array>) => joined(openaiResponses.relayStream(source, { dropUsage: true, watch }));
      expect(await relay(stream(bytes()))).toBe(textOf(bytes()));
      expect(usages.at(-1)).toEqual((await decoded(bytes())).usage);
      expect(await relay(byTheByte(bytes()))).toBe(textOf(bytes()));
    });
  }

  for (const { name, bytes } of streams.filter((given) => given.bytes().length <= 4096))
    it(`56: ${name}: split at every place it is what it is as a whole`, async () => {
      const whole = await collect(openaiResponses.decodeStream(stream(bytes())));
      const watch = {
        tellable: (error: GatewayError) => error,
        usage: () => undefined,
        failed: (error: GatewayError) => expect(error).toBeNull(),
      };
      for (let at = 1; at < bytes().length; at++) {
        expect(await collect(openaiResponses.decodeStream(splitAt(bytes(), at)))).toEqual(whole);
        expect(await joined(openaiResponses.relayStream(splitAt(bytes(), at), { dropUsage: true, watch }))).toBe(textOf(bytes()));
      }
    });

  for (const given of recorded)
    it(`64: ${given.name}: the response at the end of the stream, read as a whole answer, is the same answer`, async () => {
      const last = JSON.parse(given.events.at(-1) as string) as { response: { output: unknown[] } };
      const whole = openaiResponses.decodeAnswer(bytesOf(JSON.stringify(last.response)));
      expect(sealedAnew(whole)).toEqual(sealedAnew(await decoded(transcript(given))));
    });
});

describe("recorded answers", () => {
  it("are there", (context) => {
    needsData(context);
    expect(wholes.length).toBeGreaterThanOrEqual(30);
  });

  for (const path of wholes)
    it(`${path}: decoded, encoded and decoded again, also as a stream, it is the same answer`, async () => {
      const answer = openaiResponses.decodeAnswer(bytesOf(steady(readDataText(path))));
      expect(answer.candidates[0]?.content.length).toBeGreaterThan(0);
      const back = openaiResponses.encodeAnswer(answer);
      expect(essence(openaiResponses.decodeAnswer(back))).toEqual(essence(answer));
      expect(openaiResponses.readUsage(readData(path))).toEqual(answer.usage);
      const frames = await collect(openaiResponses.encodeStream(from(unfold(answer)), quiet));
      expect(essence(await fold(openaiResponses.decodeStream(stream(...frames))))).toEqual(essence(answer));
      // The vendor's own items, whole: what is null or says that it is complete may be left out.
      const plain = (value: unknown) =>
        JSON.parse(JSON.stringify(value), (key, inner: unknown) =>
          inner === null || (key === "status" && inner === "completed") ? undefined : inner,
        ) as unknown;
      const output = (bytes: Uint8Array) => plain((JSON.parse(textOf(bytes)) as { output: unknown }).output);
      if (path.includes("openai/responses")) expect(output(back)).toEqual(output(readData(path)));
    });
});

describe("recorded failures", () => {
  const folder = "recorded/openai/responses";

  it("100: an account without quota, refused at once or in the stream", async (context) => {
    needsData(context);
    const expected = { code: "upstream_rate_limited", details: { reason: "insufficient_quota", retryable: false } };
    expect(openaiResponses.decodeError(429, [], readData(`${folder}/openai-error.1.json`))).toMatchObject(expected);
    const events = readDataText(`${folder}/openai-error.1.chunks.txt`).trim().split("\n");
    const read = () => fold(openaiResponses.decodeStream(stream(transcript({ name: "", events }))));
    await expect(read()).rejects.toMatchObject(expected);
    const failed = (JSON.parse(events.at(-1) as string) as { response: unknown }).response;
    expect(() => openaiResponses.decodeAnswer(bytesOf(JSON.stringify(failed)))).toThrow(
      expect.objectContaining({ code: expected.code }) as Error,
    );
  });

  it("a parameter that the model refuses is named", (context) => {
    needsData(context);
    const error = openaiResponses.decodeError(400, [], readData(`${folder}/reasoning-model-temperature-error.json`));
    expect(error).toMatchObject({ code: "upstream_rejected", details: { param: "temperature" } });
  });
});

describe("what we encode is what the vendor describes", () => {
  /** As if another vendor had answered: without this protocol's own items and fields, for whose form the vendor itself answers. */
  const foreign = (answer: ModelAnswer): ModelAnswer => ({
    ...essence(answer),
    candidates: answer.candidates.map((given) => ({ ...given, content: given.content.filter((part) => part.type !== "native") })),
  });
  const vendors = (name: string) => !name.includes("xai/");

  it("whole answers", (context) => {
    needsData(context);
    for (const path of wholes.filter(vendors)) {
      const answer = openaiResponses.decodeAnswer(bytesOf(steady(readDataText(path))));
      expectValid("Response", JSON.parse(textOf(openaiResponses.encodeAnswer(foreign(answer)))));
    }
  });

  it("52: events of streams, in an order that the vendor's grammar allows", async (context) => {
    needsData(context);
    for (const { bytes } of streams.filter((given) => vendors(given.name))) {
      const text = await joined(openaiResponses.encodeStream(openaiResponses.decodeStream(stream(bytes())), quiet));
      expectGrammar(eventsOf(text));
      const answer = foreign(await decoded(bytes()));
      const plain = eventsOf(await joined(openaiResponses.encodeStream(from(unfold(answer)), quiet)));
      for (const event of plain) expectValid("ResponseStreamEvent", event);
    }
  });

  it("52: as well when the answer came whole", async (context) => {
    needsData(context);
    for (const path of wholes) {
      const answer = openaiResponses.decodeAnswer(bytesOf(steady(readDataText(path))));
      expectGrammar(eventsOf(await joined(openaiResponses.encodeStream(from(unfold(answer)), quiet))));
    }
  });
});

interface StreamEvent {
  readonly type: string;
  readonly sequence_number: number;
  readonly output_index?: number;
  readonly content_index?: number;
  readonly summary_index?: number;
  readonly item_id?: string;
  readonly item?: { readonly id?: string };
}

function eventsOf(text: string): StreamEvent[] {
  return text
    .trim()
    .split("\n\n")
    .map((frame) => {
      const [name, data] = frame.split("\n");
      const event = JSON.parse((data as string).slice("data: ".length)) as StreamEvent;
      expect(name).toBe(`event: ${event.type}`);
      return event;
    });
}

/** Numbers increase, what is added is done, once and in its place, and the end comes last. */
function expectGrammar(events: readonly StreamEvent[]): void {
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_event, i) => i));
  expect(events.slice(0, 2).map((event) => event.type)).toEqual(["response.created", "response.in_progress"]);
  expect(events.at(-1)?.type).toMatch(/^response\.(completed|incomplete)$/);
  const open = new Map<string, StreamEvent>();
  const ids = new Map<number | undefined, string | undefined>();
  for (const event of events) {
    const match = /^response\.(output_item|content_part|reasoning_summary_part)\.(added|done)$/.exec(event.type);
    if (event.item_id !== undefined) expect(ids.get(event.output_index)).toBe(event.item_id);
    if (match === null) continue;
    const key = `${match[1]} ${event.output_index} ${event.content_index ?? ""} ${event.summary_index ?? ""}`;
    if (match[2] === "added") {
      if (match[1] === "output_item") ids.set(event.output_index, event.item?.id);
      expect(open.has(key)).toBe(false);
      open.set(key, event);
    } else expect(open.delete(key)).toBe(true);
  }
  expect([...open.keys()]).toEqual([]);
}
