export { memoryBlobs } from "./blobs.js";
export { memoryBus } from "./bus.js";
export { memoryCache, type MemoryCacheOptions } from "./cache.js";
export { memoryCounters } from "./counters.js";
export { memoryStore } from "./record-store.js";
export { SharedOrOwn, type SharedOrOwnOptions } from "./shared-or-own.js";
export { memoryWakeup } from "./wakeup.js";
