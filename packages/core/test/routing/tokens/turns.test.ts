import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { createTestGateway, TEST_OWNER_KEY, type TestGatewayOptions } from "../../../src/testing/index.js";
import { closeAll, json, upstream, type Reply, type Seen } from "../harness.js";

// Two turns through the whole gateway: what a vendor sealed in its first answer has to be in the second request, whatever the caller's dialect. The client keeps only what its
// dialect has a field for. Vendors' answers are made up.

afterEach(closeAll);

const SIG = "c2lnbmF0dXJlLW9mLXRoZS12ZW5kb3I=";
const SIG2 = "YW5vdGhlci1zaWduYXR1cmU=";
type Json = Record<string, unknown>;

const providers = {
  google: (base: string) => ({ vendor: "google", baseUrl: base.replace(/\/v1$/, ""), apiKey: "g-key" }),
  responses: (base: string) => ({ vendor: "openai", baseUrl: base, apiKey: "o-key", protocols: ["openai-responses"] }),
  anthropic: (base: string) => ({ vendor: "anthropic", baseUrl: base.replace(/\/v1$/, ""), apiKey: "a-key" }),
};
async function gateway(options: Record<string, unknown>) {
  const made = await createTestGateway({ mcpServers: {}, ...options } as TestGatewayOptions);
  onTestFinished(() => made.close());
  const post = async (path: string, body: unknown): Promise<{ body: Json; headers: Headers; status: number }> => {
    const headers = { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json" };
    const response = await made.fetch(new Request(`http://localhost${path}`, { method: "POST", headers, body: JSON.stringify(body) }));
    return { body: (await response.json()) as Json, headers: response.headers, status: response.status };
  };
  return { made, post };
}
/** Answers with each body in turn. */
const inTurn = (...bodies: readonly unknown[]): Reply => {
  let next = 0;
  return (seen, answer, incoming) => void json(JSON.stringify(bodies[Math.min(next++, bodies.length - 1)]))(seen, answer, incoming);
};

const gemini = (...parts: readonly unknown[]) => ({
  candidates: [{ index: 0, content: { role: "model", parts }, finishReason: "STOP" }],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1 },
  modelVersion: "gemini-3.8-flash",
  responseId: "r1",
});
const functionCall = (city: string, thoughtSignature?: string) => ({
  functionCall: { name: "weather", args: { city } },
  ...(thoughtSignature === undefined ? {} : { thoughtSignature }),
});
const openaiResponse = (...output: readonly unknown[]) => ({
  ...{ id: "resp_1", object: "response", created_at: 1_700_000_000, model: "gpt", status: "completed", output, error: null },
  usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
});
const reasoningItem = { id: "rs_1", type: "reasoning", summary: [{ type: "summary_text", text: "I plan." }], encrypted_content: SIG };
const callItem = {
  id: "fc_1",
  type: "function_call",
  call_id: "call_1",
  name: "weather",
  arguments: '{"city":"Oslo"}',
  status: "completed",
};

const parameters = { type: "object", properties: { city: { type: "string" } } };
const chatTools = [{ type: "function", function: { name: "weather", parameters } }];
const ask = { role: "user", content: "Weather in Oslo?" };

/** Two turns of a Chat client, which keeps content and tool calls. */
async function chatTurns(post: Awaited<ReturnType<typeof gateway>>["post"], model: string) {
  const first = await post("/v1/chat/completions", { model, messages: [ask], tools: chatTools });
  const { message } = (first.body["choices"] as { message: Json }[])[0]!;
  const calls = message["tool_calls"] as { id: string; function: Json }[];
  const kept = { role: "assistant", content: message["content"], tool_calls: calls };
  const results = calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "rain" }));
  const second = await post("/v1/chat/completions", { model, messages: [ask, kept, ...results], tools: chatTools });
  return { first, second, calls };
}
/** Two turns of a Messages client, which keeps content blocks, and of them the fields that it knows. */
async function messagesTurns(post: Awaited<ReturnType<typeof gateway>>["post"], model: string, next = model) {
  const tools = [{ name: "weather", input_schema: parameters }];
  const rest = { max_tokens: 4_000, tools };
  const first = await post("/v1/messages", { model, ...rest, messages: [ask] });
  const content = (first.body["content"] as Json[]).map((block): Json => {
    if (block["type"] === "tool_use") return { type: "tool_use", id: block["id"], name: block["name"], input: block["input"] };
    return block;
  });
  const results = content
    .filter(({ type }) => type === "tool_use")
    .map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: "rain" }));
  const messages = [ask, { role: "assistant", content }, { role: "user", content: results }];
  const second = await post("/v1/messages", { model: next, ...rest, messages });
  return { first, second, content };
}

