import { faultProxy, hasService } from "@sallyport/adapter-kit";
import { describe, expect, it, onTestFinished } from "vitest";
import { demand, eventually, open, opened, PATIENT_MS, server, sleep, within } from "../test/opened.js";

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "ok",
    (error: { code?: string }) => String(error.code),
  );

describe.skipIf(!hasService("redis"))("when Redis is away", () => {
  it("is opened without it, fails at once, and is there as soon as Redis is (F35)", async () => {
    const redis = await server();
    await redis.server.kill();
    const { shared, heard } = open({ url: redis.url });
    const told: string[] = [];
    let gaps = 0;
    const stop = await shared.bus.subscribe(
      "t",
      (ids) => told.push(...ids),
      () => gaps++,
    );
    await shared.wakeup.listen("lane", { concurrency: 1 }, async (id) => void told.push(id));
    expect(shared.away?.code).toBe("store_unavailable");
    const calls = [
      () => shared.counters.spend([demand()], within),
      () => shared.counters.adjust({ key: "k", delta: 1, at: 1 }, within),
      () => shared.counters.hold("k", { holder: "h", max: 1, untilMs: Date.now() + 1_000 }, within),
      () => shared.counters.release("k", "h"),
      () => shared.cache.get("k", within),
      () => shared.cache.set("k", new Uint8Array(1), { expiresAtMs: Date.now() + 1_000 }, within),
      () => shared.cache.add("k", new Uint8Array(1), { expiresAtMs: Date.now() + 1_000 }, within),
      () => shared.cache.remove("k", null, within),
      () => shared.bus.publish("t", ["a"]),
      () => shared.wakeup.offer("lane", "a", { dueAtMs: 0, priority: 0 }),
    ];
    expect(await Promise.all(calls.map((call) => codeOf(call())))).toEqual(calls.map(() => "store_unavailable"));
    await eventually(() => heard.length > 0);
    expect(heard).toEqual(["store_unavailable"]);
    await redis.server.start();
    await eventually(() => shared.away === null && gaps === 1);
    expect(heard).toEqual(["store_unavailable", "back"]);
    expect((await shared.counters.spend([demand()], within)).ok).toBe(true);
    await shared.bus.publish("t", ["hint"]);
    await shared.wakeup.offer("lane", "job", { dueAtMs: 0, priority: 0 });
    await eventually(() => told.includes("hint") && told.includes("job"));
    await stop();
  });

  it("killed under load: nothing hangs, nothing crashes; restarted, everything goes on, and who subscribed hears of the gap (F36)", async () => {
    const redis = await server();
    const { shared, heard } = await opened({ url: redis.url });
    const told: string[] = [];
    let gaps = 0;
    await shared.bus.subscribe(
      "t",
      (ids) => told.push(...ids),
      () => gaps++,
    );
    await shared.wakeup.listen("lane", { concurrency: 2 }, async (id) => void told.push(id));
    let running = true;
    const codes = new Set<string>();
    const load = Array.from({ length: 8 }, async (_, i) => {
      while (running) {
        codes.add(await codeOf(shared.counters.spend([demand({ limit: 1e9 }), demand({ key: `k${i}`, limit: 1e9 })], within)));
        codes.add(await codeOf(shared.wakeup.offer("lane", `r${i}`, { dueAtMs: 0, priority: 0 })));
        await sleep(1);
      }
    });
    for (let round = 0; round < 2; round++) {
      await sleep(200);
      await redis.server.kill();
      await eventually(() => shared.away !== null);
      await sleep(200);
      await redis.server.start();
      await eventually(() => shared.away === null && gaps >= round + 2);
    }
    running = false;
    await Promise.all(load);
    expect([...codes].sort()).toEqual(["ok", "store_unavailable"]);
    expect(heard).toEqual(["back", "store_unavailable", "back", "store_unavailable", "back"]);
    expect(shared.lostAtMs).not.toBeNull();
    await shared.bus.publish("t", ["hint"]);
    await shared.wakeup.offer("lane", "after", { dueAtMs: 0, priority: 0 });
    await eventually(() => told.includes("hint") && told.includes("after"));
  });

  it("emptied: windows begin anew, and workers go on (F37)", async () => {
    const redis = await server();
    const { shared } = await opened({ url: redis.url });
    const told: string[] = [];
    await shared.wakeup.listen("lane", { concurrency: 1 }, async (id) => void told.push(id));
    await shared.wakeup.offer("lane", "before", { dueAtMs: 0, priority: 0 });
    await eventually(() => told.includes("before"));
    await shared.counters.spend([demand({ cost: 10 })], within);
    await redis.command("FLUSHALL");
    await redis.command("SCRIPT FLUSH");
    expect((await shared.counters.spend([demand({ cost: 10 })], within)).left).toEqual([0]);
    for (const id of ["a", "b", "c"]) await shared.wakeup.offer("lane", id, { dueAtMs: 0, priority: 0 });
    await eventually(() => ["a", "b", "c"].every((id) => told.includes(id)));
    expect(shared.away).toBeNull();
  });

  it.each([
    ["READONLY", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", /read-only replica|primary is down/],
    ["OOM", "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", /out of memory/],
    ["NOREPLICAS", "CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0", /want of replicas/],
  ])("that answers %s is away until it takes writes again, and says why (F39)", async (_, begin, end, why) => {
    const redis = await server();
    const { shared, heard } = await opened({ url: redis.url });
    await redis.command(begin);
    expect(await codeOf(shared.counters.spend([demand()], within))).toBe("store_unavailable");
    expect(shared.away?.message).toMatch(why);
    // It still is after it was looked at again.
    await sleep(1_200);
    expect(shared.away?.message).toMatch(why);
    await redis.command(end);
    await eventually(() => shared.away === null);
    expect((await shared.counters.spend([demand()], within)).ok).toBe(true);
    expect(heard).toEqual(["back", "store_unavailable", "back"]);
  });

  it("that runs a script for ever (BUSY) is away until it is over (F39)", async () => {
    const redis = await server({ settings: ["--lua-time-limit", "50"] });
    const { shared } = await opened({ url: redis.url });
    const script = redis.command('EVAL "while true do end" 0').catch(() => "");
    await eventually(() => shared.away?.message.includes("busy running a script") === true);
    expect(await codeOf(shared.counters.spend([demand()], within))).toBe("store_unavailable");
    await redis.command("SCRIPT KILL");
    await script;
    await eventually(() => shared.away === null);
    expect((await shared.counters.spend([demand()], within)).ok).toBe(true);
  });

  it("that loads its data (LOADING) is away until it has them (F39)", async () => {
    const redis = await server({ settings: ["--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"] });
    const { shared } = await opened({ url: redis.url });
    await redis.command("EVAL \"for i = 1, 1500 do redis.call('SET', 'filler' .. i, string.rep('x', 200)) end\" 0");
    await redis.command("SAVE");
    await redis.server.kill();
    const reasons: string[] = [];
    const started = redis.server.start();
    await eventually(() => {
      if (shared.away !== null) reasons.push(shared.away.message);
      return reasons.some((reason) => reason.includes("loading its data"));
    });
    await started;
    await eventually(() => shared.away === null);
    expect((await shared.counters.spend([demand()], within)).ok).toBe(true);
  });

  it("frozen before it was ever reached is used once it thaws", async () => {
    const redis = await server();
    redis.server.freeze();
    const { shared, heard } = open({ url: redis.url, timeoutMs: 1_000 });
    await eventually(() => heard.length > 0);
    expect(heard).toEqual(["store_unavailable"]);
    redis.server.thaw();
    await eventually(() => shared.away === null);
  });

  it("that wants a password which it was not given is away, and the password is in no message", async () => {
    const redis = await server();
    await redis.command("CONFIG SET requirepass s3cret-word");
    const [none, wrong] = [open({ url: redis.url }), open({ url: redis.url.replace("//", "//:an0ther-word@") })];
    await eventually(() => [none, wrong].every(({ heard }) => heard.length > 0));
    expect(none.shared.away?.message).toMatch(/password/);
    expect(JSON.stringify(wrong.shared.away) + String(wrong.shared.away?.cause)).not.toContain("an0ther");
    const { shared } = await opened({ url: redis.url.replace("//", "//:s3cret-word@") });
    expect((await shared.counters.spend([demand()], within)).ok).toBe(true);
  });

  it("that is full evicts what it likes: what is gone was not there", async () => {
    const redis = await server({ settings: ["--maxmemory", "3mb", "--maxmemory-policy", "allkeys-random"] });
    const { shared } = await opened({ url: redis.url });
    for (let i = 0; i < 60; i++) {
      await shared.cache.set(`k${i}`, new Uint8Array(100_000), { expiresAtMs: Date.now() + 60_000 }, within);
      expect((await shared.counters.spend([demand({ key: `w${i % 5}`, limit: 1_000 })], within)).ok).toBe(true);
    }
    const kept = await Promise.all(Array.from({ length: 60 }, (_, i) => shared.cache.get(`k${i}`, within)));
    expect(kept.filter((value) => value === null).length).toBeGreaterThan(30);
    expect(kept.every((value) => value === null || value.byteLength === 100_000)).toBe(true);
  });
});

describe.skipIf(!hasService("redis"))("when the way to Redis is bad", () => {
  async function behindProxy(timeoutMs: number) {
    const redis = await server();
    const proxy = await faultProxy(redis.server.port);
    onTestFinished(() => proxy.close());
    return { redis, proxy, ...(await opened({ url: `redis://127.0.0.1:${proxy.port}`, timeoutMs })) };
  }

  it("slow (2 s): one operation waits for its time, the others not at all, until it is quick again (F40)", async () => {
    const { proxy, shared } = await behindProxy(1_000);
    proxy.set({ kind: "slow", latencyMs: 2_000 });
    const errors: unknown[] = [];
    for (let i = 0; i < 50; i++) errors.push(await shared.counters.spend([demand()], within).catch((error: unknown) => error));
    // One was sent, and nobody knows what became of it; the others were not.
    const outcomes = errors.map((error) => (error as { details?: { outcome?: string } }).details?.outcome);
    expect(outcomes).toEqual(["unknown", ...Array.from({ length: 49 }, () => "none")]);
    proxy.set({ kind: "pass" });
    await eventually(() => shared.away === null);
    // It was there all the time, with what it had counted.
    expect(shared.lostAtMs).toBeNull();
  });

  it("a topic that is left and joined again at once is heard", async () => {
    const redis = await server();
    const { shared } = await opened({ url: redis.url });
    const told: string[] = [];
    let gaps = 0;
    const join = () =>
      shared.bus.subscribe(
        "t",
        (ids) => told.push(...ids),
        () => gaps++,
      );
    const first = await join();
    await eventually(() => gaps > 0);
    const [, second] = await Promise.all([first(), join()]);
    await shared.bus.publish("t", ["a"]);
    await eventually(() => told.includes("a"));
    await second();
    const third = await join();
    await shared.bus.publish("t", ["b"]);
    await eventually(() => told.includes("b"));
    expect(told).toEqual(["a", "b"]);
    await third();
  });

  it("half open: away within moments, though nobody asks; then a new connection (F36)", async () => {
    const { proxy, shared, heard } = await behindProxy(1_500);
    let gaps = 0;
    await shared.bus.subscribe(
      "t",
      () => undefined,
      () => gaps++,
    );
    await eventually(() => gaps === 1);
    proxy.set({ kind: "blackhole" });
    await eventually(() => shared.away !== null);
    await sleep(1_000);
    // What was lost on the old connections stays lost.
    proxy.set({ kind: "pass" });
    await eventually(() => shared.away === null && gaps >= 2);
    expect(heard).toEqual(["back", "store_unavailable", "back"]);
    expect((await shared.counters.spend([demand()], within)).ok).toBe(true);
  });

  it("frozen and thawed: away meanwhile", async () => {
    const redis = await server();
    const { shared } = await opened({ url: redis.url, timeoutMs: 1_500 });
    redis.server.freeze();
    expect(await codeOf(shared.cache.get("k", within))).toBe("store_unavailable");
    await eventually(() => shared.away !== null);
    redis.server.thaw();
    await eventually(() => shared.away === null);
  });

  it("answers in pieces are answers", async () => {
    const { proxy, shared } = await behindProxy(PATIENT_MS);
    proxy.set({ kind: "split", bytesAtOnce: 1 });
    const value = Uint8Array.from({ length: 500 }, (_, i) => i);
    await shared.cache.set("k", value, { expiresAtMs: Date.now() + 10_000 }, within);
    expect(await shared.cache.get("k", within)).toEqual(value);
    expect((await shared.counters.spend([demand(), demand({ key: "b" })], within)).left).toEqual([9, 9]);
  });

  it("a caller's own deadline and signal are kept", async () => {
    const { proxy, shared } = await behindProxy(5_000);
    proxy.set({ kind: "slow", latencyMs: 1_000 });
    expect(await codeOf(shared.cache.get("k", { deadlineMs: Date.now() + 50 }))).toBe("deadline_exceeded");
    const abort = new AbortController();
    const asked = codeOf(shared.cache.get("k", { ...within, signal: abort.signal }));
    abort.abort();
    expect(await asked).toBe("cancelled");
  });
});
