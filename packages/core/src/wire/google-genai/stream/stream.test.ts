import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { breaking, bytesOf, collect, collectUntilFailure, framesOf, joined, stream } from "../../../../test/wire/chunks.js";
import { fold, unfold, type ModelAnswer, type ModelEvent, type Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { googleGenai } from "../google-genai.js";

type Json = Record<string, unknown>;

const body = (parts: readonly unknown[], more: object = {}) => ({
  candidates: [{ content: { parts, role: "model" }, index: 0, ...more }],
  responseId: "r",
  modelVersion: "m",
});
const end = (more: object = {}) => ({ ...body([{ text: "" }], { finishReason: "STOP" }), ...more });
const decode = (...bodies: unknown[]) => collect(googleGenai.decodeStream(stream(framesOf(bodies))));
const answer = (...bodies: unknown[]) => fold(googleGenai.decodeStream(stream(framesOf(bodies))));
async function* from(...events: ModelEvent[]): AsyncGenerator<ModelEvent> {
  yield* events;
}
async function* failing(error: Error, ...events: ModelEvent[]): AsyncGenerator<ModelEvent> {
  yield* events;
  throw error;
}
const start: ModelEvent = { type: "start", id: "r", model: "m", createdAtMs: 1000 };
const finish: ModelEvent = { type: "finish", index: 0, reason: "stop" };
const said: ModelEvent[] = [
  { type: "text-start", index: 0, block: 0 },
  { type: "text-delta", index: 0, block: 0, text: "hi" },
  { type: "text-end", index: 0, block: 0 },
];
/** The bodies that a stream is encoded to, and the failures that it told. */
async function encode(events: AsyncIterable<ModelEvent>, includeUsage = true) {
  const failures: GatewayError[] = [];
  const text = await joined(googleGenai.encodeStream(events, { includeUsage, onError: (error) => void failures.push(error) }));
  const frames = text.split("\n\n");
  expect(frames.pop()).toBe("");
  return { bodies: frames.map((frame) => JSON.parse(frame.replace(/^data: /, "")) as Json & { candidates?: Json[] }), failures };
}

describe("a stream that is read", () => {
  it("is told as it comes: a beginning, deltas, one end", async () => {
    const events = await decode(body([{ text: "hm", thought: true }]), body([{ text: "he" }]), body([{ text: "llo" }]), end());
    expect(events.map((event) => event.type)).toEqual([
      "start",
      "reasoning-start",
      "reasoning-delta",
      "reasoning-end",
      "text-start",
      "text-delta",
      "text-delta",
      "text-end",
      "finish",
    ]);
  });

  it("11: a signature on a trailing empty text ends the text before it and is no text", async () => {
    const events = await decode(body([{ text: "a" }]), body([{ text: "", thoughtSignature: "c2ln" }], { finishReason: "STOP" }));
    expect(events).toContainEqual({ type: "text-end", index: 0, block: 0, opaque: "c2ln" });
    expect(events.filter((event) => event.type === "text-delta")).toHaveLength(1);
  });

  it("9: calls made together, of which the first is signed, whole as they come", async () => {
    const calls = [
      { functionCall: { name: "f", args: { a: 1 } }, thoughtSignature: "c2ln" },
      { functionCall: { name: "g", id: "x", args: {} } },
    ];
    const { candidates } = await answer(body(calls), end());
    expect(candidates[0]).toMatchObject({
      finishReason: "tool-calls",
      content: [
        { name: "f", arguments: '{"a":1}', opaque: "c2ln" },
        { name: "g", id: "x", arguments: "{}" },
      ],
    });
    expect(candidates[0]?.content[1]).not.toHaveProperty("opaque");
  });

  it("70: usage comes with every body, and the last is true", async () => {
    const counted = (candidatesTokenCount: number) => ({
      usageMetadata: { promptTokenCount: 5, candidatesTokenCount, thoughtsTokenCount: 2 },
    });
    const events = await decode(
      { ...body([{ text: "a" }]), usageMetadata: { trafficType: "ON_DEMAND" } },
      { ...body([{ text: "b" }]), ...counted(1) },
      end(counted(2)),
    );
    const usages = events.flatMap((event) => (event.type === "usage" ? [event.usage] : []));
    expect(usages).toEqual([
      { inputTokens: 5, outputTokens: 1, reasoningTokens: 2 },
      { inputTokens: 5, outputTokens: 2, reasoningTokens: 2 },
    ]);
  });

  it("the last reason counts: some models say one with every body", async () => {
    const { candidates } = await answer(
      body([{ text: "a" }], { finishReason: "STOP" }),
      body([{ text: "b" }], { finishReason: "MAX_TOKENS" }),
    );
    expect(candidates).toMatchObject([{ content: [{ text: "ab" }], finishReason: "length" }]);
  });

  it("62: unknown fields ride along, unknown parts are items, unknown events are nothing", async () => {
    const { candidates, extras } = await answer({ ...body([{ text: "a" }, { newPart: 1 }]), newField: 1 }, {}, end());
    expect(candidates[0]?.content).toMatchObject([{ text: "a" }, { type: "native", item: { newPart: 1 } }]);
    expect(extras?.["google-genai"]).toMatchObject({ newField: 1 });
  });

  it("92: what a text rests on is told before the text ends, also when it comes last", async () => {
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: "https://a.test" } }],
      groundingSupports: [{ segment: { startIndex: 2, endIndex: 3 }, groundingChunkIndices: [0] }],
    };
    const events = await decode(
      body([{ text: "é" }]),
      body([{ text: "b" }]),
      body([{ text: "" }], { finishReason: "STOP", groundingMetadata }),
    );
    expect(events.slice(-3)).toMatchObject([
      { type: "citation", block: 0, citation: { url: "https://a.test", start: 1, end: 2 } },
      { type: "text-end" },
      { type: "finish" },
    ]);
  });

  it("93: a refused prompt is a filtered candidate", async () => {
    const { candidates } = await answer({ promptFeedback: { blockReason: "SAFETY" }, responseId: "r" });
    expect(candidates).toMatchObject([{ content: [], finishReason: "content-filter", rawFinishReason: "SAFETY" }]);
  });

  it("56: with a mark at its front, comments, other fields and no blank line at its end", async () => {
    const text = `\ufeff: hi\nid: 1\n${framesOf([body([{ text: "é" }]), end()])}`.trimEnd();
    expect((await fold(googleGenai.decodeStream(stream(text)))).candidates).toMatchObject([{ content: [{ text: "é" }] }]);
  });

  it("41: a call without a word on the end is no whole answer", async () => {
    const { values, error } = await collectUntilFailure(
      googleGenai.decodeStream(stream(framesOf([body([{ functionCall: { name: "f" } }])]))),
    );
    expect(error).toMatchObject({ code: "upstream_interrupted" });
    expect(values.at(-1)).toMatchObject({ type: "tool-call-end" });
  });

  it.each([
    ["breaks off", framesOf([body([{ text: "a" }])]), "upstream_interrupted"],
    ["is empty", "", "upstream_interrupted"],
    [
      "has a candidate that did not end",
      framesOf([{ candidates: [{ index: 0, finishReason: "STOP" }, { index: 1 }] }]),
      "upstream_interrupted",
    ],
    ["is no JSON", "data: nope\n\n", "upstream_protocol"],
    [
      "brings an error",
      framesOf([body([{ text: "a" }]), { error: { code: 429, message: "slow", status: "RESOURCE_EXHAUSTED" } }]),
      "upstream_rate_limited",
    ],
    ["is an event called error", `event: error\n${framesOf([{ message: "no", code: 503 }])}`, "upstream_unavailable"],
  ])("55: that %s fails, behind all that came", async (_name, text, code) => {
    const { values, error } = await collectUntilFailure(googleGenai.decodeStream(stream(text)));
    expect(error).toMatchObject({ code });
    expect(values.some((event) => event.type === "finish")).toBe(false);
  });

  it("55: a connection that breaks behind a whole answer changes nothing, before it everything", async () => {
    const broken = new GatewayError("upstream_interrupted", "gone");
    const whole = await collect(googleGenai.decodeStream(breaking(broken, framesOf([body([{ text: "a" }]), end()]))));
    expect(whole.at(-1)).toMatchObject({ type: "finish", reason: "stop" });
    const { error } = await collectUntilFailure(googleGenai.decodeStream(breaking(broken, framesOf([body([{ text: "a" }])]))));
    expect(error).toBe(broken);
  });
});

