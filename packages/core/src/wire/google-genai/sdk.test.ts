import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ApiError, BlockedReason, FinishReason, FunctionCallingConfigMode, GoogleGenAI, ThinkingLevel, Type } from "@google/genai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unfold, type EmbedCall, type ModelAnswer, type ModelCall, type ModelEvent } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { googleGenai } from "./google-genai.js";

/** The vendor's SDK as a client of the codec's caller side: what it sends is decoded, what it gets is encoded. */
describe("the vendor's own SDK", () => {
  const answer: ModelAnswer = {
    id: "resp-1",
    model: "gemini-x",
    createdAtMs: 1_700_000_000_000,
    candidates: [
      {
        index: 0,
        content: [
          { type: "reasoning", text: "hm" },
          { type: "text", text: "Köln 😀", citations: [{ url: "https://a.test", title: "A", start: 5, end: 7 }] },
          { type: "tool-call", id: "call_1", name: "weather", arguments: '{"city":"Köln"}', opaque: "c2ln" },
          { type: "tool-call", id: "call_2", name: "time", arguments: "{}" },
        ],
        finishReason: "tool-calls",
      },
    ],
    usage: { inputTokens: 10, cacheReadTokens: 5, outputTokens: 4, reasoningTokens: 1 },
  };
  const failure = new GatewayError("rate_limited", "Too many.", { retryAfterMs: 2000 });
  let server: Server;
  let client: GoogleGenAI;
  let seen: ModelCall | null = null;
  let embedded: EmbedCall | null = null;

  async function* events(model: string): AsyncGenerator<ModelEvent> {
    for (const event of unfold(answer)) {
      if (model === "breaks" && event.type === "tool-call-start") throw failure;
      yield event;
    }
  }
  beforeAll(async () => {
    server = createServer((request, response) => {
      void (async () => {
        const body: Buffer[] = [];
        for await (const chunk of request) body.push(chunk as Buffer);
        const bytes = Buffer.concat(body);
        const [, model = "", method = ""] = /models\/(.+):(\w+)/.exec(decodeURIComponent(request.url ?? "")) ?? [];
        const json = (value: Uint8Array) => response.writeHead(200, { "content-type": "application/json" }).end(value);
        if (model === "fails") {
          const { status, headers, bytes: error } = googleGenai.encodeError(failure, "req-7");
          response.writeHead(status, Object.fromEntries(headers)).end(error);
        } else if (method === "countTokens") {
          seen = googleGenai.count?.decodeRequest(bytes, { model, stream: false }) ?? null;
          json(googleGenai.count?.encodeAnswer({ inputTokens: 7, estimated: false }) as Uint8Array);
        } else if (/embed/i.test(method)) {
          embedded = googleGenai.embed?.decodeRequest(bytes, { model, stream: false }) as EmbedCall;
          const vectors = embedded.inputs.map((_input, i) => [i, 0.5]);
          json(googleGenai.embed?.encodeAnswer({ model, vectors, usage: {} }, embedded) as Uint8Array);
        } else {
          const path = { model, stream: method === "streamGenerateContent" };
          googleGenai.scanHead(bytes, path);
          seen = googleGenai.decodeRequest(bytes, path);
          if (!path.stream) return void json(googleGenai.encodeAnswer(answer));
          response.writeHead(200, { "content-type": "text/event-stream" });
          for await (const frame of googleGenai.encodeStream(events(model), { includeUsage: true, onError: () => undefined }))
            response.write(frame);
          response.end();
        }
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    client = new GoogleGenAI({ apiKey: "x", httpOptions: { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } });
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const usageMetadata = {
    promptTokenCount: 15,
    cachedContentTokenCount: 5,
    candidatesTokenCount: 4,
    thoughtsTokenCount: 1,
    totalTokenCount: 20,
  };

  it("sends what is decoded whole", async () => {
    await client.models.generateContent({
      model: "gemini-x",
      contents: [
        { role: "user", parts: [{ text: "Where?" }, { inlineData: { mimeType: "image/png", data: "AAAA" } }] },
        { role: "model", parts: [{ functionCall: { id: "a", name: "weather", args: { city: "Köln" } }, thoughtSignature: "c2ln" }] },
        { role: "user", parts: [{ functionResponse: { id: "a", name: "weather", response: { output: "rain" } } }] },
      ],
      config: {
        systemInstruction: "Be brief.",
        temperature: 0,
        seed: 0,
        maxOutputTokens: 9,
        stopSequences: ["x"],
        candidateCount: 2,
        tools: [
          {
            functionDeclarations: [
              { name: "weather", parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ["city"] } },
            ],
          },
          { googleSearch: {} },
        ],
        toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ["weather"] } },
        thinkingConfig: { thinkingLevel: ThinkingLevel.LOW, includeThoughts: true },
        responseMimeType: "application/json",
        responseJsonSchema: { type: "object", properties: { a: { type: "string" } } },
      },
    });
    expect(seen).toMatchObject({
      model: "gemini-x",
      messages: [
        { role: "system", content: [{ text: "Be brief." }] },
        { role: "user", content: [{ text: "Where?" }, { type: "media", mediaType: "image/png" }] },
        { role: "assistant", content: [{ id: "a", name: "weather", arguments: '{"city":"Köln"}', opaque: "c2ln" }] },
        { role: "tool", content: [{ callId: "a", content: [{ text: "rain" }] }] },
      ],
      tools: [
        { name: "weather", inputSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } },
        { hosted: "google-genai", definition: { googleSearch: {} } },
      ],
      toolChoice: { name: "weather" },
      output: { type: "json-schema", schema: { type: "object", properties: { a: { type: "string" } } } },
      reasoning: { effort: "low", visible: true },
      temperature: 0,
      seed: 0,
      maxOutputTokens: 9,
      stop: ["x"],
      n: 2,
    });
  });

  it("reads a whole answer: its text, thoughts, calls, sources and usage", async () => {
    const given = await client.models.generateContent({ model: "gemini-x", contents: "Where?" });
    expect(given.text).toBe("Köln 😀");
    expect(given.functionCalls).toEqual([
      { id: "call_1", name: "weather", args: { city: "Köln" } },
      { id: "call_2", name: "time", args: {} },
    ]);
    const [candidate] = given.candidates ?? [];
    expect(candidate?.content?.parts?.map((part) => [part.thought, part.thoughtSignature])).toEqual([
      [true, undefined],
      [undefined, undefined],
      [undefined, "c2ln"],
      [undefined, undefined],
    ]);
    expect(candidate?.finishReason).toBe("STOP");
    expect(candidate?.groundingMetadata?.groundingSupports?.[0]?.segment).toEqual({ startIndex: 6, endIndex: 10, text: "😀" });
    expect(given.usageMetadata).toEqual(usageMetadata);
    expect([given.responseId, given.modelVersion]).toEqual(["resp-1", "gemini-x"]);
  });

  it("reads a stream into the very answer that comes whole", async () => {
    const chunks = [];
    for await (const chunk of await client.models.generateContentStream({ model: "gemini-x", contents: "Where?" })) chunks.push(chunk);
    const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? []);
    expect(
      parts
        .filter((part) => part.text !== undefined && part.thought !== true)
        .map((part) => part.text)
        .join(""),
    ).toBe("Köln 😀");
    expect(
      parts
        .filter((part) => part.thought === true)
        .map((part) => part.text)
        .join(""),
    ).toBe("hm");
    expect(chunks.flatMap((chunk) => chunk.functionCalls ?? [])).toEqual([
      { id: "call_1", name: "weather", args: { city: "Köln" } },
      { id: "call_2", name: "time", args: {} },
    ]);
    expect(chunks.map((chunk) => chunk.candidates?.[0]?.finishReason).filter((reason) => reason !== undefined)).toEqual(["STOP"]);
    expect(chunks.at(-1)?.usageMetadata).toEqual(usageMetadata);
  });

  it("8: keeps a conversation, and brings the signature back", async () => {
    const chat = client.chats.create({ model: "gemini-x" });
    for await (const _chunk of await chat.sendMessageStream({ message: "Where?" })) continue;
    await chat.sendMessage({ message: [{ functionResponse: { id: "call_1", name: "weather", response: { output: "rain" } } }] });
    const calls = seen?.messages
      .flatMap((message) => (message.role === "assistant" ? message.content : []))
      .filter((part) => part.type === "tool-call");
    expect(calls).toMatchObject([{ id: "call_1", opaque: "c2ln" }, { id: "call_2" }]);
    expect(seen?.messages.at(-1)).toMatchObject({ role: "tool", content: [{ callId: "call_1", content: [{ text: "rain" }] }] });
  });

  it("98: throws its own error, with the status, our code and the request's id", async () => {
    const error = await client.models.generateContent({ model: "fails", contents: "x" }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ name: "ApiError", status: 429 });
    expect(JSON.parse((error as ApiError).message)).toMatchObject({
      error: {
        status: "RESOURCE_EXHAUSTED",
        message: "Too many.",
        details: [{ reason: "RATE_LIMITED" }, { retryDelay: "2s" }, { requestId: "req-7" }],
      },
    });
  });

  it("98: throws it out of a stream that fails, behind what came", async () => {
    const texts: string[] = [];
    const read = async () => {
      for await (const chunk of await client.models.generateContentStream({ model: "breaks", contents: "x" })) texts.push(chunk.text ?? "");
    };
    const error = await read().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 429 });
    expect(texts.join("")).toBe("Köln 😀");
  });

  it("115: counts tokens", async () => {
    expect((await client.models.countTokens({ model: "gemini-x", contents: "Where?" })).totalTokens).toBe(7);
    expect(seen?.messages).toMatchObject([{ role: "user", content: [{ text: "Where?" }] }]);
  });

  it("116: embeds, one text and several", async () => {
    const config = { outputDimensionality: 2, taskType: "CLUSTERING" };
    const several = await client.models.embedContent({ model: "gemini-embedding-001", contents: ["a", "b"], config });
    expect(several.embeddings?.map(({ values }) => values)).toEqual([
      [0, 0.5],
      [1, 0.5],
    ]);
    expect(embedded).toMatchObject({ model: "gemini-embedding-001", inputs: ["a", "b"], dimensions: 2, taskType: "CLUSTERING" });
    // To newer models it gives several texts as one content, whose vector is one.
    const one = await client.models.embedContent({ model: "gemini-embedding-2", contents: ["a", "b"] });
    expect(one.embeddings).toHaveLength(1);
    expect(embedded?.inputs).toEqual(["a\nb"]);
  });

  it("knows no reason for an end that we do not", () => {
    const unknown = Object.values(FinishReason).filter((finishReason) => {
      const { candidates } = googleGenai.decodeAnswer(Buffer.from(JSON.stringify({ candidates: [{ finishReason }] })));
      expect(JSON.parse(Buffer.from(googleGenai.encodeAnswer({ ...answer, candidates })).toString())).toMatchObject({
        candidates: [{ finishReason }],
      });
      return candidates[0]?.finishReason === "other";
    });
    expect(unknown).toEqual([FinishReason.FINISH_REASON_UNSPECIFIED, FinishReason.OTHER, FinishReason.NO_IMAGE]);
    for (const blockReason of Object.values(BlockedReason))
      expect(googleGenai.decodeAnswer(Buffer.from(JSON.stringify({ promptFeedback: { blockReason } }))).candidates).toMatchObject([
        { finishReason: "content-filter", rawFinishReason: blockReason },
      ]);
  });
});
