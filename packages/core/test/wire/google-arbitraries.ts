import fc, { type Arbitrary } from "fast-check";
import type {
  AnswerPart,
  Candidate,
  Extras,
  FinishReason,
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

/** Neutral values as Google's protocol can carry them: what a decoder of it gives, and so what must come back from encoding and decoding. */

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,11}$/);
const anyText = fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.constantFrom("", "\ud800", "a\u0000b", "😀é", "\u2028", '"\\'));
const someText = anyText.filter((text) => text !== "");
const base64 = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("base64"));
/** As JSON has it: without a negative zero. */
const jsonObject = fc
  .dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, never>);
/** Without white space between values, as an object is read from the wire. */
const toolArguments = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }).map((value) => `{"x":${JSON.stringify(value)}}`),
  fc.constantFrom("{}", '{"n":12345678901234567890}', '{"2":1,"1":[1.0,1e400]}', '{"text":"a b \\" c"}'),
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
const own = (fields: Record<string, unknown>): { extras: Extras } => ({ extras: { "google-genai": fields } });
const maybeOwn = fc.constantFrom({}, {}, own({ someNewField: { a: [1] } }));
const signed = maybe("opaque", base64);

const text: Arbitrary<TextPart> = merged(fc.record({ type: fc.constant("text"), text: someText }), signed, maybeOwn);
const reasoning: Arbitrary<ReasoningPart> = merged(fc.record({ type: fc.constant("reasoning"), text: someText }), signed, maybeOwn);
const media: Arbitrary<MediaPart> = merged(
  fc.oneof(
    fc
      .tuple(base64, fc.constantFrom("image/png", "audio/wav", "application/pdf", "video/mp4"))
      .map(([data, mediaType]) => ({ type: "media", mediaType, source: { kind: "base64", data } })),
    fc.webUrl().map((url) => ({ type: "media", mediaType: "image/webp", source: { kind: "url", url } })),
    word.map((name) => ({ type: "media", mediaType: "video/mp4", source: { kind: "file", id: `gs://bucket/${name}` } })),
  ),
  maybe("filename", word),
  fc.constantFrom({}, own({ videoMetadata: { fps: 2 } })),
);
const native: Arbitrary<NativePart> = fc.record({
  type: fc.constant("native" as const),
  protocol: fc.constant("google-genai" as const),
  item: fc.constantFrom({ executableCode: { language: "PYTHON", code: "1+1" } }, { toolCall: { id: "t" }, thoughtSignature: "AAAA" }),
});
const calls: Arbitrary<ToolCallPart[]> = fc
  .uniqueArray(fc.tuple(word, word, toolArguments), { minLength: 1, maxLength: 3, selector: ([id]) => id })
  .chain((list) => fc.tuple(fc.constant(list), fc.option(base64, { nil: undefined })))
  .map(([list, signature]) =>
    list.map(([id, name, args], i) => ({
      type: "tool-call",
      id,
      name,
      arguments: args,
      ...(i === 0 && signature !== undefined ? { opaque: signature } : {}),
    })),
  );