const modelParts = (seen: Seen) =>
  (seen.json["contents"] as { role: string; parts: Json[] }[]).filter(({ role }) => role === "model").flatMap(({ parts }) => parts);
const items = (seen: Seen) => seen.json["input"] as Json[];

describe("Gemini's signatures", () => {
  it("8: M→G survive a tool loop of a client that drops what it does not know", async () => {
    const vendor = await upstream(inTurn(gemini(functionCall("Oslo", SIG)), gemini({ text: "Rain." })));
    const { post } = await gateway({ providers: { g: providers.google(vendor.base) } });
    const { second } = await messagesTurns(post, "g/gemini-3.8-flash");
    expect(second.status).toBe(200);
    expect(modelParts(vendor.seen[1]!)).toEqual([expect.objectContaining({ thoughtSignature: SIG })]);
  });

  it("9: C→G of parallel calls only the first has its own back", async () => {
    const answer = gemini(functionCall("Oslo", SIG), functionCall("Bergen"), functionCall("Bodø"));
    const vendor = await upstream(inTurn(answer, gemini({ text: "Rain." })));
    const { post } = await gateway({ providers: { g: providers.google(vendor.base) } });
    const { calls } = await chatTurns(post, "g/gemini-3.8-flash");
    expect(calls).toHaveLength(3);
    expect(modelParts(vendor.seen[1]!).map((part) => part["thoughtSignature"])).toEqual([SIG, undefined, undefined]);
  });

  it("10: are kept through the steps of a run, each at its own call", async () => {
    const echo = (text: string, thoughtSignature: string) => ({ functionCall: { name: "demo__echo", args: { text } }, thoughtSignature });
    const vendor = await upstream(inTurn(gemini(echo("a", SIG)), gemini(echo("b", SIG2)), gemini({ text: "Done." })));
    const { made } = await gateway({ mcpServers: undefined, providers: { g: providers.google(vendor.base) } });
    const { text } = await made.run({ model: "g/gemini-3.8-flash", input: "echo", tools: ["demo__*"] });
    expect(text).toBe("Done.");
    expect(modelParts(vendor.seen[2]!).map((part) => part["thoughtSignature"])).toEqual([SIG, SIG2]);
  });

  it("18: of AI Studio are not sent to another way to Gemini", async () => {
    const [a, b] = [await upstream(inTurn(gemini(functionCall("Oslo", SIG)))), await upstream(inTurn(gemini({ text: "Rain." })))];
    const { post } = await gateway({ providers: { g: providers.google(a.base), v: providers.google(b.base) } });
    await messagesTurns(post, "g/gemini-3.8-flash", "v/gemini-3.8-flash");
    expect(b.seen).toHaveLength(1);
    expect(b.seen[0]!.body).not.toContain(SIG);
  });
});

