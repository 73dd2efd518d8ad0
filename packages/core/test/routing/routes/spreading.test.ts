import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { closeAll, owner } from "../harness.js";
import { failure, routed, says, seeded } from "../routes-harness.js";

afterEach(closeAll);

const answering = { a: () => "a", b: () => "b", c: () => "c" };
const two = [{ model: "a/m" }, { model: "b/m" }];
/** Which vendors answered so many different conversations. */
async function answers(set: ReturnType<typeof routed>, calls: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < calls; i++) {
    const by = String(await set.ask({ messages: [says(`conversation ${i}`)] }));
    counts[by] = (counts[by] ?? 0) + 1;
  }
  return counts;
}

describe("a weighted route", () => {
  const weighted = { strategy: "weighted" as const, targets: [{ model: "a/m" }, { model: "b/m", weight: 3 }, { model: "c/m", weight: 6 }] };

  it.each(["none", "prefix"] as const)("sends each target its share (sticky: %s)", async (sticky) => {
    const counts = await answers(routed(answering, { ...weighted, sticky }), 1_000);
    expect([counts["a"]! / 100, counts["b"]! / 100, counts["c"]! / 100].map(Math.round)).toEqual([1, 3, 6]);
  });

  it("keeps a conversation at its target, turn for turn and process for process", async () => {
    const turns = (text: string) => [[says(text)], [says(text), { role: "assistant" as const, content: [] }, says("and then?")]];
    for (let i = 0; i < 20; i++) {
      const seen = new Set<unknown>();
      for (const messages of turns(`conversation ${i}`))
        for (const seed of [1, 2]) seen.add(await routed(answering, weighted, { random: seeded(seed) }).ask({ messages }));
      expect(seen.size).toBe(1);
    }
  });

  it("keeps a named session at its target whatever is said in it", async () => {
    const set = routed(answering, { ...weighted, sticky: "session" });
    for (const sessionId of ["s1", "s2", "s3"]) {
      const seen = new Set<unknown>();
      for (let i = 0; i < 10; i++) seen.add(await set.ask({ messages: [says(`message ${i}`)] }, { sessionId }));
      expect(seen.size).toBe(1);
    }
    const unnamed = new Set<unknown>();
    for (let i = 0; i < 50; i++) unnamed.add(await set.ask());
    expect(unnamed.size).toBe(3);
  });

  it("moves a conversation only while its target fails", async () => {
    let isDown = false;
    const set = routed({ ...answering, c: () => (isDown ? failure("upstream_unavailable") : "c") }, weighted);
    const messages = [says("conversation 1")];
    const before = await set.ask({ messages });
    isDown = true;
    const meanwhile = await set.ask({ messages });
    expect(meanwhile === before || before === "c").toBe(true);
    isDown = false;
    expect(await set.ask({ messages })).toBe(before);
  });
});

describe("the order of targets", () => {
  const priced = (does: () => string, input?: string) => ({
    does,
    models: [{ code: "m", ...(input === undefined ? {} : { prices: { input, output: input } }) }],
  });

  it("by cost is the cheapest first, those without a price last", async () => {
    const vendors = { a: priced(answering.a), b: priced(answering.b, "3"), c: priced(answering.c, "0.5") };
    const set = routed(vendors, { strategy: "cost", targets: [...two, { model: "c/m" }] });
    expect(await set.ask()).toBe("c");
    expect(set.models.explain(owner, "r").targets.map(({ model }) => model)).toEqual(["c/m", "b/m", "a/m"]);
  });

  it("by latency measures what it does not know, and then prefers the quickest to begin", async () => {
    const clock: { at?: ReturnType<typeof routed>["clock"] } = {};
    const slow = (ms: number, text: string) => () =>
      new Promise<string>((resolve) => clock.at!.at(clock.at!.now() + ms, () => resolve(text)));
    const set = routed(
      { a: slow(300, "a"), b: slow(20, "b"), c: slow(100, "c") },
      { strategy: "latency", targets: [...two, { model: "c/m" }] },
    );
    clock.at = set.clock;
    const order: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      const answer = set.ask();
      await set.clock.advance(300);
      order.push(await answer);
    }
    expect(order).toEqual(["a", "b", "c", "b", "b"]);
    await set.clock.advance(300_001); // what was measured is old news
    const answer = set.ask();
    await set.clock.advance(300);
    expect(await answer).toBe("a");
  });

  it("by load is that with the fewest calls under way first", async () => {
    const waits: ((text: string) => void)[] = [];
    const busy = () => new Promise<string>((resolve) => waits.push(resolve));
    const set = routed({ a: busy, b: busy, c: busy }, { strategy: "least-busy", targets: [...two, { model: "c/m" }] });
    const calls = [];
    for (let i = 0; i < 6; i++) {
      calls.push(set.ask());
      await nextTurn();
    }
    expect(set.asked).toEqual(["a", "b", "c", "a", "b", "c"]);
    for (const resolve of waits.splice(0)) resolve("done");
    await Promise.all(calls);
    expect(set.models.explain(owner, "r").targets.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0]);
  });
});

describe("a canary", () => {
  it("answers its share, and its targets stand in when it fails", async () => {
    const canary = { model: "c/m", percent: 10 };
    const counts = await answers(routed(answering, { targets: two, canary }), 1_000);
    expect(Math.abs(counts["c"]! - 100)).toBeLessThan(30);
    expect(counts["a"]! + counts["c"]!).toBe(1_000);
    const failing = routed(
      { ...answering, c: () => failure("upstream_unavailable") },
      { targets: two, canary: { ...canary, percent: 100 } },
    );
    expect(await failing.ask()).toBe("a");
    expect(failing.asked).toEqual(["c", "a"]);
  });

  it("keeps the conversations that it was given, by chance only for routes that do not stick", async () => {
    const canary = { model: "c/m", percent: 50 };
    const stuck = routed(answering, { targets: two, canary });
    for (let i = 0; i < 20; i++) {
      const messages = [says(`conversation ${i}`)];
      expect(await stuck.ask({ messages })).toBe(await stuck.ask({ messages }));
    }
    const loose = routed(answering, { targets: two, canary, sticky: "none" });
    const seen = new Set<unknown>();
    for (let i = 0; i < 30; i++) seen.add(await loose.ask());
    expect(seen).toEqual(new Set(["a", "c"]));
  });
});

