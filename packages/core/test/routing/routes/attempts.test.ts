import { afterEach, describe, expect, it } from "vitest";
import { closeAll, owner } from "../harness.js";
import { failure, routed } from "../routes-harness.js";

afterEach(closeAll);

const down = () => failure("upstream_unavailable");
const two = [{ model: "a/m" }, { model: "b/m" }];

describe("a route with one target", () => {
  const alone = [{ model: "a/m" }];

  it("repeats a failure twice, after waits that are drawn", async () => {
    const { ask, asked, clock } = routed({ a: (n) => (n < 3 ? down() : "there") }, { targets: alone }, { random: () => 0.5 });
    const answer = ask();
    await clock.advance(124);
    expect(asked.length).toBe(1);
    await clock.advance(1);
    expect(asked.length).toBe(2);
    await clock.advance(250);
    expect(await answer).toBe("there");
    expect(asked.length).toBe(3);
  });

  it("says that it was repeated when all was in vain, so that the caller's SDK does not repeat it again", async () => {
    const { ask, clock, asked } = routed({ a: down }, { targets: alone });
    const answer = ask();
    await clock.advance(10_000);
    expect(await answer).toMatchObject({ code: "upstream_unavailable", details: { retryable: false, attempts: 3 } });
    expect(asked.length).toBe(3);
  });

  it("repeats no more than one call in ten, over all calls, however willing each of them is", async () => {
    const flaky = (n: number) => (n % 2 === 1 ? down() : "there");
    const { ask, asked, clock } = routed({ a: flaky }, { targets: alone, retries: { max: 5 } });
    for (let i = 0; i < 200; i++) {
      const answer = ask();
      await clock.advance(300);
      await answer;
    }
    expect(asked.length).toBeGreaterThan(210);
    expect(asked.length).toBeLessThanOrEqual(222);
  });

  it("says nothing of the kind when it was asked once", async () => {
    const { ask } = routed({ a: down }, { targets: alone, retries: { max: 0 } });
    expect(((await ask()) as { details?: object }).details).not.toHaveProperty("retryable");
  });

  it.each([
    ["upstream_rejected", {}],
    ["upstream_rate_limited", { details: { reason: "insufficient_quota", retryable: false } }],
    ["upstream_credential", {}],
    ["misconfigured", {}],
  ] as const)("repeats no %s %j", async (code, o) => {
    const { ask, asked, clock } = routed({ a: () => failure(code, o) }, { targets: alone });
    const answer = ask();
    await clock.advance(60_000);
    expect(await answer).toMatchObject({ code });
    expect(asked.length).toBe(1);
  });

  // F58
  it("waits as long as the vendor asks, and a little more that is drawn", async () => {
    const limited = failure("upstream_rate_limited", { retryAfterMs: 3_000 });
    const { ask, asked, clock } = routed({ a: (n) => (n === 1 ? limited : "there") }, { targets: alone }, { random: () => 0.5 });
    const answer = ask();
    await clock.advance(3_124);
    expect(asked.length).toBe(1);
    await clock.advance(1);
    expect(await answer).toBe("there");
  });

  it.each([9_000, 86_400_000])("does not wait %d ms: it tells the caller when to come back", async (retryAfterMs) => {
    const { ask, asked, clock } = routed({ a: () => failure("upstream_rate_limited", { retryAfterMs }) }, { targets: alone });
    expect(await ask()).toMatchObject({ code: "upstream_rate_limited", retryAfterMs });
    expect([asked.length, clock.pending]).toEqual([1, 0]);
  });

  it("waits for nobody who went, and past no deadline", async () => {
    const { ask, asked, clock } = routed(
      { a: down },
      { targets: alone, retries: { baseMs: 60_000, maxMs: 60_000 } },
      { random: () => 0.9 },
    );
    const controller = new AbortController();
    const answer = ask({}, { signal: controller.signal });
    await clock.advance(10);
    controller.abort();
    expect(await answer).toMatchObject({ code: "upstream_unavailable" });
    expect(await ask({}, { deadlineMs: clock.now() + 50_000 })).toMatchObject({ code: "upstream_unavailable" });
    expect([asked.length, clock.pending]).toEqual([2, 0]);
  });
});