describe("OpenAI's reasoning items", () => {
  const vendorOf = () => upstream(inTurn(openaiResponse(reasoningItem, callItem), openaiResponse()));
  it.each(["chat", "messages"] as const)("7: %s→R stand in front of their calls again, with their ids", async (face) => {
    const vendor = await vendorOf();
    const { post } = await gateway({ providers: { o: providers.responses(vendor.base) } });
    await (face === "chat" ? chatTurns(post, "o/gpt-5.5") : messagesTurns(post, "o/gpt-5.5"));
    const sent = items(vendor.seen[1]!);
    const at = sent.findIndex(({ type }) => type === "reasoning");
    expect(sent[at]).toMatchObject({ type: "reasoning", id: "rs_1", encrypted_content: SIG });
    expect(sent[at + 1]).toMatchObject({ type: "function_call", name: "weather" });
    expect(sent.filter(({ type }) => type === "reasoning")).toHaveLength(1);
  });

  it("3: of a pool of two keys the second turn takes the first's; when that one rests, the reasoning is left out with a warning", async () => {
    const byKey = new Map<string, number>();
    let refuse = "";
    const vendor = await upstream((seen, answer, incoming) => {
      const key = seen.headers.authorization ?? "";
      if (key === refuse) return void json('{"error":{"message":"no","type":"x"}}', 401)(seen, answer, incoming);
      byKey.set(key, (byKey.get(key) ?? 0) + 1);
      return void inTurn(openaiResponse(reasoningItem, callItem))(seen, answer, incoming);
    });
    const pool = { ...providers.responses(vendor.base), apiKey: undefined, apiKeys: [{ value: "key-a" }, { value: "key-b" }] };
    const { post } = await gateway({ providers: { o: pool } });
    for (let i = 0; i < 8; i++) {
      byKey.clear();
      await messagesTurns(post, "o/gpt-5.5");
      expect([...byKey.values()]).toEqual([2]);
    }
    const first = await post("/v1/messages", { model: "o/gpt-5.5", max_tokens: 4_000, messages: [ask] });
    refuse = vendor.seen.at(-1)!.headers.authorization!;
    const content = first.body["content"] as Json[];
    const { id } = content.find(({ type }) => type === "tool_use")!;
    const results = [{ type: "tool_result", tool_use_id: id, content: "rain" }];
    const messages = [ask, { role: "assistant", content }, { role: "user", content: results }];
    const second = await post("/v1/messages", { model: "o/gpt-5.5", max_tokens: 4_000, messages });
    expect(second.status).toBe(200);
    expect(vendor.seen.at(-1)!.headers.authorization).not.toBe(refuse);
    expect(vendor.seen.at(-1)!.body).not.toContain(SIG);
    expect(second.headers.get("x-sallyport-warnings")).toMatch(/another key/);
  });
});

