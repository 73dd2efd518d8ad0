import { describe, expect, it } from "vitest";
import type { ModelHead } from "../calls/index.js";
import { noRecords } from "../config/records.js";
import { configSchema } from "../config/schema.js";
import { GatewayError, type ErrorCode } from "../errors/index.js";
import { LiveCall } from "../policy/live-call.js";
import { Provider } from "../providers/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import { Log } from "../util/log.js";
import { attemptAll } from "./attempt-all.js";
import type { Target } from "./resolve.js";
import type { Attempt } from "./lanes/attempt.js";

const head: ModelHead = {
  ...{ kind: "model", protocol: "openai-chat", operation: "generate", name: "a/m", stream: false, maxOutputTokens: undefined, bytes: 2 },
};

function setUp(pools: Readonly<Record<string, readonly string[]>>) {
  const clock = new FakeClock();
  const controller = new AbortController();
  const targets = Object.entries(pools).map(([name, keys]): Target => {
    const provider = new Provider({
      ...{ name, vendor: "openai-compatible", baseUrl: "http://127.0.0.1:1/v1" },
      apiKeys: keys.map((value) => ({ value })),
    });
    return { provider, code: "m", id: `${name}/m`, model: null };
  });
  const lines: string[] = [];
  const log = new Log("debug", (level, message, fields) => lines.push(JSON.stringify({ level, message, ...fields })));
  const openCall = () =>
    new LiveCall<ModelHead>({
      ...{ id: "call_1", requestId: "req_1", runId: null, depth: 0, purpose: null, startedAtMs: clock.now(), head },
      caller: { kind: "owner", id: "owner", name: "owner", projects: ["default"], grants: ["*"] },
      snapshot: {
        version: 1,
        config: configSchema.parse({}),
        keys: new Map(),
        routes: new Map(),
        records: noRecords,
        readAtMs: clock.now(),
      },
      signal: controller.signal,
      deadlineMs: clock.now() + 60_000,
      decode: () => ({ kind: "tool", name: "", arguments: "" }),
      onLeaveError: (error) => {
        throw error;
      },
    });
  /** What was tried, as `provider:key`; `answers` says how each ends. */
  const run = async (answers: Readonly<Record<string, ErrorCode | GatewayError>>) => {
    const tried: string[] = [];
    const call = openCall();
    const once = async ({ target, key }: Attempt): Promise<string> => {
      const name = `${target.provider.name}:${key?.secret.reveal() ?? "-"}`;
      tried.push(name);
      const failure = answers[name];
      if (failure !== undefined) throw typeof failure === "string" ? new GatewayError(failure, "It failed.") : failure;
      return name;
    };
    const outcome = await attemptAll({ call, targets, clock, log }, once).catch((error: GatewayError) => error.code);
    return { outcome, tried, meter: call.meter };
  };
  /** The failure of a call whose attempts end with `failure`. */
  const call = (failure: GatewayError): Promise<unknown> =>
    attemptAll({ call: openCall(), targets, clock, log }, () => Promise.reject(failure)).catch((error: unknown) => error);
  return { run, call, clock, controller, lines };
}

