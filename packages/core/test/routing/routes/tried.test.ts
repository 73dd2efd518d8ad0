import { afterEach, describe, expect, it } from "vitest";
import { chat, closeAll, completion, frames, header, json, options, read, routing, upstream, usageFrame, type Reply } from "../harness.js";
import { failure, routed } from "../routes-harness.js";

afterEach(closeAll);

const targets = [{ model: "a/m" }, { model: "b/m" }];
/** Dollars per million: an answer of `completion` costs 6 + 4 × 0.5 + 5 × 2 micro-dollars. */
const models = [{ code: "m", prices: { input: "1", cacheRead: "0.5", output: "2" } }];
const whole = { usage: { inputTokens: 6, cacheReadTokens: 4, outputTokens: 5 }, costNanoUsd: 18_000 };
const broken = { usage: { inputTokens: 10, outputTokens: 5 }, costNanoUsd: 20_000 };

/** Streams although it was not asked to, says what it bills, and dies. */
const diesBilled: Reply = (_seen, answer) => {
  answer.writeHead(200, { "content-type": "text/event-stream" });
  answer.write(frames("so far")[0]! + frames("so far")[1]! + usageFrame, () => answer.destroy());
};

async function pair(a: Reply, b: Reply = json(completion("from b"))) {
  const [first, second] = [await upstream(a), await upstream(b)];
  return routing({
    providers: {
      a: { vendor: "openai-compatible", baseUrl: first.base, models },
      b: { vendor: "openai-compatible", baseUrl: second.base, models },
    },
    config: { routes: { r: { targets } } },
  });
}

describe("78: the usage row of a call that took several attempts", () => {
  it("has what a broken attempt had used, beside the one that answered, and their total is the call's", async () => {
    const set = await pair(diesBilled);
    const answer = await set.models.relay(chat({ model: "route/r" }), options());
    expect(await read(answer)).toContain("from b");
    expect([header(answer, "x-sallyport-attempts"), header(answer, "x-sallyport-cost-usd")]).toEqual(["2", "0.000038"]);
    const { usage } = await set.ledgers();
    expect(usage).toEqual([
      expect.objectContaining({
        ...{ provider: "b", attempts: 2, status: 200, partial: false, costNanoUsd: 38_000 },
        ...{ inputTokens: 16, cacheReadTokens: 4, outputTokens: 10 },
        tried: [
          { provider: "a", model: "m", code: "upstream_interrupted", status: null, durationMs: expect.any(Number), ...broken },
          { provider: "b", model: "m", code: null, status: 200, durationMs: expect.any(Number), ...whole },
        ],
      }),
    ]);
  });

  it("has a total that nobody knows when nobody knows what the broken attempt cost", async () => {
    const [first, second] = [await upstream(diesBilled), await upstream(json(completion("from b")))];
    const set = routing({
      providers: {
        a: { vendor: "openai-compatible", baseUrl: first.base },
        b: { vendor: "openai-compatible", baseUrl: second.base, models },
      },
      config: { routes: { r: { targets } } },
    });
    await read(await set.models.relay(chat({ model: "route/r" }), options()));
    const [row] = (await set.ledgers()).usage;
    expect([row!.costNanoUsd, row!.tried!.map(({ costNanoUsd }) => costNanoUsd)]).toEqual([null, [null, 18_000]]);
  });

  it("says how each attempt failed, by the vendor's own status, and that it cost nothing anybody told of", async () => {
    const set = await pair(json("{}", 503), json(JSON.stringify({ error: { message: "Slow down.", code: "rate_limit_exceeded" } }), 429));
    await expect(set.models.relay(chat({ model: "route/r" }), options())).rejects.toMatchObject({ code: "upstream_rate_limited" });
    const [row] = (await set.ledgers()).usage;
    const nothing = { usage: null, costNanoUsd: null };
    expect(row).toMatchObject({
      ...{ attempts: 2, costNanoUsd: null, inputTokens: null },
      tried: [
        { provider: "a", code: "upstream_unavailable", status: 503, ...nothing },
        { provider: "b", code: "upstream_rate_limited", status: 429, ...nothing },
      ],
    });
  });

  it("is small when the first attempt answers, as streams and whole", async () => {
    const set = await pair(json(completion("from a")));
    await read(await set.models.relay(chat({ model: "route/r" }), options()));
    expect((await set.ledgers()).usage).toEqual([
      expect.objectContaining({ provider: "a", attempts: 1, tried: null, costNanoUsd: 18_000 }),
    ]);
  });

  it("keeps what an answer had used that its vendor withheld", async () => {
    const withheld = { choices: [{ index: 0, message: { role: "assistant", content: null }, finish_reason: "content_filter" }] };
    const first = await upstream(json(completion("", withheld)));
    const second = await upstream(json(completion("from b")));
    const set = routing({
      providers: {
        a: { vendor: "openai-compatible", baseUrl: first.base, models },
        b: { vendor: "openai-compatible", baseUrl: second.base, models },
      },
      config: { routes: { r: { targets, fallbackOn: ["content-filter"] } } },
    });
    await read(await set.models.relay(chat({ model: "route/r" }), options()));
    const [row] = (await set.ledgers()).usage;
    expect(row).toMatchObject({
      costNanoUsd: 36_000,
      tried: [
        { provider: "a", code: "upstream_rejected", ...whole },
        { provider: "b", ...whole },
      ],
    });
  });

  it("has both sides of a hedge, the one that was too late as cancelled", async () => {
    const set: ReturnType<typeof routed> = routed(
      {
        a: () => new Promise((resolve) => set.clock.at(set.clock.now() + 1_000, () => resolve("a"))),
        b: () => new Promise((resolve) => set.clock.at(set.clock.now() + 50, () => resolve("b"))),
        c: () => failure("upstream_unavailable"),
      },
      { targets: [{ model: "c/m" }, ...targets], hedge: { afterMs: 100 } },
    );
    const answer = set.askWhole({ max_tokens: 10 });
    await set.clock.advance(150);
    await answer;
    await set.clock.advance(1_000);
    const [row] = (await set.ledgers()).usage;
    expect(row).toMatchObject({ provider: "b", attempts: 3, inputTokens: 3, outputTokens: 2 });
    expect(row!.tried!.map(({ provider, code, durationMs }) => [provider, code, durationMs])).toEqual([
      ["c", "upstream_unavailable", 0],
      ["a", "cancelled", 150],
      ["b", null, 50],
    ]);
  });
});
