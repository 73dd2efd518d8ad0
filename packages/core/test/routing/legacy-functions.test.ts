import OpenAI from "openai";
import { afterEach, describe, expect, it } from "vitest";
import { closeAll, gatewayTo, KEY, sendJson, stubVendor, type Answer } from "../media/stub-vendor.js";

afterEach(closeAll);

const args = { city: "Köln" };
type Blocks = readonly { readonly name: string }[];
/** Vendors that call the tools that they are told to, whole and streamed, and answer with a text once they have a result. */
const messages =
  (calls: Blocks): Answer =>
  ({ json, bytes }, answer) => {
    const done = bytes.includes("tool_result");
    const content = done
      ? [{ type: "text", text: "sunny it is" }]
      : calls.map(({ name }, i) => ({ type: "tool_use", id: `toolu_${i}`, name, input: args }));
    const usage = { input_tokens: 3, output_tokens: 2 };
    const whole = {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "m",
      content,
      stop_reason: done ? "end_turn" : "tool_use",
      usage,
    };
    if (json["stream"] !== (true as never)) return sendJson(answer, whole);
    const events = [
      { type: "message_start", message: { ...whole, content: [], stop_reason: null } },
      ...content.flatMap((block, index) => [
        { type: "content_block_start", index, content_block: "input" in block ? { ...block, input: {} } : { ...block, text: "" } },
        ...("input" in block
          ? ['{"city":', '"Köln"}'].map((partial_json) => ({
              type: "content_block_delta",
              index,
              delta: { type: "input_json_delta", partial_json },
            }))
          : [{ type: "content_block_delta", index, delta: { type: "text_delta", text: block.text } }]),
        { type: "content_block_stop", index },
      ]),
      { type: "message_delta", delta: { stop_reason: whole.stop_reason }, usage },
      { type: "message_stop" },
    ];
    answer.writeHead(200, { "content-type": "text/event-stream" });
    answer.end(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""));
  };
const SIGNATURE = Buffer.from("a signature").toString("base64");
const google: Answer = ({ bytes, path }, answer) => {
  const part = bytes.includes("functionResponse")
    ? { text: "sunny it is" }
    : { functionCall: { name: "weather", args }, thoughtSignature: SIGNATURE };
  const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 };
  const whole = { candidates: [{ content: { role: "model", parts: [part] }, finishReason: "STOP", index: 0 }], usageMetadata };
  if (!path.includes("stream")) return sendJson(answer, whole);
  answer.writeHead(200, { "content-type": "text/event-stream" }).end(`data: ${JSON.stringify(whole)}\n\n`);
};

async function client(vendor: "anthropic" | "google", reply: Answer) {
  const { base, got } = await stubVendor(reply);
  const gateway = gatewayTo({ lab: { vendor, baseUrl: base, apiKey: KEY } }, { network: { allowPrivate: true } });
  const openai = new OpenAI({
    ...{ baseURL: "http://localhost/v1", apiKey: "media-owner-key-4c1d8f0b7a2e9635-xyz", maxRetries: 0 },
    fetch: (url, init) => gateway.fetch(new Request(url, init as RequestInit)),
  });
  return { openai, got };
}
type Params = OpenAI.ChatCompletionCreateParamsNonStreaming;
const functions = [{ name: "weather", description: "d", parameters: { type: "object", properties: { city: { type: "string" } } } }];
const first: Params = { model: "lab/m", max_tokens: 100, messages: [{ role: "user", content: "Köln?" }], functions };
const next = (message: OpenAI.ChatCompletionMessageParam): Params => ({
  ...first,
  messages: [...first.messages, message, { role: "function", name: "weather", content: "sunny" }],
});

describe.each([
  ["anthropic", messages([{ name: "weather" }])],
  ["google", google],
] as const)("a client of the time before tools, answered by %s", (vendor, reply) => {
  it("is told of a call in function_call, says what came of it, and is answered", async () => {
    const { openai, got } = await client(vendor, reply);
    const { choices } = await openai.chat.completions.create(first);
    expect(choices[0]).toMatchObject({ finish_reason: "function_call", message: { content: null, function_call: { name: "weather" } } });
    expect(choices[0]!.message).not.toHaveProperty("tool_calls");
    expect(JSON.parse(choices[0]!.message.function_call!.arguments)).toEqual(args);
    const second = await openai.chat.completions.create(next(choices[0]!.message));
    expect(second.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "sunny it is" } });
    const sent = got[1]!.bytes.toString();
    if (vendor === "google") expect(sent).toContain(`"thoughtSignature":"${SIGNATURE}"`);
    else expect(/"tool_use","id":"([^"]+)"/.exec(sent)![1]).toBe(/"tool_use_id":"([^"]+)"/.exec(sent)![1]);
  });

  it("is told the same in a stream, piece by piece", async () => {
    const { openai, got } = await client(vendor, reply);
    let name = "";
    let text = "";
    const reasons: (string | null)[] = [];
    for await (const { choices } of await openai.chat.completions.create({ ...first, stream: true })) {
      expect(choices[0]!.delta.tool_calls).toBeUndefined();
      name += choices[0]!.delta.function_call?.name ?? "";
      text += choices[0]!.delta.function_call?.arguments ?? "";
      reasons.push(choices[0]!.finish_reason);
    }
    expect([name, JSON.parse(text), reasons.filter((reason) => reason !== null)]).toEqual(["weather", args, ["function_call"]]);
    await openai.chat.completions.create(next({ role: "assistant", content: null, function_call: { name, arguments: text } }));
    if (vendor === "google") expect(got[1]!.bytes.toString()).toContain(`"thoughtSignature":"${SIGNATURE}"`);
  });
});

it("asks a vendor for one call a turn on behalf of such a client, and does not keep back what it was given beside it", async () => {
  const { openai, got } = await client("anthropic", messages([{ name: "weather" }, { name: "weather" }]));
  const { choices } = await openai.chat.completions.create(first);
  expect(got[0]!.json["tool_choice"]).toEqual({ type: "auto", disable_parallel_tool_use: true });
  expect(choices[0]!.message).toMatchObject({
    function_call: { name: "weather" },
    tool_calls: [{ id: "toolu_1", function: { name: "weather" } }],
  });
});

it("tells a client of tools of its calls as ever", async () => {
  const { openai } = await client("anthropic", messages([{ name: "weather" }]));
  const tools = functions.map((called) => ({ type: "function" as const, function: called }));
  const { choices } = await openai.chat.completions.create({ ...first, functions: undefined, tools } as unknown as Params);
  expect(choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { tool_calls: [{ id: "toolu_0" }] } });
  expect(choices[0]!.message).not.toHaveProperty("function_call");
});
