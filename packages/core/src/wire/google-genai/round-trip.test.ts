import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collect, stream } from "../../../test/wire/chunks.js";
import { googleAnswer, googleCall } from "../../../test/wire/google-arbitraries.js";
import { fold, unfold, type Extras, type ModelAnswer, type ModelEvent } from "../../calls/index.js";
import { googleGenai } from "./google-genai.js";

async function* from(events: Iterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  yield* events;
}
const frames = (answer: ModelAnswer) => {
  const failed = (error: unknown) => expect(error).toBeNull();
  return collect(googleGenai.encodeStream(from(unfold(answer)), { includeUsage: true, onError: failed }));
};
/** The counts ride along as they came, beside what they mean. */
function withoutCounts(answer: ModelAnswer): ModelAnswer {
  const { usageMetadata: _counts, ...own } = answer.extras?.["google-genai"] ?? {};
  const { extras: _extras, ...rest } = answer;
  return Object.keys(own).length === 0 ? rest : { ...rest, extras: { "google-genai": own } as Extras };
}

describe("what is encoded is decoded to the same", () => {
  it("calls", () => {
    fc.assert(
      fc.property(googleCall, fc.boolean(), (call, asStream) => {
        const { bytes, warnings } = googleGenai.encodeRequest(call, { model: call.model, stream: asStream, quirks: {} });
        expect(warnings ?? []).toEqual([]);
        expect(googleGenai.decodeRequest(bytes, { model: call.model, stream: asStream })).toEqual(call);
      }),
    );
  });

  it("answers", () => {
    fc.assert(
      fc.property(googleAnswer, (answer) => {
        const bytes = googleGenai.encodeAnswer(answer);
        expect(withoutCounts(googleGenai.decodeAnswer(bytes))).toEqual(answer);
        expect(googleGenai.readUsage(bytes)).toEqual(answer.usage);
      }),
    );
  });

  it("64: streams, to the answer that comes whole", async () => {
    await fc.assert(
      fc.asyncProperty(googleAnswer, async (answer) => {
        const streamed = await fold(googleGenai.decodeStream(stream(...(await frames(answer)))));
        expect(withoutCounts(streamed)).toEqual(answer);
        expect(streamed).toEqual(googleGenai.decodeAnswer(googleGenai.encodeAnswer(answer)));
      }),
    );
  });

  it("equal calls have equal bytes", () => {
    fc.assert(
      fc.property(googleCall, (call) => {
        const o = { model: call.model, stream: false, quirks: {} };
        expect(googleGenai.encodeRequest(structuredClone(call), o).bytes).toEqual(googleGenai.encodeRequest(call, o).bytes);
      }),
    );
  });
});
