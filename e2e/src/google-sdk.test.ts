import { ApiError, FunctionCallingConfigMode, GoogleGenAI, type Content } from "@google/genai";
import { describe, expect, it } from "vitest";
import { OWNER_KEY, served } from "./served.js";

const { url } = await served();
const client = new GoogleGenAI({ apiKey: OWNER_KEY, httpOptions: { baseUrl: url } });
const user = (text: string): Content[] => [{ role: "user", parts: [{ text }] }];
const tools = [
  {
    functionDeclarations: [
      { name: "get_weather", parametersJsonSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } },
    ],
  },
];

describe("the official Google SDK, unchanged", () => {
  it("lists models in its own pages, and finds one by a name with a slash", async () => {
    const names: string[] = [];
    for await (const model of await client.models.list({ config: { pageSize: 1 } })) names.push(model.name ?? "");
    expect(names).toEqual(expect.arrayContaining(["models/demo/echo", "models/demo/scripted"]));
    expect(new Set(names).size).toBe(names.length);
    const found = await client.models.get({ model: "demo/echo" });
    expect(found).toMatchObject({ name: "models/demo/echo", supportedActions: expect.arrayContaining(["generateContent"]) as string[] });
  });

  it("generates, with usage and what answered", async () => {
    const answer = await client.models.generateContent({ model: "demo/echo", contents: "Hello there, gateway" });
    expect(answer.text).toBe("Hello there, gateway");
    expect(answer.candidates?.[0]?.finishReason).toBe("STOP");
    expect(answer.usageMetadata).toMatchObject({ candidatesTokenCount: 3 });
    expect(answer.sdkHttpResponse?.headers).toMatchObject({ "x-sallyport-model": "demo/echo", "x-sallyport-attempts": "1" });
  });

  it("takes models/ before the name, as a whole path, and the stable version of the API", async () => {
    expect((await client.models.generateContent({ model: "models/demo/echo", contents: "one" })).text).toBe("one");
    const stable = new GoogleGenAI({ apiKey: OWNER_KEY, httpOptions: { baseUrl: url, apiVersion: "v1" } });
    expect((await stable.models.generateContent({ model: "demo/echo", contents: "two" })).text).toBe("two");
    const names: string[] = [];
    for await (const model of await stable.models.list()) names.push(model.name ?? "");
    expect(names).toContain("models/demo/echo");
    expect((await stable.models.get({ model: "demo/echo" })).name).toBe("models/demo/echo");
  });

  it("streams word by word", async () => {
    const pieces: string[] = [];
    let tokens: number | undefined;
    for await (const chunk of await client.models.generateContentStream({ model: "demo/echo", contents: "one two three" })) {
      if (chunk.text) pieces.push(chunk.text);
      tokens = chunk.usageMetadata?.candidatesTokenCount ?? tokens;
    }
    expect(pieces).toEqual(["one", " two", " three"]);
    expect(tokens).toBe(3);
  });

  it("calls a tool and continues with its result, streamed and not", async () => {
    const contents = user('call get_weather {"city":"Oslo"}');
    const config = { tools, toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.AUTO } } };
    const first = await client.models.generateContent({ model: "demo/scripted", contents, config });
    const call = first.functionCalls?.[0];
    expect(call).toMatchObject({ name: "get_weather", args: { city: "Oslo" } });
    const response = { functionResponse: { id: call!.id!, name: "get_weather", response: { output: "sunny, 12 degrees" } } };
    const second = await client.models.generateContent({
      model: "demo/scripted",
      contents: [...contents, first.candidates![0]!.content!, { role: "user", parts: [response] }],
      config,
    });
    expect(second.text).toContain("sunny, 12 degrees");
    const called: unknown[] = [];
    for await (const chunk of await client.models.generateContentStream({ model: "demo/scripted", contents, config }))
      for (const { args } of chunk.functionCalls ?? []) called.push(args);
    expect(called).toEqual([{ city: "Oslo" }]);
  });

  it("115: counts tokens", async () => {
    expect((await client.models.countTokens({ model: "demo/echo", contents: "one two three" })).totalTokens).toBeGreaterThan(0);
  });

  it("makes vectors, of one text and of several", async () => {
    const { models } = client;
    const ids: string[] = [];
    for await (const { name, supportedActions } of await models.list())
      if (supportedActions?.includes("embedContent") === true) ids.push(name!.replace("models/", ""));
    expect(ids).not.toEqual([]);
    const { embeddings } = await models.embedContent({ model: ids[0]!, contents: ["one", "two"] });
    expect(embeddings).toHaveLength(2);
    expect(embeddings![0]!.values!.length).toBeGreaterThan(0);
    expect(embeddings![0]!.values).not.toEqual(embeddings![1]!.values);
  });

  it("98: throws its own class for our errors, with a status", async () => {
    const unknown = client.models.generateContent({ model: "demo/nothing-of-the-kind", contents: "x" });
    await expect(unknown).rejects.toBeInstanceOf(ApiError);
    await expect(unknown).rejects.toMatchObject({ status: 404, message: expect.stringContaining("NOT_FOUND") as string });
    const stranger = new GoogleGenAI({ apiKey: "not-a-key", httpOptions: { baseUrl: url } });
    await expect(stranger.models.generateContent({ model: "demo/echo", contents: "x" })).rejects.toMatchObject({
      status: 401,
      message: expect.stringContaining("UNAUTHENTICATED") as string,
    });
    await expect(client.models.get({ model: "demo/none" })).rejects.toMatchObject({ status: 404 });
    // @ts-expect-error -- a wrong type is what is tried
    const wrong = client.models.generateContent({ model: "demo/echo", contents: "x", config: { maxOutputTokens: "many" } });
    await expect(wrong).rejects.toMatchObject({ status: 400, message: expect.stringContaining("INVALID_ARGUMENT") as string });
  });

  it("is aborted by its client", async () => {
    const controller = new AbortController();
    const config = { abortSignal: controller.signal };
    const stream = await client.models.generateContentStream({ model: "demo/echo", contents: "word ".repeat(5000), config });
    let seen = 0;
    const reading = (async () => {
      for await (const _chunk of stream) if (++seen === 3) controller.abort();
    })();
    await expect(reading).rejects.toThrow();
    expect(seen).toBeLessThan(5000);
  });
});

