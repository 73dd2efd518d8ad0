import {
  busContract,
  cacheContract,
  countersContract,
  hasService,
  privateRedis,
  wakeupContract,
  type PrivateRedis,
} from "@sallyport/adapter-kit";
import type { Shared } from "@sallyport/core/ports";
import { afterAll, beforeAll, describe, test as vitest } from "vitest";
import { processClock } from "../test/process-clock.js";
import { realTime, unhurried } from "../test/unhurried.js";
import { redis } from "./redis.js";

const kinds = [
  ["on Redis", []],
  // One node that has all slots: it refuses whatever would not work on several.
  ["on Redis in a cluster", ["--cluster-enabled", "yes"]],
] as const;

describe.skipIf(!hasService("redis")).each(kinds)("%s", (_, settings) => {
  let server: PrivateRedis;
  let made = 0;
  beforeAll(async () => {
    server = await privateRedis({ settings });
    if (settings.length === 0) return;
    await server.command("CLUSTER ADDSLOTSRANGE 0 16383");
    while (!(await server.command("CLUSTER INFO")).includes("cluster_state:ok")) await realTime.pass(50);
  });
  afterAll(() => server.dispose());

  /** Each case has keys of its own. The machine may be busy: nothing here is about slowness. */
  async function open(): Promise<{ shared: Shared; dispose: () => Promise<void> }> {
    const shared = redis({ url: server.url, prefix: `case${++made}:`, timeoutMs: 10_000 }).open({ clock: processClock });
    await new Promise<void>((resolve) => shared.onChange((away) => away === null && resolve()));
    return { shared, dispose: () => shared.close() };
  }

  /** Most of what cases do is wait. */
  const test = (title: string, body: () => Promise<void>): void => vitest.concurrent(title, () => unhurried(body));

  describe("the counters", () => {
    countersContract({
      test,
      make: () => open().then(({ shared, dispose }) => ({ subject: { ...realTime, counters: shared.counters }, dispose })),
    });
  });
  describe("the cache", () => {
    cacheContract({ test, make: () => open().then(({ shared, dispose }) => ({ subject: { ...realTime, cache: shared.cache }, dispose })) });
  });
  describe("the bus", () => {
    busContract({ test, make: () => open().then(({ shared, dispose }) => ({ subject: { bus: shared.bus }, dispose })) });
  });
  describe("the wakeup", () => {
    wakeupContract({
      test,
      make: () => open().then(({ shared, dispose }) => ({ subject: { ...realTime, wakeup: shared.wakeup }, dispose })),
    });
  });
});
