import fc, { type Arbitrary } from "fast-check";
import type {
  AnswerPart,
  Candidate,
  Extras,
  MediaPart,
  Message,
  ModelAnswer,
  ModelCall,
  ReasoningPart,
  RefusalPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  ToolSpec,
  Usage,
} from "../../src/calls/index.js";

/** Neutral values as Responses can carry them: what a decoder of it gives, and so what must come back from encoding and decoding. */

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,11}$/);
const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("", "\ud800", "a\u0000b", "😀", "\u2028", '"\\', "\n\n"),
);
const base64 = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("base64"));
/** As JSON has it: without a negative zero. */
const jsonObject = fc
  .dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, never>);
const wholeArguments = fc.oneof(
  fc.json({ maxDepth: 2 }).map((json) => `{"x":${json}}`),
  fc.constantFrom("{}", '{"n":12345678901234567890}'),
);
const toolArguments = fc.oneof(wholeArguments, fc.constantFrom('{"broken": '));

/** An optional field: absent, not undefined. */
function maybe<T, K extends string>(key: K, value: Arbitrary<T>): Arbitrary<Partial<Record<K, T>>> {
  return fc.option(value, { nil: undefined }).map((given) => (given === undefined ? {} : { [key]: given })) as Arbitrary<
    Partial<Record<K, T>>
  >;
}
function merged<T>(...parts: Arbitrary<object>[]): Arbitrary<T> {
  return fc.tuple(...parts).map((given) => Object.assign({}, ...given) as T);
}
const own = (fields: Record<string, unknown>): { extras: Extras } => ({ extras: { "openai-responses": fields } });

const inputText: Arbitrary<TextPart> = merged<TextPart>(
  fc.record({ type: fc.constant("text" as const), text: anyText }),
  maybe("cache", fc.constant({})),
);
const media: Arbitrary<MediaPart> = fc.oneof(
  merged<MediaPart>(
    fc.webUrl().map((url) => ({ type: "media", mediaType: "image/*", source: { kind: "url", url } })),
    fc.constantFrom({}, { detail: "high" }, { cache: {} }),
  ),
  base64.map((data): MediaPart => ({ type: "media", mediaType: "image/png", source: { kind: "base64", data } })),
  word.map((id): MediaPart => ({ type: "media", mediaType: "image/*", source: { kind: "file", id } })),
  fc.tuple(base64, word).map(
    ([data, name]): MediaPart => ({
      type: "media",
      mediaType: "application/pdf",
      source: { kind: "base64", data },
      filename: `${name}.pdf`,
    }),
  ),
  word.map((id): MediaPart => ({ type: "media", mediaType: "application/octet-stream", source: { kind: "file", id } })),
  word.map(
    (name): MediaPart => ({ type: "media", mediaType: "application/pdf", source: { kind: "url", url: `https://x.test/${name}.pdf` } }),
  ),
);

const citation = fc.record({ url: fc.webUrl(), title: anyText, start: fc.nat(50), end: fc.nat(50) });
const logprob = merged<never>(
  fc.record({ token: word, logprob: fc.constantFrom(-0.5, -1), bytes: fc.array(fc.nat(255), { maxLength: 3 }) }),
);
const outputText: Arbitrary<TextPart> = merged<TextPart>(
  fc.record({ type: fc.constant("text" as const), text: anyText }),
  maybe("citations", fc.array(citation, { minLength: 1, maxLength: 2 })),
  maybe(
    "logprobs",
    fc.array(merged<never>(logprob, maybe("top", fc.array(logprob, { minLength: 1, maxLength: 2 }))), { minLength: 1, maxLength: 2 }),
  ),
);
const spoken: Arbitrary<TextPart | RefusalPart> = fc.oneof(
  outputText,
  anyText.map((text): RefusalPart => ({ type: "refusal", text })),
);
const reasoning: Arbitrary<ReasoningPart> = fc
  .tuple(fc.array(anyText, { maxLength: 3 }), fc.array(anyText, { maxLength: 1 }), fc.option(base64, { nil: undefined }), word)
  .map(([summary, content, opaque, id]) => {
    const texts = [...summary.map((text) => ["summary", text] as const), ...content.map((text) => ["content", text] as const)];
    const plain = texts.length === 0 || (texts.length === 1 && summary.length === 1 && summary[0] !== "");
    return {
      type: "reasoning",
      text: texts.map(([, text]) => text).join("\n\n"),
      ...(opaque === undefined ? {} : { opaque }),
      itemId: `rs_${id}`,
      ...(plain ? {} : own({ segments: texts.map(([kind, text]) => [kind, text.length]) })),
    };
  });
