import OpenAI, { APIError, AuthenticationError, BadRequestError, InternalServerError, NotFoundError, RateLimitError } from "openai";
import { describe, expect, it } from "vitest";
import { unfold, type ModelAnswer, type ModelCall, type ModelEvent } from "../../calls/index.js";
import { GatewayError, type ErrorCode } from "../../errors/index.js";
import { openaiResponses } from "./openai-responses.js";

const answer: ModelAnswer = {
  id: "resp_1",
  model: "m",
  createdAtMs: 1_700_000_000_000,
  candidates: [
    {
      index: 0,
      content: [
        { type: "reasoning", text: "Where is Köln?", opaque: "sealed", itemId: "rs_1" },
        { type: "text", text: '{"city":"Köln 😀"}', citations: [{ url: "https://x.test/", title: "X", start: 0, end: 4 }] },
        { type: "tool-call", id: "call_1", name: "weather", arguments: '{"city":"Köln"}' },
        { type: "tool-call", id: "call_2", name: "shell", arguments: "ls -l", input: "text" },
      ],
      finishReason: "tool-calls",
    },
  ],
  usage: { inputTokens: 10, cacheReadTokens: 5, outputTokens: 4, reasoningTokens: 1 },
};
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
const request = {
  model: "openai/gpt",
  instructions: "Be brief.",
  input: [
    {
      role: "user" as const,
      content: [
        { type: "input_text" as const, text: "Where?" },
        { type: "input_image" as const, image_url: "data:image/png;base64,AAAA", detail: "low" as const },
      ],
    },
  ],
  tools: [
    { type: "function" as const, name: "weather", parameters: schema, strict: true },
    { type: "custom" as const, name: "shell" },
  ],
  text: { format: { type: "json_schema" as const, name: "place", schema, strict: true } },
  temperature: 0,
};
const usage = {
  input_tokens: 15,
  input_tokens_details: { cached_tokens: 5, cache_write_tokens: 0 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 1 },
  total_tokens: 20,
};

async function* from(events: Iterable<ModelEvent>, failure?: Error): AsyncGenerator<ModelEvent> {
  yield* events;
  if (failure !== undefined) throw failure;
}
function streamed(events: AsyncIterable<ModelEvent>): Response {
  const frames = openaiResponses.encodeStream(events, { includeUsage: true, onError: () => undefined });
  return new Response(ReadableStream.from(frames) as ReadableStream<Uint8Array>, { headers: { "content-type": "text/event-stream" } });
}
/** The vendor's SDK, against a fetch that answers as our face does. */
function client(answerWith: (bytes: Uint8Array, url: string) => Response): OpenAI {
  return new OpenAI({
    apiKey: "x",
    baseURL: "http://gateway.test/v1",
    maxRetries: 0,
    fetch: (url, init) => Promise.resolve(answerWith(new TextEncoder().encode(init?.body as string), String(url))),
  });
}
const whole = () =>
  new Response(openaiResponses.encodeAnswer(answer) as Uint8Array<ArrayBuffer>, { headers: { "content-type": "application/json" } });
const asking = client((bytes) => (openaiResponses.scanHead(bytes).stream ? streamed(from(unfold(answer))) : whole()));

