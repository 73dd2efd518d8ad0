import { faultProxy, hasService } from "@sallyport/adapter-kit";
import { describe, expect, it, onTestFinished } from "vitest";
import { chat, gateway, get, vendor } from "../test/gateways.js";
import { eventually, PATIENT_MS, server } from "../test/opened.js";
import { processClock } from "../test/process-clock.js";
import { undisturbed } from "../test/undisturbed.js";
import { redis } from "./index.js";

const limits = { perKey: { requestsPerMinute: 10 } };
const kept = async (o: Parameters<typeof vendor>[0] = {}) => {
  const upstream = await vendor(o);
  const providers = { v: { vendor: "openai-compatible" as const, baseUrl: upstream.baseUrl, models: ["m"] } };
  const routes = { kept: { targets: [{ model: "v/m" }], cache: { ttlMs: 60_000 } } };
  return { upstream, providers, routes };
};

/** How long one operation may take where that is the subject. */
const SLOWEST_MS = 1_000;

describe.skipIf(!hasService("redis"))("gateways with a Redis", () => {
  const at = (url: string, timeoutMs = PATIENT_MS) => redis({ url, timeoutMs });
  const isReady = async (one: Awaited<ReturnType<typeof gateway>>) => (await get(one, "/ready")).text === '{"status":"ready"}';

  /** What a gateway says that a case has to hear of. */
  const telling = (heard: (line: string) => void) => ({
    logging: { level: "warn" as const },
    log: (_: string, line: string) => heard(line),
  });

  it("share a limit: what two of them are asked together passes once, over HTTP", () =>
    undisturbed(async (heard) => {
      const { url } = await server();
      const options = { redis: at(url), limits, ...telling(heard) };
      const both = [await gateway(options), await gateway(options)];
      for (const one of both) await eventually(() => isReady(one));
      const statuses = await Promise.all(Array.from({ length: 40 }, (_, i) => chat(both[i % 2]!).then(({ status }) => status)));
      expect(statuses.filter((status) => status === 200).length).toBe(10);
      expect(statuses.filter((status) => status === 429).length).toBe(30);
    }));

  it("find it by the URL of their configuration", async () => {
    const { url, command } = await server();
    const one = await gateway({ redis: { url }, limits });
    // A busy machine may keep it from Redis for a moment.
    await eventually(async () => {
      await chat(one);
      return (await command("KEYS sallyport:window:*")).includes("sallyport:window:");
    });
  });

  it("start, serve, say so and close without it, and use it when it comes (F35)", async () => {
    const private_ = await server();
    await private_.server.kill();
    const lines: string[] = [];
    const changes: boolean[] = [];
    const one = await gateway({
      redis: at(private_.url),
      limits: { perKey: { requestsPerMinute: 10, tokensPerMinute: 1_000_000 } },
      auth: (request) => ({
        kind: "key",
        id: request.header("x-who") ?? "one",
        keyId: request.header("x-who") ?? "one",
        name: "one",
        projects: ["default"],
        grants: ["*"],
      }),
      logging: { level: "info" },
      log: (_, message) => void lines.push(message),
      telemetry: { metrics: { open: true } },
    });
    one.on("redis.changed", ({ connected }) => changes.push(connected));
    const statuses = await Promise.all(Array.from({ length: 12 }, () => chat(one).then(({ status }) => status)));
    expect(statuses.filter((status) => status === 200).length).toBe(10);
    expect(statuses.length).toBe(12);
    await eventually(() => lines.some((line) => line.includes("Redis cannot be used")));
    const ready = await get(one, "/ready");
    expect([ready.status, JSON.parse(ready.text)]).toEqual([200, { status: "ready", counters: "away", redis: "away" }]);
    expect((await get(one, "/metrics")).text).toContain("sallyport_redis_up 0");
    await private_.server.start();
    await eventually(() => changes.at(-1) === true);
    // The guards look again after a second.
    await eventually(async () => {
      await chat(one, { who: "two" });
      return isReady(one);
    });
    expect((await get(one, "/metrics")).text).toContain("sallyport_redis_up 1");
    expect(lines.filter((line) => line.includes("Redis cannot be used")).length).toBe(1);
    expect(await private_.command("KEYS sallyport:window:*")).toContain("sallyport:window:");
  });

  it("without it a task of this process is found at once, not by the next poll", async () => {
    const private_ = await server();
    await private_.server.kill();
    // A poll comes after 750 ms at the earliest: here never.
    const clock = {
      ...processClock,
      at: (ms: number, fn: () => void) => (ms - Date.now() > 500 ? () => undefined : processClock.at(ms, fn)),
    };
    const one = await gateway({ redis: at(private_.url), clock });
    const done: string[] = [];
    one.tasks.handle("t", async ({ task }) => void done.push(task.id));
    for (let i = 0; i < 5; i++) await one.tasks.create({ type: "t" });
    await eventually(() => done.length === 5);
  });

  it("a task of one is done by the other, hinted by Redis", async () => {
    const { url, command } = await server();
    const [one] = [await gateway({ redis: at(url) })];
    await eventually(() => isReady(one));
    const done: string[] = [];
    one.tasks.handle("t", async ({ task }) => void done.push(task.id));
    await one.tasks.create({ type: "t" });
    await eventually(() => done.length === 1);
    // The hint went through the queue of its lane, and nothing of it stays.
    await eventually(async () => (await command("KEYS *wakeup*")).includes("sallyport:wakeup:"));
    await eventually(async () => (await command("KEYS *wakeup*:[0-9]*")) === "*0\r\n");
  });

  it("a slow one (2 s) costs one call of many its time (F40)", async () => {
    const { server: process_ } = await server();
    const proxy = await faultProxy(process_.port);
    onTestFinished(() => proxy.close());
    const one = await gateway({
      redis: at(`redis://127.0.0.1:${proxy.port}`, SLOWEST_MS),
      limits: { perKey: { requestsPerMinute: 10_000 } },
    });
    await eventually(() => isReady(one));
    for (let i = 0; i < 20; i++) await chat(one);
    proxy.set({ kind: "slow", latencyMs: 2 * SLOWEST_MS });
    const beganMs = performance.now();
    for (let i = 0; i < 20; i++) expect((await chat(one)).status).toBe(200);
    // Each of them waiting for its time would have been twenty times as long. How long a busy machine takes for the calls themselves is no matter beside it.
    expect(performance.now() - beganMs).toBeLessThan(10 * SLOWEST_MS);
  });

  it("a thousand equal questions to two of them, once what was kept is gone, are one call (F42)", () =>
    undisturbed(async (heard) => {
      const { url, command } = await server();
      const { upstream, ...config } = await kept({ answerMs: () => 300 });
      const options = { redis: at(url), ...config, ...telling(heard) };
      const both = [await gateway(options), await gateway(options)];
      for (const one of both) await eventually(() => isReady(one));
      await chat(both[0]!, { model: "route/kept" });
      expect((await chat(both[1]!, { model: "route/kept" })).cache).toBe("hit");
      expect(upstream.hits()).toBe(1);
      await command("FLUSHALL");
      const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => chat(both[i % 2]!, { model: "route/kept" })));
      expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(new Set(["200 answer 2"]));
      expect(upstream.hits()).toBe(2);
    }));

  it("a poisoned value is thrown away, and the answer is the vendor's (F41)", async () => {
    const { url, command } = await server();
    const { upstream, ...config } = await kept();
    const one = await gateway({ redis: at(url), ...config, telemetry: { metrics: { open: true } } });
    await eventually(() => isReady(one));
    const key = async () => /sallyport:cache:response:\S+/.exec(await command("KEYS sallyport:cache:response:*"))?.[0];
    await chat(one, { model: "route/kept" });
    await eventually(async () => (await key()) !== undefined);
    const at_ = await key();
    for (const poison of [`SET ${at_} {"answer":"mine"}`, `SET ${at_} ""`, `LPUSH ${at_} x`, `SETRANGE ${at_} 0 \xa7`]) {
      await command(`DEL ${at_}`);
      await command(poison);
      const before = upstream.hits();
      expect(await chat(one, { model: "route/kept" })).toMatchObject({ status: 200, text: `answer ${before + 1}` });
      await eventually(async () => (await chat(one, { model: "route/kept" })).cache === "hit");
    }
    expect((await get(one, "/metrics")).text).toMatch(/sallyport_cache_used_total\{status="rejected"\} [1-9]/);
  });
});