const toolCall = (args: Arbitrary<string>): Arbitrary<ToolCallPart> =>
  fc.oneof(
    fc.tuple(word, word, args).map(
      ([id, name, given]): ToolCallPart => ({
        type: "tool-call",
        id,
        name,
        arguments: given,
        ...own({ id: `fc_${id}`, namespace: "n" }),
      }),
    ),
    fc
      .tuple(word, word, anyText)
      .map(
        ([id, name, text]): ToolCallPart => ({ type: "tool-call", id, name, arguments: text, input: "text", ...own({ id: `ctc_${id}` }) }),
      ),
  );
const native: Arbitrary<AnswerPart> = word.map((id) => ({
  type: "native",
  protocol: "openai-responses",
  item: { id: `ws_${id}`, type: "web_search_call", status: "completed", action: { type: "search", query: id } },
}));
const image: Arbitrary<AnswerPart> = fc.tuple(base64, word).map(([data, id]) => ({
  type: "media",
  mediaType: "image/webp",
  source: { kind: "base64", data },
  ...own({ item: { id: `ig_${id}`, output_format: "webp" } }),
}));

/** Texts that follow each other are one item, or the next one begins with a mark; an item in front of another thing has a mark of its own. */
function withMarks(parts: readonly AnswerPart[], marks: readonly boolean[]): AnswerPart[] {
  return parts.map((part, i) => {
    if (part.type !== "text" && part.type !== "refusal") return part;
    const before = parts[i - 1]?.type;
    const starts = (before !== "text" && before !== "refusal") || marks[i] === true;
    return starts ? { ...part, ...own({ item: { id: `msg_${i}`, phase: "final_answer" } }) } : part;
  });
}
const turn = (args: Arbitrary<string>): Arbitrary<AnswerPart[]> =>
  fc
    .tuple(
      fc.uniqueArray(fc.oneof(spoken, spoken, reasoning, toolCall(args), native, image), {
        maxLength: 5,
        selector: (part) => ("itemId" in part ? part.itemId : "id" in part ? part.id : part),
        comparator: (a, b) => typeof a === "string" && a === b,
      }),
      fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    )
    .map(([parts, marks]) => withMarks(parts, marks));
/** As the vendor wants it back: what reasoning led to stands behind it. */
const history = turn(toolArguments)
  .map((parts) => [...parts, ...withMarks([{ type: "text", text: "so" }], []).map((part) => part)])
  .map((parts) =>
    parts.map((part, i) => (i === parts.length - 1 ? { type: "text" as const, text: "so", ...own({ item: { id: "msg_last" } }) } : part)),
  );

const result: Arbitrary<ToolResultPart> = merged<ToolResultPart>(
  fc.record({
    type: fc.constant("tool-result" as const),
    callId: word,
    content: fc.oneof(
      anyText.map((text): [TextPart] => [{ type: "text", text }]),
      fc.array(fc.oneof(inputText, media), { minLength: 1, maxLength: 2 }),
    ),
  }),
  fc.constantFrom({}, own({ type: "custom_tool_call_output" }), own({ id: "fco" })),
);
const message: Arbitrary<Message> = fc.oneof(
  merged<Message>(
    fc.record({ role: fc.constantFrom("system", "developer"), content: fc.array(inputText, { minLength: 1, maxLength: 2 }) }),
    fc.constantFrom({}, own({ status: "completed" })),
  ),
  merged<Message>(
    fc.record({ role: fc.constant("user"), content: fc.array(fc.oneof(inputText, media), { minLength: 1, maxLength: 3 }) }),
    fc.constantFrom({}, own({ id: "msg_u" })),
  ),
  history.map((content): Message => ({ role: "assistant", content })),
  fc.array(result, { minLength: 1, maxLength: 3 }).map((content): Message => ({ role: "tool", content })),
  fc.constant<Message>({
    role: "user",
    content: [
      { type: "native", protocol: "openai-responses", item: { type: "mcp_approval_response", approve: true, approval_request_id: "a" } },
    ],
  }),
);

const toolSpec: Arbitrary<ToolSpec> = fc.oneof(
  merged<ToolSpec>(
    fc.record({ name: word, inputSchema: jsonObject.map((properties) => ({ type: "object", properties })) }),
    maybe("description", anyText),
    maybe("strict", fc.boolean()),
    fc.constantFrom({}, own({ defer_loading: true })),
  ),
  merged<ToolSpec>(
    fc.record({ name: word, inputSchema: fc.constant({}), input: fc.constant("text" as const) }),
    fc.constantFrom({}, { grammar: { syntax: "lark", definition: "start: /a/" } }, own({ format: { type: "text" } })),
  ),
);
const tools = fc
  .tuple(fc.uniqueArray(toolSpec, { minLength: 1, maxLength: 3, selector: (spec) => spec.name }), fc.boolean())
  .map(([specs, hosted]) => (hosted ? [...specs, { hosted: "openai-responses" as const, definition: { type: "web_search" } }] : specs));
