import fc, { type Arbitrary } from "fast-check";
import type {
  AnswerPart,
  Candidate,
  Citation,
  Extras,
  MediaPart,
  Message,
  ModelAnswer,
  ModelCall,
  NativePart,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  ToolSpec,
  Usage,
} from "../../src/calls/index.js";
import { toWellFormed } from "../../src/util/well-formed.js";

/** Neutral values as Messages can carry them: what a decoder of it gives, and so what must come back from encoding and decoding. */

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,11}$/);
const anyText = fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.constantFrom("a\u0000b", "😀", "\u2028", '"\\', "\ud800"));
/** Texts of blanks are refused by the vendor. */
const said = anyText.filter((text) => text.trim() !== "");
const base64 = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("base64"));
/** As JSON has it: without a negative zero. */
const jsonObject = fc
  .dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, never>);
const input = fc.oneof(
  fc.json({ maxDepth: 2 }).map((json) => `{"x":${json}}`),
  fc.constantFrom("{}", '{"n":12345678901234567890}', '{ "b": 1.0, "a":[ ] }'),
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
const own = (fields: Record<string, unknown>): { extras: Extras } => ({ extras: { "anthropic-messages": fields } });
/** A longer time has to stand in front of a shorter one, and four marks are all: one kind, and few of them. */
const cache = fc.oneof(
  { weight: 20, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constantFrom({ cache: {} }, { cache: { ttl: "5m" } }) },
);

const citation: Arbitrary<Citation> = fc.oneof(
  merged<Citation>(
    fc.record({ url: fc.webUrl(), citedText: anyText }),
    maybe("title", anyText),
    word.map((index) => own({ type: "web_search_result_location", encrypted_index: index })),
  ),
  merged<Citation>(
    fc.record({ citedText: anyText }),
    maybe("title", anyText),
    fc.constant(own({ type: "char_location", document_index: 0, start_char_index: 1, end_char_index: 4, file_id: null })),
  ),
  fc
    .record({ citedText: anyText, url: word })
    .map((given) => ({ ...given, ...own({ type: "search_result_location", search_result_index: 0 }) })),
);
const text: Arbitrary<TextPart> = merged<TextPart>(
  said.map((given) => ({ type: "text", text: given })),
  maybe("citations", fc.array(citation, { minLength: 1, maxLength: 2 })),
  cache,
);
const plainText: Arbitrary<TextPart> = merged<TextPart>(
  said.map((given) => ({ type: "text", text: given })),
  cache,
);
const media: Arbitrary<MediaPart> = merged<MediaPart>(
  fc.oneof(
    fc.webUrl().map((url) => ({ type: "media", mediaType: "image/*", source: { kind: "url", url } })),
    word.map((id) => ({ type: "media", mediaType: "image/*", source: { kind: "file", id } })),
    base64.map((data) => ({ type: "media", mediaType: "image/png", source: { kind: "base64", data } })),
    merged<object>(
      fc.oneof(
        base64.map((data) => ({ type: "media", mediaType: "application/pdf", source: { kind: "base64", data } })),
        fc.string().map((given) => ({
          type: "media",
          mediaType: "text/plain",
          source: { kind: "base64", data: Buffer.from(toWellFormed(given)).toString("base64") },
        })),
        fc.webUrl().map((url) => ({ type: "media", mediaType: "application/pdf", source: { kind: "url", url } })),
        word.map((id) => ({ type: "media", mediaType: "application/octet-stream", source: { kind: "file", id } })),
      ),
      maybe("filename", word),
      fc.constantFrom({}, own({ citations: { enabled: true }, context: "c" })),
    ),
  ),
  cache,
);
const native: Arbitrary<NativePart> = fc.oneof(
  word.map(
    (id): NativePart => ({
      type: "native",
      protocol: "anthropic-messages",
      item: { type: "server_tool_use", id, name: "web_search", input: { query: "q" } },
    }),
  ),
  fc.constant<NativePart>({
    type: "native",
    protocol: "anthropic-messages",
    item: { type: "fallback", from: { model: "a" }, to: { model: "b" } },
  }),
);
const reasoning: Arbitrary<ReasoningPart> = fc.oneof(
  fc.record({ text: anyText, opaque: word }).map((given) => ({ type: "reasoning" as const, ...given })),
  word.map((opaque): ReasoningPart => ({ type: "reasoning", text: "", opaque, redacted: true })),
);
const toolCall: Arbitrary<ToolCallPart> = merged<ToolCallPart>(
  fc.record({ type: fc.constant("tool-call" as const), id: word, name: word, arguments: input }),
  fc.constantFrom({}, own({ caller: { type: "direct" } })),
);
const toolResult: Arbitrary<ToolResultPart> = merged<ToolResultPart>(
  fc.record({ type: fc.constant("tool-result" as const), callId: word, content: fc.array(fc.oneof(plainText, media), { maxLength: 2 }) }),
  maybe("isError", fc.boolean()),
);

const assistantPart = fc.oneof(text, reasoning, toolCall, native);
const userTurn = fc
  .tuple(
    fc.array(toolResult, { maxLength: 2 }),
    fc.array(fc.oneof(plainText, media, native), { maxLength: 3 }),
    fc.constantFrom({}, own({ id: "m" })),
  )
  .filter(([results, parts]) => results.length + parts.length > 0)
  .map(([results, parts, extras]): Message[] => [
    ...(results.length === 0 ? [] : [{ role: "tool" as const, content: results, ...(parts.length === 0 ? extras : {}) }]),
    ...(parts.length === 0 ? [] : [{ role: "user" as const, content: parts, ...extras }]),
  ]);
const assistantTurn = fc
  .array(assistantPart, { minLength: 1, maxLength: 4 })
  .map((content): Message[] => [{ role: "assistant", content: content.map(withoutTrailingBlanks) }]);
const systemTurn = fc.array(plainText, { minLength: 1, maxLength: 2 }).map((content): Message[] => [{ role: "system", content }]);

/** What ends the conversation is continued by the model, and may not end in blanks. */
function withoutTrailingBlanks<P extends { readonly type: string }>(part: P): P {
  return part.type === "text" ? { ...part, text: (part as unknown as TextPart).text.trimEnd() } : part;
}

/** Turns that alternate, with system messages between them. */
const messages = fc
  .tuple(
    fc.option(systemTurn, { nil: [] }),
    fc.array(fc.tuple(userTurn, assistantTurn, fc.option(systemTurn, { nil: [] })), { maxLength: 2 }),
    userTurn,
  )
  .map(([system, turns, last]) => [
    ...system,
    ...turns.flatMap(([user, assistant, between]) => [...user, ...assistant, ...between]),
    ...last,
  ]);

const closed = (properties: Record<string, never>) => ({ type: "object", properties, additionalProperties: false });
const toolSpec: Arbitrary<ToolSpec> = merged<ToolSpec>(
  fc.record({ name: word, inputSchema: jsonObject.map((properties) => ({ type: "object", properties })) }),
  maybe("description", anyText),
  fc.constantFrom({}, { strict: false }),
  cache,
  fc.constantFrom({}, own({ type: "custom", defer_loading: true })),
);
const hosted = fc.constant({
  hosted: "anthropic-messages" as const,
  definition: { type: "web_search_20260318", name: "web_search", max_uses: 3 },
});
const tools = fc
  .tuple(fc.uniqueArray(toolSpec, { minLength: 1, maxLength: 3, selector: (spec) => spec.name }), fc.array(hosted, { maxLength: 1 }))
  .map(([specs, others]) => [...specs.filter((spec) => spec.name !== "web_search"), ...others])
  .filter((list) => list.length > 0);
const choice = fc.oneof(
  merged<object>(
    fc.record({ toolChoice: fc.oneof(fc.constantFrom("auto", "required"), fc.record({ name: word })) }),
    maybe("parallelToolCalls", fc.boolean()),
  ),
  fc.constantFrom({ toolChoice: "none" }, {}),
);
const effort = fc.constantFrom("low", "medium", "high", "xhigh", "max");
const thinks = fc.oneof(
  merged<object>(maybe("effort", effort), maybe("visible", fc.boolean())),
  merged<object>(
    fc.record({ budgetTokens: fc.integer({ min: 1024, max: 4000 }) }),
    maybe("effort", effort),
    maybe("visible", fc.boolean()),
  ),
  fc.constant({ effort: "none" }),
  effort.map((given) => ({ effort: given, budgetTokens: 0 })),
);
const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: 0, max: 1 }).map((value) => (Object.is(value, -0) ? 0 : value));

