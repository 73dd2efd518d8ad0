import fc from "fast-check";
import { expect, it } from "vitest";
import { GatewayError } from "../../../errors/index.js";
import { googleGenai } from "../google-genai.js";

const body =
  '{"contents":[{"role":"user","parts":[{"text":"hi","__proto__":{"x":1}}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":[1e5]}},"thoughtSignature":"c2ln"}]},' +
  '{"parts":[{"function_response":{"name":"f","response":{"output":1}}}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","constructor":{"prototype":1}}}]},{"googleSearch":{}}],' +
  '"generationConfig":{"maxOutputTokens":5,"thinkingConfig":{"thinkingLevel":"low"},"responseMimeType":"application/json","responseSchema":{"type":"STRING"}},"labels":{"k":"\\ud800é😀"}}';
const at = { model: "m", stream: true };

function outcome(read: () => unknown): string {
  try {
    read();
    return "accepted";
  } catch (error) {
    return GatewayError.is(error) ? error.code : `crashed: ${String(error)}`;
  }
}

it("bodies with a few bytes changed: both readers decide alike on what JSON is, throw only typed errors, and leave every prototype alone", () => {
  const original = new TextEncoder().encode(body);
  expect(outcome(() => googleGenai.decodeRequest(original, at))).toBe("accepted");
  const before = Object.getOwnPropertyNames(Object.prototype);
  const mutation = fc.tuple(fc.nat({ max: original.length - 1 }), fc.integer({ min: 0, max: 255 }));
  const property = fc.property(fc.array(mutation, { maxLength: 2 }), (mutations) => {
    const bytes = original.slice();
    for (const [place, byte] of mutations) bytes[place] = byte;
    const head = outcome(() => googleGenai.scanHead(bytes, at));
    const whole = outcome(() => {
      const call = googleGenai.decodeRequest(bytes, at);
      googleGenai.encodeRequest(call, { model: "m", stream: false, quirks: {} });
    });
    for (const code of [head, whole]) expect(["accepted", "invalid_json", "validation_failed", "unsupported_feature"]).toContain(code);
    expect(head === "invalid_json").toBe(whole === "invalid_json");
  });
  fc.assert(property, { numRuns: 500 });
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
});
