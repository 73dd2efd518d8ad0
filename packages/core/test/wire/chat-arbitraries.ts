import fc, { type Arbitrary } from "fast-check";
import type {
  AnswerPart,
  Candidate,
  Citation,
  Extras,
  HostedTool,
  Message,
  ModelAnswer,
  ModelCall,
  TextPart,
  TokenLogprob,
  ToolCallPart,
  ToolSpec,
  Usage,
} from "../../src/calls/index.js";

/** Neutral values as Chat Completions can carry them: what a decoder of it gives, and so what must come back from encoding and decoding. */

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,11}$/);
const anyText = fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.constantFrom("", "\ud800", "a\u0000b", "😀", "\u2028", '"\\'));
const someText = anyText.filter((text) => text !== "");
const base64 = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("base64"));
/** As JSON has it: without a negative zero. */
const jsonObject = fc
  .dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, never>);
const toolArguments = fc.oneof(
  fc.json({ maxDepth: 2 }).map((json) => `{"x":${json}}`),
  fc.constantFrom("{}", '{"n":12345678901234567890}', '{"broken": '),
);

/** An optional field: absent, not undefined. */
function maybe<T, K extends string>(key: K, value: Arbitrary<T>): Arbitrary<Partial<Record<K, T>>> {
  return fc.option(value, { nil: undefined }).map((given) => (given === undefined ? {} : { [key]: given })) as Arbitrary<
    Partial<Record<K, T>>
  >;
}
function merged<T>(...parts: Arbitrary<object>[]): Arbitrary<T> {
  return fc.tuple(...parts).map((given) => Object.assign({}, ...given) as T);
}
const own = (fields: Record<string, unknown>): { extras: Extras } => ({ extras: { "openai-chat": fields } });

const plainText: Arbitrary<TextPart> = anyText.map((text) => ({ type: "text", text }));
const mark = fc.constantFrom(
  { cache: {}, ...own({ prompt_cache_breakpoint: { mode: "explicit" } }) },
  { cache: { ttl: "1h" }, ...own({ cache_control: { type: "ephemeral", ttl: "1h" } }) },
);
const markedText: Arbitrary<TextPart> = fc.tuple(anyText, mark).map(([text, marked]) => ({ type: "text", text, ...marked }));
const text = fc.oneof(plainText, markedText);
const media: Arbitrary<Extract<AnswerPart, { type: "media" }>> = fc.oneof(
  merged<never>(
    fc.webUrl().map((url) => ({ type: "media", mediaType: "image/*", source: { kind: "url", url } })),
    fc.constantFrom({}, { detail: "high" }),
  ),
  base64.map((data) => ({ type: "media", mediaType: "image/png", source: { kind: "base64", data } }) as const),
  fc
    .tuple(base64, fc.constantFrom("audio/wav", "audio/mpeg"))
    .map(([data, mediaType]) => ({ type: "media", mediaType, source: { kind: "base64", data } }) as const),
  fc
    .tuple(base64, word)
    .map(
      ([data, name]) =>
        ({ type: "media", mediaType: "application/pdf", source: { kind: "base64", data }, filename: `${name}.pdf` }) as const,
    ),
  word.map((id) => ({ type: "media", mediaType: "application/octet-stream", source: { kind: "file", id } }) as const),
);
const toolCall: Arbitrary<ToolCallPart> = fc.oneof(
  merged<ToolCallPart>(fc.record({ type: fc.constant("tool-call" as const), id: word, name: word, arguments: toolArguments })),
  merged<ToolCallPart>(
    fc.record({ type: fc.constant("tool-call" as const), id: word, name: word, arguments: anyText }),
    fc.constant({ input: "text" as const }),
  ),
  merged<ToolCallPart>(
    fc.record({ type: fc.constant("tool-call" as const), id: word, name: word, arguments: toolArguments }),
    fc.constant(own({ extra_content: { google: { thought_signature: "x" } } })),
  ),
);
const reasoning: Arbitrary<Extract<AnswerPart, { type: "reasoning" }>> = fc
  .tuple(anyText, fc.constantFrom("reasoning_content", "reasoning"), fc.boolean())
  .map(([said, field, sealed]) => ({
    type: "reasoning",
    text: said,
    ...own(sealed ? { field, reasoning_details: [{ type: "reasoning.encrypted", data: said }] } : { field }),
  }));
const refusal = anyText.map((said) => ({ type: "refusal", text: said }) as const);