describe("a route that falls back", () => {
  it("goes to the next target at once, without a wait", async () => {
    const { ask, asked } = routed({ a: down, b: () => "b" }, { targets: two });
    expect(await ask()).toBe("b");
    expect(asked).toEqual(["a", "b"]);
  });

  it("only on the failures that it names", async () => {
    const { ask, asked } = routed({ a: down, b: () => "b" }, { targets: two, fallbackOn: ["timeout"] });
    expect(await ask()).toMatchObject({ code: "upstream_unavailable" });
    expect(asked).toEqual(["a"]);
  });

  it("passes over a target that was told to slow down, for as long as it was told", async () => {
    let limited = true;
    const a = () => (limited ? failure("upstream_rate_limited", { retryAfterMs: 30_000 }) : "a");
    const { ask, asked, clock } = routed({ a, b: () => "b" }, { targets: two });
    for (let i = 0; i < 5; i++) await ask();
    expect(asked.filter((name) => name === "a").length).toBe(1);
    limited = false;
    await clock.advance(30_000);
    expect(await ask()).toBe("a");
  });

  it.each(["upstream_credential", "upstream_rate_limited"] as const)(
    "passes over a target after %s even when every target rests, but asks the soonest",
    async (code) => {
      const { ask, asked } = routed({ a: () => failure(code), b: () => failure(code, { retryAfterMs: 1 }) }, { targets: two });
      await ask();
      expect(asked.splice(0)).toEqual(["a", "b"]);
      await ask();
      expect(asked.length).toBe(1); // one hit a call, not one a target
    },
  );

  it("passes over a target whose breaker is open, and lets one call try it when its time is over", async () => {
    let isDown = true;
    const { ask, asked, clock } = routed({ a: () => (isDown ? down() : "a"), b: () => "b" }, { targets: two });
    for (let i = 0; i < 20; i++) expect(await ask()).toBe("b");
    expect(asked.filter((name) => name === "a").length).toBe(5);
    await clock.advance(5_000);
    asked.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => ask()));
    expect(asked.filter((name) => name === "a").length).toBe(1);
    isDown = false;
    await clock.advance(10_000);
    expect(await ask()).toBe("a");
    expect(await Promise.all([ask(), ask()])).toEqual(["a", "a"]);
  });

  it("tells how long every target is left alone, without asking any", async () => {
    const { ask, asked } = routed({ a: down, b: down }, { targets: two });
    for (let i = 0; i < 10; i++) await ask();
    asked.length = 0;
    expect(await ask()).toMatchObject({ code: "upstream_unavailable", retryAfterMs: 5_000, details: { targets: ["a/m", "b/m"] } });
    expect(asked).toEqual([]);
  });

  it("goes on to a larger model when the call does not fit, and to no smaller one", async () => {
    const tooLong = () => failure("upstream_rejected", { details: { reason: "context_length_exceeded" } });
    const sized = (contextTokens: number, does: () => string | ReturnType<typeof failure>) => ({
      does,
      models: [{ code: "m", contextTokens }],
    });
    const vendors = { a: sized(8_000, tooLong), b: sized(4_000, () => "b"), c: sized(200_000, () => "c"), d: () => "d" };
    const targets = [...two, { model: "c/m" }, { model: "d/m" }];
    const { ask, asked } = routed(vendors, { targets });
    expect(await ask()).toBe("c");
    expect(asked).toEqual(["a", "c"]);
    const chosen = routed(vendors, { targets: two, contextOverflow: "d/m" });
    expect(await chosen.ask()).toBe("d");
    expect(chosen.asked).toEqual(["a", "d"]);
    const none = routed(vendors, { targets: two });
    expect(await none.ask()).toMatchObject({ code: "upstream_rejected", details: { reason: "context_length_exceeded" } });
    expect(none.asked).toEqual(["a"]);
  });

  it("leaves content that a vendor refused to this vendor, unless it is told otherwise", async () => {
    const filtered = () => failure("upstream_rejected", { details: { code: "content_filter" } });
    const strict = routed({ a: filtered, b: () => "b" }, { targets: two });
    expect(await strict.ask()).toMatchObject({ code: "upstream_rejected" });
    expect(await routed({ a: filtered, b: () => "b" }, { targets: two, fallbackOn: ["content-filter"] }).ask()).toBe("b");
  });
});

