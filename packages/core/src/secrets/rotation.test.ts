import { describe, expect, it } from "vitest";
import { z } from "zod";
import { dataKey, defineEntity, field, longText, text } from "../entities/index.js";
import { memoryStore } from "../memory/index.js";
import { crypto } from "../platform/node-crypto.js";
import { files } from "../platform/node-files.js";
import { insert, update, type RecordStore } from "../ports/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import { Log } from "../util/log.js";
import { GatewaySecrets } from "./gateway-secrets.js";
import { Redactor } from "./redactor.js";

const channel = defineEntity({
  ...{ name: "channel", table: "channels", kind: "record", scope: null },
  fields: {
    token: field(z.string().nullable(), { access: "secret", column: longText }),
    label: field(z.string(), { access: "open", column: text(20) }),
  },
});
const secret = crypto.sha256(new Uint8Array([1]));
const scope = { system: "test" };
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
const SETTLE_MS = 3_000;

/** A node that reads the store's keys each second, as gateways do. */
async function node(store: RecordStore, clock: FakeClock) {
  const secrets = new GatewaySecrets({
    ...{ store, crypto, clock, env: {}, secret, previous: [], sources: [], redactor: new Redactor(), entities: [channel] },
    ...{ log: new Log("silent", () => undefined), readFile: files.read, settleMs: SETTLE_MS },
  });
  await secrets.start({});
  let swap: ((now: never, before: never) => void) | null = null;
  secrets.follow({ onSwap: (listener) => ((swap = listener as never), () => undefined) });
  let poll = true;
  const tick = (): void => {
    if (!poll) return;
    swap?.({ records: { of: () => [] } } as never, { records: { of: () => [] } } as never);
    clock.at(clock.now() + 1_000, tick);
  };
  clock.at(clock.now() + Math.floor(Math.random() * 1_000), tick);
  return { secrets, stop: () => ((poll = false), secrets.close()) };
}
const place = (rowId: string) => ({ table: "channels", column: "token", rowId });
const keyOf = (sealed: string): string => sealed.split(".")[1]!;

async function states(store: RecordStore): Promise<Record<string, string>> {
  const { rows } = await store.find(dataKey, { orderBy: "id", limit: 100 }, scope, within);
  return Object.fromEntries(rows.map(({ id, state }) => [id, state]));
}
async function everyRow(store: RecordStore) {
  return (await store.find(channel, { orderBy: "id", limit: 1_000 }, scope, within)).rows;
}

describe("a rotation over several nodes", () => {
  it("leaves every secret readable on all of them at every moment, and none under an old key", async () => {
    const clock = new FakeClock();
    const store = memoryStore({ clock });
    const nodes = await Promise.all([node(store, clock), node(store, clock), node(store, clock)]);
    const readable = async (): Promise<void> => {
      for (const row of await everyRow(store))
        for (const { secrets } of nodes) expect(secrets.open(row.token!, place(row.id)).reveal()).toBe(`value of ${row.id}`);
    };
    let made = 0;
    const write = async (): Promise<void> => {
      for (const { secrets } of nodes) {
        const id = `c${String(made++).padStart(4, "0")}`;
        const row = { id, label: "", token: secrets.seal(`value of ${id}`, place(id)) };
        await store.commit([{ scope, writes: [insert(channel, row)] }], within);
        // And one that stands gets its value anew, sealed where it was changed.
        const old = (await everyRow(store))[made % Math.max(1, made - 1)]!;
        const set = { token: secrets.seal(`value of ${old.id}`, place(old.id)) };
        await store.commit([{ scope, writes: [update(channel, old.id, { change: { set } })] }], within);
      }
    };
    await write();
    let isDone = false;
    const rotating = nodes[0]!.secrets.rotate().then((result) => ((isDone = true), result));
    for (let i = 0; i < 100 && !isDone; i++) {
      await write();
      await clock.advance(100);
      await readable();
    }
    const result = await rotating;
    expect(result.left).toBe(0);
    expect(result.rows).toBeGreaterThan(0);
    await write();
    await readable();
    const now = await states(store);
    const active = Object.keys(now).filter((id) => now[id] === "active");
    expect([active.length, now["k1"]]).toEqual([1, "spent"]);
    for (const row of await everyRow(store)) expect(keyOf(row.token!)).toBe(active[0]);
    for (const { stop } of nodes) stop();
  });

  it("is one, whoever asks for it at the same time", async () => {
    const clock = new FakeClock();
    const store = memoryStore({ clock });
    const nodes = await Promise.all([node(store, clock), node(store, clock), node(store, clock)]);
    const all = Promise.all(nodes.map(({ secrets }) => secrets.rotate()));
    await clock.advance(20_000);
    await all;
    expect(Object.values(await states(store)).sort()).toEqual(["active", "root", "spent"]);
    for (const { stop } of nodes) stop();
  });

  it("is finished by another node, or the next, wherever the one that began it was killed", async () => {
    for (const who of ["a node that runs", "a node that starts later", "a rerun"]) {
      for (let dies = 0; ; dies++) {
        const clock = new FakeClock();
        const store = memoryStore({ clock });
        let writes = 0;
        let isDead = false;
        // Once it is dead nothing that it asks for comes back, and nothing that it wants is done.
        const gone = (): Promise<never> => new Promise(() => undefined);
        const dying = new Proxy(store, {
          get: (target, name) => {
            const method = (target as never as Record<string | symbol, (...args: unknown[]) => unknown>)[name]!;
            return (...args: unknown[]) => {
              if (isDead || (name === "commit" && writes++ === dies)) isDead = true;
              return isDead ? gone() : method.apply(target, args);
            };
          },
        });
        const first = await node(store, clock); // makes the keys
        for (const id of ["a", "b", "c"])
          await store.commit(
            [{ scope, writes: [insert(channel, { id, label: "", token: first.secrets.seal(`value of ${id}`, place(id)) })] }],
            within,
          );
        if (who !== "a node that runs") first.stop();
        const killed = await node(dying, clock);
        void killed.secrets.rotate().catch(() => undefined);
        await clock.advance(60_000);
        killed.stop();
        const other = who === "a node that runs" ? first : await node(store, clock);
        if (who === "a rerun") void other.secrets.rotate();
        await clock.advance(60_000);
        const now = await states(store);
        const wasBegun = Object.keys(now).length > 2;
        expect([who, dies, Object.values(now).filter((state) => state === "next" || state === "retired")]).toEqual([who, dies, []]);
        const active = Object.keys(now).find((id) => now[id] === "active");
        for (const row of await everyRow(store)) {
          expect(keyOf(row.token!)).toBe(active);
          expect(other.secrets.open(row.token!, place(row.id)).reveal()).toBe(`value of ${row.id}`);
        }
        expect(wasBegun).toBe(who === "a rerun" || dies > 0);
        other.stop();
        first.stop();
        if (!isDead) {
          expect(dies).toBeGreaterThan(3);
          break;
        }
      }
    }
  });
});
