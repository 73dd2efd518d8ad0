import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/index.js";
import { metered, PRICES, TOKEN } from "./harness.js";

describe("a hard budget", () => {
  it("sets aside what a call may cost, charges what it did cost, and writes one row with it", async () => {
    const { ask, settled, windows } = await metered({ budgets: [{ amountUsd: "0.05" }] });
    expect((await ask()).status).toBe(200);
    const [row] = await settled(1);
    expect(row).toMatchObject({ costNanoUsd: 5 * TOKEN, outputTokens: 5, estimated: false, provider: "v", requestId: expect.any(String) });
    expect(await windows()).toMatchObject([
      { limitNanoUsd: 50 * TOKEN, spentNanoUsd: 5 * TOKEN, reservedNanoUsd: 0, leftNanoUsd: 45 * TOKEN },
    ]);
  });

  it("refuses what it has not left: 429 insufficient_quota to OpenAI's clients, saying which, until when and who can raise it", async () => {
    const { ask, settled, windows, heard, counts, budgets } = await metered({ budgets: [{ amountUsd: "0.014", name: "small" }] });
    expect((await ask()).status).toBe(200);
    await settled(1);
    const refused = await ask();
    expect(refused).toMatchObject({ status: 429, error: { code: "insufficient_quota", type: "insufficient_quota" } });
    expect(refused.error!.message).toMatch(/"small".*begins anew at 20..-..-..T00:00:00.000Z.*budgets:write/s);
    expect(refused.headers.get("x-should-retry")).toBe("false");
    // What may cost less is let through.
    expect((await ask({ max_tokens: 9 })).status).toBe(200);
    const rows = await settled(3);
    expect(rows.map(({ costNanoUsd }) => costNanoUsd)).toEqual([5 * TOKEN, null, 5 * TOKEN]);
    expect(await windows()).toMatchObject([{ spentNanoUsd: 10 * TOKEN, leftNanoUsd: 4 * TOKEN, reservedNanoUsd: 0 }]);
    expect(counts["v"]).toBe(2);
    expect(heard).toContainEqual({ name: "budget.exceeded", event: { budgetId: budgets[0]!.id, windowId: expect.any(String) } });
  });

  it("refuses a call whose price nobody knows, and lets it pass where money.unknownPrice allows it", async () => {
    const others = { free: { vendor: () => 5 } };
    const strict = await metered({ budgets: [{}], others });
    expect(await strict.ask({ model: "free/m" })).toMatchObject({
      status: 429,
      error: { message: expect.stringContaining('money.unknownPrice to "allow"') },
    });
    const lax = await metered({ budgets: [{}], others, options: { money: { unknownPrice: "allow" } } });
    expect((await lax.ask({ model: "free/m" })).status).toBe(200);
    expect(await lax.settled(1)).toMatchObject([{ costNanoUsd: null, outputTokens: 5 }]);
    expect(await lax.windows()).toMatchObject([{ spentNanoUsd: 0, reservedNanoUsd: 0, leftNanoUsd: 50 * TOKEN }]);
  });

  it("gives everything back when the vendor fails, and a fallback to a dearer model sets the difference aside or is refused (case 78)", async () => {
    const route = ["v/m", "dear/m"];
    const vendor = () => new GatewayError("upstream_unavailable", "It is down.");
    const others = { dear: { vendor: () => 2, prices: { ...PRICES, output: 3_000 } } };
    const enough = await metered({ vendor, others, route, budgets: [{ amountUsd: "0.03" }] });
    expect((await enough.ask({ model: "route/r" })).status).toBe(200);
    expect(await enough.settled(1)).toMatchObject([{ costNanoUsd: 6 * TOKEN, provider: "dear" }]);
    expect(await enough.windows()).toMatchObject([{ spentNanoUsd: 6 * TOKEN, reservedNanoUsd: 0, leftNanoUsd: 24 * TOKEN }]);
    const tooLittle = await metered({ vendor, others, route, budgets: [{ amountUsd: "0.029" }] });
    expect(await tooLittle.ask({ model: "route/r" })).toMatchObject({ status: 429, error: { code: "insufficient_quota" } });
    await tooLittle.settled(1);
    expect(await tooLittle.windows()).toMatchObject([{ spentNanoUsd: 0, reservedNanoUsd: 0, leftNanoUsd: 29 * TOKEN }]);
    expect(tooLittle.counts["dear"]).toBeUndefined();
  });

  it("of a provider pays for that provider's attempts alone", async () => {
    const route = ["v/m", "dear/m"];
    const { ask, settled, windows } = await metered({
      ...{ vendor: () => new GatewayError("upstream_unavailable", "It is down."), route },
      others: { dear: { vendor: () => 2, prices: { ...PRICES, output: 3_000 } } },
      budgets: [
        { scope: "provider", scopeId: "v", amountUsd: "1" },
        { scope: "provider", scopeId: "dear", amountUsd: "1" },
        { scope: "global", scopeId: null, amountUsd: "1" },
      ],
    });
    expect((await ask({ model: "route/r" })).status).toBe(200);
    await settled(1);
    expect((await windows()).map(({ spentNanoUsd, reservedNanoUsd }) => [spentNanoUsd / TOKEN, reservedNanoUsd])).toEqual([
      [0, 0],
      [6, 0],
      [6, 0],
    ]);
  });

  it("with another amount is that from the next call on, what was spent kept", async () => {
    const { change } = await import("./harness.js");
    const { ask, settled, windows, budgets, store, gateway } = await metered({ budgets: [{ amountUsd: "0.012" }] });
    expect((await ask()).status).toBe(200);
    await settled(1);
    expect((await ask()).status).toBe(429);
    await change(store, budgets[0]!, { amountUsd: "0.02" });
    await expect.poll(async () => (await ask()).status, { timeout: 30_000 }).toBe(200);
    await expect
      .poll(async () => (await windows())[0])
      .toMatchObject({ limitNanoUsd: 20 * TOKEN, spentNanoUsd: 10 * TOKEN, leftNanoUsd: 10 * TOKEN });
    expect(gateway).toBeDefined();
  });

  it("counts n answers", async () => {
    const { ask } = await metered({ budgets: [{ amountUsd: "0.05" }] });
    expect((await ask({ n: 6 })).status).toBe(429);
    expect((await ask({ n: 5 })).status).not.toBe(429);
  });
});

