import { describe, expect, it } from "vitest";
import type { ProtocolId } from "../../src/calls/index.js";
import { answerFates } from "./answer-fates.js";
import { answerFeatures, type AnswerFeature } from "./answer-features.js";
import { answered, codecs, eventsOf, framesOf, plain, protocols, streamed } from "./wires.js";

const fateOf = (feature: AnswerFeature, protocol: ProtocolId) => answerFates[feature.name]?.[protocol];

function expectedOf(feature: AnswerFeature, face: ProtocolId): { readonly whole: unknown; readonly stream: unknown } {
  const kept = plain(feature.pick(feature.answer));
  const fate = fateOf(feature, face) ?? { as: kept };
  return { whole: fate.as, stream: "streamedAs" in fate ? fate.streamedAs : fate.as };
}

it("the loss table names features that there are", () => {
  const names = answerFeatures.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(Object.keys(answerFates).filter((name) => !names.includes(name))).toEqual([]);
});

describe.each(protocols)("an answer to a client of %s", (face) => {
  it.each(answerFeatures)("63, 64: $name, whole and as a stream", async (feature) => {
    const expected = expectedOf(feature, face);
    expect(plain(feature.pick(answered(face, feature.answer)))).toEqual(expected.whole);
    expect(plain(feature.pick(await streamed(face, eventsOf(feature.answer))))).toEqual(expected.stream);
  });
});

/** What a vendor cannot say cannot come from it. */
describe.each(protocols)("an answer of a vendor of %s", (vendor) => {
  const carried = answerFeatures.filter((feature) => fateOf(feature, vendor) === undefined);

  it.each(carried)("$name, to every face, whole and as a stream", async (feature) => {
    const whole = answered(vendor, feature.answer);
    const events = () => codecs[vendor].decodeStream(framesOf(vendor, eventsOf(feature.answer)));
    for (const face of protocols) {
      const expected = expectedOf(feature, face);
      expect(plain(feature.pick(answered(face, whole)))).toEqual(expected.whole);
      expect(plain(feature.pick(await streamed(face, events())))).toEqual(expected.stream);
    }
  });
});
