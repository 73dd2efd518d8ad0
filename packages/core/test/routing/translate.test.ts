import { afterEach, describe, expect, it } from "vitest";
import type { ModelCall, ModelEvent, ModelHead } from "../../src/calls/index.js";
import { fold } from "../../src/calls/index.js";
import { GatewayError } from "../../src/errors/index.js";
import type { Step } from "../../src/policy/step.js";
import {
  chat,
  closeAll,
  completion,
  contentOf,
  DONE,
  frames,
  happening,
  header,
  json,
  options,
  owner,
  read,
  routing,
  streamed,
  upstream,
  usageFrame,
} from "./harness.js";

afterEach(closeAll);

const lab = (base: string, rest: object = {}) => ({ vendor: "openai-compatible" as const, baseUrl: base, apiKey: "sk-lab", ...rest });
const say = (text: string): Pick<ModelCall, "messages"> => ({ messages: [{ role: "user", content: [{ type: "text", text }] }] });
async function collect(events: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const all: ModelEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe("the demo models, through OpenAI's face", () => {
  it("echo a whole answer with usage that is counted, at no cost", async () => {
    const set = routing();
    const answer = await set.models.relay(chat({ model: "demo/echo", messages: [{ role: "user", content: "hello there" }] }), options());
    expect(JSON.parse(await read(answer))).toMatchObject({
      object: "chat.completion",
      model: "demo/echo",
      choices: [{ message: { role: "assistant", content: "hello there" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 },
    });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "application/json",
      "x-sallyport-model": "demo/echo",
      "x-sallyport-cost-usd": "0",
    });
    expect((await set.ledgers()).usage).toEqual([
      expect.objectContaining({ provider: "demo", model: "echo", inputTokens: 2, costNanoUsd: 0 }),
    ]);
  });

  it("echo word by word when streamed, with usage only when it was asked for", async () => {
    const set = routing();
    const ask = (rest: object) =>
      set.models
        .relay(chat({ model: "echo", stream: true, messages: [{ role: "user", content: "one two three" }], ...rest }), options())
        .then(read);
    const plain = await ask({});
    expect(contentOf(plain)).toBe("one two three");
    expect(plain.split("\n\n").filter((frame) => /"content":" ?\w+"/.test(frame)).length).toBe(3);
    expect(plain.endsWith(DONE)).toBe(true);
    expect(plain).not.toContain("prompt_tokens");
    expect(await ask({ stream_options: { include_usage: true } })).toContain('"prompt_tokens":3');
    expect((await set.ledgers()).usage).toEqual([
      expect.objectContaining({ outputTokens: 3 }),
      expect.objectContaining({ outputTokens: 3 }),
    ]);
  });

  it("call a tool when told to, and answer its result with its text", async () => {
    const { models } = routing();
    const user = { role: "user", content: 'call demo__time {"zone": "UTC"}' };
    const first = JSON.parse(await read(await models.relay(chat({ model: "demo/scripted", messages: [user] }), options())));
    const [call] = first.choices[0].message.tool_calls;
    expect(first.choices[0].finish_reason).toBe("tool_calls");
    expect(call).toMatchObject({ type: "function", function: { name: "demo__time", arguments: '{"zone": "UTC"}' } });
    const messages = [user, first.choices[0].message, { role: "tool", tool_call_id: call.id, content: "noon" }];
    const second = JSON.parse(await read(await models.relay(chat({ model: "demo/scripted", messages }), options())));
    expect(second.choices[0].message.content).toBe("noon");
  });

  it("have no siblings", async () => {
    const { models } = routing();
    await expect(models.relay(chat({ model: "demo/gpt" }), options())).rejects.toMatchObject({ code: "model_not_found" });
  });

  it("stop when the caller goes", async () => {
    const set = routing();
    const controller = new AbortController();
    const messages = [{ role: "user", content: "word ".repeat(50_000) }];
    const answer = await set.models.relay(chat({ model: "demo/echo", stream: true, messages }), options({ signal: controller.signal }));
    if (answer.body.kind !== "frames") throw new Error("It is no stream.");
    let count = 0;
    for await (const _ of answer.body.frames) if (++count === 100) controller.abort();
    expect(count).toBeLessThan(300);
    answer.done("left");
    expect((await set.ledgers()).audit).toEqual([expect.objectContaining({ outcome: "aborted" })]);
  });
});

describe("a step that does more than look at the head", () => {
  const shout: Step<ModelHead, ModelEvent> = {
    name: "shout",
    sees: () => "write",
    async *events(_call, source) {
      for await (const event of source) yield event.type === "text-delta" ? { ...event, text: event.text.toUpperCase() } : event;
    },
  };

  it("changes what the caller gets, whole or streamed, from a vendor of the caller's own dialect", async () => {
    const vendor = await upstream((seen, answer, incoming) =>
      (seen.json["stream"] === true ? streamed("so", " quiet") : json(completion("so quiet")))(seen, answer, incoming),
    );
    const set = routing({ providers: { lab: lab(vendor.base) }, steps: [shout] });
    const whole = await set.models.relay(chat({ model: "lab/m" }), options());
    expect(JSON.parse(await read(whole))).toMatchObject({ choices: [{ message: { content: "SO QUIET" } }], usage: { prompt_tokens: 10 } });
    expect(header(whole, "content-type")).toBe("application/json");
    const stream = await read(await set.models.relay(chat({ model: "lab/m", stream: true }), options()));
    expect(contentOf(stream)).toBe("SO QUIET");
    expect(stream.endsWith(DONE)).toBe(true);
    expect((await set.ledgers()).usage.map((row) => row.inputTokens).sort()).toEqual([10, 6]);
  });

  it("reads the content of the call", async () => {
    const read_: string[] = [];
    const reader: Step<ModelHead, ModelEvent> = {
      name: "reader",
      sees: () => "read",
      enter: (call) => {
        const content = call.content();
        if (content.kind === "model") read_.push(JSON.stringify(content.call.messages));
      },
    };
    const vendor = await upstream(json(completion("x")));
    const { models } = routing({ providers: { lab: lab(vendor.base) }, steps: [reader] });
    const sent = chat({ model: "lab/m", unknown_field: [1.0] });
    await read(await models.relay(sent, options()));
    expect(read_[0]).toContain("hello");
    expect(vendor.seen[0]!.body).toBe(new TextDecoder().decode(sent.bytes).replace("lab/m", "m")); // still relayed
  });

  it("may stop a stream in the middle, which the caller's dialect says", async () => {
    const censor: Step<ModelHead, ModelEvent> = {
      name: "censor",
      sees: () => "read",
      async *events(_call, source) {
        for await (const event of source) {
          if (event.type === "text-delta" && event.text.includes("two")) throw new GatewayError("content_blocked", "Not that word.");
          yield event;
        }
      },
    };
    const set = routing({ steps: [censor] });
    const messages = [{ role: "user", content: "one two" }];
    const stream = await read(await set.models.relay(chat({ model: "demo/echo", stream: true, messages }), options()));
    expect(stream).toContain("Not that word.");
    expect(stream).not.toContain("[DONE]");
    await expect(set.models.relay(chat({ model: "demo/echo", messages }), options())).rejects.toMatchObject({ code: "content_blocked" });
    expect((await set.ledgers()).audit.map((row) => [row.outcome, row.code])).toEqual([
      ["failed", "content_blocked"],
      ["failed", "content_blocked"],
    ]);
  });

  it("may answer instead of the provider", async () => {
    const cached: Step<ModelHead, ModelEvent> = {
      name: "cached",
      enter: () => ({
        status: 200,
        headers: [["content-type", "application/json"]],
        body: { kind: "bytes", bytes: new TextEncoder().encode("{}") },
      }),
    };
    const set = routing({ steps: [cached] });
    expect(await read(await set.models.relay(chat({ model: "demo/echo" }), options()))).toBe("{}");
    expect((await set.ledgers()).usage).toEqual([expect.objectContaining({ provider: null, costNanoUsd: null })]);
  });
});

describe("a call in neutral shape", () => {
  it("comes back as events from the demo", async () => {
    const set = routing();
    const answer = await set.models.call({ model: "demo/echo", ...say("a b") }, options({ runId: "run_1" }));
    if (answer.body.kind !== "events") throw new Error("These are no events.");
    const folded = await fold(answer.body.events);
    answer.done("sent");
    expect(folded).toMatchObject({
      candidates: [{ content: [{ type: "text", text: "a b" }] }],
      usage: { inputTokens: 2, outputTokens: 2 },
    });
    expect((await set.ledgers()).usage).toEqual([expect.objectContaining({ runId: "run_1", provider: "demo", outputTokens: 2 })]);
  });

  it("comes back as events from a vendor, with its usage", async () => {
    const vendor = await upstream(streamed("one", " two"));
    const set = routing({ providers: { lab: lab(vendor.base) } });
    const answer = await set.models.call({ model: "lab/m", ...say("hi"), temperature: 0 }, options());
    if (answer.body.kind !== "events") throw new Error("These are no events.");
    const events = await collect(answer.body.events);
    answer.done("sent");
    expect(events[0]).toMatchObject({ type: "start", model: "theirs" });
    expect(events.map((event) => (event.type === "text-delta" ? event.text : "")).join("")).toBe("one two");
    expect(vendor.seen[0]!.json).toMatchObject({ model: "m", stream: true, stream_options: { include_usage: true }, temperature: 0 });
    expect((await set.ledgers()).usage).toEqual([expect.objectContaining({ inputTokens: 10, outputTokens: 5 })]);
  });

  it("throws what goes wrong before the first event, and tries the next target then", async () => {
    const bad = await upstream((_seen, answer) => void answer.writeHead(200, { "content-type": "text/event-stream" }).end());
    const good = await upstream(streamed("from b"));
    const targets = [{ model: "a/m" }, { model: "b/m" }];
    const set = routing({ providers: { a: lab(bad.base), b: lab(good.base) }, config: { routes: { r: { targets } } } });
    await expect(set.models.call({ model: "a/m", ...say("hi") }, options())).rejects.toMatchObject({
      code: expect.stringMatching(/^upstream_/),
    });
    const answer = await set.models.call({ model: "route/r", ...say("hi") }, options());
    if (answer.body.kind !== "events") throw new Error("These are no events.");
    expect((await fold(answer.body.events)).candidates[0]!.content).toMatchObject([{ text: "from b" }]);
    answer.done("sent");
    expect((await set.ledgers()).usage.map((row) => row.provider)).toEqual(["a", "b"]);
  });

  it("fails in the iteration when it breaks later, and is recorded as partial", async () => {
    const vendor = await upstream(
      (_seen, answer) => void answer.writeHead(200, { "content-type": "text/event-stream" }).end(frames("be")[1]),
    );
    const set = routing({ providers: { lab: lab(vendor.base) } });
    const answer = await set.models.call({ model: "lab/m", ...say("hi") }, options());
    if (answer.body.kind !== "events") throw new Error("These are no events.");
    await expect(collect(answer.body.events)).rejects.toMatchObject({ code: "upstream_interrupted" });
    answer.done("sent");
    expect((await set.ledgers()).usage).toEqual([expect.objectContaining({ partial: true })]);
    expect((await set.ledgers()).audit).toEqual([expect.objectContaining({ outcome: "failed", code: "upstream_interrupted" })]);
  });

  it("stops upstream when its signal fires, though nobody reads on", async () => {
    const hungUp = happening();
    const vendor = await upstream((_seen, answer, incoming) => {
      incoming.socket.on("close", () => hungUp.resolve());
      answer.writeHead(200, { "content-type": "text/event-stream" });
      answer.write(frames("be").slice(0, 2).join(""));
    });
    const set = routing({ providers: { lab: lab(vendor.base) } });
    const controller = new AbortController();
    const answer = await set.models.call({ model: "lab/m", ...say("hi") }, options({ signal: controller.signal }));
    controller.abort();
    await hungUp.promise;
    answer.done("left");
    expect((await set.ledgers()).audit).toEqual([expect.objectContaining({ outcome: "aborted" })]);
  });

  it("keeps its key out of reach of who may not use the model", async () => {
    const set = routing();
    const caller = { ...owner, grants: ["models:lab/*"] };
    await expect(set.models.call({ model: "echo", ...say("hi") }, options({ caller }))).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("a provider that answers in this process", () => {
  it("is one more provider, on the face and in code", async () => {
    const set = routing({
      providers: {
        mine: {
          models: [{ code: "m", prices: { input: "1", output: "1" } }],
          async *answer(call, { model }) {
            yield { type: "start", id: "1", model, createdAtMs: 0 };
            yield { type: "text-start", index: 0, block: 0 };
            yield { type: "text-delta", index: 0, block: 0, text: `${model} of ${call.messages.length}` };
            yield { type: "text-end", index: 0, block: 0 };
            yield { type: "finish", index: 0, reason: "stop" };
            yield { type: "usage", usage: { inputTokens: 1, outputTokens: 1 } };
          },
        },
      },
    });
    const answer = await set.models.relay(chat({ model: "m" }), options());
    expect(await read(answer)).toContain("m of 1");
    expect(header(answer, "x-sallyport-cost-usd")).toBe("0.000002");
    expect(set.models.find(owner, "mine/m")).toMatchObject({ ownedBy: "mine" });
  });

  const deaf = {
    async *answer(): AsyncGenerator<ModelEvent> {
      yield { type: "start", id: "1", model: "m", createdAtMs: 0 };
      await new Promise(() => undefined);
    },
  };

  it("cannot hold a call that was cancelled, even when it does not listen", async () => {
    const set = routing({ providers: { deaf } });
    const controller = new AbortController();
    const answer = await set.models.call({ model: "deaf/m", ...say("hi") }, options({ signal: controller.signal }));
    if (answer.body.kind !== "events") throw new Error("These are no events.");
    const reading = collect(answer.body.events);
    controller.abort();
    await expect(reading).rejects.toMatchObject({ code: "cancelled" });
  });

  it("cannot hold a call past its deadline", async () => {
    const set = routing({ providers: { deaf } });
    await expect(set.models.relay(chat({ model: "deaf/m" }), options({ deadlineMs: Date.now() + 50 }))).rejects.toMatchObject({
      code: "deadline_exceeded",
    });
  });
});

it("a stream's usage frame is the vendor's last word", async () => {
  const vendor = await upstream((_seen, answer) => {
    const cumulative = usageFrame.replace('"completion_tokens":5', '"completion_tokens":2');
    answer.writeHead(200, { "content-type": "text/event-stream" }).end([...frames("x"), cumulative, usageFrame, DONE].join(""));
  });
  const set = routing({ providers: { lab: lab(vendor.base) } });
  await read(await set.models.relay(chat({ model: "lab/m", stream: true }), options()));
  expect((await set.ledgers()).usage).toEqual([expect.objectContaining({ outputTokens: 5 })]);
});
