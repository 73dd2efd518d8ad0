import { describe, expect, it, vi } from "vitest";
import { GatewayError } from "../../errors/index.js";
import { memoryCounters } from "../../memory/index.js";
import type { Counters } from "../../ports/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { Log } from "../../util/log.js";
import { GuardedCounters } from "./guarded-counters.js";

const LIMIT = 100;
const demand = { key: "k", cost: 1, limit: LIMIT, windowMs: 60_000 };

const away = (): GatewayError => new GatewayError("store_unavailable", "away", { details: { outcome: "none" } });

/** Four processes and one server of counters, which can be lost with everything in it. */
function four(nodes = 4) {
  const clock = new FakeClock();
  let server = memoryCounters({ clock });
  let isAway = false;
  let lostAtMs: number | null = null;
  const shared: Counters = {
    spend: async (demands, w) => {
      if (isAway) throw away();
      return server.spend(demands, w);
    },
    adjust: async (adjustment, w) => {
      if (isAway) throw away();
      return server.adjust(adjustment, w);
    },
    hold: async (key, slot, w) => {
      if (isAway) throw away();
      return server.hold(key, slot, w);
    },
    release: async (key, holder) => {
      if (isAway) throw away();
      return server.release(key, holder);
    },
  };
  const log = new Log("silent", () => undefined);
  const guards = Array.from({ length: nodes }, () => {
    const local = memoryCounters({ clock }).now;
    const state = {
      get away() {
        return isAway ? away() : null;
      },
      get lostAtMs() {
        return lostAtMs;
      },
    };
    return new GuardedCounters({ counters: shared, local, clock, log, whenDown: () => "local", nodes: () => nodes, shared: state });
  });
  return {
    clock,
    guards,
    lose: () => ((isAway = true), (lostAtMs = clock.now())),
    /** Empty. */
    comeBack: () => ((isAway = false), (lostAtMs = clock.now()), (server = memoryCounters({ clock }))),
    hiccup: (on: boolean) => (isAway = on),
    offer: async (times: number): Promise<number> => {
      let passed = 0;
      for (let i = 0; i < times; i++) for (const guard of guards) if ((await guard.spend([demand])).ok) passed++;
      return passed;
    },
  };
}