export const modelCall: Arbitrary<ModelCall> = merged<ModelCall>(
  fc.record({ model: word, messages, maxOutputTokens: fc.integer({ min: 5000, max: 100_000 }) }),
  fc.oneof(
    merged<object>(
      fc.record({ tools }),
      fc.oneof(
        choice.map((given) => given),
        thinks.map((given) => ({ reasoning: given })),
      ),
    ),
    merged<object>(maybe("temperature", number), maybe("topP", number), maybe("topK", fc.nat())),
  ),
  maybe(
    "output",
    jsonObject.map((properties) => ({ type: "json-schema", name: "answer", schema: closed(withoutInnerSchemas(properties)) })),
  ),
  maybe("stop", fc.array(said, { maxLength: 4 })),
  maybe("serviceTier", fc.constantFrom("auto", "default")),
  maybe("user", anyText),
  fc.constantFrom({}, own({ speed: "fast", container: "c", metadata: { department: "d" }, output_config: { x: 1 } })),
);

/** Schemas within a schema are fitted to the vendor, which other tests look at. */
function withoutInnerSchemas(properties: Record<string, unknown>): Record<string, never> {
  return Object.fromEntries(Object.keys(properties).map((key) => [key, { type: "string" }])) as unknown as Record<string, never>;
}