describe("45: arguments in pieces", () => {
  const piece = (functionCall: object) => body([{ functionCall }]);
  const argsOf = async (...pieces: object[]) => {
    const { candidates } = await answer(piece({ name: "f", willContinue: true }), ...pieces.map(piece), end());
    return candidates[0]?.content.map((part) => (part.type === "tool-call" ? part.arguments : ""));
  };
  const partial = (jsonPath: string, value: object) => ({ partialArgs: [{ jsonPath, ...value }], willContinue: true });

  it("are put together whatever is in them", async () => {
    expect(
      await argsOf(
        partial("$.a", { stringValue: 'x"', willContinue: true }),
        partial("$.a", { stringValue: "\n😀", willContinue: true }),
        partial("$.a", { stringValue: "" }),
        partial("$.b[0].c", { numberValue: 1.5 }),
        partial("$.b[0]['d e']", { boolValue: false }),
        partial("$.b[1].c", { nullValue: "NULL_VALUE" }),
        partial('$["f.g"]', { stringValue: "" }),
        partial("$.m[0][1]".replace("[0][1]", "[0][0]"), { numberValue: 0 }),
        {},
      ),
    ).toEqual(['{"a":"x\\"\\n😀","b":[{"c":1.5,"d e":false},{"c":null}],"f.g":"","m":[[0]]}']);
  });

  it("may be none", async () => {
    expect(await argsOf({})).toEqual(["{}"]);
  });

  it("that are not over when the answer was cut are no call", async () => {
    const cut = [piece({ name: "f", willContinue: true }), piece(partial("$.a", { stringValue: "x", willContinue: true }))];
    const { candidates } = await answer(...cut, body([], { finishReason: "MAX_TOKENS" }));
    expect(candidates).toMatchObject([{ content: [], finishReason: "length" }]);
  });

  it.each([
    ["$.a.b", "$.c", "$.a.d"].map((path) => partial(path, { numberValue: 1 })),
    ["$.a", "$.a"].map((path) => partial(path, { numberValue: 1 })),
    [partial("$.a[1]", { numberValue: 1 })],
    [partial("a", { numberValue: 1 })],
    [partial("$", { numberValue: 1 })],
    [partial("$.a[x]", { numberValue: 1 })],
  ])("that are no growing text are a fault of the vendor's (%#)", async (...pieces) => {
    await expect(argsOf(...pieces)).rejects.toMatchObject({ code: "upstream_protocol" });
  });

  it("are any JSON there is, in its own order", async () => {
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        leaf,
        fc.array(tie("value"), { minLength: 1, maxLength: 3 }),
        fc.dictionary(
          fc.string({ minLength: 1 }).filter((key) => !/^\d+$|__proto__/.test(key)),
          tie("value"),
          { minKeys: 1, maxKeys: 3 },
        ),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.stringMatching(/^[a-z]+$/), value, { maxKeys: 3 }), async (args) => {
        expect(await argsOf(...leavesOf(args, "$"), {})).toEqual([JSON.stringify(args)]);
      }),
      { numRuns: 50 },
    );
  });
});

