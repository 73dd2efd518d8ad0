import { afterEach, describe, expect, it } from "vitest";
import { closeAll, DONE, frames, upstream, type Reply } from "../routing/harness.js";
import { metered, TOKEN } from "./harness.js";

afterEach(closeAll);

const WORDS = Array.from({ length: 40 }, (_, i) => `w${i} `);
const prices = { input: 0, output: 1_000 };

/** Streams so many words and then nothing more, until its client goes. */
const stalls =
  (words: number, gone: () => void): Reply =>
  (_seen, answer) => {
    answer.writeHead(200, { "content-type": "text/event-stream" });
    for (const frame of frames(...WORDS).slice(0, words + 1)) answer.write(frame);
    answer.on("close", gone);
  };

async function overHttp(reply: Reply, options: Parameters<typeof metered>[0] = {}) {
  const vendor = await upstream(reply);
  const models = [{ id: "m", prices, maxOutputTokens: 100, contextTokens: 10_000 }];
  return metered({
    budgets: [{ amountUsd: "1" }],
    ...options,
    options: { providers: { wire: { vendor: "openai-compatible", baseUrl: vendor.base, apiKey: "sk-test", models } } },
  });
}

describe("a stream that its caller leaves (case 79, F52)", () => {
  it.each([1, 7, 40])("after %i tokens costs what was delivered, estimated, and gives the rest back", async (words) => {
    let gone = (): void => undefined;
    const left = new Promise<void>((resolve) => (gone = resolve));
    const set = await overHttp(stalls(words, gone));
    const controller = new AbortController();
    const response = await set.gateway.fetch(streamed(controller.signal));
    const reader = response.body!.getReader();
    let text = "";
    while (!text.includes(`w${words - 1} `)) text += new TextDecoder().decode((await reader.read()).value);
    controller.abort();
    await left;
    const [row] = await set.settled(1);
    expect(row).toMatchObject({ estimated: true, partial: true, outputTokens: words, costNanoUsd: words * TOKEN });
    expect(await set.windows()).toMatchObject([{ spentNanoUsd: words * TOKEN, reservedNanoUsd: 0, leftNanoUsd: (1_000 - words) * TOKEN }]);
  });
});

describe("a vendor that never says what it used (F55)", () => {
  it("of a stream: what went by is counted and flagged", async () => {
    const set = await overHttp((_seen, answer) => {
      answer.writeHead(200, { "content-type": "text/event-stream" });
      for (const frame of [...frames(...WORDS), DONE]) answer.write(frame);
      answer.end();
    });
    await (await set.gateway.fetch(streamed())).text();
    expect(await set.settled(1)).toMatchObject([{ estimated: true, partial: false, outputTokens: 40, costNanoUsd: 40 * TOKEN }]);
  });

  it("of a whole answer: what it wrote is counted and flagged", async () => {
    const content = "word ".repeat(80);
    const set = await overHttp((_seen, answer) => {
      const choices = [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }];
      answer
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ id: "a", object: "chat.completion", created: 1, model: "x", choices }));
    });
    await set.ask({ model: "wire/m" });
    expect(await set.settled(1)).toMatchObject([{ estimated: true, outputTokens: 100, costNanoUsd: 100 * TOKEN }]);
  });

  it("an explicit zero is a zero", async () => {
    const set = await metered({ vendor: () => 0, budgets: [{}] });
    await set.ask();
    expect(await set.settled(1)).toMatchObject([{ estimated: false, outputTokens: 0, costNanoUsd: 0 }]);
  });

  it("one that says more than its model can write is cut to that, with an event (T30)", async () => {
    const set = await metered({ vendor: () => 5_000_000, budgets: [{ amountUsd: "10", hard: false }] });
    await set.ask();
    expect(await set.settled(1)).toMatchObject([{ estimated: true, costNanoUsd: 100 * TOKEN }]);
    expect(await set.windows()).toMatchObject([{ spentNanoUsd: 100 * TOKEN, reservedNanoUsd: 0 }]);
    expect(set.heard.filter(({ name }) => name === "usage.clamped")).toMatchObject([
      { event: { saidNanoUsd: 5_000_000 * TOKEN, costNanoUsd: 100 * TOKEN } },
    ]);
  });
});

function streamed(signal?: AbortSignal): Request {
  return new Request("http://localhost/v1/chat/completions", {
    method: "POST",
    headers: { authorization: "Bearer sallyport-testing-owner-7b1f93c2e08d4a65", "content-type": "application/json" },
    body: JSON.stringify({ model: "wire/m", messages: [{ role: "user", content: "hi" }], stream: true }),
    ...(signal === undefined ? {} : { signal }),
  });
}
