import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Answer, Caller, ModelEvent, ModelHead } from "../../calls/index.js";
import { recordsOf } from "../../config/records.js";
import { configSchema } from "../../config/schema.js";
import type { Snapshot } from "../../config/snapshot.js";
import type { RateLimitRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { memoryCounters } from "../../memory/index.js";
import type { Counters } from "../../ports/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { Log } from "../../util/log.js";
import { LiveCall } from "../live-call.js";
import { runSteps } from "../run-steps.js";
import type { Step } from "../step.js";
import { GuardedCounters } from "./guarded-counters.js";
import { Limiter } from "./limiter.js";
import { rateLimit } from "./rate-limit.js";

const head: ModelHead = {
  kind: "model",
  protocol: "openai-chat",
  operation: "generate",
  name: "demo/echo",
  stream: false,
  maxOutputTokens: 100,
  bytes: 400,
};
const answer: Answer<ModelEvent> = { status: 200, headers: [], body: { kind: "bytes", bytes: new Uint8Array() } };
const forEver = { deadlineMs: Number.MAX_SAFE_INTEGER };
const caller = (id: string, over: Partial<Caller> = {}): Caller => ({
  ...{ kind: "key", id, name: id, projects: ["default"], grants: ["*"], keyId: id },
  ...over,
});

function row(over: Partial<RateLimitRow>): RateLimitRow {
  const base = { version: 1, createdAtMs: 0, updatedAtMs: 0, subjectId: "*", requestsPerMinute: null, tokensPerMinute: null };
  return { ...base, id: `${over.subject}-${over.subjectId}`, subject: "key", concurrency: null, enabled: true, ...over };
}

function snapshotOf(rows: readonly RateLimitRow[], limits: object = {}): Snapshot {
  const records = recordsOf(new Map([["rateLimit", rows]]));
  return { version: 1, config: configSchema.parse({ limits }), keys: new Map(), routes: new Map(), records, readAtMs: 0 };
}

/** The same counters, of which every answer comes later; or not at all. */
function remote(right: Counters, fails: () => boolean = () => false): Counters {
  const later = async <T>(ask: () => Promise<T>): Promise<T> => {
    await Promise.resolve();
    if (fails()) throw new GatewayError("store_unavailable", "away");
    return ask();
  };
  return {
    spend: (demands, w) => later(() => right.spend(demands, w)),
    adjust: (adjustment, w) => later(() => right.adjust(adjustment, w)),
    hold: (key, slot, w) => later(() => right.hold(key, slot, w)),
    release: (key, holder) => later(() => right.release(key, holder)),
  };
}

function limiting(
  snapshot: Snapshot,
  o: { readonly counters?: (right: Counters) => Counters; readonly whenDown?: "local" | "refuse" } = {},
) {
  const clock = new FakeClock();
  const right = memoryCounters({ clock });
  const lines: string[] = [];
  const log = new Log("debug", (level, message) => lines.push(`${level} ${message}`));
  const counters = new GuardedCounters({
    ...{ counters: o.counters?.(right) ?? right, local: memoryCounters({ clock }).now, clock, log },
    whenDown: () => o.whenDown ?? "local",
  });
  const steps = [rateLimit(new Limiter({ counters, clock }))];
  let next = 1;
  const errors: unknown[] = [];
  const open = (over: { readonly caller?: Caller; readonly head?: ModelHead; readonly depth?: number; readonly purpose?: string } = {}) =>
    new LiveCall<ModelHead>({
      ...{ id: `call_${next++}`, requestId: "req_1", runId: null, caller: caller("a"), head, snapshot, depth: 0, purpose: null },
      ...{ signal: new AbortController().signal, deadlineMs: clock.now() + 60_000, startedAtMs: clock.now(), face: "openai-chat" as const },
      decode: () => ({ kind: "model", call: { model: "demo/echo", messages: [] } }),
      onLeaveError: (error) => errors.push(error),
      ...over,
    });
  const call = (
    over: Parameters<typeof open>[0] = {},
    core: (live: LiveCall<ModelHead>) => void = () => undefined,
    more: readonly Step[] = [],
  ) => {
    const live = open(over);
    return runSteps([...steps, ...more], live, async () => (core(live), answer));
  };
  return { clock, right, lines, counters, call, errors };
}

describe("rate limits of a call", () => {
  it("cost no promise and tell nothing where nothing is limited", async () => {
    const { call } = limiting(snapshotOf([]));
    expect((await call()).headers).toEqual([]);
  });

  it("refuse what goes over, saying which limit, whose, and when to come back", async () => {
    const { call, clock } = limiting(snapshotOf([], { perKey: { requestsPerMinute: 2 } }));
    for (const wait of [10_000, 5_000]) {
      (await call()).done("sent");
      await clock.advance(wait);
    }
    const error = await call().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "rate_limited",
      message: 'The limit of the key "a" was reached: 2 requests a minute.',
      hint: "Come back in 45 s.",
      details: { subject: "key", subject_id: "a", measure: "requests", limit: 2, window_ms: 60_000 },
      retryAfterMs: 45_000,
    });
    (await call({ caller: caller("b") })).done("sent");
    await clock.advance(45_000);
    (await call()).done("sent");
    await expect(call()).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 10_000 });
  });

  it("count by whatever subject there is, and every one of them holds", async () => {
    const rows = [
      row({ subject: "user", subjectId: "u1", requestsPerMinute: 3 }),
      row({ subject: "team", requestsPerMinute: 4 }),
      row({ subject: "project", subjectId: "default", requestsPerMinute: 5 }),
      row({ subject: "agent", subjectId: "helper", requestsPerMinute: 1 }),
      row({ subject: "global", requestsPerMinute: 6 }),
    ];
    const { call } = limiting(snapshotOf(rows));
    const refusedBy = (who: Partial<Caller>) =>
      call({ caller: caller("k", { keyId: undefined, kind: "user", ...who }) }).then(
        (live) => (live.done("sent"), null),
        (error: GatewayError) => error.details?.["subject"],
      );
    for (let i = 0; i < 3; i++) expect(await refusedBy({ userId: "u1", teamId: "t1" })).toBeNull();
    expect(await refusedBy({ userId: "u1", teamId: "t1" })).toBe("user");
    expect(await refusedBy({ userId: "u2", teamId: "t1" })).toBeNull();
    expect(await refusedBy({ userId: "u2", teamId: "t1" })).toBe("team");
    expect(await refusedBy({ agentId: "helper" })).toBeNull();
    expect(await refusedBy({ agentId: "helper" })).toBe("agent");
    expect(await refusedBy({})).toBe("project");
    expect(await refusedBy({ projects: ["other"] })).toBeNull();
    expect(await refusedBy({ projects: ["third"] })).toBe("global");
  });

  it("take what names a subject before patterns, and longer patterns before shorter, amount by amount", async () => {
    const rows = [
      row({ subjectId: "ci-*", requestsPerMinute: 1, concurrency: 1 }),
      row({ subjectId: "ci-fast-*", requestsPerMinute: 2 }),
      row({ subjectId: "ci-fast-1", requestsPerMinute: 3 }),
      row({ subjectId: "ci-fast-2", requestsPerMinute: 9, enabled: false }),
    ];
    const { call } = limiting(snapshotOf(rows, { perKey: { requestsPerMinute: 4 } }));
    const many = async (id: string) => {
      for (let i = 0; ; i++) {
        const live = await call({ caller: caller(id) }).catch(() => null);
        if (live === null) return i;
        live.done("sent");
      }
    };
    expect([await many("ci-1"), await many("ci-fast-1"), await many("ci-fast-2"), await many("other")]).toEqual([1, 3, 2, 4]);
    await call({ caller: caller("ci-fast-3") }); // under way
    await expect(call({ caller: caller("ci-fast-3") })).rejects.toMatchObject({ details: { measure: "concurrency", limit: 1 } });
  });

  it("estimate tokens before a call and correct them after it", async () => {
    const { call } = limiting(snapshotOf([], { perKey: { tokensPerMinute: 1_000 } }));
    const left = (live: { readonly headers: readonly (readonly [string, string])[] }) =>
      live.headers.find(([name]) => name === "x-ratelimit-remaining-tokens")?.[1];
    const first = await call({}, (live) => live.meter.note({ inputTokens: 250, outputTokens: 50 }, null));
    expect(left(first)).toBe("800"); // 400 bytes and 100 tokens
    first.done("sent");
    const second = await call({}, (live) => (live.meter.attempts = 1));
    expect(left(second)).toBe("500");
    second.done("sent"); // nobody said what it used: the estimate stands
    expect(left(await call({ head: { ...head, operation: "count-tokens" } }))).toBeUndefined();
    const huge = call({ head: { ...head, bytes: 4_000_000 } });
    await expect(huge).rejects.toMatchObject({ code: "rate_limited", details: { measure: "tokens", limit: 1_000 } });
  });

  it("let through a call that is larger than its limit by its estimate, when nothing else was used", async () => {
    const { call, clock } = limiting(snapshotOf([], { perKey: { tokensPerMinute: 1_000 } }));
    (await call({ head: { ...head, bytes: 4_000_000 } })).done("sent");
    await clock.advance(60_000);
    (await call({ head: { ...head, bytes: 4_000_000 } }, (live) => live.meter.note({ inputTokens: 20 }, null))).done("sent");
    (await call()).done("sent");
  });

  it("give tokens back when a later step refuses, and the slot too", async () => {
    const snapshot = snapshotOf([], { perKey: { tokensPerMinute: 200, concurrency: 1 } });
    const { call } = limiting(snapshot);
    const refusing: Step = {
      name: "refusing",
      enter: () => {
        throw new GatewayError("content_blocked", "no");
      },
    };
    for (let i = 0; i < 5; i++) await expect(call({}, undefined, [refusing])).rejects.toMatchObject({ code: "content_blocked" });
    expect((await call()).status).toBe(200);
  });

  it("do not let a call that another one made wait for the slot of that", async () => {
    const { call } = limiting(snapshotOf([], { perKey: { concurrency: 1, requestsPerMinute: 3 } }));
    await call();
    expect((await call({ depth: 1 })).status).toBe(200);
    expect((await call({ depth: 1, purpose: "shadow" })).status).toBe(200);
    expect((await call({ depth: 1, purpose: "moderation" })).status).toBe(200);
    await expect(call({ depth: 1 })).rejects.toMatchObject({ details: { measure: "requests" } });
  });
});

