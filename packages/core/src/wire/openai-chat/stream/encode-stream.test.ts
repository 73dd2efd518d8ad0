import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { modelAnswer } from "../../../../test/wire/chat-arbitraries.js";
import { bytesOf, collect, framesOf, joined, stream } from "../../../../test/wire/chunks.js";
import { fold, unfold, type ModelEvent } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { parseSse } from "../../../util/sse.js";
import { openaiChat } from "../openai-chat.js";

async function* from(events: Iterable<ModelEvent>, failure?: Error): AsyncGenerator<ModelEvent> {
  yield* events;
  if (failure !== undefined) throw failure;
}
const start = { type: "start", id: "c1", model: "m", createdAtMs: 1_700_000_000_500 } as const;
const said = (text: string, block = 0): ModelEvent[] => [
  { type: "text-start", index: 0, block },
  { type: "text-delta", index: 0, block, text },
  { type: "text-end", index: 0, block },
];
const finish = { type: "finish", index: 0, reason: "stop" } as const;

async function encode(
  events: ModelEvent[],
  o: { includeUsage?: boolean; failure?: Error } = {},
): Promise<{ chunks: unknown[]; errors: GatewayError[]; text: string }> {
  const errors: GatewayError[] = [];
  const text = await joined(
    openaiChat.encodeStream(from(events, o.failure), { includeUsage: o.includeUsage ?? false, onError: (error) => errors.push(error) }),
  );
  return { text, errors, chunks: parseSse(text).map(({ data }) => (data === "[DONE]" ? data : (JSON.parse(data) as unknown))) };
}
const deltas = (chunks: unknown[]) =>
  chunks.flatMap((given) => (given as { choices?: { delta: object }[] }).choices ?? []).map((choice) => choice.delta);

