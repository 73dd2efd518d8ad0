import { answering, jsonAnswer, sse, transcript, type Counts } from "@sallyport/adapter-kit";
import { describe, expect, it } from "vitest";
import { cells, faces, vendors } from "./faces.js";
import { askAll, cell } from "./harness.js";

// F55: what vendors say of usage, and what the ledger makes of it.

/** What cannot be true is estimated from what went over the wire, and flagged; never zero. */
const estimate = { inputTokens: expect.toSatisfy(isCount), outputTokens: expect.toSatisfy(isCount), estimated: true };
function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0 && (value as number) < 1_000;
}
const told: readonly [string, Counts | null, object][] = [
  ["missing: estimated, not zero", null, estimate],
  ["zero: zero", { input: 0, output: 0 }, { inputTokens: 0, outputTokens: 0, estimated: false }],
  ["negative: estimated", { input: -7, output: -1 }, estimate],
  ["huge: estimated, as no bound is known", { input: 1e15, output: 1e15 }, estimate],
  ["text: estimated", { input: "many", output: "few" }, estimate],
  ["fractions: estimated", { input: 0.5, output: 1.5 }, estimate],
];

describe.each(cells)("F55: a caller of %s, a vendor of %s:", (face, vendor) => {
  it.each(told)("usage that is %s", async (_case, usage, kept) => {
    const dialect = vendors[vendor]();
    // What Anthropic says at the beginning of a stream would be usage too.
    const begin = dialect.begin().map((frame) => frame.replace(/,"usage":\{[^}]*\}/, ""));
    const frames = [...begin, dialect.text("One"), ...dialect.end({ usage })];
    const set = await cell(answering(sse(frames)), { vendor });
    expect((await askAll(set, { face: faces[face] })).read).toMatchObject({ text: "One", isFinished: true });
    set.upstream.behave(answering(jsonAnswer(dialect.whole("One", usage))));
    expect((await askAll(set, { face: faces[face], stream: false })).status).toBe(200);
    const { usage: rows } = await set.rows(2);
    const expected = { ...kept, partial: false };
    expect(rows).toEqual([expect.objectContaining(expected), expect.objectContaining(expected)]);
  });

  // In Responses it is in the event that ends the answer: there is no second.
  if (vendor === "responses") return;
  it("said twice counts once: the last is true", async () => {
    const dialect = vendors[vendor]();
    const frames = transcript(dialect, ["One"]);
    const usageAt = frames.findLastIndex((frame) => /usage/i.test(frame));
    const twice = [...frames.slice(0, usageAt), frames[usageAt]!.replace(/\b10\b/, "99"), ...frames.slice(usageAt)];
    if (vendor === "google") twice[usageAt] = twice[usageAt]!.replace(/,"finishReason":"STOP"/, "");
    const set = await cell(answering(sse(twice)), { vendor });
    expect((await askAll(set, { face: faces[face] })).read).toMatchObject({ text: "One", error: null });
    expect((await set.rows(1)).usage).toEqual([expect.objectContaining({ inputTokens: 10, outputTokens: 5 })]);
  });
});

it("F55: what cannot be true is cut to what the model can do where that is known, and flagged", async () => {
  const models = [{ id: "m", contextTokens: 1_000, maxOutputTokens: 100, prices: { input: "1", output: "1" } }];
  const frames = transcript(vendors.chat(), ["One"], { usage: { input: 1e12, output: 1e12 } });
  const set = await cell(answering(sse(frames)), { provider: { models } });
  await askAll(set);
  expect((await set.rows(1)).usage).toEqual([
    expect.objectContaining({ inputTokens: 1_000, outputTokens: 100, estimated: true, costNanoUsd: 1_100_000 }),
  ]);
});