describe("Google's paths without its SDK", () => {
  const post = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ contents: user("one two three") }),
    });

  it("105, 107: take the key in the query, and a slash in the model's name as it is or encoded", async () => {
    for (const name of ["demo/echo", "demo%2Fecho", "models%2Fdemo%2Fecho", "demo%2Fecho"]) {
      const answer = await post(`/v1beta/models/${name}:generateContent?key=${OWNER_KEY}`);
      expect(await answer.json()).toMatchObject({ candidates: [{ content: { parts: [{ text: "one two three" }] } }] });
    }
    const refused = await post("/v1beta/models/demo/echo:generateContent?key=nobodys");
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ error: { code: 401, status: "UNAUTHENTICATED" } });
    const two = await post(`/v1beta/models/demo/echo:generateContent?key=${OWNER_KEY}`, { "x-goog-api-key": "another" });
    expect(two.status).toBe(401);
  });

  it("stream one JSON array without alt=sse", async () => {
    const answer = await post("/v1beta/models/demo/echo:streamGenerateContent", { "x-goog-api-key": OWNER_KEY });
    expect(answer.headers.get("content-type")).toContain("application/json");
    const chunks = (await answer.json()) as { candidates?: { content?: { parts?: { text?: string }[] } }[] }[];
    expect(chunks.map((chunk) => chunk.candidates?.[0]?.content?.parts?.[0]?.text ?? "").join("")).toBe("one two three");
    expect(chunks.length).toBeGreaterThan(2);
  });

  it("make pictures and vectors by :predict", async () => {
    const predict = async (model: string, body: unknown) => {
      const headers = { "content-type": "application/json", "x-goog-api-key": OWNER_KEY };
      const answer = await fetch(`${url}/v1beta/models/${model}:predict`, { method: "POST", headers, body: JSON.stringify(body) });
      return (await answer.json()) as { predictions?: Record<string, unknown>[]; error?: { code: number; message: string } };
    };
    const listed = await client.models.list();
    const idOf = (method: string) => listed.page.find((model) => model.supportedActions?.includes(method))!.name!.replace("models/", "");
    const pictures = await predict(idOf("predict"), { instances: [{ prompt: "a red square" }], parameters: { sampleCount: 2 } });
    expect(pictures.predictions).toHaveLength(2);
    expect(pictures.predictions![0]).toEqual({ mimeType: "image/png", bytesBase64Encoded: expect.stringMatching(/^iVBOR/) as string });
    const refused = await predict(idOf("predict"), { instances: [{ prompt: "x", mask: {} }] });
    expect(refused.error?.message).toContain("instances[0].mask");
    const vectors = await predict(idOf("embedContent"), { instances: [{ content: "one" }, { content: "two" }] });
    expect(vectors.predictions).toHaveLength(2);
  });

  it("say what there is for a method that there is not", async () => {
    const answer = await post("/v1beta/models/demo/echo:dream", { "x-goog-api-key": OWNER_KEY });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({
      error: { status: "NOT_FOUND", message: expect.stringContaining("generateContent") as string },
    });
    expect((await post("/v1beta/cachedContents", { "x-goog-api-key": OWNER_KEY })).status).toBe(404);
  });
});