describe("a route with timeouts", () => {
  const silent = (_n: number, signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));

  it("goes on when an answer does not begin in time, and stops asking there", async () => {
    let stopped = false;
    const a = (n: number, signal: AbortSignal) => {
      signal.addEventListener("abort", () => (stopped = true));
      return silent(n, signal);
    };
    const { ask, clock, asked } = routed({ a, b: () => "b" }, { targets: two, timeouts: { firstTokenMs: 2_000 } });
    const answer = ask();
    await clock.advance(1_999);
    expect(asked).toEqual(["a"]);
    await clock.advance(1);
    expect(await answer).toBe("b");
    expect([stopped, clock.pending]).toEqual([true, 0]);
  });

  it("bounds each attempt at a whole answer, but not by the first token of streams", async () => {
    const { askWhole, clock, asked } = routed(
      { a: silent, b: () => "b" },
      { targets: two, timeouts: { firstTokenMs: 1, attemptMs: 5_000 } },
    );
    const answer = askWhole();
    await clock.advance(4_999);
    expect(asked).toEqual(["a"]);
    await clock.advance(1);
    expect((await answer).headers).toMatchObject({ "x-sallyport-model": "b/m", "x-sallyport-attempts": "2" });
  });

  it("bounds all attempts together", async () => {
    const { ask, clock, asked } = routed({ a: silent, b: silent }, { targets: two, timeouts: { firstTokenMs: 3_000, totalMs: 4_000 } });
    const answer = ask();
    await clock.advance(4_000);
    expect(await answer).toMatchObject({ code: "deadline_exceeded" });
    expect(asked).toEqual(["a", "b"]);
  });

  it("says which target was too slow", async () => {
    const { ask, clock } = routed({ a: silent }, { targets: [{ model: "a/m" }], retries: { max: 0 }, timeouts: { attemptMs: 10 } });
    const answer = ask();
    await clock.advance(10);
    expect(await answer).toMatchObject({ code: "upstream_timeout", details: { provider: "a", model: "m" } });
  });
});

describe("an explanation", () => {
  it("says who rests, why and for how long, agrees with what happens, and changes nothing by looking", async () => {
    const limited = failure("upstream_rate_limited", { retryAfterMs: 30_000 });
    const vendors = { a: down, b: (n: number) => (n === 5 ? limited : "b"), c: () => "c" };
    const { ask, asked, clock, models } = routed(vendors, { targets: [...two, { model: "c/m" }] });
    const told = () =>
      models.explain(owner, "r").targets.map(({ model, outcome, breaker, reasons }) => [model, outcome, breaker, reasons[0]]);
    for (let i = 0; i < 5; i++) await ask();
    const resting = [
      ["c/m", "first", "closed", "number 3 as written"],
      ["a/m", "skipped", "open", "failed too often: nobody is let through for 5000 ms"],
      ["b/m", "skipped", "closed", "cools down for 30000 ms after a refusal"],
    ];
    expect(told()).toEqual(resting);
    expect(told()).toEqual(resting);
    asked.length = 0;
    expect(await ask()).toBe("c");
    expect(asked).toEqual(["c"]);
    await clock.advance(5_000);
    expect(told().map((target) => target.slice(0, 3))).toEqual([
      ["a/m", "first", "half-open"],
      ["c/m", "stands-in", "closed"],
      ["b/m", "skipped", "closed"],
    ]);
    asked.length = 0;
    await ask();
    expect(asked).toEqual(["a", "c"]);
    await clock.advance(30_000);
    expect(told()[1]).toEqual(["b/m", "stands-in", "closed", "number 2 as written"]);
  });
});