/** Values by their paths, texts in two pieces, as the model writes them. */
function leavesOf(value: unknown, path: string): object[] {
  const partial = (given: object) => ({ partialArgs: [{ jsonPath: path, ...given }], willContinue: true });
  if (typeof value === "string")
    return [partial({ stringValue: value.slice(0, 2), willContinue: true }), partial({ stringValue: value.slice(2) })];
  if (typeof value === "number") return [partial({ numberValue: value })];
  if (typeof value === "boolean") return [partial({ boolValue: value })];
  if (value === null) return [partial({ nullValue: "NULL_VALUE" })];
  if (Array.isArray(value)) return value.flatMap((element, i) => leavesOf(element, `${path}[${i}]`));
  return Object.entries(value as Json).flatMap(([key, member]) => leavesOf(member, `${path}[${JSON.stringify(key)}]`));
}

describe("a stream that is written", () => {
  it("is a body for each piece, and a last one with the reason and the usage", async () => {
    const { bodies } = await encode(from(start, ...said, finish, { type: "usage", usage: { inputTokens: 1, outputTokens: 2 } }));
    const head = { responseId: "r", modelVersion: "m", createTime: "1970-01-01T00:00:01.000Z" };
    expect(bodies).toEqual([
      { candidates: [{ content: { parts: [{ text: "hi" }], role: "model" }, index: 0 }], ...head },
      {
        candidates: [{ content: { parts: [{ text: "" }], role: "model" }, finishReason: "STOP", index: 0 }],
        usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2, totalTokenCount: 3 },
        ...head,
      },
    ]);
  });

  it("gives a call when it is whole", async () => {
    const { bodies } = await encode(
      from(
        start,
        { type: "tool-call-start", index: 0, block: 0, id: "a", name: "f" },
        { type: "tool-call-delta", index: 0, block: 0, text: '{"n":1234567890' },
        { type: "tool-call-delta", index: 0, block: 0, text: "1234567890}" },
        { type: "tool-call-end", index: 0, block: 0, opaque: "c2ln" },
        { type: "finish", index: 0, reason: "tool-calls" },
      ),
    );
    expect(bodies).toHaveLength(2);
    expect(bodies[0]?.candidates?.[0]).toMatchObject({
      content: { parts: [{ functionCall: { id: "a", name: "f" }, thoughtSignature: "c2ln" }] },
    });
    expect(bodies[1]?.candidates?.[0]).toMatchObject({ finishReason: "STOP" });
  });

  it("49: never gives a call that was not ended, or whose arguments are no object", async () => {
    const begun: ModelEvent[] = [
      { type: "tool-call-start", index: 0, block: 0, id: "a", name: "f" },
      { type: "tool-call-delta", index: 0, block: 0, text: '{"x":' },
    ];
    const cut = await encode(from(start, ...begun, { type: "finish", index: 0, reason: "length" }));
    expect(JSON.stringify(cut.bodies)).not.toContain("functionCall");
    const broken = await encode(
      from(start, ...begun, { type: "tool-call-end", index: 0, block: 0 }, { type: "finish", index: 0, reason: "tool-calls" }),
    );
    expect(broken.bodies.at(-1)?.candidates?.[0]).toMatchObject({ finishReason: "MALFORMED_FUNCTION_CALL" });
  });

  it("54: that fails ends with an error of Google's, and no reason", async () => {
    const { bodies, failures } = await encode(failing(new GatewayError("upstream_interrupted", "gone"), start, ...said, finish));
    expect(failures).toMatchObject([{ code: "upstream_interrupted" }]);
    expect(bodies.at(-1)).toMatchObject({ error: { code: 502, status: "UNAVAILABLE", message: "gone" } });
    expect(JSON.stringify(bodies)).not.toContain("finishReason");
  });

  it("54: that ends before its end is one that fails", async () => {
    for (const events of [from(), from(start), from(start, ...said)]) {
      const { bodies, failures } = await encode(events);
      expect(failures).toMatchObject([{ code: "upstream_interrupted" }]);
      expect(bodies.at(-1)).toHaveProperty("error");
    }
  });

  it("93: a refused prompt is one again, and another vendor's refusal its text and SAFETY", async () => {
    const blocked: ModelAnswer = googleGenai.decodeAnswer(bytesOf('{"promptFeedback":{"blockReason":"SAFETY"}}'));
    const { bodies } = await encode(from(...unfold(blocked)));
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toMatchObject({ promptFeedback: { blockReason: "SAFETY" } });
    expect(bodies[0]).not.toHaveProperty("candidates");
    const refused = await encode(
      from(
        start,
        { type: "refusal-start", index: 0, block: 0 },
        { type: "refusal-delta", index: 0, block: 0, text: "no" },
        { type: "refusal-end", index: 0, block: 0 },
        { type: "finish", index: 0, reason: "refusal" },
      ),
    );
    expect(refused.bodies.flatMap(({ candidates }) => candidates ?? [])).toMatchObject([
      { content: { parts: [{ text: "no" }] } },
      { finishReason: "SAFETY" },
    ]);
  });

  it("gives no usage to who does not want it", async () => {
    const { bodies } = await encode(from(start, ...said, finish, { type: "usage", usage: { inputTokens: 1 } }), false);
    expect(JSON.stringify(bodies)).not.toContain("usageMetadata");
  });
});