describe("slots (F53)", () => {
  const ends = fc.constantFrom<"sent" | "left" | "failed" | "refused" | "crashed">("sent", "left", "failed", "refused", "crashed");
  const history = fc.array(fc.record({ key: fc.constantFrom("a", "b"), end: ends, closes: fc.nat({ max: 3 }) }), { maxLength: 60 });

  it.each([
    ["counters that never wait", { isRemote: false, isFlaky: false }],
    ["counters that answer later", { isRemote: true, isFlaky: false }],
    ["counters that answer later, and fail now and then", { isRemote: true, isFlaky: true }],
  ])("are never more than there are, and never leak: %s", async (_name, { isRemote, isFlaky }) => {
    await fc.assert(
      fc.asyncProperty(history, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), async (calls, failures) => {
        let asked = 0;
        const fails = (): boolean => isFlaky && failures[asked++ % failures.length] === true && asked % 5 === 0;
        const { call, clock, right, errors } = limiting(snapshotOf([], { perKey: { concurrency: 3, tokensPerMinute: 500 } }), {
          counters: (one) => (isRemote ? remote(one, fails) : one),
        });
        const open: { key: string; end: () => void }[] = [];
        for (const { key, end, closes } of calls) {
          const live = await call({ caller: caller(key) }, () => {
            if (end === "crashed") throw new Error("crashed");
          }).catch(() => null);
          if (live !== null) open.push({ key, end: () => live.done(end === "refused" || end === "crashed" ? "failed" : end) });
          for (const id of ["a", "b"]) expect(open.filter((one) => one.key === id).length).toBeLessThanOrEqual(3);
          for (let i = 0; i < closes; i++) open.shift()?.end();
          await new Promise((resolve) => setImmediate(resolve));
        }
        for (const { end } of open) end();
        await new Promise((resolve) => setImmediate(resolve));
        // A release that did not reach the counters is made up for when its call's deadline has passed.
        if (isFlaky) await clock.advance(70_000);
        for (const id of ["a", "b"]) {
          const hold = (holder: string) => right.hold(`limit:key:${id}:calls`, { holder, max: 3, untilMs: clock.now() + 1 }, forEver);
          expect(await Promise.all(["x", "y", "z"].map(hold))).toEqual([true, true, true]);
        }
        expect(errors).toEqual([]);
      }),
      { numRuns: isRemote ? 60 : 100 },
    );
  });
});