describe("counters of several processes (G18)", () => {
  it("are exact while their server is there, whoever is asked", async () => {
    const { guards, offer } = four();
    let passed = 0;
    for (let i = 0; i < 90; i++) if ((await guards[0]!.spend([demand])).ok) passed++;
    expect(passed + (await offer(50))).toBe(LIMIT);
  });

  it("without it allow a share each, together the limit", async () => {
    const { offer, lose } = four();
    lose();
    expect(await offer(60)).toBe(LIMIT);
  });

  it("let no more than twice the limit pass in a window, however often their server loses everything", async () => {
    const { clock, offer, lose, comeBack } = four();
    let passed = await offer(50);
    expect(passed).toBe(LIMIT);
    for (let i = 0; i < 8; i++) {
      lose();
      passed += await offer(50);
      await clock.advance(1_500);
      comeBack();
      passed += await offer(50);
      await clock.advance(1_500);
    }
    expect(passed).toBeLessThanOrEqual(2 * LIMIT);
    // A window later everything is as it was.
    await clock.advance(62_000);
    expect(await offer(60)).toBe(LIMIT);
  });

  it("after a server that was slow for a moment go on as before: it lost nothing", async () => {
    const { clock, guards, hiccup } = four();
    for (let i = 0; i < 30; i++) await guards[0]!.spend([demand]);
    hiccup(true);
    // More than its share has passed here already.
    expect((await guards[0]!.spend([demand])).ok).toBe(false);
    hiccup(false);
    await clock.advance(100);
    // The next call looks whether they are back: it is as if nothing had been.
    expect((await guards[0]!.spend([demand])).ok).toBe(true);
    expect(guards[0]!.isAway).toBe(false);
  });

  it("what passed while they were slow counts when they answer again: the limit stays the limit", async () => {
    const { clock, guards, offer, hiccup } = four();
    let passed = 0;
    for (let i = 0; i < 10; i++) if ((await guards[0]!.spend([demand])).ok) passed++;
    for (let i = 0; i < 5; i++) {
      hiccup(true);
      passed += await offer(3);
      hiccup(false);
      await clock.advance(2_000);
      for (let j = 0; j < 5; j++) if ((await guards[0]!.spend([demand])).ok) passed++;
    }
    passed += await offer(100);
    expect(passed).toBe(LIMIT);
  });

  it("of what was left when they were last heard each takes its part and no more", async () => {
    const { guards, offer, hiccup } = four();
    for (let i = 0; i < 88; i++) await guards[0]!.spend([demand]);
    for (const guard of guards) await guard.spend([{ ...demand, cost: 0 }]);
    hiccup(true);
    // The share of three of them would be 75.
    expect(await offer(50)).toBeLessThanOrEqual(12);
    expect(await guards[1]!.spend([demand])).toMatchObject({ ok: false, refusedBy: "k" });
  });

  it("a slot that is given back while they are slow is free when they answer again", async () => {
    const { clock, guards, hiccup } = four();
    const slot = (holder: string) => ({ holder, max: 2, untilMs: clock.now() + 600_000 });
    for (const holder of ["a", "b"]) expect(await guards[0]!.hold("s", slot(holder))).toBe(true);
    expect(await guards[1]!.hold("s", slot("c"))).toBe(false);
    hiccup(true);
    await guards[0]!.release("s", "a");
    await guards[0]!.release("s", "b");
    hiccup(false);
    await clock.advance(3_000);
    expect(await guards[1]!.hold("s", slot("c"))).toBe(true);
  });

  it("what a call turned out to use is corrected when they answer again", async () => {
    const { clock, guards, hiccup } = four();
    const tokens = { key: "t", limit: 1_000, cost: 900, windowMs: 60_000 };
    const counted = await guards[0]!.spend([tokens]);
    hiccup(true);
    await guards[0]!.adjust({ key: "t", delta: -890 }, counted);
    hiccup(false);
    await clock.advance(3_000);
    expect((await guards[1]!.spend([{ ...tokens, cost: 0 }])).left).toEqual([990]);
  });

  it("slots beyond its share are there again as soon as they answer", async () => {
    const { clock, guards, hiccup } = four();
    const slot = (holder: string) => ({ holder, max: 8, untilMs: clock.now() + 600_000 });
    for (const holder of ["a", "b", "c", "d"]) expect(await guards[0]!.hold("s", slot(holder))).toBe(true);
    hiccup(true);
    expect(await guards[0]!.hold("s", slot("e"))).toBe(false);
    hiccup(false);
    await clock.advance(100);
    expect(await guards[0]!.hold("s", slot("e"))).toBe(true);
  });

  it("a clock that is set back does not keep them away", async () => {
    const { clock, guards, hiccup } = four();
    hiccup(true);
    await guards[0]!.spend([demand]);
    hiccup(false);
    await clock.advance(100);
    vi.spyOn(clock, "now").mockReturnValue(clock.now() - 3_600_000);
    await guards[0]!.spend([demand]);
    expect(guards[0]!.isAway).toBe(false);
  });

  it("a limit that was full stays full while they are slow for a moment", async () => {
    const { guards, offer, hiccup } = four();
    for (let i = 0; i < LIMIT; i++) await guards[0]!.spend([demand]);
    expect(await offer(1)).toBe(0);
    hiccup(true);
    // Three of them have let nothing through, and know that somebody did.
    expect(await offer(10)).toBe(0);
  });

  it("hold their share of slots without it", async () => {
    const { guards, lose, clock } = four();
    lose();
    await guards[0]!.spend([demand]);
    const slot = (holder: string) => ({ holder, max: 8, untilMs: clock.now() + 1_000 });
    const held = await Promise.all(["a", "b", "c"].map((holder) => guards[0]!.hold("s", slot(holder))));
    expect(held).toEqual([true, true, false]);
  });
});