describe("a stream that is relayed", () => {
  const relay = async (source: AsyncIterable<Uint8Array>) => {
    const usages: Usage[] = [];
    const failures: GatewayError[] = [];
    const watch = {
      tellable: (error: GatewayError) => error,
      usage: (usage: Usage) => void usages.push(usage),
      failed: (error: GatewayError) => void failures.push(error),
    };
    return { text: await joined(googleGenai.relayStream(source, { dropUsage: true, watch })), usages, failures };
  };

  it("62: keeps every byte, unknown fields and events too", async () => {
    const text = `: hi\nevent: new\ndata: {"x":1}\n\n${framesOf([{ ...body([{ newPart: { a: 1 } }]), z: 1 }, end({ usageMetadata: { promptTokenCount: 3 } })])}`;
    expect(await relay(stream(text))).toEqual({ text, usages: [{ inputTokens: 3 }], failures: [] });
  });

  it("82: tells the searches that Google made, also when they come behind the counts", async () => {
    const searched = { ...body([], { finishReason: "STOP", groundingMetadata: { webSearchQueries: ["q"] } }) };
    const text = framesOf([{ ...body([{ text: "a" }]), usageMetadata: { promptTokenCount: 3 } }, searched]);
    expect((await relay(stream(text))).usages.at(-1)).toEqual({ inputTokens: 3, searches: 1 });
    expect((await fold(googleGenai.decodeStream(stream(text)))).usage).toEqual({ inputTokens: 3, searches: 1 });
  });

  it("a refused prompt is a whole answer", async () => {
    const text = framesOf([{ promptFeedback: { blockReason: "SAFETY" } }]);
    expect(await relay(stream(text))).toMatchObject({ text, failures: [] });
  });

  it("54: ends with an error of Google's when the vendor breaks off or sends one of its own", async () => {
    const begun = framesOf([body([{ text: "a" }])]);
    const cut = await relay(stream(begun));
    expect(cut.failures).toMatchObject([{ code: "upstream_interrupted" }]);
    expect(cut.text.startsWith(begun)).toBe(true);
    expect(JSON.parse(cut.text.slice(begun.length + "data: ".length))).toMatchObject({ error: { code: 502 } });
    const failed = await relay(stream(begun + framesOf([{ error: { code: 503, message: "busy", status: "UNAVAILABLE" } }, { never: 1 }])));
    expect(failed.failures).toMatchObject([{ code: "upstream_unavailable" }]);
    expect(failed.text).toContain("busy");
    expect(failed.text).not.toContain("never");
  });

  it("55: one of several candidates without its end is no whole answer", async () => {
    const text = framesOf([{ candidates: [{ index: 0 }, { index: 1 }] }, { candidates: [{ index: 1, finishReason: "STOP" }] }]);
    expect((await relay(stream(text))).failures).toMatchObject([{ code: "upstream_interrupted" }]);
  });
});
