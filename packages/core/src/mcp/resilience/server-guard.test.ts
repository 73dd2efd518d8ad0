import { describe, expect, it } from "vitest";
import { serverResilienceSchema, type ServerResilienceInput } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { Log } from "../../util/log.js";
import { ServerGuard, type AttemptBounds, type GuardedCall } from "./server-guard.js";

function guarded(rules?: ServerResilienceInput, callMs?: number) {
  const clock = new FakeClock();
  const parsed = rules === undefined ? undefined : serverResilienceSchema.parse(rules);
  const guard = new ServerGuard({ server: "s", clock, log: new Log("error", () => undefined), rules: parsed, callMs });
  const call = (more: Partial<GuardedCall> = {}): GuardedCall => ({
    ...{ nature: "unknown", canBeAsked: false, deadlineMs: clock.now() + 60_000 },
    ...more,
  });
  return { clock, guard, call };
}
const broken = (details?: Record<string, unknown>) =>
  details === undefined ? new GatewayError("upstream_interrupted", "x") : new GatewayError("upstream_unavailable", "x", { details });
const limited = (retryAfterMs?: number) =>
  new GatewayError("upstream_rate_limited", "x", { details: { status: 429 }, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
const failing =
  (error: GatewayError) =>
  ({ sent }: AttemptBounds) => {
    sent();
    return Promise.reject(error);
  };
const fine = () => Promise.resolve("fine");
/** An attempt that ends when it is told to. */
function held() {
  const signals: AbortSignal[] = [];
  const ends: ((value: string) => void)[] = [];
  const attempt = ({ signal, sent }: AttemptBounds) => {
    sent();
    if (signal !== undefined) signals.push(signal);
    return new Promise<string>((resolve, reject) => {
      ends.push(resolve);
      signal?.addEventListener("abort", () => reject(new GatewayError("cancelled", "x")));
    });
  };
  return { attempt, signals, ends };
}
const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

describe("the breaker", () => {
  it("leaves a server alone that keeps breaking calls, then lets one try", async () => {
    const { guard, call, clock } = guarded();
    for (let i = 0; i < 5; i++) await expect(guard.run(call(), failing(broken()))).rejects.toThrow("x");
    expect(guard.state().breaker).toBe("open");
    await expect(guard.run(call(), fine)).rejects.toMatchObject({
      code: "upstream_unavailable",
      retryAfterMs: 5_000,
      details: { reason: "circuit_open" },
    });
    await clock.advance(5_000);
    expect(guard.state().breaker).toBe("half-open");
    const probe = held();
    const probing = guard.run(call(), probe.attempt);
    await settled();
    await expect(guard.run(call(), fine)).rejects.toMatchObject({ details: { reason: "circuit_open" } });
    probe.ends[0]!("back");
    expect(await probing).toBe("back");
    expect([await guard.run(call(), fine), guard.state().breaker]).toEqual(["fine", "closed"]);
  });

  it("is not opened by callers: by their deadlines, their going, or what was never sent", async () => {
    const { guard, call } = guarded();
    const late = new GatewayError("upstream_timeout", "late");
    for (let i = 0; i < 9; i++) {
      await expect(guard.run(call(), failing(late))).rejects.toThrow("late");
      await expect(guard.run(call(), failing(new GatewayError("cancelled", "gone")))).rejects.toThrow("gone");
      await expect(guard.run(call(), () => Promise.reject(broken()))).rejects.toThrow("x");
    }
    expect(guard.state().breaker).toBe("closed");
    // The server's own time is the operator's word on how long it may take.
    const own = guarded({ breaker: { failures: 2 } }, 1_000);
    for (let i = 0; i < 2; i++) await expect(own.guard.run(own.call(), failing(late))).rejects.toThrow("late");
    expect(own.guard.state().breaker).toBe("open");
  });
});

describe("the bulkhead", () => {
  it("lets so many through, keeps so many waiting in order, and refuses the rest", async () => {
    const { guard, call } = guarded({ maxConcurrent: 1, maxQueued: 2 });
    const work = held();
    const running = [guard.run(call(), work.attempt), guard.run(call(), work.attempt)];
    const gone = new AbortController();
    const left = guard.run(call({ signal: gone.signal }), work.attempt);
    await settled();
    expect(guard.state()).toMatchObject({ inFlight: 1, queued: 2 });
    await expect(guard.run(call(), fine)).rejects.toMatchObject({ code: "overloaded" });
    gone.abort();
    await expect(left).rejects.toMatchObject({ code: "cancelled" });
    work.ends[0]!("first");
    await settled();
    work.ends[1]!("second");
    expect(await Promise.all(running)).toEqual(["first", "second"]);
    expect(guard.state()).toMatchObject({ inFlight: 0, queued: 0 });
  });

  it("keeps nobody waiting past its deadline", async () => {
    const { guard, call, clock } = guarded({ maxConcurrent: 1 });
    const work = held();
    const first = guard.run(call(), work.attempt);
    const waiting = expect(guard.run(call({ deadlineMs: clock.now() + 100 }), fine)).rejects.toMatchObject({ code: "upstream_timeout" });
    await settled();
    await clock.advance(100);
    await waiting;
    work.ends[0]!("done");
    await first;
    expect(clock.pending).toBe(0);
  });
});

describe("a call whose client is asked", () => {
  it("lends its place to others until the answer is there, and goes on at once, beside them", async () => {
    const { guard, call } = guarded({ maxConcurrent: 1, maxQueued: 1 });
    const places: AttemptBounds[] = [];
    const work = held();
    const asking = guard.run(call({ canBeAsked: true }), (bounds) => (places.push(bounds), work.attempt(bounds)));
    await settled();
    const waiting = guard.run(call(), work.attempt);
    await settled();
    expect(guard.state()).toMatchObject({ inFlight: 1, queued: 1 });
    const [{ place }] = places as [AttemptBounds];
    place.lend();
    place.lend();
    await settled();
    expect([guard.state(), work.ends.length]).toMatchObject([{ inFlight: 1, queued: 0 }, 2]);
    place.takeBack();
    place.takeBack();
    expect(guard.state()).toMatchObject({ inFlight: 2, queued: 0 });
    const next = guard.run(call(), work.attempt);
    await settled();
    // One of two that are there may not let a third in.
    work.ends[0]!("asked");
    expect(await asking).toBe("asked");
    await settled();
    expect([guard.state(), work.ends.length]).toMatchObject([{ inFlight: 1, queued: 1 }, 2]);
    place.lend();
    work.ends[1]!("waited");
    await settled();
    work.ends[2]!("next");
    expect(await Promise.all([waiting, next])).toEqual(["waited", "next"]);
    expect(guard.state()).toMatchObject({ inFlight: 0, queued: 0 });
  });

  it("is proof that the server is well: a breaker that lets one try is closed by a question", async () => {
    const { guard, call, clock } = guarded({ breaker: { failures: 1 } });
    await expect(guard.run(call(), failing(broken()))).rejects.toThrow("x");
    await clock.advance(5_000);
    const bounds: AttemptBounds[] = [];
    const work = held();
    const probe = guard.run(call({ canBeAsked: true }), (given) => (bounds.push(given), work.attempt(given)));
    await settled();
    await expect(guard.run(call(), fine)).rejects.toMatchObject({ details: { reason: "circuit_open" } });
    bounds[0]!.alive();
    expect([await guard.run(call(), fine), guard.state().breaker]).toEqual(["fine", "closed"]);
    work.ends[0]!("probed");
    expect(await probe).toBe("probed");
  });
});

describe("a call that failed (F66)", () => {
  async function attempts(rules: ServerResilienceInput | undefined, more: Partial<GuardedCall>, error: GatewayError): Promise<number> {
    const { guard, call, clock } = guarded(rules);
    let count = 0;
    const run = guard.run(call(more), (bounds) => {
      count++;
      return failing(error)(bounds);
    });
    const over = run.catch(() => "over");
    for (let i = 0; i < 5; i++) {
      await settled();
      await clock.advance(1_000);
    }
    expect(await over).toBe("over");
    return count;
  }

  it("is sent again only when it was refused unhandled, or its tool may be called twice", async () => {
    const rules = { retries: 2 };
    expect(await attempts(rules, {}, broken())).toBe(1);
    expect(await attempts(rules, {}, broken({ status: 500 }))).toBe(1);
    // Handlers answer so too: of a tool that nobody vouches for it proves nothing.
    expect(await attempts(rules, {}, broken({ status: 503 }))).toBe(1);
    expect(await attempts(rules, {}, limited())).toBe(1);
    expect(await attempts(rules, {}, limited(100))).toBe(3);
    expect(await attempts(rules, { nature: "idempotent" }, broken({ status: 503 }))).toBe(3);
    expect(await attempts(rules, { nature: "read-only" }, limited())).toBe(3);
    expect(await attempts(rules, { nature: "read-only", canBeAsked: true }, limited(100))).toBe(3);
    expect(await attempts(rules, { nature: "idempotent" }, broken())).toBe(3);
    expect(await attempts(rules, { nature: "read-only" }, broken())).toBe(3);
    // Its client would be asked the same again.
    expect(await attempts(rules, { nature: "read-only", canBeAsked: true }, broken())).toBe(1);
    expect(await attempts(undefined, { nature: "read-only" }, broken())).toBe(1);
    expect(await attempts({ retries: 0 }, { nature: "read-only" }, broken())).toBe(1);
  });

  it("is paid for by calls that went well", async () => {
    const { guard, call, clock } = guarded({ retries: 1, breaker: false });
    let count = 0;
    for (let i = 0; i < 10; i++) {
      const run = guard.run(call({ nature: "read-only" }), (bounds) => {
        count++;
        return failing(broken())(bounds);
      });
      const over = run.catch(() => undefined);
      await settled();
      await clock.advance(1_000);
      await over;
    }
    // Two that a process begins with, and one for ten calls.
    expect(count).toBe(13);
  });
});

it("sends a slow read-only call twice, takes the first answer and aborts the other", async () => {
  const { guard, call, clock } = guarded({ hedgeAfterMs: 50, trustAnnotations: true });
  const work = held();
  const run = guard.run(call({ nature: "read-only" }), work.attempt);
  await settled();
  expect(work.signals).toHaveLength(1);
  await clock.advance(50);
  await settled();
  expect(work.signals).toHaveLength(2);
  work.ends[1]!("second");
  expect(await run).toBe("second");
  expect(work.signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  const alone = guard.run(call(), work.attempt);
  await settled();
  await clock.advance(1_000);
  await settled();
  expect(work.ends).toHaveLength(3);
  work.ends[2]!("alone");
  expect(await alone).toBe("alone");
});

it("joins equal read-only calls; whoever goes leaves it to the others, the last one ends it", async () => {
  const { guard, call } = guarded({ coalesce: true, trustAnnotations: true });
  const work = held();
  const goes = [new AbortController(), new AbortController()];
  const same = () => "a";
  const runs = goes.map(({ signal }) => guard.run(call({ nature: "read-only", same, signal }), work.attempt));
  const other = guard.run(call({ nature: "read-only", same: () => "b" }), work.attempt);
  const unsafe = guard.run(call({ same }), work.attempt);
  await settled();
  expect(work.ends).toHaveLength(3);
  goes[0]!.abort();
  await expect(runs[0]).rejects.toMatchObject({ code: "cancelled" });
  expect(work.signals[0]!.aborted).toBe(false);
  for (const end of work.ends) end("answer");
  expect(await Promise.all([runs[1], other, unsafe])).toEqual(["answer", "answer", "answer"]);
  const last = new AbortController();
  const alone = guard.run(call({ nature: "read-only", same, signal: last.signal }), work.attempt);
  await settled();
  last.abort();
  await expect(alone).rejects.toMatchObject({ code: "cancelled" });
  expect(work.signals.at(-1)!.aborted).toBe(true);
});