/** Reasoning first, calls last, as the protocol has one field for each. */
const assistantContent = fc
  .tuple(
    fc.array(reasoning, { maxLength: 1 }),
    fc.array(fc.oneof(text, text, refusal), { maxLength: 3 }),
    fc.uniqueArray(toolCall, { maxLength: 3, selector: (call) => call.id }),
  )
  .map((parts) => parts.flat());

const messageOwn = fc.constantFrom({}, own({ cache_control: { type: "ephemeral" } }));
const message: Arbitrary<Message> = fc.oneof(
  merged<Message>(
    fc.record({ role: fc.constantFrom("system", "developer"), content: fc.array(text, { maxLength: 2 }) }),
    fc.constantFrom({}, own({ name: "n" })),
  ),
  merged<Message>(
    fc.record({ role: fc.constant("user"), content: fc.array(fc.oneof(text, media), { maxLength: 3 }) }),
    maybe("name", word),
    messageOwn,
  ),
  merged<Message>(fc.record({ role: fc.constant("assistant"), content: assistantContent }), maybe("name", word), messageOwn),
  fc.record({
    role: fc.constant("tool" as const),
    content: fc.array(
      merged<never>(
        fc.record({ type: fc.constant("tool-result"), callId: word, content: fc.array(text, { minLength: 1, maxLength: 2 }) }),
        fc.constantFrom({}, own({ name: "n" })),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  }),
);

const toolSpec: Arbitrary<ToolSpec> = merged<ToolSpec>(
  fc.record({ name: word, inputSchema: jsonObject.map((properties) => ({ type: "object", properties })) }),
  maybe("description", anyText),
  maybe("strict", fc.boolean()),
  fc.constantFrom({}, { cache: {}, ...own({ cache_control: { type: "ephemeral" } }) }),
);
const textTool: Arbitrary<ToolSpec> = merged<ToolSpec>(
  fc.record({ name: word, inputSchema: fc.constant({}), input: fc.constant("text" as const) }),
  maybe("description", anyText),
  fc.constantFrom({}, { grammar: { syntax: "lark", definition: "x" } }, own({ custom: { format: { type: "text" } } })),
);
const hostedTool: Arbitrary<HostedTool> = fc.constant({ hosted: "openai-chat", definition: { type: "web_search", depth: 1 } });
const toolList = fc
  .tuple(
    fc.uniqueArray(fc.oneof(toolSpec, toolSpec, textTool), { minLength: 1, maxLength: 3, selector: (spec) => spec.name }),
    fc.array(hostedTool, { maxLength: 1 }),
  )
  .map(([specs, hosted]) => [...hosted, ...specs]);
const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -2, max: 2 }).map((value) => (Object.is(value, -0) ? 0 : value));

export const modelCall: Arbitrary<ModelCall> = merged<ModelCall>(
  fc.record({
    model: word,
    // Two messages of results in a row are one.
    messages: fc
      .array(message, { maxLength: 5 })
      .map((list) => list.filter((given, i) => given.role !== "tool" || list[i - 1]?.role !== "tool")),
  }),
  maybe("tools", toolList),
  maybe(
    "toolChoice",
    fc.oneof(
      fc.constantFrom("auto", "none", "required"),
      fc.record({ name: word }),
      fc.record({ allowed: fc.array(word, { maxLength: 2 }), required: fc.boolean() }),
    ),
  ),
  maybe("parallelToolCalls", fc.boolean()),
  maybe(
    "output",
    fc.oneof(
      fc.constantFrom({ type: "text" }, { type: "json" }),
      merged(
        fc.record({ type: fc.constant("json-schema"), name: word, schema: jsonObject }),
        maybe("strict", fc.boolean()),
        maybe("description", anyText),
      ),
    ),
  ),
  maybe("maxOutputTokens", fc.nat()),
  maybe("temperature", number),
  maybe("topP", number),
  maybe("stop", fc.array(anyText, { maxLength: 4 })),
  maybe("seed", fc.oneof(fc.constant(0), fc.integer())),
  maybe("presencePenalty", number),
  maybe("frequencyPenalty", number),
  maybe("n", fc.integer({ min: 1, max: 8 })),
  maybe("reasoning", fc.record({ effort: word })),
  maybe("logprobs", fc.nat({ max: 20 })),
  maybe("outputModalities", fc.constantFrom(["text"], ["text", "audio"])),
  maybe("serviceTier", fc.constantFrom("auto", "flex", "priority")),
  maybe("promptCacheKey", word),
  maybe("promptCacheRetention", word),
  maybe("verbosity", word),
  maybe("store", fc.boolean()),
  maybe("metadata", jsonObject),
  fc.oneof(
    maybe("user", anyText),
    fc.constant({ user: "u", safetyIdentifier: "u" }),
    fc.constant({ user: "u", safetyIdentifier: "s", store: false }),
    fc.constant({ topK: 3, ...own({ top_k: 3, logit_bias: { "5": 1 } }) }),
  ),
);

