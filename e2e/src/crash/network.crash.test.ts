import { faultProxy, type FaultProxy } from "@sallyport/adapter-kit";
import { afterEach, describe, expect, it } from "vitest";
import { onMariadb } from "./farm/every-place.js";
import { Farm } from "./farm/farm.js";
import { dose, employ, randomFrom } from "./farm/faults.js";
import { expectHealed } from "./farm/healed.js";

let farm: Farm;
let proxy: FaultProxy;
afterEach(async () => {
  await proxy.close();
  await farm.close();
});
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Producer and workers reach the database through the proxy; the tests look past it. */
async function behindProxy(open: () => Promise<Farm["place"]>): Promise<Farm> {
  const place = await open();
  proxy = await faultProxy(place.db?.server.port ?? 0);
  const at = { mysql: place.db?.url(place.database, proxy.port) ?? "" };
  return Farm.start(place, { at, over: { store: at } });
}

describe.each(onMariadb)("the way to the database is bad", ({ open }) => {
  it("F10: connections are cut at random bytes of what the server answers, COMMIT's too: no task is lost, none is doubled", async () => {
    farm = await behindProxy(open);
    const random = randomFrom(41);
    await employ(farm, 3);
    farm.producer.start({ perSecond: 25 });
    for (let cuts = 0; cuts < dose(60); cuts++) {
      // The answer to a COMMIT is 7 to 11 bytes: many cuts fall into one, or right before it.
      proxy.cutAfter(Math.floor(random() * (cuts % 2 === 0 ? 60 : 4000)));
      await pause(40 + random() * 100);
      proxy.cutAfter(Number.POSITIVE_INFINITY);
      await pause(100 + random() * 200);
      if (cuts % 10 === 9) farm.recoveries.over("connections cut at random bytes");
    }
    await pause(500);
    await farm.producer.stop();
    await farm.settled();
    expect(farm.producer.refusals).toBeGreaterThan(0);
    await expectHealed(farm, "cut connections");
    expect(await farm.faults()).toEqual([]);
  });

  it("F29, F31: half open, slow, in pieces, reset: every wait ends, and all goes on by itself", async () => {
    farm = await behindProxy(open);
    await employ(farm, 3);
    farm.producer.start({ perSecond: 15 });
    await pause(1000);
    const faults = [
      ["slow: 300 ms a packet", () => proxy.set({ kind: "slow", latencyMs: 300 }), 3000],
      // What waits then has ten seconds: some of them are over when the fault is.
      ["half open", () => proxy.set({ kind: "blackhole" }), 6000],
      ["in pieces of 3 bytes", () => proxy.set({ kind: "split", bytesAtOnce: 3 }), 1000],
      ["refused", () => (proxy.set({ kind: "refuse" }), proxy.resetAll()), 3000],
      ["all reset at once", () => proxy.resetAll(), 200],
    ] as const;
    for (const [name, begin, ms] of faults) {
      begin();
      await pause(ms);
      // What was swallowed meanwhile never comes: only its deadline ends the wait for it.
      proxy.set({ kind: "pass" });
      farm.recoveries.over(`connections: ${name}`);
      // The next one begins when this one is healed.
      await farm.works();
      await pause(1000);
    }
    await farm.producer.stop();
    await farm.settled();
    await expectHealed(farm, "a bad network");
    expect(await farm.faults()).toEqual([]);
  });
});
