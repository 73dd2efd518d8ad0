export { hasService } from "../../../packages/adapter-kit/src/servers/installed-service.js";
export { privateMariadb } from "../../../packages/adapter-kit/src/servers/private-mariadb.js";
export { privateRedis } from "../../../packages/adapter-kit/src/servers/private-redis.js";
export { memorySpending, rawSpending, redisSpending } from "./counters.js";
export { bullJobs, gatewayJobs } from "./jobs.js";
export { openSubject } from "./subjects.js";
export { usageRow } from "./rows.js";
