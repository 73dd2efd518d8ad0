import { describe, expect, it } from "vitest";
import { alert, alertRule, budgetWindow, openCalls, reservation, type AlertRow } from "../../../src/entities/index.js";
import { memoryStore } from "../../../src/memory/index.js";
import { DeadCalls } from "../../../src/policy/money/dead/dead-calls.js";
import { insert, update, type RecordStore } from "../../../src/ports/index.js";
import { EventHub } from "../../../src/seams/index.js";
import { AlertEvaluator } from "../../../src/telemetry/alerts/evaluator.js";
import { FakeClock } from "../../../src/testing/fake-clock.js";
import { metered, TOKEN } from "../../money/harness.js";
import { ofAnotherClock } from "./of-another-clock.js";

const scope = { system: "test" };
const patient = { timeout: 30_000, interval: 5 };
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };

/** A store before which the caller stands still once, after its first `take` of a kind, while the others go on. */
function frozenAfterTake(store: RecordStore, kind: { readonly name: string }) {
  let thaw = (): void => undefined;
  const thawed = new Promise<void>((resolve) => (thaw = resolve));
  let took = (): void => undefined;
  const taken = new Promise<void>((resolve) => (took = resolve));
  let isFirst = true;
  const frozen = new Proxy(store, {
    get: (target, name) => {
      const own = (Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>).bind(target);
      if (name !== "take") return own;
      return async (...args: unknown[]) => {
        const rows = await own(...args);
        if (!isFirst || args[0] !== kind) return rows;
        isFirst = false;
        took();
        await thawed;
        return rows;
      };
    },
  }) as RecordStore;
  return { frozen, thaw: () => thaw(), taken };
}

describe("who was frozen past a lease", () => {
  it("settles no dead call that another has taken, and one that was taken only by itself not after its time", async () => {
    const clock = new FakeClock();
    const store = memoryStore({ clock });
    const call = {
      ...{ id: "call_1", projectId: "p", callerId: "k", keyId: null, userId: null, teamId: null, agentId: null, kind: "model" as const },
      ...{ operation: "generate", name: "v/m", server: null, requestId: "r", runId: null, purpose: null, startedAtMs: clock.now() },
    };
    const window = {
      ...{ id: "w", projectId: "p", budgetId: "b", budgetVersion: 1, startMs: 0, endMs: null, limitNanoUsd: 100, leftNanoUsd: 90 },
      ...{ spentNanoUsd: 0, reservedNanoUsd: 10, firedPercent: 0 },
    };
    const row = {
      ...{ id: "call_1", projectId: "p", call, provider: "v", model: "m", amountNanoUsd: 10, sharesNanoUsd: 10, attempt: 0 },
      ...{ shares: [{ windowId: "w", amountNanoUsd: 10, provider: null }], expiresAtMs: clock.now() - 1 },
    };
    await store.commit([{ scope, writes: [insert(budgetWindow, window as never), insert(reservation, row)] }], within);
    const { frozen, thaw, taken } = frozenAfterTake(store, reservation);
    const settled = new DeadCalls({ store: frozen, clock, events: new EventHub(), isAlive: () => false }).settle();
    await taken;
    await clock.advance(61_000);
    // Its process was there after all, and renews what it holds.
    await store.commit(
      [{ scope, writes: [update(reservation, "call_1", { change: { set: { expiresAtMs: clock.now() + 60_000 }, add: { attempt: 1 } } })] }],
      within,
    );
    thaw();
    expect(await settled).toBe(0);
    expect(await store.get(reservation, "call_1", scope, within)).toMatchObject({ amountNanoUsd: 10 });
    expect(await store.get(budgetWindow, "w", scope, within)).toMatchObject({ reservedNanoUsd: 10, spentNanoUsd: 0 });
  });

  it.each([reservation, openCalls])("settles no call whose own process was there after all, and renewed its $name", async (kind) => {
    const clock = new FakeClock();
    const [store, own] = [memoryStore({ clock }), new FakeClock(clock.now())];
    let answer: (tokens: number) => void = () => undefined;
    const vendor = () => new Promise<number>((resolve) => (answer = resolve));
    const budgets = kind === reservation ? [{ amountUsd: "1" }] : [];
    const options = { clock: own };
    const { ask, gateway, rows, reservations, windows, open, settled } = await metered({
      ...{ store: ofAnotherClock(store), vendor, budgets, options },
    });
    const asked = ask();
    await expect
      .poll(async () => {
        await own.advance(1);
        return (await open()).length;
      }, patient)
      .toBe(1);
    expect(await reservations()).toHaveLength(budgets.length);
    // Nobody renews it for longer than its lease: whoever looks takes it for dead, and is frozen there.
    await clock.advance(130_000);
    const { frozen, thaw, taken } = frozenAfterTake(ofAnotherClock(store), kind);
    const late = new DeadCalls({ store: frozen, clock, events: new EventHub(), isAlive: () => false }).settle();
    await taken;
    await own.advance(130_000);
    const renewed = kind === reservation ? reservations : open;
    await expect.poll(async () => (await renewed())[0]?.expiresAtMs, patient).toBe(clock.now() + 120_000);
    thaw();
    expect(await late).toBe(0);
    expect([await rows(), (await renewed()).length]).toEqual([[], 1]);
    answer(7);
    expect((await asked).status).toBe(200);
    const [row] = await settled(1);
    expect(row).toMatchObject({ status: 200, outputTokens: 7, estimated: false, costNanoUsd: 7 * TOKEN });
    expect(await windows()).toMatchObject(budgets.map(() => ({ spentNanoUsd: 7 * TOKEN, reservedNanoUsd: 0 })));
    await gateway.close({ graceMs: 0 });
  });

  it("opens no alert for what it measured before others did", async () => {
    const clock = new FakeClock();
    const store = memoryStore({ clock });
    const rule = {
      ...{ id: "rule", name: "quiet", metric: "request_rate" as const, condition: "lte" as const, threshold: 0, windowMinutes: 5 },
      ...{ severity: "warning" as const, channels: [], filters: {}, enabled: true, dueAtMs: 0 },
    };
    await store.commit([{ scope, writes: [insert(alertRule, rule)] }], within);
    const { frozen, thaw, taken } = frozenAfterTake(store, alertRule);
    const log = { warn: () => undefined };
    const evaluatorOn = (at: RecordStore) =>
      new AlertEvaluator({ store: at, clock, log, events: new EventHub() } as never, { everyMs: () => 60_000 });
    const late = evaluatorOn(frozen).evaluateDue();
    await taken;
    await clock.advance(61_000);
    expect(await evaluatorOn(store).evaluateDue()).toBe(1);
    const [open] = (await store.find(alert, { orderBy: "id", limit: 10 }, scope, within)).rows as AlertRow[];
    // A person ends it; what the frozen one measured a minute ago must not begin it anew.
    await store.commit(
      [{ scope, writes: [update(alert, open!.id, { change: { set: { status: "resolved", openKey: open!.id } } })] }],
      within,
    );
    thaw();
    expect(await late).toBe(0);
    expect((await store.find(alert, { orderBy: "id", limit: 10 }, scope, within)).rows).toHaveLength(1);
  });
});
