export { usageFile } from "./admin/usage-export.js";
export { failedAnswer } from "./answers.js";
export { Edge, type EdgeOptions } from "./edge.js";
export { createFetch, type FetchOptions } from "./fetch.js";
export { isLoopback } from "../util/loopback-name.js";
export { tooLarge } from "./faces/json-body.js";
export { type McpRequest, type McpServing } from "./faces/mcp-face.js";
