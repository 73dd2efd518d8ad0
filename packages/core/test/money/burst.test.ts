import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allEntities } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import type { RecordStore } from "../../src/ports/index.js";
import { metered, TOKEN } from "./harness.js";

let folder: string;
const stores: RecordStore[] = [];
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "sallyport-money-"))));
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  rmSync(folder, { recursive: true, force: true });
});
async function database(): Promise<RecordStore> {
  const store = await sqlite(join(folder, "money.db")).open({ entities: allEntities });
  stores.push(store);
  return store;
}

const CALLS = 200;
/** A vendor that writes all it may, so that what is set aside is what is spent; each answer takes a while. */
const greedy = () => new Promise<number>((resolve) => setTimeout(() => resolve(10), 20));
/** A vendor that writes less than it may: what is given back lets others pass. */
const modest = () => new Promise<number>((resolve) => setTimeout(() => resolve(4), 5));

describe("200 calls at once on a hard budget with room for 50 (case 80, G17)", () => {
  it.each([
    ["memory", 1],
    ["SQLite", 1],
    ["SQLite", 3],
  ])("on %s, in %i gateways: exactly those pass, and nothing stays set aside", async (kind, count) => {
    const shared = memoryStore();
    const open = () => (kind === "memory" ? Promise.resolve(shared) : database());
    const gateways = [await metered({ store: await open(), vendor: greedy, budgets: [{ amountUsd: "0.5" }] })];
    while (gateways.length < count) gateways.push(await metered({ store: await open(), vendor: greedy }));
    const answers = await Promise.all(Array.from({ length: CALLS }, (_, i) => gateways[i % count]!.ask()));
    const passed = answers.filter(({ status }) => status === 200).length;
    expect(passed).toBe(50);
    expect(answers.every(({ status }) => status === 200 || status === 429)).toBe(true);
    const rows = await gateways[0]!.settled(CALLS);
    expect(rows).toHaveLength(CALLS);
    expect(rows.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0), 0)).toBe(500 * TOKEN);
    expect(await gateways[0]!.windows()).toMatchObject([{ spentNanoUsd: 500 * TOKEN, reservedNanoUsd: 0, leftNanoUsd: 0 }]);
    expect(gateways.reduce((sum, { counts }) => sum + (counts["v"] ?? 0), 0)).toBe(50);
  });

  it("where calls cost less than was set aside, the rest lets others pass, and never more than the amount is spent", async () => {
    const { ask, settled, windows } = await metered({ store: await database(), vendor: modest, budgets: [{ amountUsd: "0.5" }] });
    let passed = 0;
    for (let round = 0; round < 2; round++) {
      const answers = await Promise.all(Array.from({ length: CALLS }, () => ask()));
      passed += answers.filter(({ status }) => status === 200).length;
      await settled((round + 1) * CALLS);
    }
    expect(passed).toBeGreaterThan(50);
    for (let calls = 2 * CALLS + 1; (await ask()).status === 200; calls++, passed++) await settled(calls);
    const [window] = await windows();
    expect(window).toMatchObject({ reservedNanoUsd: 0, spentNanoUsd: passed * 4 * TOKEN, leftNanoUsd: (500 - passed * 4) * TOKEN });
    // Less than a call may cost is left over, and no more was spent than there was.
    expect(window!.leftNanoUsd).toBeGreaterThanOrEqual(0);
    expect(window!.leftNanoUsd).toBeLessThan(10 * TOKEN);
  });
});

it("a call whose caller goes before the vendor answers leaves nothing set aside (F53)", async () => {
  let ended = false;
  const controller = new AbortController();
  const { ask, settled, windows } = await metered({
    budgets: [{}],
    vendor: (_n, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          ended = true;
          reject(new Error("gone"));
        });
        setTimeout(() => controller.abort(), 20);
      }),
  });
  await ask({}, controller.signal).catch(() => undefined);
  expect(await settled(1)).toMatchObject([{ costNanoUsd: null, status: 499 }]);
  expect(ended).toBe(true);
  expect(await windows()).toMatchObject([{ spentNanoUsd: 0, reservedNanoUsd: 0, leftNanoUsd: 50 * TOKEN }]);
});
