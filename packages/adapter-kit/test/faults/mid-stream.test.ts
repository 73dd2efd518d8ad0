import { answering, bytesOf, endingAt, resettingAt, sse, stallingAfter, transcript, type Dialect } from "@sallyport/adapter-kit";
import { describe, expect, it } from "vitest";
import { cells, faces, vendors } from "./faces.js";
import { ask, askAll, cell, KEY } from "./harness.js";

// What becomes of a caller's stream when the vendor's breaks off after it began: F47, F48, F49, F51, F54's upstream half, F61. Every caller's dialect and every vendor's.

const WORDS = ["One ", "two ", "three ", "four."];
const begun = (dialect: Dialect): string[] => transcript(dialect, WORDS).slice(0, dialect.begin().length + 2);

/** It ended in the dialect's error, without the sign that all went well, and with what had come by then in front. */
function expectBrokenOff(read: ReturnType<(typeof faces)["chat"]["read"]>, o: { text?: string } = {}): void {
  expect(read).toMatchObject({ isFinished: false, endsInError: true });
  if (o.text !== undefined) expect(read.text).toBe(o.text);
  expect(WORDS.join("").startsWith(read.text)).toBe(true);
}
const partialRow = (code: string) => ({
  usage: [expect.objectContaining({ partial: true, provider: "lab", status: 200 }) as unknown],
  audit: [expect.objectContaining({ outcome: "failed", code }) as unknown],
});

describe.each(cells)("a caller of %s, a vendor of %s:", (face, vendor) => {
  const dialect = vendors[vendor]();

  it("gets the whole stream when nothing is wrong", async () => {
    const set = await cell(answering(sse(transcript(dialect, WORDS))), { vendor });
    const { read } = await askAll(set, { face: faces[face] });
    expect(read).toMatchObject({ text: WORDS.join(""), error: null, isFinished: true });
    const { usage } = await set.rows(1);
    expect(usage).toEqual([expect.objectContaining({ partial: false, inputTokens: 10, outputTokens: 5 })]);
  });

  it.each(["RST (F47)", "FIN in a chunk (F48)", "an end without the vendor's terminator (F48)"])("%s after two words", async (how) => {
    const answer = sse(begun(dialect));
    const length = bytesOf(answer).length;
    const cut = how.startsWith("RST")
      ? resettingAt(answer, length - answer.end.length)
      : how.startsWith("FIN")
        ? endingAt(answer, length - answer.end.length)
        : answering(answer);
    const set = await cell(cut, { vendor });
    const { read } = await askAll(set, { face: faces[face] });
    expectBrokenOff(read, { text: "One two " });
    expect(set.upstream.arrived).toHaveLength(1);
    expect(await set.rows(1)).toMatchObject(partialRow("upstream_interrupted"));
  });

  // Comments end with the call's whole time, which the test has to wait for: both lanes are enough.
  const silences = [["silence", undefined] as const, ["comments alone", ": still here\n\n"] as const];
  it.each(face === vendor || face === "chat" ? silences : silences.slice(0, 1))("F49: %s after two words", async (_how, filler) => {
    const timeouts = filler === undefined ? { idleMs: 300, requestMs: 10_000 } : { idleMs: 300, requestMs: 1_200 };
    const everyMs = 40;
    const bytes = filler === undefined ? {} : { filler: Buffer.from(`${filler.length.toString(16)}\r\n${filler}\r\n`), everyMs };
    const answer = sse(begun(dialect));
    const set = await cell(stallingAfter(answer, { pieces: answer.pieces.length, ...bytes }), { vendor, config: { server: { timeouts } } });
    const { read } = await askAll(set, { face: faces[face] });
    expectBrokenOff(read, { text: "One two " });
    await set.upstream.wires[0]!.closed;
    const { usage, audit } = await set.rows(1);
    expect(usage).toEqual([expect.objectContaining({ partial: true })]);
    expect(audit).toEqual([
      expect.objectContaining({ outcome: "failed", code: expect.stringMatching(/^(upstream_timeout|deadline_exceeded)$/) }),
    ]);
  });

  it("F47: the vendor's own error in the middle, without the key that it repeats", async () => {
    const frames = [...begun(dialect), dialect.errorFrame(`overloaded for ${KEY}`), ...dialect.end()];
    const set = await cell(answering(sse(frames)), { vendor });
    const { read, body } = await askAll(set, { face: faces[face] });
    expectBrokenOff(read, { text: "One two " });
    expect(body + set.logged.join()).not.toContain(KEY);
    expect((await set.rows(1)).usage).toEqual([expect.objectContaining({ partial: true })]);
  });

  it("F51: a frame that is no JSON", async () => {
    const broken = 'data: {"choices":[{"delta"\n\n';
    const set = await cell(answering(sse([...begun(dialect), broken, ...dialect.end()])), { vendor });
    const { read, body } = await askAll(set, { face: faces[face] });
    // The relay lane reads few frames and changes none: what it does not read goes to the caller as the vendor sent it.
    if (face === vendor && read.error === null) return expect(body).toContain(broken);
    expectBrokenOff(read, { text: "One two " });
    expect((await set.rows(1)).audit).toEqual([expect.objectContaining({ outcome: "failed", code: "upstream_protocol" })]);
  });

  it("F51: bytes that are no UTF-8", async () => {
    const bad = Buffer.from(dialect.text("@@"));
    bad[bad.indexOf("@@")] = 0xff;
    const set = await cell(answering(sse([...begun(dialect), bad, ...dialect.end()])), { vendor });
    const { read, status } = await askAll(set, { face: faces[face] });
    // Refused, before the first byte or after it, or taken for U+FFFD; never a crash.
    if (status !== 200) expect(status).toBe(502);
    else if (read.error === null) expect(read.text).toBe("One two \uFFFD@");
    else expectBrokenOff(read);
    expect((await set.rows(1)).usage).toHaveLength(1);
  });

  it("F51: an event that nobody knows is no reason to end", async () => {
    const unknown = 'event: news\ndata: {"type":"news","object":"chat.completion.chunk","choices":[],"new":[1]}\n\n';
    const frames = transcript(dialect, WORDS);
    const set = await cell(answering(sse([...frames.slice(0, -1), unknown, ...frames.slice(-1)])), { vendor });
    expect((await askAll(set, { face: faces[face] })).read).toMatchObject({ text: WORDS.join(""), error: null, isFinished: true });
  });
});