describe("the attempts of a call", () => {
  it("end with the first answer", async () => {
    const { run } = setUp({ a: ["1"], b: ["2"] });
    expect(await run({})).toMatchObject({ outcome: "a:1", tried: ["a:1"], meter: { attempts: 1, provider: "a", model: "m" } });
  });

  it.each(["upstream_unavailable", "upstream_timeout", "upstream_protocol", "upstream_interrupted"] as const)(
    "go on to the next target after %s, not to another key of the same",
    async (code) => {
      const { run } = setUp({ a: ["1", "2"], b: ["3"] });
      const { outcome, tried, meter } = await run({ "a:1": code, "a:2": code });
      expect(outcome).toBe("b:3");
      expect(tried.length).toBe(2);
      expect(meter).toMatchObject({ attempts: 2, provider: "b" });
    },
  );

  it.each(["upstream_credential", "upstream_rate_limited"] as const)(
    "go on to the next key after %s, then to the next target",
    async (code) => {
      const { run } = setUp({ a: ["1", "2"], b: ["3"] });
      const { outcome, tried } = await run({ "a:1": code, "a:2": code });
      expect(outcome).toBe("b:3");
      expect(tried.slice(0, 2).sort()).toEqual(["a:1", "a:2"]);
    },
  );

  it.each(["upstream_rejected", "validation_failed", "unsupported_feature", "misconfigured", "internal"] as const)(
    "end at once with %s: the next one would answer the same",
    async (code) => {
      const { run } = setUp({ a: ["1", "2"], b: ["3"] });
      const { outcome, tried } = await run({ "a:1": code, "a:2": code });
      expect(outcome).toBe(code);
      expect(tried.length).toBe(1);
    },
  );

  it("fail with the last failure", async () => {
    const { run } = setUp({ a: ["1"], b: ["2"] });
    expect(await run({ "a:1": "upstream_timeout", "b:2": "upstream_unavailable" })).toMatchObject({ outcome: "upstream_unavailable" });
  });

  it("leave a refused key alone for a while, and come back to it", async () => {
    const { run, clock } = setUp({ a: ["1", "2"] });
    const refused = { "a:1": "upstream_credential" } as const;
    for (let i = 0; i < 50; i++) await run(refused); // by now it was drawn at least once
    for (let i = 0; i < 50; i++) expect((await run(refused)).tried).toEqual(["a:2"]);
    await clock.advance(300_000);
    const tried = new Set<string>();
    for (let i = 0; i < 50; i++) for (const name of (await run({})).tried) tried.add(name);
    expect(tried).toEqual(new Set(["a:1", "a:2"]));
  });

  it("leave a slowed key alone as long as the vendor says, but never for long", async () => {
    const { run, clock } = setUp({ a: ["1", "2"] });
    const slowed = { "a:1": new GatewayError("upstream_rate_limited", "Slow down.", { retryAfterMs: 3_600_000 }) };
    for (let i = 0; i < 50; i++) await run(slowed);
    expect((await run(slowed)).tried).toEqual(["a:2"]);
    await clock.advance(60_000);
    const tried = new Set<string>();
    for (let i = 0; i < 50; i++) for (const name of (await run({})).tried) tried.add(name);
    expect(tried.has("a:1")).toBe(true);
  });

  it("are at most eight, however many keys there are", async () => {
    const keys = Array.from({ length: 30 }, (_, i) => String(i));
    const { run } = setUp({ a: keys });
    const { outcome, tried } = await run(Object.fromEntries(keys.map((key) => [`a:${key}`, "upstream_rate_limited" as const])));
    expect(outcome).toBe("upstream_rate_limited");
    expect(new Set(tried).size).toBe(8);
  });

  it("end when the caller went", async () => {
    const { run, controller } = setUp({ a: ["1"], b: ["2"] });
    controller.abort();
    expect(await run({ "a:1": "upstream_unavailable" })).toMatchObject({ tried: ["a:1"], outcome: "upstream_unavailable" });
  });

  it("work without a key where none is needed", async () => {
    const { run } = setUp({ a: [], b: ["2"] });
    expect(await run({})).toMatchObject({ tried: ["a:-"] });
    expect(await run({ "a:-": "upstream_credential" })).toMatchObject({ tried: ["a:-", "b:2"], outcome: "b:2" });
  });

  it("are no warning of a provider when the caller left or the gateway closes", async () => {
    const { run, controller, lines } = setUp({ a: ["1"], b: ["2"] });
    await run({ "a:1": "cancelled" });
    await run({ "a:1": "shutting_down" });
    controller.abort();
    await run({ "a:1": "upstream_interrupted" });
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(["debug", "debug", "debug"]);
  });

  it("never tell the key that they failed with, wherever it stands, whole or cut off", async () => {
    const { call } = setUp({ a: ["Opaque-0123456789"] });
    const said = new GatewayError("upstream_rejected", "not Opaque-0123456789, but Opaque-0123…", {
      hint: "mend Opaque-0123456789",
      details: { code: "Opaque-0123456789", param: "Opaque-01234" },
      retryAfterMs: 5,
    });
    const failure = await call(said);
    expect(failure).toMatchObject({
      message: "not ***, but ***",
      hint: "mend ***",
      details: { code: "***", param: "***", provider: "a", model: "m" },
      retryAfterMs: 5,
    });
  });

  it("are logged when they fail, with the key's place and not the key", async () => {
    const { run, lines } = setUp({ a: ["sk-canary"] });
    await run({ "a:sk-canary": "upstream_credential" });
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ level: "warn", provider: "a", code: "upstream_credential", key: 0, callId: "call_1" }),
    ]);
    expect(lines.join()).not.toContain("canary");
  });
});
