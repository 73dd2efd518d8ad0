import type { AnswerPart, Candidate, ModelAnswer, Usage } from "../../src/calls/index.js";

export interface AnswerFeature {
  readonly name: string;
  readonly answer: ModelAnswer;
  /** What of an answer the feature is about. */
  readonly pick: (answer: ModelAnswer) => unknown;
}

const text = (said: string) => ({ type: "text", text: said }) as const;
const call = (id: string, name: string, args: string) => ({ type: "tool-call", id, name, arguments: args }) as const;

export function answerOf(
  content: readonly AnswerPart[],
  more: Partial<Candidate> = {},
  usage: Usage = { inputTokens: 10, outputTokens: 5 },
): ModelAnswer {
  return {
    id: "resp_1",
    model: "m",
    createdAtMs: 1_700_000_000_000,
    candidates: [{ index: 0, content, finishReason: content.some(({ type }) => type === "tool-call") ? "tool-calls" : "stop", ...more }],
    usage,
  };
}

const contentOf = (answer: ModelAnswer) => answer.candidates.map(({ content }) => content);
const saidOf = (answer: ModelAnswer) =>
  answer.candidates.map(({ content }) => content.map((part) => (part.type === "text" ? part.text : "")).join(""));
const endOf = (answer: ModelAnswer) => answer.candidates.map(({ finishReason }) => finishReason);
const token = (said: string, top?: { token: string; logprob: number }[]) => ({
  token: said,
  logprob: -0.5,
  ...(top === undefined ? {} : { top }),
});

const ends = ["length", "context-overflow", "content-filter", "refusal", "paused", "malformed-tool", "cancelled", "other"] as const;

export const answerFeatures: readonly AnswerFeature[] = [
  { name: "text", answer: answerOf([text("hé 😀\u0000\n")]), pick: (of) => [contentOf(of), endOf(of)] },
  { name: "nothing", answer: answerOf([]), pick: (of) => [saidOf(of), endOf(of)] },
  { name: "several texts", answer: answerOf([text("one"), text("two")]), pick: contentOf },
  {
    name: "calls",
    answer: answerOf([call("c1", "f", '{"z":12345678901234567890,"a":"é"}'), call("c2", "g", "{}")]),
    pick: (of) => [contentOf(of), endOf(of)],
  },
  {
    name: "text and a call",
    answer: answerOf([text("so"), call("c1", "f", '{"a":[1,{"b":null}]}')]),
    pick: (of) => [contentOf(of), endOf(of)],
  },
  { name: "arguments that are no JSON", answer: answerOf([call("c1", "f", '{"a":')]), pick: contentOf },
  { name: "a call of a tool of text", answer: answerOf([{ ...call("c1", "shell", 'ls "a"\n'), input: "text" }]), pick: contentOf },
  { name: "reasoning", answer: answerOf([{ type: "reasoning", text: "so" }, text("a")]), pick: contentOf },
  { name: "sealed reasoning", answer: answerOf([{ type: "reasoning", text: "so", opaque: "c2VhbGVk" }, text("a")]), pick: contentOf },
  {
    name: "reasoning of which there is the seal alone",
    answer: answerOf([{ type: "reasoning", text: "", opaque: "c2VhbGVk", redacted: true }, text("a")]),
    pick: contentOf,
  },
  {
    name: "reasoning alone",
    answer: answerOf([{ type: "reasoning", text: "so", opaque: "c2VhbGVk" }]),
    pick: (of) => [contentOf(of), endOf(of)],
  },
  { name: "a sealed call", answer: answerOf([{ ...call("c1", "f", "{}"), opaque: "c2VhbGVk" }]), pick: contentOf },
  { name: "a sealed text", answer: answerOf([{ ...text("a"), opaque: "c2VhbGVk" }]), pick: contentOf },
  {
    name: "a refusal",
    answer: answerOf([{ type: "refusal", text: "no" }], { finishReason: "refusal" }),
    pick: (of) => [contentOf(of), endOf(of)],
  },
  {
    name: "a citation",
    answer: answerOf([{ ...text("😀 said"), citations: [{ url: "https://x.test/a", title: "A", start: 3, end: 7 }] }]),
    pick: contentOf,
  },
  {
    name: "probabilities of tokens",
    answer: answerOf([
      {
        ...text("ab"),
        logprobs: [
          token("a", [
            { token: "a", logprob: -0.5 },
            { token: "x", logprob: -2 },
          ]),
          token("b", [{ token: "b", logprob: -0.5 }]),
        ],
      },
    ]),
    pick: (of) =>
      of.candidates[0]?.content.flatMap((part) =>
        part.type === "text" ? (part.logprobs ?? []).map(({ token: said, top }) => [said, top?.length]) : [],
      ),
  },
  {
    name: "a picture",
    answer: answerOf([text("see"), { type: "media", mediaType: "image/png", source: { kind: "base64", data: "AAAA" } }]),
    pick: contentOf,
  },
  {
    name: "a stop sequence",
    answer: answerOf([text("a")], { stopSequence: "END" }),
    pick: (of) => [endOf(of), of.candidates[0]?.stopSequence ?? "untold"],
  },
  {
    name: "several answers",
    answer: {
      ...answerOf([text("a")]),
      candidates: [...answerOf([text("a")]).candidates, { index: 1, content: [text("b")], finishReason: "length" }],
    },
    pick: (of) => [contentOf(of), endOf(of)],
  },
  ...ends.map((finishReason) => ({ name: `the end ${finishReason}`, answer: answerOf([text("a")], { finishReason }), pick: endOf })),
  {
    name: "65, 66: counts",
    answer: answerOf([text("a")], {}, { inputTokens: 10, cacheReadTokens: 20, cacheWriteTokens: 30, outputTokens: 5, reasoningTokens: 7 }),
    pick: (of) => of.usage,
  },
  {
    name: "counts of little",
    answer: answerOf([text("a")], {}, { inputTokens: 0, outputTokens: 0 }),
    pick: (of) => [of.usage.inputTokens, of.usage.outputTokens],
  },
  {
    name: "counts of long caches",
    answer: answerOf([text("a")], {}, { inputTokens: 1, cacheWriteLongTokens: 9, outputTokens: 2 }),
    pick: (of) => of.usage,
  },
  {
    name: "the tier that served",
    answer: answerOf([text("a")], {}, { inputTokens: 1, outputTokens: 2, serviceTier: "priority" }),
    pick: (of) => of.usage.serviceTier,
  },
];
