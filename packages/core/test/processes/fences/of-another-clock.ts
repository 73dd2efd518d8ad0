import type { RecordStore } from "../../../src/ports/index.js";

/** The store as a process sees it whose clock is not the store's: deadlines of the one mean nothing to the other. */
export function ofAnotherClock(store: RecordStore): RecordStore {
  return new Proxy(store, {
    get: (target, name) => {
      const verb = Reflect.get(target, name) as unknown;
      if (typeof verb !== "function") return verb;
      const run = verb.bind(target) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) =>
        run(
          ...args.map((arg) =>
            typeof arg === "object" && arg !== null && "deadlineMs" in arg ? { ...arg, deadlineMs: Number.MAX_SAFE_INTEGER } : arg,
          ),
        );
    },
  });
}
