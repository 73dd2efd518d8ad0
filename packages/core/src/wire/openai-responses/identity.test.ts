import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collect, joined, stream, textOf } from "../../../test/wire/chunks.js";
import { responsesAnswer, responsesCall } from "../../../test/wire/responses-arbitraries.js";
import { fold, unfold, type ModelAnswer, type ModelEvent } from "../../calls/index.js";
import type { GatewayError } from "../../errors/index.js";
import { openaiResponses } from "./openai-responses.js";

const quiet = { includeUsage: true, onError: (error: GatewayError) => expect(error).toBeNull() };
async function* from(events: Iterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  yield* events;
}
const essence = ({ extras: _extras, ...answer }: ModelAnswer) => answer;

describe("encoding and decoding", () => {
  it("a call gives the call", () => {
    fc.assert(
      fc.property(responsesCall, (call) => {
        const { bytes, warnings } = openaiResponses.encodeRequest(call, { model: call.model, stream: true, quirks: {} });
        expect(warnings).toBeUndefined();
        expect(openaiResponses.decodeRequest(bytes)).toEqual(call);
        expect(openaiResponses.scanHead(bytes)).toMatchObject({ name: call.model, stream: true, maxOutputTokens: call.maxOutputTokens });
      }),
      { numRuns: 300 },
    );
  });

  it("an answer gives the answer, whole and streamed", async () => {
    await fc.assert(
      fc.asyncProperty(responsesAnswer, async (answer) => {
        expect(essence(openaiResponses.decodeAnswer(openaiResponses.encodeAnswer(answer)))).toEqual(answer);
        const frames = await collect(openaiResponses.encodeStream(from(unfold(answer)), quiet));
        expect(essence(await fold(openaiResponses.decodeStream(stream(...frames))))).toEqual(answer);
      }),
      { numRuns: 300 },
    );
  });

  it("64: the response at the end of a stream is the one that is answered whole", async () => {
    await fc.assert(
      fc.asyncProperty(responsesAnswer, async (answer) => {
        const text = await joined(openaiResponses.encodeStream(from(unfold(answer)), quiet));
        const last = JSON.parse(text.trim().split("\ndata: ").at(-1) as string) as { response: unknown };
        expect(last.response).toEqual(JSON.parse(textOf(openaiResponses.encodeAnswer(answer))));
      }),
    );
  });

  it("equal calls give equal bytes", () => {
    fc.assert(
      fc.property(responsesCall, (call) => {
        const encode = () => textOf(openaiResponses.encodeRequest(structuredClone(call), { model: "m", stream: false, quirks: {} }).bytes);
        expect(encode()).toBe(encode());
      }),
    );
  });
});
