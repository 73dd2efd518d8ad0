import { expect, it } from "vitest";
import { readKeys } from "../access/read-keys.js";
import { gatewayKey, plainKey } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { memoryBus, memoryStore } from "../memory/index.js";
import { insert, remove, update, type Bus, type RecordStore, type Within, type Write } from "../ports/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import { Log } from "../util/log.js";
import { loadConfig } from "./load-config.js";
import { CHANGES_TOPIC, SnapshotHolder } from "./snapshot-holder.js";

const digest = (letter: string) => letter.repeat(64);

/** A real store of the node, with a line to it that can be cut. */
function node(o: { store?: RecordStore; bus?: Bus; clock?: FakeClock } = {}) {
  const clock = o.clock ?? new FakeClock();
  const store = o.store ?? memoryStore({ clock });
  const bus = o.bus ?? memoryBus();
  const lines: string[] = [];
  const cut = { changes: false, keys: false };
  let reads = 0;
  const refuse = () => Promise.reject(new GatewayError("store_unavailable", "The line is cut."));
  const line: RecordStore = new Proxy(store, {
    get(target, name, receiver) {
      if (name === "changes" && cut.changes) return refuse;
      const member: unknown = Reflect.get(target, name, receiver === line ? target : receiver);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
  const holder = new SnapshotHolder(
    { store: line, clock, bus, log: new Log("info", (level, message) => lines.push(`${level} ${message}`)) },
    {
      config: loadConfig({}).config,
      readKeys: (within: Within) => {
        reads++;
        return cut.keys ? refuse() : readKeys(line, within);
      },
    },
  );
  const commit = async (...writes: Write[]) => {
    const [result] = await store.commit([{ scope: { system: "test" }, writes }], { deadlineMs: clock.now() + 1000 });
    expect(result?.ok).toBe(true);
  };
  return { clock, store, bus, holder, commit, cut, lines, reads: () => reads };
}
const key = (id: string, o: { enabled?: boolean } = {}): Write =>
  insert(gatewayKey, {
    ...plainKey,
    id,
    name: id,
    kind: "key",
    digest: digest(id),
    projectId: "default",
    scopes: ["*"],
    enabled: o.enabled ?? true,
    expiresAtMs: null,
    lastUsedAtMs: null,
  });

it("is older than anything allows before it started, and current afterwards", async () => {
  const { holder, commit, clock } = node();
  await commit(key("a"), key("b", { enabled: false }));
  expect(holder.current()).toMatchObject({ version: 0, readAtMs: 0 });
  await holder.start();
  expect([...holder.current().keys.keys()]).toEqual(["a"]);
  expect(holder.current()).toMatchObject({ version: 1, readAtMs: clock.now() });
  await holder.close();
});

it("sees a key that was made, changed or removed with the next poll, and says so once", async () => {
  const { holder, commit, clock } = node();
  await holder.start();
  const swaps: number[] = [];
  holder.onSwap((now, before) => swaps.push(now.keys.size - before.keys.size));
  await commit(key("a"));
  expect(holder.current().keys.size).toBe(0);
  await clock.advance(1_000);
  expect(holder.current().keys.has("a")).toBe(true);
  await commit(update(gatewayKey, "a", { change: { set: { enabled: false } } }));
  await clock.advance(1_000);
  expect(holder.current().keys.size).toBe(0);
  await commit(key("c"));
  await clock.advance(1_000);
  await commit(remove(gatewayKey, "c"));
  await clock.advance(1_000);
  expect(holder.current().keys.size).toBe(0);
  expect(swaps).toEqual([1, -1, 1, -1]);
  await holder.close();
});

it("keeps the same keys and version while nothing changes, and stays fresh", async () => {
  const { holder, commit, clock, reads } = node();
  await commit(key("a"));
  await holder.start();
  const first = holder.current();
  await clock.advance(10_000);
  expect(holder.current().keys).toBe(first.keys);
  expect(holder.current().version).toBe(first.version);
  expect(clock.now() - holder.current().readAtMs).toBeLessThanOrEqual(1_000);
  expect(reads()).toBe(1);
  await clock.advance(30_000);
  expect(reads(), "everything is read again now and then").toBe(2);
  await holder.close();
});

it("does not swap for a key that was only used", async () => {
  const { holder, commit, clock } = node();
  await commit(key("a"));
  await holder.start();
  const { version, keys } = holder.current();
  await commit(update(gatewayKey, "a", { change: { set: { lastUsedAtMs: 5 } } }));
  await clock.advance(1_000);
  expect(holder.current().version).toBe(version);
  expect(holder.current().keys).toBe(keys);
  await holder.close();
});

it("is hurried by a hint of the bus", async () => {
  const { holder, commit, bus } = node();
  await holder.start();
  await commit(key("a"));
  const swapped = new Promise<void>((resolve) => holder.onSwap(() => resolve()));
  await bus.publish(CHANGES_TOPIC, ["a"]);
  await swapped;
  expect(holder.current().keys.size).toBe(1);
  await holder.close();
});

it("keeps the last good snapshot while the store fails, lets it grow old, says so once, and recovers", async () => {
  const { holder, commit, clock, cut, lines } = node();
  await commit(key("a"));
  await holder.start();
  const { readAtMs } = holder.current();
  cut.changes = true;
  await clock.advance(15_000);
  expect(holder.current().keys.size).toBe(1);
  expect(holder.current().readAtMs).toBe(readAtMs);
  cut.changes = false;
  await clock.advance(1_000);
  expect(holder.current().readAtMs).toBe(clock.now());
  expect(lines).toEqual(["warn keys could not be read from the store", "info the store answers again: keys are current"]);
  await holder.close();
});

it("does not forget a change whose keys could not be read at first", async () => {
  const { holder, commit, clock, cut } = node();
  await holder.start();
  await commit(key("a"));
  cut.keys = true;
  await clock.advance(3_000);
  expect(holder.current().keys.size).toBe(0);
  cut.keys = false;
  await clock.advance(1_000);
  expect(holder.current().keys.size).toBe(1);
  await holder.close();
});

it("fails to start when the store does, and may be started again", async () => {
  const { holder, cut, commit } = node();
  cut.changes = true;
  await expect(holder.start()).rejects.toMatchObject({ code: "store_unavailable" });
  cut.changes = false;
  await commit(key("a"));
  await holder.start();
  expect(holder.current().keys.size).toBe(1);
  await holder.close();
});

it("gives whoever asks for a refresh a read that began after the question", async () => {
  const { holder, commit, reads } = node();
  await holder.start();
  const early = holder.refresh();
  await commit(key("a"));
  const late = Array.from({ length: 20 }, () => holder.refresh());
  await Promise.all([early, ...late]);
  expect(holder.current().keys.size).toBe(1);
  expect(reads(), "twenty at once share one read").toBe(3);
  await holder.close();
});

it("leaves no timer and answers no more after it was closed", async () => {
  const { holder, clock } = node();
  await holder.start();
  expect(clock.pending).toBe(1);
  await holder.close();
  await holder.close();
  expect(clock.pending).toBe(0);
  await expect(holder.refresh()).rejects.toMatchObject({ code: "shutting_down" });
});

it("works without hints when the bus cannot be reached", async () => {
  const bus: Bus = { ...memoryBus(), subscribe: () => Promise.reject(new Error("no bus")) };
  const { holder, commit, clock, lines } = node({ bus });
  await holder.start();
  await commit(key("a"));
  await clock.advance(1_000);
  expect(holder.current().keys.size).toBe(1);
  expect(lines).toEqual(["warn no hints from the bus: changes are seen with the next poll"]);
  await holder.close();
});