describe("the vendor's own SDK", () => {
  it("sends what is decoded whole", async () => {
    const seen: ModelCall[] = [];
    await client((bytes) => {
      seen.push(openaiResponses.decodeRequest(bytes));
      return whole();
    }).responses.create(request);
    expect(seen[0]).toMatchObject({
      model: "openai/gpt",
      messages: [
        { role: "system", content: [{ type: "text", text: "Be brief." }], extras: { "openai-responses": { instructions: true } } },
        {
          role: "user",
          content: [
            { type: "text", text: "Where?" },
            {
              type: "media",
              mediaType: "image/png",
              source: { kind: "base64", data: "AAAA" },
              detail: "low",
            },
          ],
        },
      ],
      tools: [
        { name: "weather", inputSchema: schema, strict: true },
        { name: "shell", input: "text" },
      ],
      output: { type: "json-schema", name: "place", schema, strict: true },
      temperature: 0,
    });
  });

  it("reads a whole answer, its calls, its reasoning and its structured output", async () => {
    const response = await asking.responses.parse(request);
    expect(response.output_text).toBe('{"city":"Köln 😀"}');
    expect(response.output_parsed).toEqual({ city: "Köln 😀" });
    expect(response.output).toMatchObject([
      { type: "reasoning", id: "rs_1", encrypted_content: "sealed", summary: [{ type: "summary_text", text: "Where is Köln?" }] },
      { type: "message", content: [{ annotations: [{ type: "url_citation", url: "https://x.test/", start_index: 0, end_index: 4 }] }] },
      { type: "function_call", call_id: "call_1", parsed_arguments: { city: "Köln" } },
      { type: "custom_tool_call", call_id: "call_2", input: "ls -l" },
    ]);
    expect(response.usage).toEqual(usage);
  });

  it("52: reads a stream into the very answer that comes whole", async () => {
    const expected = await asking.responses.create(request);
    const running = asking.responses.stream(request);
    const deltas: string[] = [];
    running.on("response.output_text.delta", ({ delta }) => deltas.push(delta));
    const final = await running.finalResponse();
    expect(deltas.join("")).toBe('{"city":"Köln 😀"}');
    const plain = (value: object) =>
      JSON.parse(
        JSON.stringify(value, (key, inner: unknown) => (key.startsWith("parsed") || key === "output_parsed" ? undefined : inner)),
      ) as unknown;
    const { _request_id: _id, ...given } = expected;
    expect(plain(final)).toEqual(plain(given));
  });

  it("52: gathers the same from the events alone", async () => {
    const types: string[] = [];
    let text = "";
    for await (const event of await asking.responses.create({ ...request, stream: true })) {
      types.push(event.type);
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    expect(text).toBe('{"city":"Köln 😀"}');
    expect(types[0]).toBe("response.created");
    expect(types.at(-1)).toBe("response.completed");
  });

  it("counts tokens", async () => {
    const seen: { url: string; call: ModelCall }[] = [];
    const counting = client((bytes, url) => {
      seen.push({ url, call: openaiResponses.count?.decodeRequest(bytes) as ModelCall });
      return new Response(openaiResponses.count?.encodeAnswer({ inputTokens: 12, estimated: false }) as Uint8Array<ArrayBuffer>, {
        headers: { "content-type": "application/json" },
      });
    });
    const { input_tokens } = await counting.responses.inputTokens.count({ model: "m", input: "hi" });
    expect(input_tokens).toBe(12);
    expect(seen[0]?.url).toBe("http://gateway.test/v1/responses/input_tokens");
    expect(seen[0]?.call.messages).toEqual([{ role: "user", content: [{ type: "text", text: "hi" }] }]);
  });

  it("54: throws when a stream fails, and takes nothing for the end of the answer", async () => {
    const failing = client(() =>
      streamed(from([...unfold(answer)].slice(0, 6), new GatewayError("upstream_interrupted", "It broke off."))),
    );
    const types: string[] = [];
    const read = async () => {
      for await (const event of await failing.responses.create({ ...request, stream: true })) types.push(event.type);
    };
    const error: unknown = await read().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ message: "It broke off.", code: "upstream_interrupted" });
    expect(types).not.toContain("response.completed");
    await expect(failing.responses.stream(request).finalResponse()).rejects.toThrow("It broke off.");
  });

  it("54: throws also when the answer failed before it began", async () => {
    const failing = client(() => streamed(from([], new GatewayError("upstream_rate_limited", "Slowly."))));
    await expect(failing.responses.stream(request).finalResponse()).rejects.toMatchObject({ code: "rate_limit_exceeded" });
  });

  it.each([
    ["invalid_json", BadRequestError, 400],
    ["unauthenticated", AuthenticationError, 401],
    ["model_not_found", NotFoundError, 404],
    ["rate_limited", RateLimitError, 429],
    ["upstream_unavailable", InternalServerError, 502],
    ["overloaded", InternalServerError, 503],
  ] as const)("98: throws its own class for %s, with status and request id", async (code: ErrorCode, expected, status) => {
    const refusing = client(() => {
      const { bytes, headers, status: shown } = openaiResponses.encodeError(new GatewayError(code, "No.", { retryAfterMs: 1500 }), "req_1");
      return new Response(bytes as Uint8Array<ArrayBuffer>, {
        status: shown,
        headers: headers.map(([name, value]): [string, string] => [name, value]),
      });
    });
    const error: unknown = await refusing.responses.create(request).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(expected);
    expect(error).toMatchObject({ status, requestID: "req_1" });
    expect((error as APIError).headers?.get("retry-after-ms")).toBe("1500");
  });

  it("104: does not repeat what we have repeated, and repeats what may succeed", async () => {
    const asked = async (details: Record<string, unknown>) => {
      let calls = 0;
      const failing = client(() => {
        calls++;
        const { bytes, headers, status } = openaiResponses.encodeError(
          new GatewayError("upstream_unavailable", "No.", { details, retryAfterMs: 1 }),
          "req_1",
        );
        return new Response(bytes as Uint8Array<ArrayBuffer>, {
          status,
          headers: headers.map(([name, value]): [string, string] => [name, value]),
        });
      });
      await expect(failing.withOptions({ maxRetries: 1 }).responses.create(request)).rejects.toBeInstanceOf(InternalServerError);
      return calls;
    };
    expect(await asked({ retryable: false })).toBe(1);
    expect(await asked({})).toBe(2);
  });

  it("sends back, as a turn, what it got", async () => {
    const first = await asking.responses.create(request);
    const seen: ModelCall[] = [];
    const output = { type: "function_call_output" as const, call_id: "call_1", output: "sunny" };
    const text = { type: "custom_tool_call_output" as const, call_id: "call_2", output: "a b" };
    await client((bytes) => {
      seen.push(openaiResponses.decodeRequest(bytes));
      return whole();
    }).responses.create({ ...request, input: [...request.input, ...(first.output as OpenAI.Responses.ResponseInput), output, text] });
    const { messages } = seen[0] as ModelCall;
    expect(messages[2]).toMatchObject({ role: "assistant", content: answer.candidates[0]?.content });
    expect(messages[3]).toMatchObject({ role: "tool", content: [{ callId: "call_1" }, { callId: "call_2" }] });
  });
});