describe("counters that are away (F36, F40)", () => {
  const snapshot = snapshotOf([], { perKey: { requestsPerMinute: 5 } });
  const accepted = async (call: () => Promise<{ done: (how: "sent") => void }>, times: number): Promise<number> => {
    let count = 0;
    for (let i = 0; i < times; i++)
      await call().then(
        (live) => (live.done("sent"), count++),
        () => undefined,
      );
    return count;
  };

  it("let this process count alone, exactly, also while they come and go", async () => {
    let away = false;
    const { call, clock, lines, counters } = limiting(snapshot, { counters: (right) => remote(right, () => away) });
    expect(await accepted(call, 2)).toBe(2);
    away = true;
    expect(await accepted(call, 2)).toBe(2);
    expect(counters.isAway).toBe(true);
    away = false;
    await clock.advance(1_000);
    // One more, not three: what was counted alone is not forgotten.
    expect(await accepted(call, 5)).toBe(1);
    expect(counters.isAway).toBe(false);
    expect(lines).toEqual([
      "warn the counters do not answer: until they do, this process counts limits alone",
      "info the counters answer again",
    ]);
  });

  it("are waited for 60 ms once, and then left alone for a second", async () => {
    let asked = 0;
    const never: Counters = {
      spend: () => (asked++, new Promise(() => undefined)),
      adjust: () => new Promise(() => undefined),
      hold: () => new Promise(() => undefined),
      release: () => new Promise(() => undefined),
    };
    const { call, clock } = limiting(snapshot, { counters: () => never });
    const startedAtMs = clock.now();
    const first = call();
    await clock.advance(60);
    (await first).done("sent");
    expect(clock.now() - startedAtMs).toBe(60);
    expect(await accepted(call, 9)).toBe(4);
    expect(asked).toBe(1);
  });

  it("refuse limited calls where the operator wants that, and no others", async () => {
    const options = { counters: (right: Counters) => remote(right, () => true), whenDown: "refuse" as const };
    const { call, counters } = limiting(snapshot, options);
    await expect(call()).rejects.toMatchObject({ code: "overloaded", retryAfterMs: 1_000 });
    expect(counters.isAway).toBe(true);
    expect((await call({ caller: caller("host", { kind: "host", keyId: undefined }) })).status).toBe(200);
  });

  it("are exact on several nodes while they are there", async () => {
    const clock = new FakeClock();
    const shared = memoryCounters({ clock });
    const nodes = [1, 2, 3, 4].map(() => limiting(snapshot, { counters: () => remote(shared) }));
    const results = await Promise.all(nodes.flatMap(({ call }) => [1, 2, 3, 4, 5].map(() => accepted(call, 1))));
    expect(results.reduce((sum, one) => sum + one, 0)).toBe(5);
  });
});
