import { memoryBlobs, memoryBus, memoryCache, memoryCounters, memoryStore, memoryWakeup } from "@sallyport/core/memory";
import { describe, expect, test } from "vitest";
import { fakeTime } from "../../test/fake-time.js";
import { failuresOf, type Case, type Make } from "../contract.js";
import { recordStoreCases } from "../record-store/contract.js";
import { blobsCases } from "../volatile/blobs.js";
import { busCases } from "../volatile/bus.js";
import { cacheCases } from "../volatile/cache.js";
import { countersCases } from "../volatile/counters.js";
import { wakeupCases } from "../volatile/wakeup.js";
import { replaced, type Mutant } from "./mutant.js";
import { wrongCommits } from "./wrong-commits.js";
import { wrongReads } from "./wrong-reads.js";
import { wrongBlobs, wrongBuses, wrongCaches, wrongCounters, wrongWakeups } from "./wrong-volatile.js";

/** A kit: its cases, its wrong adapters, and how to make a subject around an adapter that was wrapped. */
interface Kit<P extends object, S> {
  readonly cases: readonly Case<S>[];
  readonly mutants: readonly Mutant<P>[];
  make(wrap: (right: P) => P): Make<S>;
}

function describeKit<P extends object, S>(name: string, kit: Kit<P, S>): void {
  describe(`the kit of ${name}`, () => {
    test("is green on a wrapper that changes nothing", async () => {
      const failures = await failuresOf(
        kit.cases,
        kit.make((right) => replaced(right, {})),
      );
      expect(failures.map(({ concern, title, error }) => `${concern}: ${title}: ${String(error)}`)).toEqual([]);
    });
    for (const mutant of kit.mutants)
      test(`goes red when ${mutant.name}`, async () => {
        const concerned = kit.cases.filter(({ concern }) => mutant.concerns.includes(concern));
        const failures = await failuresOf(
          concerned,
          kit.make((right) => mutant.wrap(right)),
        );
        expect([...new Set(failures.map(({ concern }) => concern))].sort()).toEqual([...mutant.concerns].sort());
      });
  });
}

describeKit("record stores", {
  cases: recordStoreCases,
  mutants: [...wrongCommits, ...wrongReads],
  make: (wrap) => () => ({ subject: { store: wrap(memoryStore()) } }),
});
describeKit("counters", {
  cases: countersCases,
  mutants: wrongCounters,
  make: (wrap) => () => fakeTime((clock, time) => ({ ...time, counters: wrap(memoryCounters({ clock })) })),
});
describeKit("caches", {
  cases: cacheCases,
  mutants: wrongCaches,
  make: (wrap) => () => fakeTime((clock, time) => ({ ...time, cache: wrap(memoryCache({ clock })) })),
});
describeKit("buses", {
  cases: busCases,
  mutants: wrongBuses,
  make: (wrap) => () => ({ subject: { bus: wrap(memoryBus()), patienceMs: 500 } }),
});
describeKit("wakeups", {
  cases: wakeupCases,
  mutants: wrongWakeups,
  make: (wrap) => () => fakeTime((clock, time) => ({ ...time, wakeup: wrap(memoryWakeup({ clock })), patienceMs: 500 })),
});
describeKit("blobs", {
  cases: blobsCases,
  mutants: wrongBlobs,
  make: (wrap) => () => fakeTime((clock, time) => ({ ...time, blobs: wrap(memoryBlobs({ clock })) })),
});
