import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { OWNER_KEY, served } from "./served.js";

const { url } = await served();
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: OWNER_KEY, maxRetries: 0 });
const user = (content: string) => [{ role: "user" as const, content }];

describe("the official openai SDK, unchanged", () => {
  it("lists models, and finds one by a name with a slash", async () => {
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toContain("demo/echo");
    expect(ids).toContain("demo/scripted");
    expect(await client.models.retrieve("demo/echo")).toMatchObject({
      id: "demo/echo",
      object: "model",
      owned_by: expect.stringMatching(/demo/) as string,
    });
  });

  it("completes, with usage", async () => {
    const answer = await client.chat.completions.create({ model: "demo/echo", messages: user("Hello there, gateway") });
    expect(answer.choices[0]?.message).toMatchObject({ role: "assistant", content: "Hello there, gateway" });
    expect(answer.choices[0]?.finish_reason).toBe("stop");
    expect(answer.usage).toMatchObject({ completion_tokens: 3, total_tokens: answer.usage!.prompt_tokens + 3 });
  });

  it("streams word by word; usage only when it was asked for", async () => {
    const pieces: string[] = [];
    const usages: unknown[] = [];
    const plain = await client.chat.completions.create({ model: "demo/echo", messages: user("one two three"), stream: true });
    for await (const chunk of plain) {
      pieces.push(chunk.choices[0]?.delta.content ?? "");
      if (chunk.usage) usages.push(chunk.usage);
    }
    expect(pieces.filter((piece) => piece !== "")).toEqual(["one", " two", " three"]);
    expect(usages).toEqual([]);
    const asked = await client.chat.completions.create({
      model: "demo/echo",
      messages: user("one two three"),
      stream: true,
      stream_options: { include_usage: true },
    });
    let last: OpenAI.ChatCompletionChunk | undefined;
    for await (const chunk of asked) last = chunk;
    expect(last).toMatchObject({ choices: [], usage: { completion_tokens: 3 } });
  });

  it("calls a tool and continues with its result, streamed and not", async () => {
    const tools = [
      {
        type: "function" as const,
        function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
      },
    ];
    const messages: OpenAI.ChatCompletionMessageParam[] = user('call get_weather {"city":"Oslo"}');
    const first = await client.chat.completions.create({ model: "demo/scripted", messages, tools });
    const call = first.choices[0]?.message.tool_calls?.[0];
    expect(first.choices[0]?.finish_reason).toBe("tool_calls");
    expect(call).toMatchObject({ type: "function", function: { name: "get_weather", arguments: '{"city":"Oslo"}' } });
    const second = await client.chat.completions.create({
      model: "demo/scripted",
      tools,
      messages: [...messages, first.choices[0]!.message, { role: "tool", tool_call_id: call!.id, content: "sunny, 12 degrees" }],
    });
    expect(second.choices[0]?.message.content).toBe("sunny, 12 degrees");

    const stream = client.chat.completions.stream({ model: "demo/scripted", messages, tools });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: { name: "get_weather", arguments: '{"city":"Oslo"}' } });
  });

  it("accepts vision input and structured output in its requests", async () => {
    const answer = await client.chat.completions.create({
      model: "demo/echo",
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "what is this?" },
            { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
          ],
        },
      ],
      response_format: {
        type: "json_schema",
        json_schema: { name: "thing", strict: true, schema: { type: "object", properties: {}, additionalProperties: false } },
      },
    });
    expect(answer.choices[0]?.message.content).toBe("what is this?");
  });

  it("throws its own classes for our errors, with a request id", async () => {
    const unknown = client.chat.completions.create({ model: "demo/nothing-of-the-kind", messages: user("x") });
    await expect(unknown).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(unknown).rejects.toMatchObject({ status: 404, code: "model_not_found", requestID: expect.stringMatching(/.+/) as string });
    const stranger = new OpenAI({ baseURL: `${url}/v1`, apiKey: "sk-not-a-key", maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    // @ts-expect-error -- a wrong type is what is tried
    await expect(client.chat.completions.create({ model: "demo/echo", messages: "hello" })).rejects.toBeInstanceOf(OpenAI.BadRequestError);
  });

  it("is aborted by its client", async () => {
    const controller = new AbortController();
    const stream = await client.chat.completions.create(
      { model: "demo/echo", messages: user("word ".repeat(5000)), stream: true },
      { signal: controller.signal },
    );
    let seen = 0;
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content && ++seen === 3) controller.abort();
    }
    expect(seen).toBeLessThan(5000);
  });
});
