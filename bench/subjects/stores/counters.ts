// Limits: three demands of one call, spent together.
import { createClient } from "@redis/client";
import { redis } from "../../../packages/adapters-redis/src/index.js";
import { memoryCounters } from "../../../packages/core/src/memory/index.js";
import { systemClock } from "../../../packages/core/src/memory/system-clock.js";
import type { Counters } from "../../../packages/core/src/ports/index.js";

export interface Spending {
  spend(): Promise<unknown>;
  close(): Promise<void>;
}
const demands = (["key", "team", "all"] as const).map((who, i) => ({
  key: `bench:${who}:${i}`,
  cost: 1,
  limit: 1_000_000_000,
  windowMs: 60_000,
}));

const spending = (counters: Counters, close: () => Promise<void>): Spending => ({
  spend: () => counters.spend(demands, { deadlineMs: Date.now() + 5_000 }),
  close,
});
export const memorySpending = (): Spending => spending(memoryCounters({ clock: systemClock }), () => Promise.resolve());
export async function redisSpending(url: string): Promise<Spending> {
  const shared = redis({ url, timeoutMs: 1_000 }).open({ clock: systemClock });
  await new Promise<void>((resolve) => shared.onChange((away) => away === null && resolve()));
  return spending(shared.counters, () => shared.close());
}
/** The least that Redis can do for it: three INCRBY in one round trip, which limit nothing. */
export async function rawSpending(url: string): Promise<Spending> {
  const client = createClient({ url });
  await client.connect();
  return {
    spend: () => Promise.all(demands.map(({ key, cost }) => client.incrBy(`raw:${key}`, cost))),
    close: () => client.close(),
  };
}