const count = fc.nat({ max: 100_000 });
const usage: Arbitrary<Usage> = merged<Usage>(
  fc.record({ inputTokens: count, outputTokens: count }),
  maybe("cacheReadTokens", count),
  fc.oneof(
    fc.constant({}),
    count.map((cacheWriteTokens) => ({ cacheWriteTokens })),
    fc.record({ cacheWriteTokens: count, cacheWriteLongTokens: count }),
  ),
  maybe("reasoningTokens", count),
  maybe("searches", count),
  maybe("serviceTier", fc.constantFrom("standard", "priority", "fast")),
);

/** Marks for the cache are of requests alone. */
const unmarked = <P extends object>(part: Arbitrary<P>) =>
  part.map((given) => Object.fromEntries(Object.entries(given).filter(([key]) => key !== "cache")) as P);
const picture = base64.map((data): AnswerPart => ({ type: "media", mediaType: "image/png", source: { kind: "base64", data } }));
const candidate: Arbitrary<Candidate> = fc
  .tuple(
    fc.array(fc.oneof(unmarked(text), reasoning, toolCall, native, picture), { maxLength: 5 }),
    fc.constantFrom("stop", "length", "paused", "context-overflow", "refusal"),
    fc.option(said, { nil: undefined }),
    fc.constantFrom({}, own({ container: { id: "c" } })),
  )
  .map(([content, plain, words, extras]): Candidate => {
    const calls = content.some((part) => part.type === "tool-call");
    const reason = plain === "stop" && calls ? "tool-calls" : plain;
    // A last call without input may have been cut off where the answer was.
    const cut = reason !== "tool-calls" && reason !== "paused";
    const whole = content.filter((part) => !cut || part.type !== "tool-call" || part.arguments !== "{}");
    const refused = reason === "refusal" && words !== undefined;
    return {
      index: 0,
      content: refused ? [...whole, { type: "refusal", text: words }] : whole,
      finishReason: (cut && reason === "stop" && calls ? "tool-calls" : reason) as Candidate["finishReason"],
      ...(reason === "stop" && words !== undefined ? { stopSequence: words } : {}),
      ...(refused ? own({ stop_details: { type: "refusal", category: null } }) : extras),
    };
  });

export const modelAnswer: Arbitrary<ModelAnswer> = merged<ModelAnswer>(
  fc.record({
    id: word,
    model: word,
    createdAtMs: fc.constant(0),
    candidates: candidate.map((one) => [one]),
    usage,
  }),
  fc.constantFrom({}, own({ diagnostics: { cache_miss_reason: null } })),
);