describe("F47: a reset behind every byte", () => {
  it.each([
    ["chat", "chat"],
    ["messages", "chat"],
    ["chat", "messages"],
    ["google", "google"],
  ] as const)("%s ← %s: what the caller has is the beginning, then an error, or all of it", async (face, vendor) => {
    const answer = sse(transcript(vendors[vendor](), ["One ", "two."]));
    const whole = bytesOf(answer).length;
    let at = 0;
    const set = await cell((request, wire) => resettingAt(answer, at)(request, wire), { vendor });
    const step = face === "chat" && vendor === "chat" ? 1 : 7;
    let calls = 0;
    for (at = 1; at < whole; at += step) {
      const { status, read } = await askAll(set, { face: faces[face] });
      calls++;
      if (status !== 200) {
        expect(status).toBeGreaterThanOrEqual(502);
        continue;
      }
      expect("One two.".startsWith(read.text)).toBe(true);
      if (read.isFinished) expect(read.error).toBeNull();
      // Without an error it is whole: what breaks behind an answer's end changes nothing.
      if (read.error === null) expect(read.text).toBe("One two.");
    }
    const { usage } = await set.rows(calls);
    expect(usage).toHaveLength(calls);
  });
});

describe("F51: tool calls in disorder", () => {
  const delta = (...calls: readonly object[]): string =>
    `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "kit", choices: [{ index: 0, delta: { tool_calls: calls }, finish_reason: null }] })}\n\n`;
  const begin = (index: number, id: string) => delta({ index, id, type: "function", function: { name: "weather", arguments: "" } });
  const more = (index: number, text: string) => delta({ index, function: { arguments: text } });

  it.each([
    ["fragments of two calls interleave", ["call_a", "call_b"]],
    ["both have one id", ["call_a", "call_a"]],
  ])("%s, the second place first: each call has its own arguments", async (_how, [one = "", two = ""]) => {
    const dialect = vendors.chat();
    const fragments = [more(0, '{"city":'), more(1, '{"city":"Ber'), more(0, '"Oslo"}'), more(1, 'gen"}')];
    const frames = [...dialect.begin(), begin(1, two), begin(0, one), ...fragments, ...dialect.end({ reason: "tool" })];
    const set = await cell(answering(sse(frames)));
    const { status, body } = await askAll(set, { face: faces.messages, stream: false, tool: true });
    expect(status).toBe(200);
    const { content } = JSON.parse(body) as { content: { type: string; id: string; input: { city: string } }[] };
    const calls = content.filter(({ type }) => type === "tool_use");
    expect(calls.map(({ input }) => input.city).sort()).toEqual(["Bergen", "Oslo"]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
  });
});

describe("F61: a tool call that breaks off", () => {
  // Google's calls come whole.
  const calls = ["messages", "responses", "chat"];
  it.each(cells.filter(([, vendor]) => calls.includes(vendor)))("%s ← %s: is never told as whole", async (face, vendor) => {
    const dialect = vendors[vendor]();
    // What came is a whole JSON text by chance: only the vendor's word makes it a call.
    const frames = [...dialect.begin(), ...dialect.toolCall("weather", ['{"city":', '"Oslo"}'])];
    const set = await cell(endingAt(sse(frames), bytesOf(sse(frames)).length - 5), { vendor });
    const { read, body } = await askAll(set, { face: faces[face], tool: true });
    expect(read).toMatchObject({ isFinished: false, endsInError: true });
    expect(body).not.toMatch(/"(?:tool_calls|tool_use|function_call)"\s*[,}]\s*"?(?:usage|stop)/);
    expect(body).not.toContain("function_call_arguments.done");
    expect(body).not.toMatch(/"finish_reason":"|"stop_reason":"|"finishReason":"/);
    expect((await set.rows(1)).usage).toEqual([expect.objectContaining({ partial: true })]);
  });

  it("costs no effect in a run: the tool is not called", async () => {
    const dialect = vendors.chat();
    const frames = [...dialect.begin(), ...dialect.toolCall("demo__echo", ['{"text":', '"hi"}'])];
    const set = await cell(endingAt(sse(frames), bytesOf(sse(frames)).length - 5), { config: { mcpServers: undefined } as never });
    const run = set.gateway.run({ model: "lab/m", input: "echo hi", tools: ["demo__*"] });
    const seen: string[] = [];
    await (async () => {
      for await (const event of run) seen.push(JSON.stringify(event));
    })().catch(() => undefined);
    await expect(Promise.resolve(run)).rejects.toMatchObject({ code: "upstream_interrupted" });
    expect(seen.join()).not.toMatch(/"type":"tool[._-](?:call[._-])?(?:started|finished|result|done)/);
    expect((await set.rows(1)).usage.filter(({ kind }) => kind === "tool")).toEqual([]);
  });
});

it("F47: nothing is tried again once a byte was given", async () => {
  const dialect = vendors.chat();
  const answer = sse(begun(dialect));
  const set = await cell(resettingAt(answer, bytesOf(answer).length - 5));
  await ask(set).answer();
  await set.rows(1);
  expect(set.upstream.arrived).toHaveLength(1);
});
