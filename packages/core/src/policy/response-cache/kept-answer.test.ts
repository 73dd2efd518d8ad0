import { describe, expect, it } from "vitest";
import { crypto } from "#platform";
import type { CacheKey } from "./cache-key.js";
import { decodeKept, encodeKept, type KeptAnswer } from "./kept-answer.js";

const at: CacheKey = { key: "k".repeat(64), scope: '["p"]', dialect: "openai-chat" };
const secret = crypto.random(32);
const told = { storedAtMs: 1_000, expiresAtMs: 2_000, provider: "v", model: "m", costNanoUsd: 5, warnings: null };
const bytes: KeptAnswer = { ...told, body: { kind: "bytes", bytes: new TextEncoder().encode('{"a":"\n"}') } };
const answer: KeptAnswer = {
  ...told,
  body: { kind: "answer", answer: { id: "i", model: "m", createdAtMs: 1, candidates: [], usage: { outputTokens: 3 } } },
};
const o = { crypto, secret, nowMs: 1_500 };

describe("a kept answer (F41)", () => {
  it.each([bytes, answer])("reads back as it was kept", (kept) => {
    expect(decodeKept(encodeKept(kept, at, o), at, o)).toEqual(kept);
  });

  it("is nothing when a bit of it was changed, or some of it is missing", () => {
    const value = encodeKept(bytes, at, o);
    for (let i = 0; i < value.length; i++) {
      const changed = value.slice();
      changed[i]! ^= 1 << (i % 8);
      expect(decodeKept(changed, at, o)).toBeNull();
      expect(decodeKept(value.slice(0, i), at, o)).toBeNull();
    }
  });

  it("is nothing under another key, of another scope or dialect, of another gateway's secret, or past its time", () => {
    const value = encodeKept(bytes, at, o);
    expect(decodeKept(value, { ...at, key: "j".repeat(64) }, o)).toBeNull();
    expect(decodeKept(value, { ...at, scope: '["q"]' }, o)).toBeNull();
    expect(decodeKept(value, { ...at, dialect: "neutral" }, o)).toBeNull();
    expect(decodeKept(value, at, { ...o, secret: crypto.random(32) })).toBeNull();
    expect(decodeKept(value, at, { ...o, nowMs: 2_000 })).toBeNull();
  });
});
