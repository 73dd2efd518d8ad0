import type { ProtocolId } from "../../src/calls/index.js";

export interface AnswerFate {
  /** What a client of the protocol reads. */
  readonly as: unknown;
  /** In a stream, where that is another thing. */
  readonly streamedAs?: unknown;
}

/** The loss table of answers: every feature of `answer-features` that does not reach a client of a protocol as it was. What is not here is kept. */
export const answerFates: Readonly<Record<string, Partial<Record<ProtocolId, AnswerFate>>>> = {
  "several texts": {
    "openai-chat": { as: [[{ type: "text", text: "onetwo" }]] },
    "google-genai": { as: [[{ type: "text", text: "onetwo" }]] },
  },
  "arguments that are no JSON": {
    "anthropic-messages": {
      as: [[{ type: "tool-call", id: "c1", name: "f", arguments: '{"INVALID_JSON":"{\\"a\\":"}' }]],
      streamedAs: [[{ type: "tool-call", id: "c1", name: "f", arguments: '{"a":' }]],
    },
    "google-genai": { as: [[]] },
  },
  "a call of a tool of text": {
    "anthropic-messages": {
      as: [[{ type: "tool-call", id: "c1", name: "shell", arguments: '{"INVALID_JSON":"ls \\"a\\"\\n"}' }]],
      streamedAs: [[{ type: "tool-call", id: "c1", name: "shell", arguments: 'ls "a"\n' }]],
    },
    "google-genai": { as: [[]] },
  },
  "sealed reasoning": {
    "openai-chat": {
      as: [
        [
          { type: "reasoning", text: "so" },
          { type: "text", text: "a" },
        ],
      ],
    },
  },
  "reasoning of which there is the seal alone": {
    "openai-chat": { as: [[{ type: "text", text: "a" }]] },
    "openai-responses": {
      as: [
        [
          { type: "reasoning", text: "", opaque: "c2VhbGVk" },
          { type: "text", text: "a" },
        ],
      ],
    },
    "google-genai": {
      as: [
        [
          { type: "reasoning", text: "", opaque: "c2VhbGVk" },
          { type: "text", text: "a" },
        ],
      ],
    },
  },
  "reasoning alone": {
    "openai-chat": { as: [[[{ type: "reasoning", text: "so" }]], ["stop"]] },
  },
  "a sealed call": {
    "openai-chat": { as: [[{ type: "tool-call", id: "c1", name: "f", arguments: "{}" }]] },
    "openai-responses": { as: [[{ type: "tool-call", id: "c1", name: "f", arguments: "{}" }]] },
    "anthropic-messages": { as: [[{ type: "tool-call", id: "c1", name: "f", arguments: "{}" }]] },
  },
  "a sealed text": {
    "openai-chat": { as: [[{ type: "text", text: "a" }]] },
    "openai-responses": { as: [[{ type: "text", text: "a" }]] },
    "anthropic-messages": { as: [[{ type: "text", text: "a" }]] },
  },
  "a refusal": {
    "google-genai": { as: [[[{ type: "text", text: "no" }]], ["content-filter"]] },
  },
  "a citation": {
    "anthropic-messages": {
      as: [[{ type: "text", text: "😀 said", citations: [{ url: "https://x.test/a", title: "A", citedText: "" }] }]],
    },
  },
  "probabilities of tokens": {
    "anthropic-messages": { as: [] },
  },
  "a stop sequence": {
    "openai-responses": { as: [["stop"], "untold"] },
    "google-genai": { as: [["stop"], "untold"] },
  },
  "several answers": {
    "openai-responses": { as: [[[{ type: "text", text: "a" }]], ["stop"]] },
    "anthropic-messages": { as: [[[{ type: "text", text: "a" }]], ["stop"]] },
  },
  "the end context-overflow": {
    "openai-chat": { as: ["length"] },
    "openai-responses": { as: ["length"] },
    "google-genai": { as: ["length"] },
  },
  "the end content-filter": {
    "anthropic-messages": { as: ["refusal"] },
  },
  "the end refusal": {
    "openai-chat": { as: ["content-filter"] },
    "openai-responses": { as: ["content-filter"] },
    "google-genai": { as: ["content-filter"] },
  },
  "the end paused": {
    "openai-chat": { as: ["length"] },
    "openai-responses": { as: ["length"] },
  },
  "the end malformed-tool": {
    "openai-chat": { as: ["stop"] },
    "openai-responses": { as: ["stop"] },
    "anthropic-messages": { as: ["stop"] },
  },
  "the end cancelled": {
    "openai-chat": { as: ["length"] },
    "anthropic-messages": { as: ["length"] },
    "google-genai": { as: ["other"] },
  },
  "the end other": {
    "openai-chat": { as: ["stop"] },
    "openai-responses": { as: ["stop"] },
    "anthropic-messages": { as: ["stop"] },
  },
  "65, 66: counts": {
    "google-genai": { as: { inputTokens: 40, cacheReadTokens: 20, outputTokens: 5, reasoningTokens: 7 } },
  },
  "counts of long caches": {
    "openai-chat": { as: { cacheWriteTokens: 9, inputTokens: 1, outputTokens: 2 } },
    "openai-responses": {
      as: { cacheReadTokens: 0, cacheWriteTokens: 0, inputTokens: 1, reasoningTokens: 0, outputTokens: 2, cacheWriteLongTokens: 9 },
    },
    "anthropic-messages": { as: { inputTokens: 1, cacheWriteTokens: 0, cacheWriteLongTokens: 9, outputTokens: 2 } },
    "google-genai": { as: { inputTokens: 10, outputTokens: 2 } },
  },
};
