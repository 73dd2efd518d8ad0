import type { Blobs, Bus, Cache, Counters, Demand, Wakeup, Within } from "@sallyport/core/ports";
import { replaced, turn, type Mutant } from "./mutant.js";

/** Counters that are wrong on purpose. */
export const wrongCounters: readonly Mutant<Counters>[] = [
  {
    name: "use makes the window longer",
    concerns: ["windows", "rolling windows"],
    wrap: (right) => {
      // Each use moves what was spent into a new window.
      let uses = 0;
      const spent = new Map<string, number>();
      return replaced(right, {
        spend: async (demands: readonly Demand[], w: Within) => {
          uses++;
          const moved = demands.map((demand) => ({
            ...demand,
            key: `${demand.key} ${uses}`,
            cost: demand.cost + (spent.get(demand.key) ?? 0),
          }));
          const result = await right.spend(moved, w);
          if (result.ok) for (const [i, demand] of demands.entries()) spent.set(demand.key, moved[i]?.cost ?? 0);
          const refusedBy = demands.find((_, i) => moved[i]?.key === result.refusedBy)?.key;
          return result.ok ? result : { ...result, refusedBy };
        },
      });
    },
  },
  {
    name: "a refusal keeps what the other demands spent",
    concerns: ["windows", "concurrency"],
    wrap: (right) =>
      replaced(right, {
        spend: async (demands: readonly Demand[], w: Within) => {
          const left: number[] = [];
          const freeAtMs: number[] = [];
          let at = 0;
          for (const demand of demands) {
            const one = await right.spend([demand], w);
            left.push(one.left[0] ?? 0);
            freeAtMs.push(one.freeAtMs[0] ?? 0);
            at = one.at;
            if (!one.ok) return { ...one, left, freeAtMs };
          }
          return { ok: true, left, freeAtMs, at };
        },
      }),
  },
  {
    name: "the limit is looked at before, and passed by racing",
    concerns: ["concurrency"],
    wrap: (right) =>
      replaced(right, {
        spend: async (demands: readonly Demand[], w: Within) => {
          const looked = await right.spend(
            demands.map((demand) => ({ ...demand, cost: 0 })),
            w,
          );
          await turn();
          if (demands.some((demand, i) => demand.cost > (looked.left[i] ?? 0))) return { ...looked, ok: false, refusedBy: demands[0]?.key };
          return right.spend(
            demands.map((demand) => ({ ...demand, limit: Number.MAX_SAFE_INTEGER })),
            w,
          );
        },
      }),
  },
  {
    name: "the window is fixed: it begins with the first use and ends a window later, all at once",
    concerns: ["rolling windows", "windows"],
    wrap: (right) => {
      // Each window of the clock has a key of its own; the second begins where the first ends.
      const begun = new Map<string, { fromMs: number; windows: number }>();
      let nowMs = 0;
      return replaced(right, {
        spend: async (demands: readonly Demand[], w: Within) => {
          nowMs = w.deadlineMs;
          const fixed = demands.map((demand) => {
            const kept = begun.get(demand.key);
            const isOver = kept === undefined || nowMs >= kept.fromMs + demand.windowMs;
            const window = isOver ? { fromMs: nowMs, windows: (kept?.windows ?? 0) + 1 } : kept;
            begun.set(demand.key, window);
            return { ...demand, key: `${demand.key} ${window.windows}`, windowMs: demand.windowMs * 10 };
          });
          const result = await right.spend(fixed, w);
          const refusedBy = demands.find((_, i) => fixed[i]?.key === result.refusedBy)?.key;
          return result.ok ? result : { ...result, refusedBy };
        },
      });
    },
  },
  {
    name: "a correction is lost",
    concerns: ["windows", "concurrency"],
    wrap: (right) => replaced(right, { adjust: async () => undefined }),
  },
  {
    name: "a refund is lost",
    concerns: ["windows", "concurrency"],
    wrap: (right) =>
      replaced(right, {
        // Each key by itself, as on a cluster; when one refuses, the last of the others is forgotten.
        spend: async (demands: readonly Demand[], w: Within) => {
          const spent = [];
          for (const demand of demands) {
            const one = await right.spend([demand], w);
            if (one.ok) {
              spent.push({ demand, at: one.at });
              continue;
            }
            for (const {
              demand: { key, cost },
              at,
            } of spent.slice(0, -1))
              await right.adjust({ key, delta: -cost, at }, w);
            return right.spend([demand], w);
          }
          return right.spend(
            demands.map((demand) => ({ ...demand, cost: 0 })),
            w,
          );
        },
      }),
  },
  {
    name: "the time to live of all that was counted begins anew with each increment",
    concerns: ["windows"],
    wrap: (right) => {
      // A counter with one expiry, which each increment sets again: INCR and EXPIRE.
      const counted = new Map<string, { total: number; untilMs: number }>();
      const nowOf = (w: Within): number => w.deadlineMs - 15_000;
      return replaced(right, {
        spend: async (demands: readonly Demand[], w: Within) => {
          const nowMs = nowOf(w);
          for (const { key, cost, limit, windowMs } of demands) {
            const kept = counted.get(key);
            const live = kept !== undefined && kept.untilMs > nowMs ? kept : { total: 0, untilMs: 0 };
            counted.set(key, { total: live.total + cost, untilMs: nowMs + windowMs });
            if (live.total + cost > limit) {
              const left = demands.map(() => Math.max(0, limit - live.total));
              return {
                ok: false,
                refusedBy: key,
                left,
                freeAtMs: demands.map(() => nowMs + windowMs),
                retryAtMs: nowMs + windowMs,
                at: nowMs,
              };
            }
          }
          const left = demands.map(({ key, limit }) => Math.max(0, limit - (counted.get(key)?.total ?? 0)));
          return { ok: true, left, freeAtMs: demands.map(({ windowMs }) => nowMs + windowMs), at: nowMs };
        },
      });
    },
  },
  {
    name: "who races is given a slot twice: it looks, then takes",
    concerns: ["concurrency"],
    wrap: (right) => {
      const held = new Map<string, Set<string>>();
      return replaced(right, {
        hold: async (key, { holder, max }) => {
          const holders = held.get(key) ?? new Set<string>();
          held.set(key, holders);
          if (holders.size >= max) return false;
          await turn();
          holders.add(holder);
          return true;
        },
        release: async (key, holder) => void held.get(key)?.delete(holder),
      });
    },
  },
  {
    name: "a slot is held for ever",
    concerns: ["slots"],
    wrap: (right) => replaced(right, { hold: (key, o, w) => right.hold(key, { ...o, untilMs: Number.MAX_SAFE_INTEGER }, w) }),
  },
  {
    name: "holding again takes a second slot",
    concerns: ["slots"],
    wrap: (right) => {
      let count = 0;
      return replaced(right, { hold: (key, o, w) => right.hold(key, { ...o, holder: `${o.holder}-${count++}` }, w) });
    },
  },
];

