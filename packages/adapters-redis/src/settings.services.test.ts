import { inspect } from "node:util";
import { createClient, createCluster, createSentinel } from "@redis/client";
import { hasService } from "@sallyport/adapter-kit";
import { describe, expect, it, onTestFinished } from "vitest";
import { gateway, get } from "../test/gateways.js";
import { demand, eventually, open, opened, server, within } from "../test/opened.js";
import { redis } from "./index.js";

const CANARY = "c4nary-Pa55-w0rd";
/** What the README says that an ACL user needs. */
const RULES =
  "~sallyport:* ~{sallyport:* &sallyport:* +@string +@hash +@list +@set +@sortedset +@stream +@keyspace +@scripting +@pubsub +@connection +@transaction +info +time";

describe.skipIf(!hasService("redis"))("how Redis is reached", () => {
  async function withUser() {
    const redis = await server();
    await redis.command(`ACL SETUSER app on >${CANARY} ${RULES}`);
    await redis.command("ACL SETUSER default off");
    return { url: redis.url, server: redis.server, asUser: redis.url.replace("//", `//app:${CANARY}@`) };
  }
  /** Every port, once. */
  async function used(shared: ReturnType<typeof open>["shared"]): Promise<void> {
    const told: string[] = [];
    await shared.wakeup.listen("lane", { concurrency: 1 }, async (id) => void told.push(id));
    await shared.bus.subscribe(
      "topic",
      (ids) => told.push(...ids),
      () => undefined,
    );
    await shared.wakeup.offer("lane", "job", { dueAtMs: 0, priority: 0 });
    await shared.wakeup.offer("lane", "later", { dueAtMs: Date.now() + 50, priority: 0 });
    await shared.bus.publish("topic", ["hint"]);
    expect((await shared.counters.spend([demand(), demand({ key: "b" })], within)).left).toEqual([9, 9]);
    expect(await shared.counters.hold("s", { holder: "h", max: 1, untilMs: Date.now() + 5_000 }, within)).toBe(true);
    await shared.counters.release("s", "h");
    const value = Uint8Array.from([0, 1, 0x7f, 0x80, 0xa7, 0xff, 10, 13]);
    await shared.cache.set("k", value, { expiresAtMs: Date.now() + 5_000 }, within);
    expect(await shared.cache.get("k", within)).toEqual(value);
    expect(await shared.cache.remove("k", value, within)).toBe(true);
    await eventually(() => ["job", "later", "hint"].every((id) => told.includes(id)));
    expect(shared.away).toBeNull();
  }

  it("as an ACL user who may do what the README says, in a database of its own", async () => {
    const { asUser } = await withUser();
    const { shared } = await opened({ url: `${asUser}/3` });
    await used(shared);
    const look = createClient({ url: `${asUser}/3` });
    await look.connect();
    onTestFinished(() => look.destroy());
    expect(await look.sendCommand(["EXISTS", "sallyport:probe:write"])).toBe(1);
  });

  it("with user, password and database as options", async () => {
    const { url } = await withUser();
    const { shared } = await opened({ url, username: "app", password: CANARY, database: 5 });
    await used(shared);
  });

  it("with the settings of a host's client, which stays as it is, whatever it wants its answers as", async () => {
    const { asUser } = await withUser();
    const client = createClient({ url: `${asUser}/3`, RESP: 3, commandOptions: { typeMapping: { 36: Buffer } } } as never);
    client.on("error", () => undefined);
    const { shared } = await opened({ client: client as never });
    await used(shared);
    await shared.close();
    expect([client.isOpen, client.listenerCount("error")]).toEqual([false, 1]);
  });

  it("not with a client of several servers, nor of another library", () => {
    const cluster = createCluster({ rootNodes: [{ url: "redis://localhost:1" }] });
    const sentinel = createSentinel({ name: "x", sentinelRootNodes: [{ host: "localhost", port: 1 }] });
    const ioredis = { duplicate: () => ioredis, connect: () => undefined, status: "wait", options: {}, select: () => undefined };
    for (const client of [cluster, sentinel, ioredis, {}])
      expect(() => redis({ client: client as never })).toThrow(expect.objectContaining({ code: "misconfigured" }));
  });

  it("two gateways with different prefixes on one server share nothing", async () => {
    const { url } = await server();
    const [a, b] = [await opened({ url, prefix: "a:" }), await opened({ url, prefix: "b:" })];
    const told: string[] = [];
    await b.shared.bus.subscribe(
      "t",
      () => told.push("bus"),
      () => undefined,
    );
    await b.shared.wakeup.listen("l", { concurrency: 1 }, async (id) => void told.push(id));
    await a.shared.counters.spend([demand({ cost: 10 })], within);
    await a.shared.cache.set("k", new Uint8Array(1), { expiresAtMs: Date.now() + 5_000 }, within);
    await a.shared.bus.publish("t", ["x"]);
    await a.shared.wakeup.offer("l", "of a", { dueAtMs: 0, priority: 0 });
    await b.shared.wakeup.offer("l", "of b", { dueAtMs: 0, priority: 0 });
    await eventually(() => told.length > 0);
    expect(told).toEqual(["of b"]);
    expect((await b.shared.counters.spend([demand()], within)).left).toEqual([9]);
    expect(await b.shared.cache.get("k", within)).toBeNull();
    await a.shared.close();
    expect((await b.shared.counters.spend([demand()], within)).left).toEqual([8]);
  });

  it("the password is in no error, log line, view or inspection", async () => {
    const { asUser, server: process_ } = await withUser();
    const lines: string[] = [];
    const log = (...line: unknown[]): void => void lines.push(inspect(line, { depth: 20 }));
    const one = await gateway({ redis: { url: asUser }, log, logging: { level: "debug" }, telemetry: { metrics: { open: true } } });
    await eventually(async () => (await get(one, "/ready")).text === '{"status":"ready"}');
    const adapter = redis({ url: asUser, password: CANARY });
    const { shared } = await opened({ url: asUser });
    const wrong = open({ url: asUser.replace("app:", "nobody:") });
    await eventually(() => wrong.heard.length > 0);
    await process_.kill();
    await eventually(() => shared.away !== null);
    await eventually(async () => (await get(one, "/ready")).text.includes("away"));
    const refused = await shared.counters.spend([demand()], within).catch((error: unknown) => error);
    let unreadable: unknown;
    try {
      redis(`redis://app:${CANARY}@[x:1`).open({ clock: { now: Date.now, monotonic: Date.now, at: () => () => undefined } });
    } catch (error) {
      unreadable = error;
    }
    expect(unreadable).toMatchObject({ code: "misconfigured" });
    const paths = ["/ready", "/metrics", "/api/v1/gateway-config", "/api/v1/list/config", "/openapi.json"];
    const said = await Promise.all(paths.map((path) => get(one, path).then(({ text }) => text)));
    const deep = { depth: 20, showHidden: true, getters: true };
    const shown = [adapter, shared, shared.away, wrong.shared.away, refused, unreadable].map(
      (what) => inspect(what, deep) + JSON.stringify(what),
    );
    expect(
      [...lines, ...said, ...shown, inspect(one, { ...deep, depth: 6, getters: false })].filter((text) => text.includes(CANARY)),
    ).toEqual([]);
  });
});
