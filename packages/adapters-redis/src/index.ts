export { type NodeRedisClient } from "./connection/client.js";
export { redis, type RedisOptions } from "./redis.js";