/** Results as they are read: an object's text, or a text that is none. */
const resultText = fc.oneof(
  someText.filter((given) => !/^\s*\{/.test(given)),
  jsonObject.filter((value) => !("output" in value) && !("error" in value)).map((value) => JSON.stringify(value)),
  fc.constantFrom("", '{"n":12345678901234567890}', '{"output":1,"error":2}'.replace('"output":1,', ""), "[1,2]", "3"),
);
const resultOf = (call: ToolCallPart): Arbitrary<ToolResultPart> =>
  fc
    .tuple(
      resultText,
      fc.array(
        media.filter((part) => part.source.kind === "base64"),
        { maxLength: 1 },
      ),
      fc.boolean(),
    )
    .map(([said, seen, failed]) => ({
      type: "tool-result",
      callId: call.id,
      content: [{ type: "text", text: said }, ...seen],
      ...(failed ? { isError: true } : {}),
    }));

const userMessage: Arbitrary<Message> = merged(
  fc.record({ role: fc.constant("user"), content: fc.array(fc.oneof(text, media, native), { minLength: 1, maxLength: 3 }) }),
  maybeOwn,
);
/** A turn of the model that says something, or one that calls tools and its results. */
const modelTurn: Arbitrary<Message[]> = fc.oneof(
  merged<Message>(
    fc.record({
      role: fc.constant("assistant"),
      // Thoughts that follow each other are one.
      content: fc
        .array(fc.oneof(text, reasoning, media, native), { minLength: 1, maxLength: 3 })
        .map((parts) => parts.filter((part, i) => part.type !== "reasoning" || parts[i - 1]?.type !== "reasoning")),
    }),
    maybeOwn,
  ).map((message) => [message]),
  calls.chain((list) =>
    fc.tuple(fc.array(reasoning, { maxLength: 1 }), fc.tuple(...list.map(resultOf))).map(([thought, results]): Message[] => [
      { role: "assistant", content: [...thought, ...list] },
      { role: "tool", content: results },
    ]),
  ),
);
/** Turns of the user and the model in turn; ids of calls are the conversation's own. */
const conversation: Arbitrary<Message[]> = fc
  .array(fc.tuple(userMessage, modelTurn), { maxLength: 3 })
  .chain((turns) => fc.tuple(fc.constant(turns), userMessage))
  .map(([turns, last]) => numbered([...turns.flatMap(([user, model]) => [user, ...model]), last]));

function numbered(messages: readonly Message[]): Message[] {
  let turn = 0;
  return messages.map((message, i): Message => {
    // One turn for Google, whose own fields are those of its first message.
    if (message.role === "user" && messages[i - 1]?.role === "tool") return { role: "user", content: message.content };
    if (message.role === "assistant") {
      turn++;
      return {
        ...message,
        content: message.content.map((part) => (part.type === "tool-call" ? { ...part, id: `${part.id}_${turn}` } : part)),
      };
    }
    if (message.role !== "tool") return message;
    return { ...message, content: message.content.map((part) => ({ ...part, callId: `${part.callId}_${turn}` })) };
  });
}

const schema = jsonObject.map((value) => ({
  type: "object",
  properties: Object.fromEntries(Object.keys(value).map((key) => [key, { type: "string", description: "d" }])),
  required: Object.keys(value),
}));
const toolSpec: Arbitrary<ToolSpec> = merged(
  fc.record({ name: word, inputSchema: schema }),
  maybe("description", anyText),
  fc.constantFrom({}, own({ behavior: "BLOCKING" })),
);
const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -2, max: 2 }).map((value) => (Object.is(value, -0) ? 0 : value));

/** Functions come first in the list of tools, and are strict together. */
const tools = fc
  .tuple(fc.uniqueArray(toolSpec, { minLength: 1, maxLength: 3, selector: (spec) => spec.name }), fc.boolean(), fc.boolean())
  .chain(([specs, strict, hosted]) => {
    const all = [
      ...specs.map((spec) => (strict ? { ...spec, strict: true } : spec)),
      ...(hosted ? [{ hosted: "google-genai" as const, definition: { googleSearch: {} } }] : []),
    ];
    const loose = fc.oneof(
      fc.constantFrom("auto", "none", "required"),
      fc.record({ name: word }),
      fc.record({ allowed: fc.tuple(word, word), required: fc.boolean() }),
    );
    return strict
      ? fc.constant({ tools: all, toolChoice: "auto" })
      : merged<object>(fc.constant({ tools: all }), maybe("toolChoice", loose));
  });

export const googleCall: Arbitrary<ModelCall> = merged<ModelCall>(
  fc.record({ model: word }),
  fc
    .tuple(
      fc.array(
        text.map(({ text: said }): Message => ({ role: "system", content: [{ type: "text", text: said }] })),
        { maxLength: 1 },
      ),
      conversation,
    )
    .map(([system, messages]) => ({ messages: [...system, ...messages] })),
  fc.oneof(fc.constant({}), tools),
  maybe(
    "output",
    fc.oneof(
      fc.constantFrom({ type: "text" }, { type: "json" }),
      schema.map((given) => ({ type: "json-schema", name: "response", schema: given })),
    ),
  ),
  maybe("maxOutputTokens", fc.nat()),
  maybe("temperature", number),
  maybe("topP", number),
  maybe("topK", fc.nat()),
  maybe("stop", fc.array(anyText, { maxLength: 5 })),
  maybe("seed", fc.oneof(fc.constant(0), fc.integer())),
  maybe("presencePenalty", number),
  maybe("frequencyPenalty", number),
  maybe("n", fc.integer({ min: 1, max: 8 })),
  maybe("logprobs", fc.integer({ min: 0, max: 5 })),
  maybe("outputModalities", fc.constantFrom(["text"], ["text", "image"], ["audio"])),
  maybe("serviceTier", fc.constantFrom("default", "flex", "priority")),
  maybe(
    "reasoning",
    merged(
      fc.oneof(
        fc.constant({}),
        fc.record({ effort: fc.constantFrom("minimal", "low", "medium", "high") }),
        fc.record({ budgetTokens: fc.nat() }),
      ),
      maybe("visible", fc.boolean()),
    ),
  ),
  maybe("metadata", fc.constantFrom({ team: "a-b" }, { a: "1", b_c: "" })),
  fc.constantFrom(
    {},
    own({
      safetySettings: [{ category: "C", threshold: "OFF" }],
      cachedContent: "cachedContents/1",
      generationConfig: { mediaResolution: "LOW" },
    }),
    own({ toolConfig: { retrievalConfig: { languageCode: "de" } }, generationConfig: { thinkingConfig: { someNewField: 1 } } }),
  ),
).map((call) => {
  // Its thinking rides with the neutral one.
  const config = call.extras?.["google-genai"]?.["generationConfig"] as { thinkingConfig?: unknown } | undefined;
  return config?.thinkingConfig === undefined || call.reasoning !== undefined ? call : { ...call, reasoning: {} };
});

