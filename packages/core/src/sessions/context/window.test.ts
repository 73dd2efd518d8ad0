import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "../../calls/index.js";
import { contextOf } from "./turn-context.js";
import { callsOf, resultsOf, wholeTurns } from "./whole-turns.js";
import { tokensOf, windowOf, type Placed } from "./window.js";

const text = (role: "user" | "assistant" | "system", said: string): Message => ({ role, content: [{ type: "text", text: said }] });
const calls = (...ids: string[]): Message => ({
  role: "assistant",
  content: ids.map((id) => ({ type: "tool-call", id, name: "t", arguments: "{}" })),
});
const results = (...ids: string[]): Message => ({
  role: "tool",
  content: ids.map((callId) => ({ type: "tool-result", callId, content: [{ type: "text", text: "r" }] })),
});

/** Any messages in any order: calls without results, results without calls, twice, too late. */
const id = fc.constantFrom("a", "b", "c");
const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.lorem().map((said) => text("user", said)),
  fc.lorem().map((said) => text("assistant", said)),
  fc.constant(text("system", "rule")),
  fc.uniqueArray(id, { minLength: 1 }).map((ids) => calls(...ids)),
  fc.array(id, { minLength: 1, maxLength: 3 }).map((ids) => results(...ids)),
  fc
    .uniqueArray(id, { minLength: 1 })
    .map((ids): Message => ({ role: "assistant", content: [{ type: "reasoning", text: "hm" }, ...callsOf(calls(...ids))] })),
);
/** Turns as runs leave them: a user, then perhaps calls with all their results, then an answer. */
const turn = fc
  .tuple(fc.lorem({ maxCount: 8 }), fc.array(fc.uniqueArray(id, { minLength: 1 }), { maxLength: 4 }))
  .map(([said, rounds]) => [
    text("user", said),
    ...rounds.flatMap((ids) => [calls(...ids), ...ids.map((one) => results(one))]),
    text("assistant", said),
  ]);
const placed = (messages: readonly Message[]): Placed[] => messages.map((message, i) => ({ seq: i + 1, message }));
const rules = fc.record({ messages: fc.integer({ min: 1, max: 30 }), tokens: fc.integer({ min: 1, max: 200 }) });

/** Every call is answered right after it and once, and nothing else is an answer. */
function assertPaired(messages: readonly Message[]): void {
  let open = new Set<string>();
  for (const message of messages) {
    if (message.role === "tool") for (const { callId } of resultsOf(message)) expect(open.delete(callId)).toBe(true);
    else {
      expect([...open]).toEqual([]);
      open = new Set(callsOf(message).map((call) => call.id));
    }
    expect(message.content.length).toBeGreaterThan(0);
  }
  expect([...open]).toEqual([]);
}

describe("whole turns", () => {
  it("pair every call with its results, whatever they are made from, and change nothing the second time", () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 20 }), (messages) => {
        const whole = wholeTurns(messages);
        assertPaired(whole);
        expect(wholeTurns(whole)).toEqual(whole);
        const said = (list: readonly Message[]) => list.filter(({ role }) => role === "user" || role === "system");
        expect(said(whole)).toEqual(said(messages));
      }),
      { numRuns: 500 },
    );
  });

  it("leave alone what is whole", () => {
    fc.assert(fc.property(fc.array(turn, { maxLength: 6 }), (turns) => void expect(wholeTurns(turns.flat())).toEqual(turns.flat())));
  });
});

describe("a window", () => {
  it("is the newest of a session that fits, whole turns of it, and never parts a call from its results", () => {
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 8 }), rules, (turns, limits) => {
        const all = placed(turns.flat());
        const window = windowOf(all, limits);
        const messages = window.map(({ message }) => message);
        assertPaired(messages);
        expect(window.at(-1)?.seq).toBe(all.length);
        expect(messages[0]?.role).toBe("user");
        const seqs = window.map(({ seq }) => seq);
        expect([...seqs].sort((a, b) => a - b)).toEqual(seqs);
        const tokens = messages.reduce((sum, message) => sum + tokensOf(message), 0);
        // Of a turn that alone is too large: what its user said, and the newest piece however large.
        const newest = all.length - seqs.length;
        const isConsecutive = seqs[0] === newest + 1;
        if (isConsecutive && seqs.length > 2)
          expect(seqs.length <= limits.messages + 1 && tokens <= limits.tokens + tokensOf(messages[0]!)).toBe(true);
        // No larger one would have fitted.
        const start = seqs[0] ?? 1;
        const before = all.slice(0, start - 1).findLastIndex(({ message }) => message.role === "user");
        if (isConsecutive && before >= 0) {
          const larger = all.slice(before);
          const size = larger.reduce((sum, { message }) => sum + tokensOf(message), 0);
          expect(larger.length > limits.messages || size > limits.tokens).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("of a turn that alone is too large keeps what its user asked for, and the newest of it", () => {
    const all = placed([
      text("user", "old"),
      text("assistant", "old"),
      text("user", "the task"),
      calls("a"),
      results("a"),
      calls("b"),
      results("b"),
      calls("c"),
      results("c"),
    ]);
    expect(windowOf(all, { messages: 4, tokens: 1000 }).map(({ seq }) => seq)).toEqual([3, 6, 7, 8, 9]);
  });

  it("is not empty however small the rules are, and empty of nothing", () => {
    expect(windowOf(placed([text("user", "x".repeat(1000))]), { messages: 1, tokens: 1 })).toHaveLength(1);
    expect(windowOf([], { messages: 1, tokens: 1 })).toEqual([]);
  });

  it("counts pictures as something, and texts at four characters a token", () => {
    expect(tokensOf(text("user", "12345678"))).toBe(2);
    expect(
      tokensOf({
        role: "user",
        content: [{ type: "media", mediaType: "image/png", source: { kind: "url", url: "https://x.test/a.png" } }],
      }),
    ).toBe(1000);
  });
});

it("a context has instructions first, then pinned rules, the summary as a user's words, pinned messages, the window and the input", () => {
  const context = contextOf({
    instructions: ["Be kind.", "", "Cite."],
    summary: { seq: 4, text: "They met." },
    pinned: [
      { seq: 1, message: text("system", "rule") },
      { seq: 2, message: text("user", "pinned") },
      { seq: 3, message: calls("a") },
    ],
    window: [
      { seq: 5, message: text("user", "now") },
      { seq: 6, message: calls("b") },
    ],
    input: [results("b"), text("user", "next")],
  });
  expect(context.map(({ role, content }) => [role, (content[0] as { text?: string }).text])).toEqual([
    ["system", "Be kind."],
    ["system", "Cite."],
    ["system", "rule"],
    ["user", "Summary of the conversation so far:\nThey met."],
    ["user", "pinned"],
    ["user", "now"],
    ["assistant", undefined],
    ["tool", undefined],
    ["user", "next"],
  ]);
});
