import { memoryBlobs, memoryBus, memoryCache, memoryCounters, memoryWakeup } from "@sallyport/core/memory";
import { describe, test } from "vitest";
import { fakeTime } from "../../test/fake-time.js";
import { blobsContract } from "./blobs.js";
import { busContract } from "./bus.js";
import { cacheContract } from "./cache.js";
import { countersContract } from "./counters.js";
import { wakeupContract } from "./wakeup.js";

describe("the counters in memory", () => {
  countersContract({ test, make: () => fakeTime((clock, time) => ({ ...time, counters: memoryCounters({ clock }) })) });
});
describe("the cache in memory", () => {
  cacheContract({ test, make: () => fakeTime((clock, time) => ({ ...time, cache: memoryCache({ clock }) })) });
});
describe("the wakeup in memory", () => {
  wakeupContract({ test, make: () => fakeTime((clock, time) => ({ ...time, wakeup: memoryWakeup({ clock }) })) });
});
describe("the blobs in memory", () => {
  blobsContract({ test, make: () => fakeTime((clock, time) => ({ ...time, blobs: memoryBlobs({ clock }) })) });
});
describe("the bus in memory", () => {
  busContract({ test, make: () => ({ subject: { bus: memoryBus() } }) });
});
