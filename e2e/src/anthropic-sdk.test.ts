import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import { OWNER_KEY, served } from "./served.js";

const { url } = await served();
const client = new Anthropic({ baseURL: url, apiKey: OWNER_KEY, maxRetries: 0 });
const user = (content: string) => [{ role: "user" as const, content }];
const tools: Anthropic.Tool[] = [
  { name: "get_weather", input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } },
];

describe("the official Anthropic SDK, unchanged", () => {
  it("lists models in its own pages, and finds one by a name with a slash", async () => {
    const ids: string[] = [];
    for await (const model of client.models.list({ limit: 1 })) ids.push(model.id);
    expect(ids).toEqual(expect.arrayContaining(["demo/echo", "demo/scripted"]));
    expect(new Set(ids).size).toBe(ids.length);
    const model = await client.models.retrieve("demo/echo");
    expect(model).toMatchObject({ type: "model", id: "demo/echo", lifecycle: "active" });
    expect(Date.parse(model.created_at)).not.toBeNaN();
  });

  it("pages backwards too", async () => {
    const all = (await client.models.list({ limit: 1000 })).data.map(({ id }) => id);
    const last = await client.models.list({ limit: 1, before_id: all[1]! });
    expect(last.data.map(({ id }) => id)).toEqual([all[0]]);
    expect(last.has_more).toBe(false);
    await expect(client.models.list({ after_id: "nobody/nothing" })).rejects.toBeInstanceOf(Anthropic.BadRequestError);
  });

  it("makes a message, with usage, a request id and what answered", async () => {
    const {
      data,
      response,
      request_id: requestId,
    } = await client.messages
      .create({ model: "demo/echo", max_tokens: 100, system: "be brief", messages: user("Hello there, gateway") })
      .withResponse();
    expect(data).toMatchObject({ type: "message", role: "assistant", stop_reason: "end_turn" });
    expect(data.content).toEqual([expect.objectContaining({ type: "text", text: "Hello there, gateway" })]);
    expect(data.usage).toMatchObject({ output_tokens: 3 });
    expect(requestId).toBe(response.headers.get("x-request-id"));
    const told = ["request-id", "model", "provider", "attempts", "cost-usd"].map((name) => response.headers.get(`x-sallyport-${name}`));
    expect(told).toEqual([requestId, "demo/echo", "demo", "1", "0"]);
  });

  it("takes the key as a Bearer token as well", async () => {
    const bearer = new Anthropic({ baseURL: url, apiKey: null, authToken: OWNER_KEY, maxRetries: 0 });
    expect((await bearer.models.list()).data.length).toBeGreaterThan(0);
  });

  it("51: streams word by word, in balanced blocks", async () => {
    const stream = client.messages.stream({ model: "demo/echo", max_tokens: 100, messages: user("one two three") });
    const types: string[] = [];
    const words: string[] = [];
    for await (const event of stream) {
      types.push(event.type);
      if (event.type === "content_block_delta" && event.delta.type === "text_delta") words.push(event.delta.text);
    }
    expect(words).toEqual(["one", " two", " three"]);
    expect(types.filter((type) => type === "message_start")).toHaveLength(1);
    expect(types.at(-1)).toBe("message_stop");
    const final = await stream.finalMessage();
    expect(final.usage.output_tokens).toBe(3);
    expect(final.stop_reason).toBe("end_turn");
  });

  it("calls a tool and continues with its result, streamed and not", async () => {
    const messages: Anthropic.MessageParam[] = user('call get_weather {"city":"Oslo"}');
    const first = await client.messages.create({ model: "demo/scripted", max_tokens: 100, messages, tools });
    expect(first.stop_reason).toBe("tool_use");
    const call = first.content.find((block) => block.type === "tool_use")!;
    expect(call).toMatchObject({ name: "get_weather", input: { city: "Oslo" } });
    const second = await client.messages.create({
      model: "demo/scripted",
      max_tokens: 100,
      tools,
      messages: [
        ...messages,
        { role: "assistant", content: first.content as Anthropic.ContentBlockParam[] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "sunny, 12 degrees" }] },
      ],
    });
    expect(second.content).toEqual([expect.objectContaining({ type: "text", text: "sunny, 12 degrees" })]);
    const final = await client.messages.stream({ model: "demo/scripted", max_tokens: 100, messages, tools }).finalMessage();
    expect(final.content.find((block) => block.type === "tool_use")).toMatchObject({ input: { city: "Oslo" } });
  });

  it("takes the beta resources of the SDK, which have the same paths", async () => {
    const betas = ["interleaved-thinking-2025-05-14", "files-api-2025-04-14"];
    const message = await client.beta.messages.create({ model: "demo/echo", max_tokens: 100, messages: user("one"), betas });
    expect(message.content).toEqual([expect.objectContaining({ type: "text", text: "one" })]);
    expect((await client.beta.messages.countTokens({ model: "demo/echo", messages: user("one two"), betas })).input_tokens).toBeGreaterThan(
      0,
    );
  });

  it("115: counts tokens", async () => {
    const count = await client.messages.countTokens({ model: "demo/echo", messages: user("one two three") });
    expect(count.input_tokens).toBeGreaterThan(0);
  });

  it("98: throws its own classes for our errors, with a status and a request id", async () => {
    const unknown = client.messages.create({ model: "demo/nothing-of-the-kind", max_tokens: 1, messages: user("x") });
    await expect(unknown).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(unknown).rejects.toMatchObject({
      status: 404,
      requestID: expect.stringMatching(/.+/) as string,
      error: { type: "error", error: { type: "not_found_error", message: expect.stringContaining("nothing-of-the-kind") as string } },
    });
    const stranger = new Anthropic({ baseURL: url, apiKey: "sk-ant-not-a-key", maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    await expect(stranger.messages.create({ model: "demo/echo", max_tokens: 1, messages: user("x") })).rejects.toBeInstanceOf(
      Anthropic.AuthenticationError,
    );
    // @ts-expect-error -- a wrong type is what is tried
    await expect(client.messages.create({ model: "demo/echo", max_tokens: 1, messages: "hello" })).rejects.toBeInstanceOf(
      Anthropic.BadRequestError,
    );
    await expect(client.models.retrieve("demo/none")).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(client.get("/v1/messages/batches/nothing/here/at/all")).rejects.toMatchObject({ error: { type: "error" } });
  });

  it("is aborted by its client", async () => {
    const stream = client.messages.stream({ model: "demo/echo", max_tokens: 100_000, messages: user("word ".repeat(5000)) });
    let seen = 0;
    const reading = (async () => {
      for await (const event of stream) if (event.type === "content_block_delta" && ++seen === 3) stream.abort();
    })();
    await expect(reading).rejects.toBeInstanceOf(Anthropic.APIUserAbortError);
    expect(seen).toBeLessThan(5000);
  });
});