describe("a stream for a caller of Chat", () => {
  it("92: counts citations over all the text that the caller has", async () => {
    const cited = (block: number, citation: object) =>
      said("four", block).flatMap((event) =>
        event.type === "text-end" ? [{ type: "citation", index: 0, block, citation } as ModelEvent, event] : [event],
      );
    const { chunks } = await encode([
      start,
      ...cited(0, { url: "https://x", start: 1, end: 2 }),
      ...cited(1, { url: "https://x" }),
      ...cited(2, { title: "no address" }),
      finish,
    ]);
    expect(deltas(chunks).filter((delta) => "annotations" in delta)).toEqual([
      { annotations: [{ type: "url_citation", url_citation: { url: "https://x", title: "", start_index: 1, end_index: 2 } }] },
      { annotations: [{ type: "url_citation", url_citation: { url: "https://x", title: "", start_index: 4, end_index: 8 } }] },
    ]);
  });

  it("has the role first, then deltas, one reason, and [DONE]", async () => {
    const { chunks, errors } = await encode([start, ...said("hi\n😀\ud800"), finish]);
    const head = { id: "c1", object: "chat.completion.chunk", created: 1_700_000_000, model: "m" };
    const choice = (delta: object, reason: string | null = null) => ({
      ...head,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
    });
    expect(chunks).toEqual([
      choice({ role: "assistant", content: "", refusal: null }),
      choice({ content: "hi\n😀\ud800" }),
      choice({}, "stop"),
      "[DONE]",
    ]);
    expect(errors).toEqual([]);
  });

  it("has usage only when it was asked for, in a chunk without choices behind the reason", async () => {
    const events = [
      start,
      { type: "usage", usage: { inputTokens: 1 } } as const,
      ...said("x"),
      finish,
      { type: "usage", usage: { inputTokens: 3, outputTokens: 2, cacheReadTokens: 1 } } as const,
    ];
    expect((await encode(events)).text).not.toContain("usage");
    const { chunks } = await encode(events, { includeUsage: true });
    expect(chunks.slice(0, -2).every((given) => (given as { usage: unknown }).usage === null)).toBe(true);
    expect(chunks.at(-2)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6, prompt_tokens_details: { cached_tokens: 1 } },
    });
    expect(chunks.at(-1)).toBe("[DONE]");
  });

  it("has null for usage that nobody knows", async () => {
    expect((await encode([start, ...said("x"), finish], { includeUsage: true })).chunks.at(-2)).toMatchObject({ choices: [], usage: null });
  });

  it("numbers parallel calls, and writes each fragment as it came", async () => {
    const call = (block: number, id: string) => ({ type: "tool-call-start", index: 0, block, id, name: "f" }) as const;
    const more = (block: number, text: string) => ({ type: "tool-call-delta", index: 0, block, text }) as const;
    const end = (block: number) => ({ type: "tool-call-end", index: 0, block }) as const;
    const { chunks } = await encode([
      start,
      ...said("x"),
      call(1, "a"),
      more(1, '{"n":12345678901'),
      call(2, "b"),
      more(1, "234567890}"),
      more(2, "{}"),
      end(1),
      end(2),
      { ...finish, reason: "tool-calls" },
    ]);
    expect(deltas(chunks).slice(2, -1)).toEqual([
      { tool_calls: [{ index: 0, id: "a", type: "function", function: { name: "f", arguments: "" } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"n":12345678901' } }] },
      { tool_calls: [{ index: 1, id: "b", type: "function", function: { name: "f", arguments: "" } }] },
      { tool_calls: [{ index: 0, function: { arguments: "234567890}" } }] },
      { tool_calls: [{ index: 1, function: { arguments: "{}" } }] },
    ]);
    expect(chunks.at(-2)).toMatchObject({ choices: [{ finish_reason: "tool_calls" }] });
  });

  it("gives each candidate its role", async () => {
    const { chunks } = await encode([
      start,
      ...said("a"),
      finish,
      { type: "text-start", index: 1, block: 0 },
      { type: "text-delta", index: 1, block: 0, text: "b" },
      { ...finish, index: 1, reason: "length" },
    ]);
    expect(deltas(chunks).filter((delta) => "role" in delta)).toHaveLength(2);
  });

  it("ends with an error frame and no [DONE] when the source fails, and says so", async () => {
    const failure = new GatewayError("upstream_timeout", "The vendor fell silent.", { details: { secret: "x" } });
    const { chunks, errors } = await encode([start, ...said("x")], { failure });
    expect(chunks.at(-1)).toEqual({
      error: { message: "The vendor fell silent.", type: "server_error", param: null, code: "upstream_timeout" },
    });
    expect(errors).toEqual([failure]);
  });

  it("tells nothing of an error that is not typed", async () => {
    const { text, errors } = await encode([start], { failure: new Error("sk-secret in /etc/passwd") });
    expect(text).not.toMatch(/secret|passwd/);
    expect(errors).toMatchObject([{ code: "internal" }]);
  });

  it.each([
    ["no start", [finish]],
    ["no finish", [start, ...said("x")]],
    ["nothing", []],
    ["a candidate without a finish", [start, finish, { type: "text-start", index: 1, block: 0 } as const]],
  ])("with %s is an interruption", async (_name, events) => {
    const { chunks, errors } = await encode(events);
    expect(errors).toMatchObject([{ code: "upstream_interrupted" }]);
    expect(chunks.at(-1)).toMatchObject({ error: { code: "upstream_interrupted" } });
  });

  it("lets the source go when its reader goes", async () => {
    let closed = false;
    async function* source(): AsyncGenerator<ModelEvent> {
      try {
        yield start;
        for (;;) yield { type: "text-delta", index: 0, block: 0, text: "x" };
      } finally {
        closed = true;
      }
    }
    for await (const _frame of openaiChat.encodeStream(source(), { includeUsage: false, onError: () => undefined })) break;
    expect(closed).toBe(true);
  });
});

describe("through both", () => {
  it("an answer that is streamed and read again is the same answer", async () => {
    const property = fc.asyncProperty(modelAnswer, async (answer) => {
      const frames = await collect(
        openaiChat.encodeStream(from(unfold(answer)), { includeUsage: true, onError: (error) => expect(error).toBeNull() }),
      );
      const { extras: _extras, ...back } = await fold(openaiChat.decodeStream(stream(...frames)));
      const { extras: _given, ...given } = answer;
      expect(back).toEqual(given);
    });
    await fc.assert(property, { numRuns: 300 });
  });

  it("what a vendor streams and what it sends whole are one answer", async () => {
    const property = fc.asyncProperty(modelAnswer, async (answer) => {
      const whole = openaiChat.decodeAnswer(openaiChat.encodeAnswer(answer));
      const frames = await collect(
        openaiChat.encodeStream(from(unfold(whole)), { includeUsage: true, onError: (error) => expect(error).toBeNull() }),
      );
      expect(await fold(openaiChat.decodeStream(stream(...frames)))).toEqual(whole);
    });
    await fc.assert(property, { numRuns: 200 });
  });

  it("keeps reasoning, sound, pictures, custom and legacy calls, sealed thoughts, logprobs and annotations", async () => {
    const probs = { content: [{ token: "a", logprob: -1, bytes: null, top_logprobs: [] }], refusal: [] };
    const given = framesOf([
      {
        id: "c",
        object: "chat.completion.chunk",
        created: 1,
        model: "m",
        system_fingerprint: "fp",
        choices: [{ index: 0, delta: { role: "assistant", reasoning: "hm", reasoning_details: [{ x: 1 }] }, finish_reason: null }],
      },
      { choices: [{ index: 0, delta: { content: "a" }, logprobs: probs, finish_reason: null }] },
      {
        choices: [
          {
            index: 0,
            delta: {
              audio: { id: "s", data: "AAAA", transcript: "t" },
              images: [{ type: "image_url", image_url: { url: "data:image/png;base64,BBBB" } }],
            },
            finish_reason: null,
          },
        ],
      },
      {
        choices: [
          {
            index: 0,
            delta: {
              tool_calls: [
                { index: 0, id: "1", type: "custom", custom: { name: "c", input: "in" } },
                { index: 1, id: "2", function: { name: "f", arguments: "{}" }, extra_content: { s: 1 } },
              ],
            },
            finish_reason: null,
          },
        ],
      },
      {
        choices: [
          {
            index: 0,
            delta: { function_call: { name: "g", arguments: "{}" }, annotations: [{ type: "url_citation" }] },
            finish_reason: null,
          },
        ],
      },
      { choices: [{ index: 0, delta: {}, finish_reason: "tool_calls", native_finish_reason: "x" }] },
      { choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, cost: 0.5 } },
      "[DONE]",
    ]);
    const first = await fold(openaiChat.decodeStream(stream(given)));
    const frames = await collect(
      openaiChat.encodeStream(openaiChat.decodeStream(stream(bytesOf(given))), {
        includeUsage: true,
        onError: (error) => expect(error).toBeNull(),
      }),
    );
    const second = await fold(openaiChat.decodeStream(stream(...frames)));
    // The legacy call decides the reason's word, and then is the reason's raw form.
    const { rawFinishReason: _a, ...one } = first.candidates[0] as never as Record<string, unknown>;
    const { rawFinishReason: _b, ...two } = second.candidates[0] as never as Record<string, unknown>;
    expect({ ...second, candidates: [two] }).toEqual({ ...first, candidates: [one] });
  });
});