/** Caches that are wrong on purpose. */
export const wrongCaches: readonly Mutant<Cache>[] = [
  {
    name: "values never expire",
    concerns: ["expiry"],
    wrap: (right) => {
      const never = { expiresAtMs: Number.MAX_SAFE_INTEGER };
      return replaced(right, {
        set: (key, value, _, w) => right.set(key, value, never, w),
        add: (key, value, _, w) => right.add(key, value, never, w),
      });
    },
  },
  {
    name: "expiries are whole seconds, rounded up",
    concerns: ["expiry"],
    wrap: (right) => {
      const rounded = (expiresAtMs: number) => ({ expiresAtMs: Math.ceil(expiresAtMs / 1000) * 1000 });
      return replaced(right, {
        set: (key, value, o, w) => right.set(key, value, rounded(o.expiresAtMs), w),
        add: (key, value, o, w) => right.add(key, value, rounded(o.expiresAtMs), w),
      });
    },
  },
  {
    name: "reading puts the expiry off",
    concerns: ["expiry"],
    wrap: (right) =>
      replaced(right, {
        get: async (key, w) => {
          const value = await right.get(key, w);
          if (value !== null) await right.set(key, value, { expiresAtMs: w.deadlineMs }, w);
          return value;
        },
      }),
  },
  {
    name: "add looks, then sets",
    concerns: ["concurrency"],
    wrap: (right) =>
      replaced(right, {
        add: async (key, value, o, w) => {
          if ((await right.get(key, w)) !== null) return false;
          await turn();
          await right.set(key, value, o, w);
          return true;
        },
      }),
  },
  {
    name: "remove does not look at the value",
    concerns: ["basic"],
    wrap: (right) => replaced(right, { remove: (key, _, w) => right.remove(key, null, w) }),
  },
];

/** Buses that are wrong on purpose. */
export const wrongBuses: readonly Mutant<Bus>[] = [
  {
    name: "topics are one",
    concerns: ["hints"],
    wrap: (right) =>
      replaced(right, {
        publish: (_, ids) => right.publish("all", ids),
        subscribe: (_, onHint, onGap) => right.subscribe("all", onHint, onGap),
      }),
  },
  {
    name: "leaving does not stop the hints",
    concerns: ["hints"],
    wrap: (right) =>
      replaced(right, {
        subscribe: async (topic, onHint, onGap) => {
          await right.subscribe(topic, onHint, onGap);
          return async () => undefined;
        },
      }),
  },
  {
    name: "the gap is not told",
    concerns: ["hints"],
    wrap: (right) => replaced(right, { subscribe: (topic, onHint) => right.subscribe(topic, onHint, () => undefined) }),
  },
];

/** Wakeups that are wrong on purpose. */
export const wrongWakeups: readonly Mutant<Wakeup>[] = [
  {
    name: "concurrency is ignored",
    concerns: ["hints"],
    wrap: (right) => replaced(right, { listen: (lane, _, onId) => right.listen(lane, { concurrency: 1000 }, onId) }),
  },
  {
    name: "everything is due at once",
    concerns: ["hints"],
    wrap: (right) => replaced(right, { offer: (lane, id, o) => right.offer(lane, id, { ...o, dueAtMs: 0 }) }),
  },
  {
    name: "the end does not wait",
    concerns: ["hints"],
    wrap: (right) =>
      replaced(right, {
        listen: async (lane, o, onId) => {
          const stop = await right.listen(lane, o, onId);
          return async () => void stop();
        },
      }),
  },
];

/** Places for blobs that are wrong on purpose. */
export const wrongBlobs: readonly Mutant<Blobs>[] = [
  {
    name: "a key is written again",
    concerns: ["blobs"],
    wrap: (right) =>
      replaced(right, {
        put: async (key, body, o, w) => {
          await right.remove(key, w);
          return right.put(key, body, o, w);
        },
      }),
  },
  {
    name: "the end of a range is inclusive",
    concerns: ["blobs"],
    wrap: (right) =>
      replaced(right, { open: (key, range, w) => right.open(key, range?.to === undefined ? range : { ...range, to: range.to + 1 }, w) }),
  },
  {
    name: "the size is not looked at",
    concerns: ["blobs"],
    wrap: (right) => replaced(right, { put: (key, body, _, w) => right.put(key, body, { maxBytes: Number.MAX_SAFE_INTEGER }, w) }),
  },
];
