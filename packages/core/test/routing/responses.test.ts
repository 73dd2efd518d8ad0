import { afterEach, describe, expect, it } from "vitest";
import { usageEntry } from "../../src/entities/index.js";
import type { GatewayOptions } from "../../src/gateway-options.js";
import { Gateway } from "../../src/gateway.js";
import { memoryStore } from "../../src/memory/index.js";
import { parseSse } from "../../src/util/sse.js";
import { closeAll, completion, happening, json, upstream, type Reply } from "./harness.js";

type Json = Record<string, unknown>;
const KEY = "owner-key-of-the-responses-tests-51c7";
const gateways: Gateway[] = [];
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close({ graceMs: 0 })));
  await closeAll();
});

/** A whole gateway before vendors on loopback. */
function gateway(providers: NonNullable<GatewayOptions["providers"]>) {
  const store = memoryStore();
  const made = new Gateway({
    env: {},
    ownerKey: KEY,
    providers,
    logging: { level: "silent" },
    storage: { name: "memory", open: () => Promise.resolve(store) },
  });
  gateways.push(made);
  const send = (target: string, body?: unknown, init: RequestInit = {}) => {
    const [method, path] = target.split(" ") as [string, string];
    const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
    return made.fetch(
      new Request(`http://localhost/v1/${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...init,
      }),
    );
  };
  const call = async (target: string, body?: unknown) => {
    const response = await send(target, body);
    return { status: response.status, headers: response.headers, json: (await response.json()) as Json };
  };
  const usage = async () => {
    const query = { orderBy: "atMs", limit: 100 } as const;
    for (;;) {
      const { rows } = await store.find(usageEntry, query, { system: "a test" }, { deadlineMs: Date.now() + 5_000 });
      if (rows.length > 0) return rows;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { send, call, usage };
}
const speaking = (base: string, protocol: string) =>
  ({ vendor: "openai-compatible", baseUrl: base, apiKey: "vendor-key-1", protocols: [protocol] }) as NonNullable<
    GatewayOptions["providers"]
  >[string];

const message = (text: string, n = 1) => ({
  ...{ type: "message", id: `msg_of_the_vendor_${String(n).padStart(10, "0")}`, status: "completed", role: "assistant" },
  content: [{ type: "output_text", text, annotations: [] }],
});
const response = (output: unknown[], rest: Json = {}) => ({
  ...{
    id: "resp_of_the_vendor",
    object: "response",
    created_at: 1_700_000_000,
    status: "completed",
    model: "theirs",
    store: false,
    output,
  },
  ...{ usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15, input_tokens_details: { cached_tokens: 4 } }, ...rest },
});
const frame = (type: string, fields: Json) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const begun = [
  frame("response.created", { sequence_number: 0, response: response([], { status: "in_progress", usage: null }) }),
  frame("response.brand_new_event", { sequence_number: 1, x: 12.5 }),
  frame("response.output_text.delta", {
    sequence_number: 2,
    item_id: "msg_1",
    output_index: 0,
    content_index: 0,
    delta: "hi",
    obfuscation: "ab",
  }),
];
const completed = frame("response.completed", { sequence_number: 3, response: response([message("hi")]) });
const streaming =
  (...frames: readonly string[]): Reply =>
  (_seen, answer) => {
    answer.writeHead(200, { "content-type": "text/event-stream" });
    for (const one of frames) answer.write(one);
    answer.end();
  };

describe("a vendor of the same protocol", () => {
  it("is asked to keep nothing and told the whole conversation; what it adds survives, and usage is accounted", async () => {
    const { base, seen } = await upstream((request, answer, incoming) =>
      json(JSON.stringify(response([message("hi", seen.length)], { brand_new: { b: 1, a: [] } })))(request, answer, incoming),
    );
    const { call, usage } = gateway({ vendor: speaking(base, "openai-responses") });
    const first = await call("POST responses", { model: "vendor/theirs", input: "one", brand_new_option: 1 });
    expect(first.json).toMatchObject({ store: true, brand_new: { b: 1, a: [] }, output: [message("hi", 1)] });
    expect(first.json["id"]).not.toBe("resp_of_the_vendor");
    expect(first.headers.get("x-sallyport-provider")).toBe("vendor");
    expect(seen[0]!.json).toEqual({ model: "theirs", input: "one", brand_new_option: 1, store: false });
    expect(await usage()).toMatchObject([{ provider: "vendor", inputTokens: 6, cacheReadTokens: 4, outputTokens: 5, partial: false }]);
    await call("POST responses", { model: "vendor/theirs", input: "two", previous_response_id: first.json["id"] });
    expect(seen[1]!.json).toMatchObject({
      previous_response_id: null,
      input: [{ role: "user", content: "one" }, message("hi", 1), { role: "user", content: "two" }],
    });
  });

  it("streams as it came but for our id: events that nobody knows, byte for byte", async () => {
    const { base } = await upstream(streaming(...begun, completed));
    const { send, call } = gateway({ vendor: speaking(base, "openai-responses") });
    const text = await (await send("POST responses", { model: "vendor/theirs", input: "one", stream: true })).text();
    expect(text).toContain(begun[1]);
    expect(text).toContain(begun[2]);
    expect(text).not.toContain("resp_of_the_vendor");
    const last = parseSse(text).at(-1)!;
    const { id } = (JSON.parse(last.data) as { response: { id: string } }).response;
    expect((await call(`GET responses/${id}`)).json).toMatchObject({ id, status: "completed", output: [message("hi")] });
  });

  it("54, 55: that breaks off is told in the dialect, and nothing of it passes for kept", async () => {
    const { base } = await upstream(streaming(...begun));
    const { send, usage } = gateway({ vendor: speaking(base, "openai-responses") });
    const text = await (await send("POST responses", { model: "vendor/theirs", input: "one", stream: true })).text();
    const types = parseSse(text).map(({ event }) => event);
    expect(types).toContain("error");
    expect(types).not.toContain("response.completed");
    expect(await usage()).toMatchObject([{ partial: true }]);
  });

  it("that refuses is heard, and nothing is kept", async () => {
    const { base } = await upstream(
      json('{"error":{"message":"No.","type":"invalid_request_error","param":"input","code":"bad_input"}}', 400),
    );
    const { call } = gateway({ vendor: speaking(base, "openai-responses") });
    const refused = await call("POST responses", { model: "vendor/theirs", input: "one" });
    expect(refused).toMatchObject({ status: 400, json: { error: { code: "bad_input", param: "input" } } });
    const later = await call("POST responses", { model: "vendor/theirs", input: "one", background: true });
    expect(later).toMatchObject({ status: 400, json: { error: { code: "bad_input" } } });
  });

  it("57: hears at once that its caller left, or cancelled what was made in the background", async () => {
    const gone = [happening(), happening()];
    let n = 0;
    const { base } = await upstream((_seen, answer, incoming) => {
      const { resolve } = gone[n++]!;
      incoming.socket.once("close", () => resolve());
      answer.writeHead(200, { "content-type": "text/event-stream" });
      for (const one of begun) answer.write(one);
    });
    const { send, call } = gateway({ vendor: speaking(base, "openai-responses") });
    const streamed = await send("POST responses", { model: "vendor/theirs", input: "one", stream: true });
    const reader = streamed.body!.getReader();
    await reader.read();
    await reader.cancel();
    await gone[0]!.promise;
    const { json: created } = await call("POST responses", { model: "vendor/theirs", input: "one", background: true });
    expect((await call(`POST responses/${created["id"] as string}/cancel`)).json).toMatchObject({ status: "cancelled" });
    await gone[1]!.promise;
    expect((await call(`GET responses/${created["id"] as string}`)).json).toMatchObject({ status: "cancelled" });
  });
});

describe("a vendor of another protocol", () => {
  it("108: goes on with a response that another vendor made", async () => {
    const theirs = await upstream(json(JSON.stringify(response([message("from responses")]))));
    const chat = await upstream(json(completion("from chat")));
    const messages = await upstream(
      json(
        JSON.stringify({
          ...{ id: "msg_1", type: "message", role: "assistant", model: "claude", content: [{ type: "text", text: "from messages" }] },
          ...{ stop_reason: "end_turn", stop_sequence: null, usage: { input_tokens: 3, output_tokens: 2 } },
        }),
      ),
    );
    const { call } = gateway({
      one: speaking(theirs.base, "openai-responses"),
      two: speaking(chat.base, "openai-chat"),
      three: speaking(messages.base.replace(/\/v1$/, ""), "anthropic-messages"),
    });
    const first = await call("POST responses", { model: "one/a", input: "1" });
    const second = await call("POST responses", { model: "two/b", input: "2", previous_response_id: first.json["id"] });
    expect(second.json).toMatchObject({ object: "response", status: "completed", previous_response_id: first.json["id"], store: true });
    expect(chat.seen[0]!.json["messages"]).toMatchObject([{ content: "1" }, { content: "from responses" }, { content: "2" }]);
    const third = await call("POST responses", {
      model: "three/c",
      input: "3",
      previous_response_id: second.json["id"],
      max_output_tokens: 50,
    });
    expect(third.json).toMatchObject({ output: [{ content: [{ text: "from messages" }] }] });
    const turns = JSON.stringify(messages.seen[0]!.json["messages"]);
    for (const text of ["from responses", "from chat", '"3"']) expect(turns).toContain(text);
    const fourth = await call("POST responses", { model: "one/a", input: "4", previous_response_id: third.json["id"] });
    expect(fourth.status).toBe(200);
    expect(theirs.seen[1]!.json["input"]).toHaveLength(7);
  });

  it("109: makes responses in the background as well", async () => {
    const { base } = await upstream((_seen, answer) => {
      answer.writeHead(200, { "content-type": "text/event-stream" });
      const chunk = (delta: object, rest: object = {}) =>
        `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason: null, ...rest }] })}\n\n`;
      answer.end(
        [
          chunk({ role: "assistant", content: "slow " }),
          chunk({ content: "answer" }),
          chunk({}, { finish_reason: "stop" }),
          "data: [DONE]\n\n",
        ].join(""),
      );
    });
    const { send, call } = gateway({ two: speaking(base, "openai-chat") });
    const streamed = await send("POST responses", { model: "two/b", input: "1", background: true, stream: true });
    const events = parseSse(await streamed.text()).map(({ data }) => JSON.parse(data) as Json);
    const last = events.at(-1)!;
    expect(last).toMatchObject({ type: "response.completed", response: { background: true, store: true, status: "completed" } });
    const { id } = last["response"] as { id: string };
    const again = await send(`GET responses/${id}?stream=true&starting_after=${String(events[1]!["sequence_number"])}`);
    expect(parseSse(await again.text())).toHaveLength(events.length - 2);
    expect((await call(`GET responses/${id}`)).json).toMatchObject({ output: [{ content: [{ text: "slow answer" }] }] });
  });
});
