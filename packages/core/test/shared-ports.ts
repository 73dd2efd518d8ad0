import { sqlite } from "@sallyport/adapters-sqlite";
import { allEntities } from "../src/entities/index.js";
import { memoryBus, memoryCache, memoryCounters, memoryStore, memoryWakeup } from "../src/memory/index.js";
import { crypto } from "../src/platform/node-crypto.js";
import type { Bus, Cache, Counters, Crypto, RecordStore, Wakeup } from "../src/ports/index.js";
import { FakeClock } from "../src/testing/fake-clock.js";
import { Redactor } from "../src/secrets/redactor.js";

// What several processes of one installation share, for tests of what they do together.

export const storeKinds = ["memory", "SQLite"] as const;
export type StoreKind = (typeof storeKinds)[number];

export interface SharedPorts {
  /** The store's clock, and that of every process that is not given another one. */
  readonly clock: FakeClock;
  readonly store: RecordStore;
  readonly wakeup: Wakeup;
  readonly bus: Bus;
  readonly cache: Cache;
  readonly counters: Counters;
  readonly redactor: Redactor;
  readonly crypto: Crypto;
}

export async function sharedPorts(kind: StoreKind): Promise<SharedPorts> {
  if (kind === "memory") {
    const clock = new FakeClock();
    return {
      clock,
      store: memoryStore({ clock }),
      wakeup: memoryWakeup({ clock }),
      bus: memoryBus(),
      cache: memoryCache({ clock }),
      counters: memoryCounters({ clock }),
      redactor: new Redactor(),
      crypto,
    };
  }
  let underWay = 0;
  const clock = new FakeClock(undefined, { settle: () => quiet(() => underWay === 0) });
  const made = await sqlite(":memory:", { clock }).open({ entities: allEntities });
  const store = wrapped(made, async (_verb, call) => {
    underWay++;
    try {
      return await call();
    } finally {
      underWay--;
    }
  });
  return {
    clock,
    store,
    wakeup: memoryWakeup({ clock }),
    bus: memoryBus(),
    cache: memoryCache({ clock }),
    counters: memoryCounters({ clock }),
    redactor: new Redactor(),
    crypto,
  };
}

/** Turns of the event loop until the store was idle for three of them: whatever followed from its answers has been asked. */
async function quiet(isIdle: () => boolean): Promise<void> {
  for (let idle = 0; idle < 3; ) {
    await new Promise((resolve) => setImmediate(resolve));
    idle = isIdle() ? idle + 1 : 0;
  }
}

/** The store with something around each of its verbs. */
export function wrapped(store: RecordStore, around: (verb: string, call: () => Promise<unknown>) => Promise<unknown>): RecordStore {
  return new Proxy(store, {
    get(target, verb) {
      const method = Reflect.get(target, verb) as (...args: unknown[]) => Promise<unknown>;
      return (...args: unknown[]) => around(String(verb), () => method.apply(target, args));
    },
  });
}

/** A promise that is settled from outside. */
export function gate<T = void>(): { readonly passed: Promise<T>; readonly open: (value: T) => void } {
  let open!: (value: T) => void;
  const passed = new Promise<T>((resolve) => (open = resolve));
  return { passed, open };
}
