export { ResponseCache, type ResponseCacheOptions } from "./response-cache.js";
