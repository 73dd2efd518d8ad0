import type { ProtocolId } from "../../src/calls/index.js";

/** What becomes of a feature in a protocol: it comes in another form (`as`), with or without a warning; it is left out with one; or it is refused by its name. */
export interface Fate {
  readonly as?: unknown;
  /** The field that a warning names. */
  readonly warns?: string;
  /** The field that `unsupported_feature` names. */
  readonly refused?: string;
}

/** The loss table: every feature of `call-features` that does not reach a protocol as it was. What is not here is kept, without a word. */
export const callFates: Readonly<Record<string, Partial<Record<ProtocolId, Fate>>>> = {
  "a developer message": {
    "anthropic-messages": {
      as: [
        ["system", "s"],
        ["user", "hi"],
      ],
    },
    "google-genai": {
      as: [
        ["system", "s"],
        ["user", "hi"],
      ],
    },
  },
  "several system messages": {
    "anthropic-messages": {
      as: [
        ["system", "a|b|c"],
        ["user", "hi"],
      ],
    },
    "google-genai": {
      as: [
        ["system", "a|b|c"],
        ["user", "hi"],
      ],
    },
  },
  "a system message in the middle": {
    "google-genai": {
      as: [
        ["user", "hi"],
        ["assistant", "a"],
        ["user", "<system>\ns\n</system>|hi"],
      ],
      warns: "messages[2]",
    },
  },
  "turns of one role in a row": {
    "openai-responses": {
      as: [
        ["user", "hi"],
        ["user", "hi"],
        ["assistant", "a|b"],
        ["user", "hi"],
      ],
    },
    "anthropic-messages": {
      as: [
        ["user", "hi|hi"],
        ["assistant", "a|b"],
        ["user", "hi"],
      ],
    },
    "google-genai": {
      as: [
        ["user", "hi|hi"],
        ["assistant", "a|b"],
        ["user", "hi"],
      ],
    },
  },
  "an assistant first": {
    "google-genai": {
      as: [
        ["user", "(continue)"],
        ["assistant", "a"],
        ["user", "hi"],
      ],
      warns: "messages[0]",
    },
  },
  "a name of the user": {
    "openai-responses": { warns: "messages[0].name" },
    "anthropic-messages": { warns: "messages[0].name" },
    "google-genai": { warns: "messages[0].name" },
  },
  "temperature 2": {
    "anthropic-messages": { as: 1, warns: "temperature" },
  },
  top_k: {
    "openai-chat": { warns: "topK" },
    "openai-responses": { warns: "topK" },
  },
  "stop sequences": {
    "openai-responses": { refused: "stop" },
  },
  "seed 0": {
    "openai-responses": { warns: "seed" },
    "anthropic-messages": { warns: "seed" },
  },
  penalties: {
    "openai-responses": { warns: "presencePenalty" },
    "anthropic-messages": { warns: "presencePenalty" },
  },
  "several answers": {
    "openai-responses": { refused: "n" },
    "anthropic-messages": { refused: "n" },
  },
  probabilities: {
    "anthropic-messages": { refused: "logprobs" },
  },
  "a tool": {
    "openai-responses": {
      as: [
        {
          name: "weather",
          description: "d",
          inputSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
          strict: false,
        },
      ],
    },
  },
  "choice among some": {
    "anthropic-messages": { as: "required", warns: "toolChoice.allowed" },
    "google-genai": { as: { name: "weather" } },
  },
  "one call at a time": {
    "google-genai": { warns: "parallelToolCalls" },
  },
  "arguments that are no JSON": {
    "anthropic-messages": {
      as: [{ id: "1", name: "weather", arguments: '{"INVALID_JSON":"{\\"city\\":"}' }],
      warns: "messages[1].content[0].arguments",
    },
    "google-genai": {
      as: [{ id: "1", name: "weather", arguments: '{"input":"{\\"city\\":"}' }],
      warns: "messages[1].content[0].arguments",
    },
  },
  "a failed result": {
    "openai-chat": { as: [{ type: "tool-result", callId: "1", content: [{ type: "text", text: "Error: sunny" }] }] },
    "openai-responses": { as: [{ type: "tool-result", callId: "1", content: [{ type: "text", text: "Error: sunny" }] }] },
  },
  "an empty result": {
    "openai-chat": { as: [{ type: "tool-result", callId: "1", content: [{ type: "text", text: "" }] }] },
    "openai-responses": { as: [{ type: "tool-result", callId: "1", content: [{ type: "text", text: "" }] }] },
    "google-genai": { as: [{ type: "tool-result", callId: "1", content: [{ type: "text", text: "" }] }] },
  },
  "a picture in a result": {
    "openai-chat": {
      as: [
        [{ type: "tool-result", callId: "1", content: [{ type: "text", text: "a\n(image/png: in the next message)" }] }],
        [{ type: "media", mediaType: "image/png", source: { kind: "base64", data: "AAAA" } }],
      ],
    },
  },
  "a picture by URL": {
    "google-genai": { as: [{ type: "media", mediaType: "image/png", source: { kind: "url", url: "https://x.test/a.png" } }] },
  },
  "how closely to look": {
    "anthropic-messages": { warns: "messages[0].content[1].detail" },
    "google-genai": { warns: "messages[0].content[1].detail" },
  },
  "a document by URL": {
    "openai-chat": { refused: "messages[0].content[1]" },
  },
  sound: {
    "openai-responses": { refused: "messages[0].content[1]" },
    "anthropic-messages": { refused: "messages[0].content[1]" },
  },
  film: {
    "openai-chat": { refused: "messages[0].content[1]" },
    "openai-responses": { refused: "messages[0].content[1]" },
    "anthropic-messages": { refused: "messages[0].content[1]" },
  },
  "an uploaded file": {
    "google-genai": { as: [{ type: "media", mediaType: "application/octet-stream", source: { kind: "url", url: "file_1" } }] },
  },
  JSON: {
    "anthropic-messages": { warns: "output" },
  },
  "a schema": {
    "anthropic-messages": {
      as: {
        type: "json-schema",
        name: "answer",
        schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
      },
    },
    "google-genai": {
      as: {
        type: "json-schema",
        name: "response",
        schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
      },
    },
  },
  "effort none": {
    "google-genai": { as: { budgetTokens: 0 } },
  },
  "effort max": {
    "google-genai": { as: { effort: "high" }, warns: "reasoning.effort" },
  },
  "a budget of thought": {
    "openai-chat": { as: { effort: "medium" }, warns: "reasoning.budgetTokens" },
    "openai-responses": { as: { effort: "medium" }, warns: "reasoning.budgetTokens" },
  },
  "thought as it likes": {
    "openai-chat": {},
  },
  "a mark of a cache": {
    "openai-chat": { warns: "messages[0].content[0].cache" },
    "openai-responses": { warns: "messages[0].content[0].cache" },
    "google-genai": { warns: "messages[0].content[0].cache" },
  },
  "a tier": {
    "anthropic-messages": { as: "auto" },
  },
  "a key of a cache": {
    "anthropic-messages": { warns: "promptCacheKey" },
    "google-genai": { warns: "promptCacheKey" },
  },
  "how long a cache is kept": {
    "anthropic-messages": { warns: "promptCacheRetention" },
    "google-genai": { warns: "promptCacheRetention" },
  },
  "how much is said": {
    "anthropic-messages": { warns: "verbosity" },
    "google-genai": { warns: "verbosity" },
  },
  "a user by both names": {
    "google-genai": { as: [undefined, "s"], warns: "user" },
  },
  "a user": {
    "google-genai": { warns: "user" },
  },
  metadata: {
    "anthropic-messages": { warns: "metadata" },
  },
  "sound in the answer": {
    "openai-responses": { refused: "outputModalities" },
    "anthropic-messages": { refused: "outputModalities" },
  },
  "a tool of text": {
    "anthropic-messages": { as: [["shell", "json", ["input"]]], warns: "tools[0]" },
    "google-genai": { as: [["shell", "json", ["input"]]], warns: "tools[0]" },
  },
  "a grammar of a tool of text": {
    "anthropic-messages": { as: [["", "Its input has to follow this grammar (regex):\na+"]], warns: "tools[0]" },
    "google-genai": { as: [["", "Its input has to follow this grammar (regex):\na+"]], warns: "tools[0]" },
  },
  "reasoning of before": {
    "openai-chat": { as: [{ type: "text", text: "a" }] },
  },
  "a refusal of before": {
    "anthropic-messages": { as: [{ type: "text", text: "no" }] },
    "google-genai": { as: [{ type: "text", text: "no" }] },
  },
};
