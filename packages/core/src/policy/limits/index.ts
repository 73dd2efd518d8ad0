export { GuardedCounters, type GuardedCountersOptions } from "./guarded-counters.js";
export { Limiter } from "./limiter.js";
export { rateLimit, targetLimits } from "./rate-limit.js";
