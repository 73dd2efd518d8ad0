export { McpProxy, type McpCallOptions, type McpProxyOptions } from "./mcp-proxy.js";
export { type ProbedServer } from "./probe-server.js";
export { type McpServerInput } from "./server-target.js";
export { type InProcessServer } from "./lanes/in-process.js";
export { type McpRequest } from "./downstream/request.js";
export { type ServerStatus } from "./upstream/upstream.js";
export { type McpLimits } from "./upstream/upstream-deps.js";
