import { describe, expect, it } from "vitest";
import type { ModelCall, ProtocolId } from "../../src/calls/index.js";
import { callFates, type Fate } from "./call-fates.js";
import { callFeatures, user, type CallFeature } from "./call-features.js";
import { asked, plain, protocols, read, refusedField, sentTo, type Translated } from "./wires.js";

const whole = (feature: CallFeature): ModelCall => ({ model: "m", messages: [user], ...feature.call });
const fateOf = (feature: CallFeature, protocol: ProtocolId): Fate | undefined => callFates[feature.name]?.[protocol];

/** What a client of Responses without state says beside everything else. */
const sideEffects = new Set(["include"]);

function expectFate(feature: CallFeature, fate: Fate | undefined, send: () => Translated): void {
  if (fate?.refused !== undefined) {
    expect(refusedField(send)).toBe(fate.refused);
    return;
  }
  const { call, warnings } = send();
  const expected = fate === undefined ? plain(feature.pick(whole(feature))) : fate.as;
  const found = plain(feature.pick(call));
  // Left out: nothing of it is there.
  if (expected === undefined) expect([found].flat().every((value) => value === undefined)).toBe(true);
  else expect(found).toEqual(expected);
  const told = warnings.map(({ field }) => field).filter((field) => !sideEffects.has(field));
  if (fate?.warns === undefined) expect(told).toEqual([]);
  else expect(told).toContain(fate.warns);
}

it("the loss table names features that there are", () => {
  const names = callFeatures.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(Object.keys(callFates).filter((name) => !names.includes(name))).toEqual([]);
});

describe.each(protocols)("a call in code to %s", (target) => {
  it.each(callFeatures)("$name", (feature) => {
    expectFate(feature, fateOf(feature, target), () => sentTo(target, whole(feature)));
  });
});

/** What a face cannot say cannot come in through it. */
describe.each(protocols)("a caller of the face %s", (face) => {
  const carried = callFeatures.filter((feature) => fateOf(feature, face) === undefined);

  it.each(carried)("$name, to every protocol", (feature) => {
    const call = read(face, asked(face, whole(feature)));
    expect(plain(feature.pick(call))).toEqual(plain(feature.pick(whole(feature))));
    for (const target of protocols) expectFate(feature, fateOf(feature, target), () => sentTo(target, call));
  });
});
