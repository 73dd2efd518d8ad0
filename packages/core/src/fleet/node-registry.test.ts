import { describe, expect, it } from "vitest";
import { node, type NodeRow } from "../entities/index.js";
import { memoryBus, memoryCache, memoryCounters, memoryStore, memoryWakeup } from "../memory/index.js";
import { crypto } from "../platform/node.js";
import { update, type RecordStore } from "../ports/index.js";
import { Redactor } from "../secrets/redactor.js";
import { createSeams, EventHub, type Services } from "../seams/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import { Log } from "../util/log.js";
import { NodeRegistry } from "./node-registry.js";

const LEASE_MS = 6_000;

/** A node of its own clock on a store that all share; `freeze` lets its time stand still. */
function fleetOf(count: number) {
  const time = new FakeClock();
  const store = memoryStore({ clock: time });
  const nodes = Array.from({ length: count }, (_, i) => {
    const clock = new FakeClock(time.now());
    const events = new EventHub();
    const heard: string[] = [];
    events.on("node.changed", ({ nodeId, state }) => void heard.push(`${nodeId} ${state}`));
    const set = { isAway: false };
    const away = new Proxy(store, {
      get: (target, name) => {
        const own: unknown = Reflect.get(target, name);
        if (typeof own !== "function") return own;
        return (...args: unknown[]): unknown => {
          if (set.isAway) return Promise.reject(new Error("away"));
          return (own as (...given: unknown[]) => unknown).apply(target, args);
        };
      },
    }) as RecordStore;
    const services: Services = {
      ...{ store: away, clock, crypto, wakeup: memoryWakeup(), bus: memoryBus(), cache: memoryCache(), counters: memoryCounters() },
      ...{ events, log: new Log("silent", () => undefined), redactor: new Redactor(), seams: createSeams(), nodeId: `n${i}` },
    };
    const gone: string[] = [];
    const registry = new NodeRegistry(services, {
      ...{ release: "1", label: `host:${i}`, offers: () => ({ tasks: [], servers: [] }), durable: true, leaseMs: LEASE_MS },
      onGone: (ids) => void gone.push(...ids),
    });
    return { registry, clock, heard, gone, set };
  });
  /** Time passes for the store and for these nodes. */
  const pass = async (ms: number, these = nodes) => {
    for (let passed = 0; passed < ms; passed += 500) {
      await time.advance(500);
      for (const { clock } of these) await clock.advance(500);
    }
  };
  const rows = async () =>
    (await store.find(node, { orderBy: "id", limit: 100 }, { system: "test" }, { deadlineMs: Infinity })).rows as NodeRow[];
  const states = async () => (await rows()).map(({ id, state }) => `${id} ${state}`);
  return { nodes, pass, rows, states, store };
}

describe("the registry of nodes", () => {
  it("shows who lives, renewed, and forgets who ends in order", async () => {
    const { nodes, pass, states } = fleetOf(2);
    for (const { registry } of nodes) await registry.start();
    for (const { registry } of nodes) registry.enter("ready");
    await pass(20_000);
    expect(await states()).toEqual(["n0 ready", "n1 ready"]);
    expect(nodes.map(({ registry }) => registry.alive)).toEqual([2, 2]);
    expect((await nodes[0]!.registry.list()).map(({ id, alive, self }) => ({ id, alive, self }))).toEqual([
      { id: "n0", alive: true, self: true },
      { id: "n1", alive: true, self: false },
    ]);
    await nodes[1]!.registry.close();
    await pass(3_000, [nodes[0]!]);
    expect(await states()).toEqual(["n0 ready"]);
    expect(nodes[0]!.heard.at(-1)).toBe("n1 gone");
    expect(nodes[0]!.gone).toEqual([]);
  });

  it("finds one that is silent, by exactly one of the others; one that comes back is one of them again, and its row is fenced", async () => {
    const { nodes, pass, states, rows } = fleetOf(4);
    for (const { registry } of nodes) {
      await registry.start();
      registry.enter("ready");
    }
    await pass(LEASE_MS + 2_000);
    const [frozen, ...others] = nodes as [(typeof nodes)[0], ...typeof nodes];
    await pass(LEASE_MS + 2_500, others);
    expect(await states()).toEqual(["n0 gone", "n1 ready", "n2 ready", "n3 ready"]);
    expect(others.flatMap(({ gone }) => gone)).toEqual(["n0"]);
    expect(others.map(({ registry }) => registry.alive)).toEqual([3, 3, 3]);
    await frozen.clock.advance(LEASE_MS + 2_500);
    await pass(3_000);
    expect(await states()).toEqual(["n0 ready", "n1 ready", "n2 ready", "n3 ready"]);
    expect((await rows())[0]!.attempt).toBe(2);
    expect(frozen.gone).toEqual([]);
  });

  it("judges nobody after an outage in which all were late", async () => {
    const { nodes, pass, states } = fleetOf(3);
    for (const { registry } of nodes) {
      await registry.start();
      registry.enter("ready");
    }
    await pass(LEASE_MS * 2);
    for (const { set } of nodes) set.isAway = true;
    await pass(LEASE_MS * 3);
    // One reaches the store before the others.
    nodes[0]!.set.isAway = false;
    await pass(LEASE_MS - 2_500);
    for (const { set } of nodes) set.isAway = false;
    await pass(LEASE_MS * 2);
    expect(await states()).toEqual(["n0 ready", "n1 ready", "n2 ready"]);
    expect(nodes.flatMap(({ gone }) => gone)).toEqual([]);
  });

  it("removes the row of one that is gone for an hour", async () => {
    const { nodes, pass, states, store } = fleetOf(2);
    for (const { registry } of nodes) await registry.start();
    await pass(LEASE_MS + 2_000);
    await pass(LEASE_MS + 2_500, [nodes[0]!]);
    expect(await states()).toEqual(["n0 starting", "n1 gone"]);
    const long = { change: { set: { leaseUntilMs: 1 } } };
    await store.commit([{ scope: { system: "test" }, writes: [update(node, "n1", long)] }], { deadlineMs: Infinity });
    await pass(62_000, [nodes[0]!]);
    expect(await states()).toEqual(["n0 starting"]);
  });
});
