import Anthropic, { ContentTooLargeError, GatewayTimeoutError, OverloadedError, PaymentRequiredError } from "@anthropic-ai/sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { unfold, type ModelAnswer, type ModelCall, type ModelEvent } from "../../calls/index.js";
import { GatewayError, type ErrorCode } from "../../errors/index.js";
import { anthropicMessages as codec } from "./anthropic-messages.js";

/** The vendor's SDK as a client of the codec's caller side: what it sends is decoded, what it gets is encoded. */
describe("the vendor's own SDK", () => {
  const answer: ModelAnswer = {
    id: "msg_1",
    model: "m",
    createdAtMs: 0,
    candidates: [
      {
        index: 0,
        content: [
          { type: "reasoning", text: "Where? 😀", opaque: "SIG==" },
          { type: "reasoning", text: "", opaque: "R", redacted: true },
          { type: "reasoning", text: "", opaque: "SIG2==" },
          {
            type: "text",
            text: "Köln 😀",
            citations: [
              {
                url: "https://x.test",
                title: "X",
                citedText: "c",
                extras: { "anthropic-messages": { type: "web_search_result_location", encrypted_index: "E" } },
              },
            ],
          },
          {
            type: "native",
            protocol: "anthropic-messages",
            item: { type: "server_tool_use", id: "s", name: "web_search", input: { query: "q" } },
          },
          { type: "tool-call", id: "toolu_1", name: "weather", arguments: '{"city":"Köln","n":[1,{"a":null}]}' },
          { type: "tool-call", id: "toolu_2", name: "time", arguments: "{}" },
        ],
        finishReason: "tool-calls",
      },
    ],
    usage: {
      inputTokens: 10,
      cacheReadTokens: 5,
      cacheWriteTokens: 2,
      cacheWriteLongTokens: 1,
      outputTokens: 4,
      reasoningTokens: 3,
      searches: 1,
    },
  };
  let seen: ModelCall | null = null;
  let failure: GatewayError | null = null;
  /** Thrown by the source in the middle of the answer. */
  let broken: GatewayError | null = null;
  beforeEach(() => {
    [seen, failure, broken] = [null, null, null];
  });

  async function* events(): AsyncGenerator<ModelEvent> {
    for (const event of unfold(answer)) {
      if (broken !== null && event.type === "tool-call-start") throw broken;
      yield event;
    }
  }
  function streamed(): ReadableStream<Uint8Array> {
    const frames = codec.encodeStream(events(), { includeUsage: true, onError: () => undefined })[Symbol.asyncIterator]();
    return new ReadableStream({
      async pull(controller) {
        const next = await frames.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
    });
  }
  async function gateway(url: string | URL | Request, init?: RequestInit): Promise<Response> {
    const bytes = new TextEncoder().encode(String(init?.body));
    if (failure !== null) {
      const { status, headers, bytes: body } = codec.encodeError(failure, "req_1");
      return new Response(body as Uint8Array<ArrayBuffer>, {
        status,
        headers: headers.map(([name, value]): [string, string] => [name, value]),
      });
    }
    if (String(url).includes("/count_tokens")) {
      seen = codec.count?.decodeRequest(bytes) ?? null;
      const counted = codec.count?.encodeAnswer({ inputTokens: 42, estimated: false });
      return new Response(counted as Uint8Array<ArrayBuffer>, { headers: { "content-type": "application/json" } });
    }
    seen = codec.decodeRequest(bytes);
    const headers = { "content-type": codec.scanHead(bytes).stream ? "text/event-stream" : "application/json", "request-id": "req_1" };
    if (headers["content-type"] === "text/event-stream") return new Response(streamed(), { headers });
    return new Response(codec.encodeAnswer(answer) as Uint8Array<ArrayBuffer>, { headers });
  }
  const client = new Anthropic({ apiKey: "x", baseURL: "http://gateway.test", maxRetries: 0, fetch: gateway });

  const schema = { type: "object" as const, properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
  const call: Anthropic.MessageCreateParamsNonStreaming = {
    model: "anthropic/claude",
    max_tokens: 1000,
    system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral", ttl: "1h" } }],
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "Where?" },
          { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "S" },
          { type: "tool_use", id: "t", name: "weather", input: { city: "K" } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "t", content: "rain", is_error: true },
          { type: "text", text: "So?" },
        ],
      },
      { role: "system", content: "Now in verse." },
    ],
    tools: [
      { name: "weather", description: "W", input_schema: schema, strict: true },
      { type: "web_search_20260318", name: "web_search" },
    ],
    tool_choice: { type: "auto", disable_parallel_tool_use: true },
    thinking: { type: "adaptive", display: "summarized" },
    output_config: { effort: "high", format: { type: "json_schema", schema } },
    stop_sequences: ["END"],
    service_tier: "standard_only",
    metadata: { user_id: "u" },
  };
  const usage = {
    input_tokens: 10,
    cache_creation_input_tokens: 3,
    cache_read_input_tokens: 5,
    cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 1 },
    output_tokens: 7,
    output_tokens_details: { thinking_tokens: 3 },
    server_tool_use: { web_search_requests: 1 },
  };

  it("sends what is decoded whole", async () => {
    await client.messages.create(call);
    expect(seen).toEqual({
      model: "anthropic/claude",
      maxOutputTokens: 1000,
      messages: [
        { role: "system", content: [{ type: "text", text: "Be brief.", cache: { ttl: "1h" } }] },
        {
          role: "user",
          content: [
            { type: "text", text: "Where?" },
            { type: "media", mediaType: "image/png", source: { kind: "base64", data: "AAAA" } },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "reasoning", text: "hm", opaque: "S" },
            { type: "tool-call", id: "t", name: "weather", arguments: '{"city":"K"}' },
          ],
        },
        { role: "tool", content: [{ type: "tool-result", callId: "t", content: [{ type: "text", text: "rain" }], isError: true }] },
        { role: "user", content: [{ type: "text", text: "So?" }] },
        { role: "system", content: [{ type: "text", text: "Now in verse." }] },
      ],
      tools: [
        { name: "weather", description: "W", inputSchema: schema, strict: true },
        { hosted: "anthropic-messages", definition: { type: "web_search_20260318", name: "web_search" } },
      ],
      toolChoice: "auto",
      parallelToolCalls: false,
      reasoning: { effort: "high", visible: true },
      output: { type: "json-schema", name: "answer", schema },
      stop: ["END"],
      serviceTier: "default",
      user: "u",
    });
  });

  it("reads a whole answer", async () => {
    const message = await client.messages.create(call);
    expect(message).toMatchObject({
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "m",
      stop_reason: "tool_use",
      stop_sequence: null,
      usage,
    });
    expect(message.content).toEqual([
      { type: "thinking", thinking: "Where? 😀", signature: "SIG==" },
      { type: "redacted_thinking", data: "R" },
      { type: "thinking", thinking: "", signature: "SIG2==" },
      {
        type: "text",
        text: "Köln 😀",
        citations: [{ type: "web_search_result_location", url: "https://x.test", title: "X", cited_text: "c", encrypted_index: "E" }],
      },
      { type: "server_tool_use", id: "s", name: "web_search", input: { query: "q" } },
      { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Köln", n: [1, { a: null }] } },
      { type: "tool_use", id: "toolu_2", name: "time", input: {} },
    ]);
    expect(message._request_id).toBe("req_1");
  });

  it("reads a stream into the very answer that comes whole", async () => {
    const whole = await client.messages.create(call);
    const stream = client.messages.stream(call);
    const [texts, thoughts, signatures]: string[][] = [[], [], []];
    stream.on("text", (delta) => texts?.push(delta));
    stream.on("thinking", (delta) => thoughts?.push(delta));
    stream.on("signature", (signature) => signatures?.push(signature));
    const final = await stream.finalMessage();
    expect([texts, thoughts, signatures]).toEqual([["Köln 😀"], ["Where? 😀"], ["SIG==", "SIG2=="]]);
    expect(plain(final.content)).toEqual(plain(whole.content));
    // The breakdown of what was written to the cache is no part of the last event, by which the SDK adds up.
    const { cache_creation: _creation, ...counts } = usage;
    expect(final).toMatchObject({ id: whole.id, stop_reason: whole.stop_reason, stop_details: null, usage: counts });
  });

  it("counts tokens", async () => {
    expect(await client.messages.countTokens({ model: "m", messages: [{ role: "user", content: "hi" }] })).toEqual({ input_tokens: 42 });
    expect(seen).toMatchObject({ model: "m" });
  });

  it("98: throws its own class for each kind of error, with status, type and request id", async () => {
    const cases: [GatewayError, new (...given: never[]) => Error, number, string][] = [
      [refused("validation_failed"), Anthropic.BadRequestError, 400, "invalid_request_error"],
      [refused("unauthenticated"), Anthropic.AuthenticationError, 401, "authentication_error"],
      [refused("budget_exceeded"), PaymentRequiredError, 402, "billing_error"],
      [refused("forbidden"), Anthropic.PermissionDeniedError, 403, "permission_error"],
      [refused("model_not_found"), Anthropic.NotFoundError, 404, "not_found_error"],
      [refused("conflict"), Anthropic.ConflictError, 409, "conflict_error"],
      [refused("payload_too_large"), ContentTooLargeError, 413, "request_too_large"],
      [refused("unsupported_feature"), Anthropic.UnprocessableEntityError, 422, "invalid_request_error"],
      [refused("rate_limited"), Anthropic.RateLimitError, 429, "rate_limit_error"],
      [refused("upstream_unavailable"), Anthropic.InternalServerError, 502, "api_error"],
      [refused("deadline_exceeded"), GatewayTimeoutError, 504, "timeout_error"],
      [refused("overloaded"), OverloadedError, 529, "overloaded_error"],
    ];
    for (const [error, kind, status, type] of cases) {
      failure = error;
      const thrown = (await client.messages.create(call).catch((caught: unknown) => caught)) as InstanceType<typeof Anthropic.APIError>;
      expect(thrown).toBeInstanceOf(kind);
      expect(thrown).toMatchObject({ status, type, requestID: "req_1", apiMessage: "what", errorCode: error.code });
    }
  });

  it("54: throws when the stream fails in the middle, with the kind of the failure", async () => {
    broken = new GatewayError("upstream_unavailable", "The vendor went away.", { details: { status: 529 } });
    const texts: string[] = [];
    const stream = client.messages.stream(call).on("text", (delta) => texts.push(delta));
    const thrown = (await stream.finalMessage().catch((caught: unknown) => caught)) as InstanceType<typeof Anthropic.APIError>;
    expect(thrown).toBeInstanceOf(Anthropic.APIError);
    expect(thrown).toMatchObject({ type: "overloaded_error", apiMessage: "The vendor went away." });
    expect(texts).toEqual(["Köln 😀"]);
  });

  function refused(code: ErrorCode): GatewayError {
    return new GatewayError(code, "what");
  }
  function plain(value: unknown): unknown {
    return JSON.parse(JSON.stringify(value));
  }
});