describe("Anthropic's thinking", () => {
  const message = (model: string, ...content: readonly unknown[]) => ({
    ...{ id: "msg_1", type: "message", role: "assistant", model, content, stop_reason: "tool_use", stop_sequence: null },
    usage: { input_tokens: 1, output_tokens: 1 },
  });
  const thinking = { type: "thinking", thinking: "Hm.", signature: SIG };
  const toolUse = { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Oslo" } };

  it("4, 5: M→M is relayed: the blocks that the vendor gave are the blocks that it gets", async () => {
    const redacted = { type: "redacted_thinking", data: SIG2 };
    const empty = { type: "thinking", thinking: "", signature: SIG2 };
    const vendor = await upstream(inTurn(message("claude", thinking, redacted, empty, toolUse)));
    const { post } = await gateway({ providers: { a: providers.anthropic(vendor.base) } });
    await messagesTurns(post, "a/claude-sonnet-5");
    const [, assistant] = vendor.seen[1]!.json["messages"] as { content: unknown }[];
    expect(assistant!.content).toEqual([thinking, redacted, empty, toolUse]);
  });

  it("7: C→M comes back in front of its call", async () => {
    const vendor = await upstream(inTurn(message("claude", thinking, toolUse)));
    const { post } = await gateway({ providers: { a: providers.anthropic(vendor.base) } });
    await chatTurns(post, "a/claude-sonnet-5");
    const messages = vendor.seen[1]!.json["messages"] as { role: string; content: Json[] }[];
    expect(messages.find(({ role }) => role === "assistant")!.content).toEqual([thinking, expect.objectContaining({ id: "toolu_1" })]);
  });

  it("13: from Gemini, in an envelope, does not reach Anthropic, and the call is not relayed with it", async () => {
    const thought = { text: "Hm.", thought: true, thoughtSignature: SIG };
    const [g, a] = [await upstream(inTurn(gemini(thought, functionCall("Oslo")))), await upstream(inTurn(message("claude", toolUse)))];
    const { post } = await gateway({ providers: { g: providers.google(g.base), a: providers.anthropic(a.base) } });
    const { content, second } = await messagesTurns(post, "g/gemini-3.8-flash", "a/claude-sonnet-5");
    expect(content[0]).toMatchObject({ type: "thinking", thinking: "Hm.", signature: expect.stringMatching(/^ZySallyport1/) });
    expect(second.status).toBe(200);
    expect(a.seen[0]!.body).not.toMatch(/ZySallyport|thinking/);
    const [, assistant] = a.seen[0]!.json["messages"] as { content: Json[] }[];
    expect(assistant!.content.map(({ type }) => type)).toEqual(["tool_use"]);
    expect(second.headers.get("x-sallyport-warnings")).toMatch(/from g/);
  });

  it("91: a caller that gives no limit gets the model's", async () => {
    const vendor = await upstream(inTurn(message("claude", toolUse)));
    const models = [{ id: "m", maxOutputTokens: 7_000 }];
    const { post } = await gateway({ providers: { a: { ...providers.anthropic(vendor.base), models } } });
    await post("/v1/chat/completions", { model: "a/m", messages: [ask] });
    expect(vendor.seen[0]!.json["max_tokens"]).toBe(7_000);
  });
});

describe("63: a whole answer that may be long", () => {
  const event = (data: { type: string } & Json) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
  const streamed: Reply = (_seen, answer) => {
    answer.writeHead(200, { "content-type": "text/event-stream" });
    const message = { id: "msg_1", type: "message", role: "assistant", model: "claude", content: [], stop_reason: null };
    answer.write(
      event({ type: "message_start", message: { ...message, stop_sequence: null, usage: { input_tokens: 3, output_tokens: 1 } } }),
    );
    answer.write(event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }));
    for (const text of ["Once ", "upon."])
      answer.write(event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }));
    answer.write(event({ type: "content_block_stop", index: 0 }));
    answer.write(event({ type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 9 } }));
    answer.end(event({ type: "message_stop" }));
  };
  it.each(["/v1/messages", "/v1/chat/completions"])("is streamed from the vendor and put together for %s", async (path) => {
    const vendor = await upstream(streamed);
    const { post } = await gateway({ providers: { a: providers.anthropic(vendor.base) } });
    const { body, status } = await post(path, { model: "a/claude-sonnet-5", max_tokens: 30_000, messages: [ask] });
    expect(status).toBe(200);
    expect(vendor.seen[0]!.json["stream"]).toBe(true);
    expect(JSON.stringify(body)).toContain('"Once upon."');
    if (path === "/v1/messages") expect(body).toMatchObject({ stop_reason: "end_turn", usage: { input_tokens: 3, output_tokens: 9 } });
  });
});

describe("84: a picture by URL", () => {
  it("reaches a vendor that cannot fetch as its bytes, from every dialect", async () => {
    const picture = await upstream((_seen, answer) => void answer.writeHead(200, { "content-type": "image/png" }).end("png"));
    const vendor = await upstream(
      json(
        '{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"a dot"},"finish_reason":"stop"}]}',
      ),
    );
    const lab = { vendor: "openai-compatible", baseUrl: vendor.base, apiKey: "k", quirks: { mediaByUrl: false } };
    const { post } = await gateway({ providers: { lab }, network: { allowPrivate: true } });
    const url = `${picture.base}/dot`;
    const asked = [
      post("/v1/chat/completions", { model: "lab/m", messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }] }),
      post("/v1/messages", {
        ...{ model: "lab/m", max_tokens: 100 },
        messages: [{ role: "user", content: [{ type: "image", source: { type: "url", url } }] }],
      }),
      post("/v1/responses", {
        model: "lab/m",
        store: false,
        input: [{ role: "user", content: [{ type: "input_image", image_url: url }] }],
      }),
    ];
    for (const { status } of await Promise.all(asked)) expect(status).toBe(200);
    expect(vendor.seen).toHaveLength(3);
    for (const { body } of vendor.seen) {
      expect(body).toContain(`data:image/png;base64,${btoa("png")}`);
      expect(body).not.toContain(url);
    }
  });
});