const count = fc.nat({ max: 100_000 });
const usage: Arbitrary<Usage> = merged<Usage>(
  fc.record({ inputTokens: count, outputTokens: count }),
  maybe("cacheReadTokens", count),
  maybe("cacheWriteTokens", count),
  maybe("reasoningTokens", count),
  maybe("audioInputTokens", count),
  maybe("audioOutputTokens", count),
  maybe("imageInputTokens", count),
  maybe("imageOutputTokens", count),
  maybe("reportedCostNanoUsd", count),
);
const token: Arbitrary<Omit<TokenLogprob, "top">> = merged<Omit<TokenLogprob, "top">>(
  fc.record({ token: anyText, logprob: fc.constantFrom(-0.5, -9999, 0) }),
  maybe("bytes", fc.array(fc.nat({ max: 255 }), { maxLength: 2 })),
);
const logprobs: Arbitrary<TokenLogprob[]> = fc.array(
  fc.tuple(token, fc.array(token, { maxLength: 2 })).map(([one, top]) => (top.length === 0 ? one : { ...one, top })),
  { minLength: 1, maxLength: 3 },
);
/** As the protocol has them: with an address, a title and a place. */
const citation = (length: number): Arbitrary<Citation> =>
  merged<Citation>(
    fc.record({ url: fc.webUrl(), title: word, start: fc.nat({ max: length }), end: fc.nat({ max: length }) }),
    maybe("citedText", anyText),
    fc.constantFrom({}, own({ kind: "x" })),
  );
const saidText: Arbitrary<TextPart> = someText.chain((said) =>
  merged<TextPart>(
    fc.constant({ type: "text", text: said }),
    maybe("logprobs", logprobs),
    maybe("citations", fc.array(citation(said.length), { minLength: 1, maxLength: 2 })),
  ),
);

const answerCall: Arbitrary<ToolCallPart> = fc.record({
  type: fc.constant("tool-call" as const),
  id: word,
  name: word,
  arguments: toolArguments,
});
const candidate = (index: number): Arbitrary<Candidate> =>
  fc
    .tuple(
      fc.array(reasoning, { maxLength: 1 }),
      fc.array(saidText, { maxLength: 1 }),
      fc.array(
        someText.map((said): AnswerPart => ({ type: "refusal", text: said })),
        { maxLength: 1 },
      ),
      fc.uniqueArray(answerCall, { maxLength: 3, selector: (call) => call.id }),
      fc.constantFrom("stop", "length", "content-filter"),
      fc.constantFrom(
        {},
        { stopSequence: "END" },
        own({ logprobs: { content: null, refusal: [{ token: "a", logprob: -1, bytes: null, top_logprobs: [] }] } }),
      ),
    )
    .map(([thought, said, refused, calls, plain, extras]): Candidate => {
      // A call that is not whole is there only when the model was not cut off; what else was said decides the reason.
      const reason = plain === "stop" ? (calls.length > 0 ? "tool-calls" : refused.length > 0 ? "refusal" : "stop") : plain;
      const whole = reason === "tool-calls" ? calls : calls.filter((call) => call.arguments !== '{"broken": ');
      return {
        index,
        content: [...thought, ...said, ...refused, ...whole],
        finishReason: reason as Candidate["finishReason"],
        ...(extras as object),
      };
    });

export const modelAnswer: Arbitrary<ModelAnswer> = fc.integer({ min: 1, max: 3 }).chain((size) =>
  merged<ModelAnswer>(
    fc.record({
      id: word,
      model: word,
      createdAtMs: fc.integer({ min: 1, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
      candidates: fc.tuple(...Array.from({ length: size }, (_, index) => candidate(index))),
      usage,
    }),
    fc.constantFrom({}, own({ system_fingerprint: "fp", service_tier: "default" })),
  ).map((answer) => {
    // The tier that served stands in the answer, and is part of what it consumed.
    const tier = answer.extras?.["openai-chat"]?.["service_tier"] as string | undefined;
    return tier === undefined ? answer : { ...answer, usage: { ...answer.usage, serviceTier: tier } };
  }),
);
