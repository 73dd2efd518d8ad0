import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fold, fold, unfold, type AnswerPart, type ModelAnswer } from "./fold.js";
import type { ModelEvent } from "./model-event.js";
import { addUsage } from "./usage.js";

const part: fc.Arbitrary<AnswerPart> = fc.oneof(
  fc.record({ type: fc.constant("text" as const), text: fc.string() }),
  fc.record({ type: fc.constant("reasoning" as const), text: fc.string(), opaque: fc.string() }),
  fc.record({ type: fc.constant("refusal" as const), text: fc.string() }),
  fc.record({ type: fc.constant("tool-call" as const), id: fc.string(), name: fc.string(), arguments: fc.json() }),
);
const answers: fc.Arbitrary<ModelAnswer> = fc.record({
  id: fc.string(),
  model: fc.string(),
  createdAtMs: fc.nat(),
  candidates: fc
    .array(fc.array(part), { minLength: 1, maxLength: 3 })
    .map((contents) => contents.map((content, index) => ({ index, content, finishReason: "stop" as const }))),
  usage: fc.record({ inputTokens: fc.nat(), outputTokens: fc.nat() }),
});

async function* stream(events: Iterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  yield* events;
}

describe("fold", () => {
  it("is the inverse of unfold", async () => {
    await fc.assert(
      fc.asyncProperty(answers, async (answer) => {
        expect(await fold(stream(unfold(answer)))).toEqual(answer);
      }),
    );
  });

  it("leaves out a tool call that was begun and not ended", async () => {
    const events: ModelEvent[] = [
      { type: "start", id: "a", model: "m", createdAtMs: 1 },
      { type: "tool-call-start", index: 0, block: 0, id: "c1", name: "rm" },
      { type: "tool-call-delta", index: 0, block: 0, text: "{}" },
      { type: "finish", index: 0, reason: "length" },
    ];
    expect((await fold(stream(events))).candidates[0]?.content).toEqual([]);
  });

  it("refuses a stream that ended without finishing", async () => {
    const events: ModelEvent[] = [
      { type: "start", id: "a", model: "m", createdAtMs: 1 },
      { type: "text-start", index: 0, block: 0 },
    ];
    await expect(fold(stream(events))).rejects.toMatchObject({ code: "upstream_interrupted" });
    await expect(fold(stream([]))).rejects.toMatchObject({ code: "upstream_interrupted" });
  });

  it("keeps the last usage, which is cumulative, and what was said so far", () => {
    const folding = new Fold();
    folding.push({ type: "text-start", index: 0, block: 0 });
    folding.push({ type: "text-delta", index: 0, block: 0, text: "so " });
    folding.push({ type: "usage", usage: { inputTokens: 1 } });
    folding.push({ type: "text-delta", index: 0, block: 0, text: "far" });
    folding.push({ type: "usage", usage: { inputTokens: 1, outputTokens: 2 } });
    expect(folding.text).toBe("so far");
    expect(folding.usage).toEqual({ inputTokens: 1, outputTokens: 2 });
  });
});

describe("addUsage", () => {
  it("keeps unknown unknown, and adds what is known", () => {
    expect(addUsage({ inputTokens: 1 }, { inputTokens: 2, outputTokens: 3 })).toEqual({ inputTokens: 3, outputTokens: 3 });
    expect(addUsage({}, {})).toEqual({});
    expect(addUsage({ estimated: true }, { inputTokens: 1 })).toEqual({ inputTokens: 1, estimated: true });
  });
});
