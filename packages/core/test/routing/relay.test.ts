import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
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
  read,
  routing,
  streamed,
  upstream,
  usageFrame,
  type Reply,
} from "./harness.js";

afterEach(closeAll);

const lab = (base: string, rest: object = {}) => ({ vendor: "openai-compatible" as const, baseUrl: base, apiKey: "sk-lab", ...rest });
async function one(reply: Reply, rest: object = {}, config = {}) {
  const vendor = await upstream(reply);
  return { vendor, ...routing({ providers: { lab: lab(vendor.base, rest) }, config }) };
}

describe("a relayed call", () => {
  it("goes out with the caller's bytes and the vendor's name of the model, and comes back as the vendor wrote it", async () => {
    const body = `{"id":"x", "odd" : [1.10, 12345678901234567890],"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}`;
    const { models, vendor } = await one(json(body, 200, { "x-request-id": "theirs" }));
    const sent = `{ "messages": [], "model" :"lab/org/m-1","future_field":{"a":[1,2, 3]},"seed":12345678901234567890 }`;
    const answer = await models.relay({ protocol: "openai-chat", bytes: new TextEncoder().encode(sent) }, options());
    expect(await read(answer)).toBe(body);
    expect(answer.status).toBe(200);
    expect(vendor.seen[0]!.path).toBe("/v1/chat/completions");
    expect(vendor.seen[0]!.body).toBe(sent.replace("lab/org/m-1", "org/m-1"));
  });

  it("carries exactly our headers: the provider's key, and nothing of anybody else's (T14)", async () => {
    const { models, vendor } = await one(json(completion("hi")));
    await read(await models.relay(chat({ model: "lab/m" }), options()));
    const sent = vendor.seen[0]!.rawHeaders;
    const names = sent.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
    expect(names.sort()).toEqual([
      ...["accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host", "user-agent"],
    ]);
    expect(vendor.seen[0]!.headers).toMatchObject({
      authorization: "Bearer sk-lab",
      "accept-encoding": "identity",
      accept: "application/json",
    });
  });

  it("says who answered and what it cost, and leaves one row in each ledger", async () => {
    const models = [{ id: "m", prices: { input: "2", output: "10", cacheRead: "0.5" } }];
    const set = await one(json(completion("hi"), 200, { "x-ratelimit-remaining-tokens": "99", "set-cookie": "a=b" }), { models });
    const answer = await set.models.relay(chat({ model: "m" }), options());
    await read(answer);
    expect(answer.headers).toEqual([
      ["content-type", "application/json"],
      ["x-sallyport-provider", "lab"],
      ["x-sallyport-model", "lab/m"],
      ["x-sallyport-attempts", "1"],
      ["x-sallyport-cost-usd", "0.000064"], // 6 × 2 + 4 × 0.5 + 5 × 10, per million
      ["x-ratelimit-remaining-tokens", "99"],
    ]);
    const { usage, audit } = await set.ledgers();
    expect(usage).toEqual([
      expect.objectContaining({
        ...{ kind: "model", name: "lab/m", provider: "lab", model: "m", inputTokens: 6, cacheReadTokens: 4, outputTokens: 5 },
        ...{ costNanoUsd: 64_000, partial: false, status: 200, callerId: "owner" },
      }),
    ]);
    expect(audit).toEqual([
      expect.objectContaining({ action: "model.call", target: "lab/m", outcome: "done", requestId: "req_1", code: null }),
    ]);
    expect(audit[0]!.id).toBe(usage[0]!.id);
  });

  it("to a model that nobody listed is forwarded, at an unknown cost", async () => {
    const set = await one(json(completion("hi")));
    const answer = await set.models.relay(chat({ model: "lab/brand-new" }), options());
    await read(answer);
    expect(header(answer, "x-sallyport-cost-usd")).toBeUndefined();
    expect((await set.ledgers()).usage).toEqual([expect.objectContaining({ costNanoUsd: null, inputTokens: 6 })]);
  });

  it("streams frame by frame, without the usage that only we asked for, which is counted", async () => {
    const set = await one(streamed("one", " two"));
    const answer = await set.models.relay(chat({ model: "lab/m", stream: true }), options());
    expect(header(answer, "content-type")).toBe("text/event-stream; charset=utf-8");
    expect(header(answer, "cache-control")).toBe("no-cache, no-transform");
    expect(await read(answer)).toBe([...frames("one", " two"), DONE].join(""));
    expect(set.vendor.seen[0]!.json).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(set.vendor.seen[0]!.headers.accept).toBe("text/event-stream");
    expect((await set.ledgers()).usage).toEqual([expect.objectContaining({ inputTokens: 10, outputTokens: 5, partial: false })]);
  });

  it("streams the usage too when the caller asked for it", async () => {
    const set = await one(streamed("one"));
    const answer = await set.models.relay(chat({ model: "lab/m", stream: true, stream_options: { include_usage: true } }), options());
    expect(await read(answer)).toBe([...frames("one"), usageFrame, DONE].join(""));
  });

  it("hands each frame on when it comes", async () => {
    const wait = happening();
    const { models } = await one(async (_seen, answer) => {
      answer.writeHead(200, { "content-type": "text/event-stream" });
      for (const frame of frames("first")) answer.write(frame);
      await wait.promise;
      answer.end(DONE);
    });
    const answer = await models.relay(chat({ model: "lab/m", stream: true }), options());
    if (answer.body.kind !== "frames") throw new Error("It is no stream.");
    const reading = answer.body.frames[Symbol.asyncIterator]();
    let text = "";
    while (!text.includes("first")) text += new TextDecoder().decode((await reading.next()).value as Uint8Array);
    wait.resolve();
    expect(text).not.toContain("[DONE]");
    while ((await reading.next()).done !== true);
    answer.done("sent");
  });

  it("is unpacked when the vendor packs it though it was asked not to", async () => {
    const { models } = await one((_seen, answer) => {
      answer.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(gzipSync(completion("packed")));
    });
    const answer = await models.relay(chat({ model: "lab/m" }), options());
    expect(header(answer, "content-encoding")).toBeUndefined();
    expect(await read(answer)).toBe(completion("packed"));
  });

  it("gets the stream that it asked for from a vendor that does not stream", async () => {
    const set = await one(json(completion("all at once")));
    const answer = await set.models.relay(chat({ model: "lab/m", stream: true }), options());
    const stream = await read(answer);
    expect(header(answer, "content-type")).toContain("text/event-stream");
    expect(contentOf(stream)).toBe("all at once");
    expect(stream.endsWith(DONE)).toBe(true);
    expect((await set.ledgers()).usage).toEqual([expect.objectContaining({ inputTokens: 6, outputTokens: 5 })]);
  });

  it("gets the whole answer that it asked for from a vendor that streams anyway", async () => {
    const set = await one((_seen, answer) => {
      answer.writeHead(200, { "content-type": "text/event-stream" }).end([...frames("in", " pieces"), usageFrame, DONE].join(""));
    });
    const answer = await set.models.relay(chat({ model: "lab/m" }), options());
    expect(header(answer, "content-type")).toBe("application/json");
    expect(JSON.parse(await read(answer))).toMatchObject({
      choices: [{ message: { content: "in pieces" } }],
      usage: { prompt_tokens: 10 },
    });
    expect((await set.ledgers()).usage).toEqual([expect.objectContaining({ inputTokens: 10 })]);
  });

  it("is translated when its vendor would not understand a field of it", async () => {
    const vendor = await upstream(json(completion("hi")));
    const { models } = routing({ providers: { deepseek: { apiKey: "k", baseUrl: vendor.base } } });
    const messages = [{ role: "developer", content: "be brief" }];
    await read(await models.relay(chat({ model: "deepseek/m", messages, max_completion_tokens: 7 }), options()));
    expect(vendor.seen[0]!.json).toMatchObject({ messages: [{ role: "system", content: "be brief" }], max_tokens: 7, model: "m" });
    const untouched = chat({ model: "deepseek/m", max_tokens: 7, thinking: { type: "disabled" } });
    await read(await models.relay(untouched, options()));
    expect(vendor.seen[1]!.body).toBe(new TextDecoder().decode(untouched.bytes).replace("deepseek/m", "m"));
  });

  it("does not pile up what a slow reader leaves", async () => {
    const frame = `data: {"choices":[{"index":0,"delta":{"content":"${"x".repeat(16_000)}"}}]}\n\n`;
    let written = 0;
    const total = 4_000;
    const set = await one((seen, answer) => {
      if (seen.json["model"] === "ping") return void answer.writeHead(200, { "content-type": "application/json" }).end(completion("pong"));
      answer.writeHead(200, { "content-type": "text/event-stream" });
      const feed = (): void => {
        while (written < total) {
          written++;
          if (!answer.write(frame)) return void answer.once("drain", feed);
        }
        answer.end(DONE);
      };
      feed();
    });
    const slow = await set.models.relay(chat({ model: "lab/slow", stream: true }), options());
    if (slow.body.kind !== "frames") throw new Error("It is no stream.");
    const reading = slow.body.frames[Symbol.asyncIterator]();
    await reading.next();
    for (let i = 0; i < 100; i++) await read(await set.models.relay(chat({ model: "lab/ping" }), options()));
    expect(written).toBeLessThan(total / 4);
    await reading.return?.();
    slow.done("left");
  });

  it("leaves exactly one row, however many there are at once", async () => {
    const set = await one((seen, answer) =>
      (seen.json["stream"] === true ? streamed("a", "b") : json(completion("c")))(seen, answer, null as never),
    );
    const calls = Array.from({ length: 200 }, (_, i) =>
      set.models.relay(chat({ model: "lab/m", stream: i % 2 === 0 }), options()).then(read),
    );
    await Promise.all(calls);
    const { usage, audit } = await set.ledgers();
    expect(new Set(usage.map((row) => row.id)).size).toBe(200);
    expect(audit.length).toBe(200);
    expect(usage.every((row) => row.inputTokens !== null && !row.partial)).toBe(true);
    expect(set.internalErrors).toEqual([]);
  });
});
