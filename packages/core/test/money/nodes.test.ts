import { expect, it } from "vitest";
import { memoryStore } from "../../src/memory/index.js";
import { metered } from "./harness.js";

const told = (set: { readonly heard: readonly { readonly name: string; readonly event: unknown }[] }) =>
  set.heard.filter(({ name }) => name === "budget.threshold").map(({ event }) => (event as { percent: number }).percent);

it("of several processes one tells of each threshold, once in a period", async () => {
  const store = memoryStore();
  const nodes = [
    await metered({ store, budgets: [{ amountUsd: "0.2", hard: false }] }),
    await metered({ store }),
    await metered({ store }),
  ];
  for (let round = 0; round < 5; round++) {
    await Promise.all(nodes.flatMap(({ ask }) => [ask(), ask(), ask()]));
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await nodes[0]!.settled(45);
  await expect.poll(() => nodes.flatMap(told).sort((a, b) => a - b)).toEqual([50, 80, 100]);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(nodes.flatMap(told)).toHaveLength(3);
});

it("a budget that is switched off counts and refuses nothing", async () => {
  const { ask, settled, windows } = await metered({ budgets: [{ amountUsd: "0", enabled: false }] });
  expect((await ask()).status).toBe(200);
  await settled(1);
  expect(await windows()).toEqual([]);
});

it("a gateway that closes with calls behind it leaves nothing set aside and no call open", async () => {
  const set = await metered({ budgets: [{}] });
  await Promise.all([set.ask(), set.ask(), set.ask()]);
  await set.gateway.close({ graceMs: 0 });
  expect(await set.rows()).toHaveLength(3);
  expect(await set.reservations()).toEqual([]);
  expect(await set.open()).toEqual([]);
});
