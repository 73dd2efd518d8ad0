import { afterEach, describe, expect, it } from "vitest";
import { budgetWindow, node, openCalls, reservation, usageEntry, type BegunCall } from "../../src/entities/index.js";
import { NodeRegistry } from "../../src/fleet/index.js";
import { GroupCommit } from "../../src/policy/group-commit.js";
import { Money } from "../../src/policy/money/money.js";
import { insert, nowPlus, update } from "../../src/ports/index.js";
import { createSeams, EventHub, type Services } from "../../src/seams/index.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { Log } from "../../src/util/log.js";
import { sharedPorts, storeKinds, type SharedPorts } from "../shared-ports.js";
import { metered } from "./harness.js";

const SYSTEM = { system: "test" };
const LEASE_MS = 6_000;
const within = (on: SharedPorts) => ({ deadlineMs: on.clock.now() + 60_000 });
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** What of a gateway looks after money and the fleet. Frozen: its clock stands still, the store's goes on. */
function nodeOn(on: SharedPorts, nodeId: string, clock: FakeClock) {
  const events = new EventHub();
  const ledger = new GroupCommit({ store: on.store, clock, onError: () => undefined });
  const money = new Money({ store: on.store, clock, events, ledger, nodeId, durable: true });
  const services = { ...on, clock, events, log: new Log("silent", () => undefined), seams: createSeams(), nodeId } as unknown as Services;
  const takings: Promise<void>[] = [];
  const registry = new NodeRegistry(services, {
    ...{ release: "1", label: nodeId, offers: () => ({ tasks: [], servers: [] }), durable: true, leaseMs: LEASE_MS },
    onGone: (ids) => void takings.push(money.takeOver(ids)),
  });
  return { registry, money, takings };
}

function begun(id: string, nodeId: string | undefined): BegunCall {
  return {
    ...{ id, projectId: "p1", callerId: "c", keyId: null, userId: null, teamId: null, agentId: null, kind: "model", operation: "generate" },
    ...{ name: "v/m", server: null, requestId: `req_${id}`, runId: null, purpose: null, startedAtMs: 0 },
    ...(nodeId === undefined ? {} : { nodeId }),
  };
}

/** Calls of these processes, each with 10 set aside of one window, and each open. */
async function calls(on: SharedPorts, nodes: readonly (string | undefined)[]): Promise<void> {
  const window = {
    id: "bw_1",
    projectId: "p1",
    budgetId: "b",
    budgetVersion: 1,
    startMs: 0,
    endMs: null,
    limitNanoUsd: 100,
    firedPercent: 0,
  };
  const reserved = 10 * nodes.length;
  const expiresAtMs = nowPlus(120_000);
  const writes = nodes.flatMap((nodeId, i) => [
    insert(reservation, {
      ...{ id: `call_${i}`, projectId: "p1", call: begun(`call_${i}`, nodeId), provider: "v", model: "m", amountNanoUsd: 10 },
      ...{ shares: [{ windowId: "bw_1", amountNanoUsd: 10, provider: null }], sharesNanoUsd: 10, attempt: 0, expiresAtMs },
    }),
    insert(openCalls, { id: `open_${i}`, calls: [begun(`more_${i}`, nodeId)], attempt: 0, expiresAtMs }),
  ]);
  const row = insert(budgetWindow, { ...window, leftNanoUsd: 100 - reserved, spentNanoUsd: 0, reservedNanoUsd: reserved });
  await on.store.commit([{ scope: SYSTEM, writes: [row, ...writes] }], within(on));
}

async function standing(on: SharedPorts) {
  const ids = async (entity: typeof reservation | typeof openCalls | typeof usageEntry): Promise<string[]> =>
    (await on.store.find(entity as typeof reservation, { orderBy: "id", limit: 100 }, SYSTEM, within(on))).rows.map(({ id }) => id);
  const window = await on.store.get(budgetWindow, "bw_1", SYSTEM, within(on));
  const { spentNanoUsd: spent, reservedNanoUsd: reserved } = window!;
  return { reservations: await ids(reservation), open: await ids(openCalls), rows: await ids(usageEntry), spent, reserved };
}
const untouched = { reservations: ["call_0", "call_1", "call_2"], open: ["open_0", "open_1", "open_2"], rows: [], spent: 0, reserved: 30 };

describe.each(storeKinds)("what calls of a process hold that is gone, on %s", (kind) => {
  it("is settled when the fleet says so, long before it runs out, and nothing of a live one's", async () => {
    const on = await sharedPorts(kind);
    const frozen = nodeOn(on, "frozen", new FakeClock(on.clock.now()));
    const other = nodeOn(on, "other", on.clock);
    closing.push(() => other.registry.close());
    await frozen.registry.start();
    await other.registry.start();
    await calls(on, ["frozen", "other", undefined]);
    await on.clock.advance(LEASE_MS - 2_000);
    expect(await standing(on)).toEqual(untouched);
    for (let passed = 0; other.takings.length === 0 && passed < 30_000; passed += 500) await on.clock.advance(500);
    await Promise.all(other.takings);
    expect(await standing(on)).toEqual({
      reservations: ["call_1", "call_2"],
      open: ["open_1", "open_2"],
      rows: ["call_0", "more_0"],
      spent: 10,
      reserved: 20,
    });
  });

  it("stays when the process came back before anybody got to it", async () => {
    const on = await sharedPorts(kind);
    const { money } = nodeOn(on, "other", on.clock);
    const row = { state: "gone" as const, release: "1", label: "back", startedAtMs: 0, leaseUntilMs: nowPlus(LEASE_MS), attempt: 1 };
    const back = insert(node, { ...row, id: "back", offers: { tasks: [], servers: [] } });
    await on.store.commit([{ scope: SYSTEM, writes: [back] }], within(on));
    await calls(on, ["back", "never-there", undefined]);
    const live = update(node, "back", { change: { set: { state: "ready" }, add: { attempt: 1 } } });
    await on.store.commit([{ scope: SYSTEM, writes: [live] }], within(on));
    await on.clock.advance(10);
    await money.takeOver(["back", "never-there"]);
    expect(await standing(on)).toEqual(untouched);
  });
});

it("a call says in the store which process makes it", async () => {
  let answer = (): void => undefined;
  const gate = new Promise<void>((resolve) => (answer = resolve));
  const set = await metered({ budgets: [{}], vendor: () => gate.then(() => 5) });
  const asked = set.ask();
  const self = (await set.gateway.nodes.list()).find((one) => one.self)!;
  await expect.poll(async () => (await set.reservations()).map(({ call }) => call.nodeId)).toEqual([self.id]);
  await expect.poll(async () => (await set.open()).flatMap(({ calls: open }) => open.map(({ nodeId }) => nodeId))).toEqual([self.id]);
  answer();
  await asked;
});
