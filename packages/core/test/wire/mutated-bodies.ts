import fc from "fast-check";
import { expect } from "vitest";
import { GatewayError } from "../../src/errors/index.js";
import { openaiChat } from "../../src/wire/openai-chat/index.js";
import type { Codec } from "../../src/wire/shared/codec.js";

const body =
  '{"model":"a/b","messages":[{"role":"user","content":"hi","__proto__":{"x":1}}],"stream":true,"max_tokens":5,"stream_options":{"include_usage":true},' +
  '"tools":[{"type":"function","function":{"name":"f","parameters":{"constructor":{"prototype":1}}}}],"metadata":{"k":"\\ud800é😀"}}';
const codes = ["accepted", "invalid_json", "validation_failed", "unsupported_feature"];

function outcome(read: () => unknown): string {
  try {
    read();
    return "accepted";
  } catch (error) {
    return GatewayError.is(error) ? error.code : `crashed: ${String(error)}`;
  }
}

/** A body of a protocol, and who reads it. */
export interface MutatedBody {
  readonly codec: Codec;
  readonly body: string;
}

/** Bodies with a few bytes changed: both readers of a caller's bytes decide alike on what JSON is, throw only typed errors, and leave every prototype alone. */
export function checkMutatedBodies(numRuns: number, given: MutatedBody = { codec: openaiChat, body }): void {
  const { codec } = given;
  const original = new TextEncoder().encode(given.body);
  const before = Object.getOwnPropertyNames(Object.prototype);
  const mutation = fc.tuple(fc.nat({ max: original.length - 1 }), fc.integer({ min: 0, max: 255 }));
  const property = fc.property(fc.array(mutation, { maxLength: 2 }), (mutations) => {
    const bytes = original.slice();
    for (const [at, byte] of mutations) bytes[at] = byte;
    const head = outcome(() => codec.scanHead(bytes));
    const whole = outcome(() => codec.decodeRequest(bytes));
    expect(codes).toContain(head);
    expect(codes).toContain(whole);
    expect(head === "invalid_json").toBe(whole === "invalid_json");
  });
  fc.assert(property, { numRuns });
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
}