const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -2, max: 2 }).map((value) => (Object.is(value, -0) ? 0 : value));
const instructions: Arbitrary<Message[]> = fc.oneof(
  fc.constant<Message[]>([]),
  anyText.map((text): Message[] => [{ role: "system", content: [{ type: "text", text }], ...own({ instructions: true }) }]),
);

export const responsesCall: Arbitrary<ModelCall> = merged<ModelCall>(
  fc.tuple(word, instructions, fc.array(message, { minLength: 1, maxLength: 5 })).map(([model, first, list]) => ({
    model,
    // Two turns of one side in a row are one.
    messages: [...first, ...list.filter((given, i) => !["tool", "assistant"].includes(given.role) || list[i - 1]?.role !== given.role)],
  })),
  maybe("tools", tools),
  maybe(
    "toolChoice",
    fc.oneof(
      fc.constantFrom("auto", "none", "required"),
      fc.record({ name: word }),
      fc.record({ allowed: fc.array(word, { minLength: 1, maxLength: 2 }), required: fc.boolean() }),
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
  maybe("presencePenalty", number),
  maybe("reasoning", merged(fc.record({ effort: word }), maybe("visible", fc.constant(true)))),
  maybe("serviceTier", word),
  maybe("promptCacheKey", anyText),
  maybe("promptCacheRetention", word),
  maybe("verbosity", word),
  fc.oneof(maybe("user", anyText), fc.constant({ user: "u", safetyIdentifier: "u" }), fc.constant({ user: "u", safetyIdentifier: "s" })),
  maybe("metadata", jsonObject),
  fc.oneof(
    fc.constantFrom(
      own({}),
      own({
        store: false,
        include: ["reasoning.encrypted_content"],
        truncation: "auto",
        text: { of_tomorrow: "low" },
        reasoning: { context: "auto" },
      }),
      own({ previous_response_id: "resp_1", background: true, tool_choice: { type: "file_search" } }),
    ),
    fc.nat(20).map((logprobs) => ({ logprobs, ...own({ include: ["message.output_text.logprobs"] }) })),
  ),
).map((call) => {
  // A choice of hosted tools is one of this protocol's alone, and stands in the place of the neutral one.
  const { tool_choice: choice, store, ...rest } = call.extras?.["openai-responses"] ?? {};
  const kept = { ...rest, ...(choice === undefined || call.toolChoice !== undefined ? {} : { tool_choice: choice }) };
  // What is not kept at the vendor is carried.
  const messages = store === false ? call.messages.map(sealed) : call.messages;
  return { ...call, messages, extras: { "openai-responses": { ...kept, ...(store === undefined ? {} : { store }) } } };
});
function sealed(message: Message): Message {
  if (message.role !== "assistant") return message;
  return {
    ...message,
    content: message.content.map((part) => (part.type === "reasoning" ? { ...part, opaque: part.opaque ?? "sealed" } : part)),
  };
}

const count = fc.nat({ max: 100_000 });
const usage: Arbitrary<Usage> = merged<Usage>(
  fc.record({ inputTokens: count, outputTokens: count, cacheReadTokens: count, cacheWriteTokens: count, reasoningTokens: count }),
  maybe("cacheWriteLongTokens", count),
  maybe("serviceTier", fc.constantFrom("flex", "priority")),
);

const candidate: Arbitrary<Candidate> = turn(toolArguments).chain((parts) =>
  fc.constantFrom("stop", "length", "content-filter", "cancelled").map((plain): Candidate => {
    const whole = plain === "stop" ? parts : parts.filter((part) => part.type !== "tool-call" || part.arguments !== '{"broken": ');
    const reason =
      plain !== "stop"
        ? plain
        : whole.some((part) => part.type === "tool-call")
          ? "tool-calls"
          : whole.some((part) => part.type === "refusal")
            ? "refusal"
            : "stop";
    return { index: 0, content: whole, finishReason: reason as Candidate["finishReason"] };
  }),
);

/** What it says of its request is of the protocol and not compared. */
export const responsesAnswer: Arbitrary<ModelAnswer> = merged<ModelAnswer>(
  fc.record({
    id: word,
    model: word,
    createdAtMs: fc.integer({ min: 1, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
    candidates: fc.tuple(candidate),
    usage,
  }),
);