const count = fc.nat({ max: 100_000 });
const usage: Arbitrary<Usage> = merged<Usage>(
  fc.record({ inputTokens: count, outputTokens: count }),
  maybe("cacheReadTokens", count),
  maybe("reasoningTokens", count),
  maybe("audioInputTokens", count),
  maybe("audioOutputTokens", count),
  maybe("imageOutputTokens", count),
  maybe("serviceTier", fc.constantFrom("on_demand", "priority")),
);

/** Sources of a text, each at a place of it. */
const citedText = fc.string({ unit: "grapheme", minLength: 1 }).chain((said): Arbitrary<TextPart> => {
  // Not within a character, of which bytes know nothing.
  const places = [...said].reduce<number[]>((starts, character) => [...starts, (starts.at(-1) as number) + character.length], [0]);
  const at = fc.nat({ max: places.length - 1 });
  const citation = fc.tuple(fc.webUrl(), maybe("title", word), maybe("citedText", word), at, at).map(([url, title, cited, a, b]) => ({
    url,
    ...title,
    ...cited,
    start: places[Math.min(a, b)] as number,
    end: places[Math.max(a, b)] as number,
  }));
  return fc
    .uniqueArray(citation, { minLength: 1, maxLength: 3, selector: ({ start }) => start })
    .map((list) => ({ type: "text", text: said, citations: list.filter(({ start }) => start < said.length) }))
    .map(({ citations, ...part }): TextPart => (citations.length === 0 ? { ...part, type: "text" } : { ...part, type: "text", citations }));
});
const likelyText = fc.array(fc.tuple(fc.string({ unit: "grapheme" }), number), { minLength: 1, maxLength: 3 }).map(
  (tokens): TextPart => ({
    type: "text",
    text: `${tokens.map(([token]) => token).join("")}.`,
    logprobs: tokens.map(([token, logprob]) => {
      const bytes = [...new TextEncoder().encode(token)];
      return { token, logprob, bytes, top: [{ token, logprob, bytes }] };
    }),
  }),
);
const visibleText = fc.oneof(merged<TextPart>(fc.record({ type: fc.constant("text"), text: someText }), signed), citedText, likelyText);
const pictures = base64.map((data): AnswerPart => ({ type: "media", mediaType: "image/png", source: { kind: "base64", data } }));

const candidate = (index: number): Arbitrary<Candidate> =>
  fc
    .tuple(
      fc.array(merged<ReasoningPart>(fc.record({ type: fc.constant("reasoning"), text: someText }), signed), { maxLength: 1 }),
      fc.array(visibleText, { maxLength: 1 }),
      fc.array(fc.oneof(pictures, native), { maxLength: 2 }),
      fc.oneof(fc.constant([]), calls),
      fc.constantFrom<[FinishReason, string?]>(["stop"], ["length"], ["content-filter", "RECITATION"], ["paused"], ["other", "NEW_REASON"]),
      fc.constantFrom({}, own({ avgLogprobs: -0.5, safetyRatings: [{ category: "C" }] })),
    )
    .map(
      ([thought, said, made, called, [reason, raw], extras]): Candidate => ({
        index,
        content: [...thought, ...said, ...made, ...called],
        finishReason: reason === "stop" && called.length > 0 ? "tool-calls" : reason,
        ...(raw === undefined ? {} : { rawFinishReason: raw }),
        ...extras,
      }),
    );

export const googleAnswer: Arbitrary<ModelAnswer> = fc.integer({ min: 1, max: 3 }).chain((size) =>
  merged<ModelAnswer>(
    fc.record({
      id: word,
      model: word,
      createdAtMs: fc.integer({ min: 1, max: 4_000_000_000_000 }),
      candidates: fc.tuple(...Array.from({ length: size }, (_, index) => candidate(index))),
      usage,
    }),
    fc.constantFrom({}, own({ modelStatus: { modelStage: "STABLE" } })),
  ),
);
