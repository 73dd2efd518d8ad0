import { expect, it } from "vitest";
import type { ModelEvent, Usage } from "../../src/calls/index.js";
import { GatewayError } from "../../src/errors/index.js";
import { metered, TOKEN } from "./harness.js";

async function* answer(usage: Usage, fails: boolean): AsyncGenerator<ModelEvent> {
  yield { type: "start", id: "a", model: "m", createdAtMs: 0 };
  yield { type: "usage", usage };
  if (fails) throw new GatewayError("upstream_unavailable", "It is down.");
  yield { type: "text-start", index: 0, block: 0 };
  yield { type: "text-delta", index: 0, block: 0, text: "hello" };
  yield { type: "text-end", index: 0, block: 0 };
  yield { type: "finish", index: 0, reason: "stop" };
}

/** A vendor `x` whose cached tokens have no price: ten tokens of an answer may cost ten thousandths of a dollar. */
async function selling(usage: Usage, o: { readonly amountUsd: string; readonly fails?: boolean; readonly also?: object }) {
  const setting = await metered({ budgets: [{ amountUsd: o.amountUsd, ...o.also }] });
  let asked = 0;
  setting.gateway.providers.add({
    name: "x",
    models: [{ code: "m", prices: { input: 0, output: 1_000 } }],
    answer: () => (asked++, answer(usage, o.fails ?? false)),
  });
  const statuses: number[] = [];
  for (let calls = 1; calls <= 4; calls++) {
    statuses.push((await setting.ask({ model: "x/m" })).status);
    await setting.settled(calls);
  }
  const [rows, windows] = [await setting.rows(), await setting.windows()];
  const spent = rows.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0), 0);
  return { statuses, rows, windows, spent, asked: () => asked };
}

it.each([
  ["tokens out of the vendor's cache without a price", { inputTokens: 3, cacheReadTokens: 500, outputTokens: 5 }],
  ["a tier whose price nobody knows", { inputTokens: 3, outputTokens: 5, serviceTier: "gold" }],
  ["a count that cannot be true", { inputTokens: 1e18, outputTokens: 5 }],
  ["a count below zero", { inputTokens: -5, outputTokens: 5 }],
])("%s: a hard budget pays what was set aside, and the rows say the same", async (_name, usage) => {
  const { statuses, rows, windows, spent, asked } = await selling(usage, { amountUsd: "0.025" });
  expect(statuses).toEqual([200, 200, 429, 429]);
  expect(asked()).toBe(2);
  const made = rows.filter(({ costNanoUsd }) => costNanoUsd !== null);
  expect(made).toMatchObject([
    { costNanoUsd: 10 * TOKEN, estimated: true, unpriced: null },
    { costNanoUsd: 10 * TOKEN, estimated: true, unpriced: null },
  ]);
  expect(windows).toMatchObject([{ spentNanoUsd: spent, reservedNanoUsd: 0, leftNanoUsd: 5 * TOKEN }]);
});

it("a provider's own budget pays the same, also for what failed after it had used something", async () => {
  const also = { scope: "provider" as const, scopeId: "x" };
  const { windows, spent } = await selling(
    { inputTokens: 3, cacheReadTokens: 5, outputTokens: 5 },
    { amountUsd: "0.025", fails: true, also },
  );
  expect(spent).toBe(20 * TOKEN);
  expect(windows).toMatchObject([{ spentNanoUsd: spent, reservedNanoUsd: 0 }]);
});
