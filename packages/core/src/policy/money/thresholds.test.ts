import { expect, it } from "vitest";
import { budgetWindow } from "../../entities/index.js";
import { memoryStore } from "../../memory/index.js";
import { insert, update } from "../../ports/index.js";
import { EventHub } from "../../seams/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { Thresholds } from "./thresholds.js";

const scope = { system: "test" };
const within = { deadlineMs: Infinity };
const ids = { id: "w", projectId: "p", budgetId: "b", budgetVersion: 1, startMs: 0, endMs: null };

it("of processes that look at the same time one tells of each threshold, also when more is spent meanwhile", async () => {
  const clock = new FakeClock();
  const store = memoryStore({ clock });
  const money = { limitNanoUsd: 1_000, leftNanoUsd: 150, spentNanoUsd: 850, reservedNanoUsd: 0, firedPercent: 0 };
  await store.commit([{ scope, writes: [insert(budgetWindow, { ...ids, ...money })] }], within);
  const told: number[] = [];
  const nodes = Array.from({ length: 5 }, () => {
    const events = new EventHub();
    events.on("budget.threshold", ({ percent, spentUsd, limitUsd }) => {
      expect([spentUsd, limitUsd]).toEqual([expect.stringMatching(/^0\.00000\d+$/), "0.000001"]);
      told.push(percent);
    });
    return new Thresholds({ store, clock, events, lookMs: 250 });
  });
  for (const node of nodes) node.spent("w", [50, 80, 100]);
  await Promise.all(nodes.map((node) => node.look()));
  expect(told.sort((a, b) => a - b)).toEqual([50, 80]);
  await store.commit(
    [{ scope, writes: [update(budgetWindow, "w", { change: { add: { spentNanoUsd: 150, leftNanoUsd: -150 } } })] }],
    within,
  );
  for (const node of nodes) node.spent("w", [50, 80, 100]);
  await clock.advance(250);
  await Promise.all(nodes.map((node) => node.look()));
  expect(told.sort((a, b) => a - b)).toEqual([50, 80, 100]);
});