describe("a shadow", () => {
  it("is sent a copy, metered for its purpose, and nobody sees its answer", async () => {
    const set = routed(answering, { targets: two, shadow: { model: "c/m", percent: 100 } });
    expect(await set.ask()).toBe("a");
    while (set.asked.length < 2) await nextTurn();
    for (let i = 0; i < 20; i++) await nextTurn();
    const { usage } = await set.ledgers();
    expect(usage).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: "route/r", provider: "a", purpose: null, inputTokens: 3 }),
        expect.objectContaining({ name: "route/r", provider: "c", purpose: "shadow", inputTokens: 3, outputTokens: 2 }),
      ]),
    );
    expect(usage.length).toBe(2);
  });

  it("is sent its share, and its failure or silence is nobody's", async () => {
    const silent = (_n: number, signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    const set = routed(
      { ...answering, b: (n, signal) => (n % 2 === 0 ? failure("upstream_rejected") : silent(n, signal)) },
      {
        ...{ targets: [{ model: "a/m" }], shadow: { model: "b/m", percent: 5 } },
      },
    );
    expect(await answers(set, 400)).toEqual({ a: 400 });
    for (let i = 0; i < 20; i++) await nextTurn();
    expect(Math.abs(set.counts["b"]! - 20)).toBeLessThan(10);
    set.models.close();
    for (let i = 0; i < 20; i++) await nextTurn();
    expect((await set.ledgers()).usage.length).toBe(400 + set.counts["b"]!);
    expect(set.internalErrors).toEqual([]);
  });
});

describe("a hedge", () => {
  const hedge = { afterMs: 100 };
  const slowly = (set: () => ReturnType<typeof routed>["clock"], ms: number, text: string) => () =>
    new Promise<string>((resolve) => set().at(set().now() + ms, () => resolve(text)));
  function slow(a: number, b: number, o: { readonly afterMs?: number } = {}) {
    const set: ReturnType<typeof routed> = routed(
      { a: slowly(() => set.clock, a, "a"), b: slowly(() => set.clock, b, "b") },
      { targets: two, hedge: { ...hedge, ...o } },
    );
    return set;
  }

  it("asks a second target when the first is slow; the first answer counts, and both attempts", async () => {
    const set = slow(1_000, 50);
    const answer = set.askWhole({ max_tokens: 10 });
    await set.clock.advance(99);
    expect(set.asked).toEqual(["a"]);
    await set.clock.advance(51);
    const { headers, text } = await answer;
    expect(headers).toMatchObject({ "x-sallyport-model": "b/m", "x-sallyport-attempts": "2" });
    expect(text).toContain('"b"');
    await set.clock.advance(1_000);
    const { usage } = await set.ledgers();
    expect(usage).toEqual([expect.objectContaining({ provider: "b", inputTokens: 3, partial: false })]);
    expect([set.models.explain(owner, "r").targets.map(({ inFlight }) => inFlight), set.internalErrors]).toEqual([[0, 0], []]);
  });

  it("lets the first win when it is the first after all", async () => {
    const set = slow(150, 1_000);
    const answer = set.askWhole({ max_tokens: 10 });
    await set.clock.advance(150);
    expect((await answer).headers).toMatchObject({ "x-sallyport-model": "a/m", "x-sallyport-attempts": "2" });
  });

  it("asks nobody twice who answers in time, asks for much, or is streamed", async () => {
    for (const body of [{ max_tokens: 10 }, { max_tokens: 1_025 }, {}, { max_tokens: 10, stream: true }]) {
      const set = slow("max_tokens" in body && body.max_tokens === 10 && !("stream" in body) ? 90 : 500, 50);
      const answer = set.askWhole(body);
      await set.clock.advance(500);
      await answer;
      expect(set.asked).toEqual(["a"]);
    }
  });

  it("waits for the other when one of them fails, and falls back when both do", async () => {
    const set: ReturnType<typeof routed> = routed(
      {
        a: () => new Promise((resolve) => set.clock.at(set.clock.now() + 120, () => resolve(failure("upstream_unavailable")))),
        b: slowly(() => set.clock, 200, "b"),
      },
      { targets: two, hedge },
    );
    const answer = set.askWhole({ max_tokens: 10 });
    await set.clock.advance(300);
    expect((await answer).headers).toMatchObject({ "x-sallyport-model": "b/m" });
    const both = routed(
      { a: () => failure("upstream_unavailable"), b: () => failure("upstream_timeout"), c: () => "c" },
      {
        ...{ targets: [...two, { model: "c/m" }], hedge },
      },
    );
    expect((await both.askWhole({ max_tokens: 10 })).headers).toMatchObject({ "x-sallyport-model": "c/m", "x-sallyport-attempts": "3" });
  });

  it("is paid for from the budget of repetitions: slow vendors are not asked everything twice", async () => {
    const set = slow(500, 500);
    for (let i = 0; i < 100; i++) {
      const answer = set.askWhole({ max_tokens: 10 });
      await set.clock.advance(700);
      await answer;
    }
    expect(set.asked.length).toBeLessThanOrEqual(115);
    expect(set.asked.length).toBeGreaterThan(100);
  });
});
