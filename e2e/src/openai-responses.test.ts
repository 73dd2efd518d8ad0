import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { OWNER_KEY, served } from "./served.js";

const { url } = await served();
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: OWNER_KEY, maxRetries: 0 });
const tools: OpenAI.Responses.Tool[] = [
  {
    type: "function",
    name: "get_weather",
    strict: false,
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
];
async function ended(id: string): Promise<OpenAI.Responses.Response> {
  for (;;) {
    const response = await client.responses.retrieve(id);
    if (response.status !== "queued" && response.status !== "in_progress") return response;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe("the Responses of the official openai SDK, unchanged", () => {
  it("are made, with usage, a request id and what answered", async () => {
    const {
      data,
      response,
      request_id: requestId,
    } = await client.responses.create({ model: "demo/echo", input: "Hello there, gateway" }).withResponse();
    expect(data).toMatchObject({ object: "response", status: "completed", output_text: "Hello there, gateway", store: true });
    expect(data.usage).toMatchObject({ output_tokens: 3 });
    expect(requestId).toBe(response.headers.get("x-sallyport-request-id"));
    const told = ["model", "provider", "attempts", "cost-usd"].map((name) => response.headers.get(`x-sallyport-${name}`));
    expect(told).toEqual(["demo/echo", "demo", "1", "0"]);
  });

  it("52: stream word by word, every event numbered, to one end", async () => {
    const words: string[] = [];
    const numbers: number[] = [];
    const stream = await client.responses.create({ model: "demo/echo", input: "one two three", stream: true });
    const types: string[] = [];
    for await (const event of stream) {
      numbers.push(event.sequence_number);
      types.push(event.type);
      if (event.type === "response.output_text.delta") words.push(event.delta);
    }
    expect(words).toEqual(["one", " two", " three"]);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(types[0]).toBe("response.created");
    expect(types.filter((type) => type === "response.completed")).toHaveLength(1);
    expect(types.at(-1)).toBe("response.completed");
  });

  it("call a tool and go on from its result by the id of the response, streamed and not", async () => {
    const first = await client.responses.create({ model: "demo/scripted", input: 'call get_weather {"city":"Oslo"}', tools });
    const call = first.output.find((item) => item.type === "function_call")!;
    expect(call).toMatchObject({ name: "get_weather", arguments: '{"city":"Oslo"}' });
    const second = await client.responses.create({
      model: "demo/scripted",
      previous_response_id: first.id,
      input: [{ type: "function_call_output", call_id: call.call_id, output: "sunny, 12 degrees" }],
      tools,
    });
    expect(second.output_text).toBe("sunny, 12 degrees");
    expect(second.previous_response_id).toBe(first.id);
    const final = await client.responses
      .stream({ model: "demo/scripted", input: 'call get_weather {"city":"Oslo"}', tools })
      .finalResponse();
    expect(final.output.find((item) => item.type === "function_call")).toMatchObject({ arguments: '{"city":"Oslo"}' });
  });

  it("are retrieved, listed by what they were made from, and deleted", async () => {
    const first = await client.responses.create({ model: "demo/echo", input: "one" });
    const stream = client.responses.stream({ model: "demo/echo", input: "two", previous_response_id: first.id });
    const second = await stream.finalResponse();
    const retrieved = await client.responses.retrieve(second.id);
    expect(retrieved).toMatchObject({ id: second.id, output_text: "two", previous_response_id: first.id, usage: second.usage });
    const texts: unknown[] = [];
    for await (const item of client.responses.inputItems.list(second.id, { order: "asc", limit: 1 }))
      if (item.type === "message") texts.push([item.role, (item.content[0] as { text: string }).text]);
    expect(texts).toEqual([
      ["user", "one"],
      ["assistant", "one"],
      ["user", "two"],
    ]);
    await client.responses.delete(second.id);
    await expect(client.responses.retrieve(second.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(client.responses.inputItems.list(second.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(client.responses.create({ model: "demo/echo", input: "x", previous_response_id: second.id })).rejects.toMatchObject({
      status: 404,
      param: "previous_response_id",
    });
  });

  it("are not kept with store: false", async () => {
    const { id } = await client.responses.create({ model: "demo/echo", input: "one", store: false });
    await expect(client.responses.retrieve(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it("take an item of an answer by its id", async () => {
    const first = await client.responses.create({ model: "demo/echo", input: "remember this" });
    const item = first.output[0]!;
    const second = await client.responses.create({
      model: "demo/echo",
      input: [
        { type: "item_reference", id: item.id! },
        { role: "user", content: "and now?" },
      ],
    });
    expect(second.output_text).toBe("and now?");
    const items = await client.responses.inputItems.list(second.id, { order: "asc" });
    expect(items.data[0]).toMatchObject({ role: "assistant", content: [{ text: "remember this" }] });
  });

  it("115: count the tokens of their input, earlier turns included", async () => {
    const first = await client.responses.create({ model: "demo/echo", input: "one two three" });
    const alone = await client.responses.inputTokens.count({ model: "demo/echo", input: "four" });
    const whole = await client.responses.inputTokens.count({ model: "demo/echo", input: "four", previous_response_id: first.id });
    expect(alone.input_tokens).toBeGreaterThan(0);
    expect(whole.input_tokens).toBeGreaterThan(alone.input_tokens);
  });

  it("98: throw the SDK's own classes for our errors, with a request id", async () => {
    const unknown = client.responses.create({ model: "demo/nothing-of-the-kind", input: "x" });
    await expect(unknown).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(unknown).rejects.toMatchObject({ code: "model_not_found", requestID: expect.stringMatching(/.+/) as string });
    // @ts-expect-error -- a wrong type is what is tried
    await expect(client.responses.create({ model: "demo/echo", input: 3 })).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(client.responses.create({ model: "demo/echo", input: "x", conversation: "conv_1" })).rejects.toBeInstanceOf(
      OpenAI.UnprocessableEntityError,
    );
    const stranger = new OpenAI({ baseURL: `${url}/v1`, apiKey: "sk-not-a-key", maxRetries: 0 });
    await expect(stranger.responses.create({ model: "demo/echo", input: "x" })).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await expect(client.responses.retrieve("resp_of_somebody_else")).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });
});

describe("109: responses in the background", () => {
  it("are made after they were asked for, and polled", async () => {
    const { id, status, background } = await client.responses.create({ model: "demo/echo", input: "one two", background: true });
    expect(background).toBe(true);
    expect(["queued", "in_progress", "completed"]).toContain(status);
    expect(await ended(id)).toMatchObject({ id, status: "completed", background: true, output_text: "one two" });
    const next = await client.responses.create({ model: "demo/echo", input: "three", previous_response_id: id });
    expect(next.output_text).toBe("three");
  });

  it("are streamed, left, and read on from the event that was seen last", async () => {
    const words = Array.from({ length: 300 }, (_, n) => `word${n}`).join(" ");
    const stream = await client.responses.create({ model: "demo/echo", input: words, background: true, stream: true });
    let id = "";
    let last = -1;
    let text = "";
    for await (const event of stream) {
      last = event.sequence_number;
      if (event.type === "response.created") id = event.response.id;
      if (event.type !== "response.output_text.delta") continue;
      text += event.delta;
      break;
    }
    const rest = await client.responses.retrieve(id, { stream: true, starting_after: last });
    let final: OpenAI.Responses.Response | undefined;
    for await (const event of rest) {
      expect(event.sequence_number).toBeGreaterThan(last);
      last = event.sequence_number;
      if (event.type === "response.output_text.delta") text += event.delta;
      if (event.type === "response.completed") final = event.response;
    }
    expect(text).toBe(words);
    expect(final).toMatchObject({ id, status: "completed" });
    expect((await client.responses.retrieve(id)).output_text).toBe(words);
  });

  it("are cancelled, and stay what they then were", async () => {
    const { id } = await client.responses.create({ model: "demo/echo", input: "word ".repeat(200_000), background: true });
    const cancelled = await client.responses.cancel(id);
    expect(cancelled).toMatchObject({ id, status: "cancelled" });
    expect(await ended(id)).toMatchObject({ status: "cancelled" });
    expect(await client.responses.cancel(id)).toMatchObject({ status: "cancelled" });
    const plain = await client.responses.create({ model: "demo/echo", input: "x" });
    await expect(client.responses.cancel(plain.id)).rejects.toBeInstanceOf(OpenAI.BadRequestError);
  });

  it("are refused at once when they can be", async () => {
    const refused = client.responses.create({ model: "demo/nothing-of-the-kind", input: "x", background: true });
    await expect(refused).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(client.responses.create({ model: "demo/echo", input: "x", background: true, store: false })).rejects.toBeInstanceOf(
      OpenAI.BadRequestError,
    );
  });
});
