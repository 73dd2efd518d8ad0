import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unfold, type ModelAnswer, type ModelCall, type ModelEvent } from "../../calls/index.js";
import { openaiChat } from "./openai-chat.js";

/** The vendor's SDK as a client of the codec's caller side: what it sends is decoded, what it gets is encoded. */
describe("the vendor's own SDK", () => {
  const answer: ModelAnswer = {
    id: "chatcmpl-1",
    model: "m",
    createdAtMs: 1_700_000_000_000,
    candidates: [
      {
        index: 0,
        content: [
          { type: "text", text: '{"city":"Köln 😀"}' },
          { type: "tool-call", id: "call_1", name: "weather", arguments: '{"city":"Köln"}' },
          { type: "tool-call", id: "call_2", name: "time", arguments: "{}" },
        ],
        finishReason: "tool-calls",
      },
    ],
    usage: { inputTokens: 10, cacheReadTokens: 5, outputTokens: 4, reasoningTokens: 1 },
  };
  let server: Server;
  let client: OpenAI;
  let seen: ModelCall | null = null;
  let given = answer;

  async function* events(): AsyncGenerator<ModelEvent> {
    yield* unfold(given);
  }
  beforeAll(async () => {
    server = createServer((request, response) => {
      void (async () => {
        const body: Buffer[] = [];
        for await (const chunk of request) body.push(chunk as Buffer);
        const bytes = Buffer.concat(body);
        const head = openaiChat.scanHead(bytes);
        seen = openaiChat.decodeRequest(bytes);
        if (!head.stream) {
          response.writeHead(200, { "content-type": "application/json" }).end(openaiChat.encodeAnswer(given));
          return;
        }
        response.writeHead(200, { "content-type": "text/event-stream" });
        const frames = openaiChat.encodeStream(events(), { includeUsage: head.wantsUsage, onError: (error) => response.destroy(error) });
        for await (const frame of frames) response.write(frame);
        response.end();
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    client = new OpenAI({ apiKey: "x", baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, maxRetries: 0 });
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
  const call = {
    model: "openai/gpt",
    messages: [
      { role: "developer" as const, content: "Be brief." },
      {
        role: "user" as const,
        content: [
          { type: "text" as const, text: "Where?" },
          { type: "image_url" as const, image_url: { url: "data:image/png;base64,AAAA", detail: "low" as const } },
        ],
      },
    ],
    tools: [{ type: "function" as const, function: { name: "weather", parameters: schema, strict: true } }],
    response_format: { type: "json_schema" as const, json_schema: { name: "place", schema, strict: true } },
    temperature: 0,
    seed: 0,
  };
  const usage = {
    prompt_tokens: 15,
    completion_tokens: 5,
    total_tokens: 20,
    prompt_tokens_details: { cached_tokens: 5 },
    completion_tokens_details: { reasoning_tokens: 1 },
  };

  it("sends what is decoded whole", async () => {
    await client.chat.completions.create(call);
    expect(seen).toMatchObject({
      model: "openai/gpt",
      messages: [
        { role: "developer", content: [{ type: "text", text: "Be brief." }] },
        {
          role: "user",
          content: [
            { type: "text" },
            {
              type: "media",
              mediaType: "image/png",
              source: { kind: "base64", data: "AAAA" },
              detail: "low",
            },
          ],
        },
      ],
      tools: [{ name: "weather", inputSchema: schema, strict: true }],
      output: { type: "json-schema", name: "place", schema, strict: true },
      temperature: 0,
      seed: 0,
    });
  });

  it("reads a whole answer, its calls and its structured output", async () => {
    const completion = await client.chat.completions.parse(call);
    expect(completion.choices[0]?.message.parsed).toEqual({ city: "Köln 😀" });
    expect(completion.choices[0]?.message.tool_calls?.[0]?.function.parsed_arguments).toEqual({ city: "Köln" });
    expect(completion.usage).toEqual(usage);
  });

  it("reads a stream into the very answer that comes whole", async () => {
    const whole = await client.chat.completions.create(call);
    const stream = client.chat.completions.stream({ ...call, stream_options: { include_usage: true } });
    const deltas: string[] = [];
    stream.on("content", (delta) => deltas.push(delta));
    const final = await stream.finalChatCompletion();
    expect(deltas.join("")).toBe('{"city":"Köln 😀"}');
    expect(final.usage).toEqual(usage);
    const plain = (message: object | undefined) =>
      JSON.parse(JSON.stringify(message, (key, value: unknown) => (key.startsWith("parsed") ? undefined : value))) as unknown;
    expect(plain(final.choices[0]?.message)).toEqual(plain(whole.choices[0]?.message));
    expect(final.choices[0]?.finish_reason).toBe("tool_calls");
  });

  it("gets no usage in a stream unless it asked for it", async () => {
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of await client.chat.completions.create({ ...call, stream: true })) chunks.push(chunk);
    expect(chunks.every((chunk) => chunk.usage === undefined && chunk.choices.length === 1)).toBe(true);
  });

  it("reads citations, probabilities, a call of a custom tool and the tier that served, whole and streamed", async () => {
    const rich: ModelAnswer = {
      ...answer,
      candidates: [
        {
          index: 0,
          content: [
            {
              type: "text",
              text: "Köln",
              citations: [{ url: "https://x.test", title: "X", start: 0, end: 4 }],
              logprobs: [{ token: "Köln", logprob: -0.1, top: [{ token: "Bonn", logprob: -2 }] }],
            },
            { type: "tool-call", id: "call_3", name: "shell", arguments: "ls -la", input: "text" },
          ],
          finishReason: "tool-calls",
        },
      ],
      usage: { inputTokens: 1, outputTokens: 2, serviceTier: "priority" },
    };
    given = rich;
    const custom = {
      model: "m",
      messages: [{ role: "user" as const, content: "hi" }],
      tools: [{ type: "custom" as const, custom: { name: "shell" } }],
    };
    const whole = await client.chat.completions.create(custom);
    expect(seen?.tools).toMatchObject([{ name: "shell", input: "text" }]);
    expect(whole.service_tier).toBe("priority");
    const [choice] = whole.choices;
    expect(choice?.message.annotations).toEqual([
      { type: "url_citation", url_citation: { url: "https://x.test", title: "X", start_index: 0, end_index: 4 } },
    ]);
    expect(choice?.logprobs?.content?.[0]).toMatchObject({ token: "Köln", top_logprobs: [{ token: "Bonn" }] });
    expect(choice?.message.tool_calls).toEqual([{ id: "call_3", type: "custom", custom: { name: "shell", input: "ls -la" } }]);
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of await client.chat.completions.create({ ...custom, stream: true, stream_options: { include_usage: true } }))
      chunks.push(chunk);
    given = answer;
    const deltas = chunks.flatMap((chunk) => chunk.choices);
    expect(deltas.flatMap(({ logprobs }) => logprobs?.content ?? [])).toMatchObject([{ token: "Köln" }]);
    expect(JSON.stringify(deltas)).toContain('"custom":{"input":"ls -la"}');
    expect(chunks.at(-1)).toMatchObject({ service_tier: "priority", usage: { prompt_tokens: 1, completion_tokens: 2 } });
  });
});
