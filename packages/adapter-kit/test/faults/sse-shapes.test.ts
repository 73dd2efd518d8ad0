import {
  answering,
  bytesOf,
  chatDialect,
  informing,
  jsonAnswer,
  poisoning,
  sse,
  splitting,
  transcript,
  type AnswerShape,
} from "@sallyport/adapter-kit";
import { describe, expect, it } from "vitest";
import { cells, faces, vendors, type Cell } from "./faces.js";
import { askAll, cell } from "./harness.js";

// The same answer in every form that HTTP and server-sent events allow: F50, F63; and F64, which they do not.

const WORDS = ["Grüße, ", "世界 ", "👩‍👩‍👧 ", "and \u0000 end."];
const WHOLE = WORDS.join("");

/** Ways to write one stream; each means the same. */
const forms: Readonly<Record<string, (frames: readonly string[]) => (string | Uint8Array)[]>> = {
  CRLF: (frames) => frames.map((frame) => frame.replaceAll(/\r?\n/g, "\r\n")),
  CR: (frames) => frames.map((frame) => frame.replaceAll(/\r?\n/g, "\r")),
  LF: (frames) => frames.map((frame) => frame.replaceAll("\r\n", "\n")),
  "all three in turn": (frames) => frames.map((frame, i) => frame.replaceAll(/\r?\n/g, ["\n", "\r\n", "\r"][i % 3]!)),
  "a BOM": (frames) => [Buffer.from([0xef, 0xbb, 0xbf]), ...frames],
  "no space behind the colon": (frames) => frames.map((frame) => frame.replaceAll(/^(data|event): /gm, "$1:")),
  "comments between": (frames) => frames.flatMap((frame) => [": keep-alive\n\n", frame, ":\n"]),
  "ids and retries": (frames) => frames.map((frame, i) => `id: ${i}\nretry: 5\n${frame}`),
  "data on several lines": (frames) => frames.map((frame) => frame.replace(/^data: \{/m, "data: {\ndata: ")),
  "no blank line at the end": (frames) => [...frames.slice(0, -1), frames.at(-1)!.replace(/\r?\n\r?\n$/, "\n")],
};

describe.each(cells)("F50: a caller of %s, a vendor of %s:", (face, vendor) => {
  const frames = () => transcript(vendors[vendor](), WORDS);

  it.each(Object.keys(forms))("%s", async (form) => {
    const set = await cell(answering(sse(forms[form]!(frames()))), { vendor });
    const { read } = await askAll(set, { face: faces[face] });
    expect(read).toMatchObject({ text: WHOLE, error: null, isFinished: true });
    expect((await set.rows(1)).usage).toEqual([expect.objectContaining({ partial: false, inputTokens: 10, outputTokens: 5 })]);
  });

  it("one byte at a time", async () => {
    const set = await cell(splitting(sse(frames()), 1), { vendor });
    expect((await askAll(set, { face: faces[face] })).read).toMatchObject({ text: WHOLE, error: null, isFinished: true });
  });

  it("all of it in one piece, and a line of a megabyte", async () => {
    const long = "0123456789".repeat(100_000);
    const set = await cell(answering(sse([transcript(vendors[vendor](), [long, ...WORDS]).join("")])), { vendor });
    expect((await askAll(set, { face: faces[face] })).read).toMatchObject({ text: long + WHOLE, error: null, isFinished: true });
  });
});

it("F50: split once at every byte", async () => {
  const answer = sse(transcript(chatDialect, ["Grüße ", "👩‍👩‍👧."]));
  const bytes = bytesOf(answer);
  let at = 0;
  const set = await cell(async (_request, wire) => {
    await wire.write(bytes.subarray(0, at));
    await new Promise((later) => setImmediate(later));
    await wire.write(bytes.subarray(at));
  });
  for (at = 1; at < bytes.length; at += 3)
    for (const face of ["chat", "messages"] as const)
      expect((await askAll(set, { face: faces[face] })).read).toMatchObject({ text: "Grüße 👩‍👩‍👧.", error: null, isFinished: true });
});

describe("F63: the ways of HTTP", () => {
  const shapes: Readonly<Record<string, AnswerShape>> = {
    gzip: { encoding: "gzip" },
    brotli: { encoding: "br" },
    trailers: { trailers: { "x-usage": "10" } },
    "HTTP/1.0": { framing: "http1.0" },
    "an end by closing": { framing: "close" },
    "a length": { framing: "length" },
  };
  it.each(cells.flatMap((pair) => Object.keys(shapes).map((shape) => [...pair, shape] as const)))(
    "%s ← %s, streamed and whole: %s",
    async (face: Cell, vendor: Cell, name) => {
      const dialect = vendors[vendor]();
      const shape = shapes[name]!;
      const streamed = answering(sse(transcript(dialect, WORDS), shape));
      const whole = answering(jsonAnswer(dialect.whole(WHOLE), shape));
      const set = await cell(streamed, { vendor });
      expect((await askAll(set, { face: faces[face] })).read).toMatchObject({ text: WHOLE, error: null, isFinished: true });
      set.upstream.behave(whole);
      const { status, body } = await askAll(set, { face: faces[face], stream: false });
      expect(status).toBe(200);
      expect(JSON.stringify(JSON.parse(body))).toContain(JSON.stringify(WHOLE).slice(1, -1));
      expect((await set.rows(2)).usage.map(({ outputTokens }) => outputTokens)).toEqual([5, 5]);
    },
  );

  it.each([102, 103] as const)("%d in front of the answer", async (status) => {
    const set = await cell(informing(sse(transcript(chatDialect, WORDS)), status));
    expect((await askAll(set)).read).toMatchObject({ text: WHOLE, isFinished: true });
  });

  it("100 Continue, which nobody asked for, is a failed attempt: the HTTP client takes it for a server that has lost its place", async () => {
    const set = await cell(informing(sse(transcript(chatDialect, WORDS)), 100));
    expect((await askAll(set)).status).toBe(502);
    expect((await set.rows(1)).audit).toEqual([expect.objectContaining({ code: "upstream_unavailable" })]);
  });

  it("an end by closing cannot tell that it is one: without the vendor's terminator it is broken off", async () => {
    const frames = transcript(chatDialect, WORDS).slice(0, 3);
    const set = await cell(answering(sse(frames, { framing: "close" })));
    expect((await askAll(set)).read).toMatchObject({ isFinished: false, endsInError: true });
  });
});

describe("F64: an answer before its request, on a connection that is used again", () => {
  it.each([true, false])("is never given to anybody (stream: %s)", async (stream) => {
    const right = stream ? sse(transcript(chatDialect, ["right"])) : jsonAnswer(chatDialect.whole("right"));
    const poison = stream ? sse(transcript(chatDialect, ["POISON"])) : jsonAnswer(chatDialect.whole("POISON"));
    const set = await cell(poisoning(right, poison));
    for (let call = 0; call < 20; call++) {
      const { body, status } = await askAll(set, { stream });
      expect(body).not.toContain("POISON");
      expect(status).toBe(200);
      expect(body).toContain("right");
    }
    // Each on a connection of its own.
    expect(new Set(set.upstream.arrived.map(({ connection }) => connection)).size).toBe(20);
  });
});