describe("a soft budget", () => {
  it("lets calls go on beyond it, and tells once of each threshold that is passed", async () => {
    const { ask, settled, windows, heard } = await metered({ budgets: [{ amountUsd: "0.009", hard: false }] });
    for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(200);
    await settled(3);
    expect(await windows()).toMatchObject([{ spentNanoUsd: 15 * TOKEN, leftNanoUsd: -6 * TOKEN, reservedNanoUsd: 0 }]);
    const told = () => heard.filter(({ name }) => name === "budget.threshold").map(({ event }) => (event as { percent: number }).percent);
    await expect.poll(told).toEqual([50, 80, 100]);
    await ask();
    await settled(4);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(told()).toEqual([50, 80, 100]);
  });
});

describe("a film", () => {
  it("is paid for when it is begun: another one that does not fit is not", async () => {
    const set = await metered({ budgets: [{ amountUsd: "5", name: "films" }] });
    const operations = {
      video: () => Promise.resolve({ ref: "job", model: "film", status: "running" as const, usage: {} }),
      videos: { poll: () => Promise.resolve({ ref: "job", model: "film", status: "running" as const, usage: {} }) },
    };
    set.gateway.providers.add({ name: "cinema", models: [{ code: "film", prices: { perSecond: "0.5" } }], operations } as never);
    const begin = async () => {
      const response = await set.gateway.fetch(
        new Request("http://localhost/v1/videos", {
          method: "POST",
          headers: { authorization: "Bearer sallyport-testing-owner-7b1f93c2e08d4a65", "content-type": "application/json" },
          body: JSON.stringify({ model: "cinema/film", prompt: "a ship", seconds: "8" }),
        }),
      );
      return { status: response.status, text: await response.text() };
    };
    expect(await begin()).toMatchObject({ status: 200 });
    await set.settled(1);
    expect(await set.windows()).toMatchObject([{ spentNanoUsd: 4_000 * TOKEN, reservedNanoUsd: 0, leftNanoUsd: 1_000 * TOKEN }]);
    expect((await begin()).text).toMatch(/insufficient_quota/);
  });
});
