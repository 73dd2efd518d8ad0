import type { DialectRoute, McpRoute } from "./route.js";

const openai = { face: "dialect", protocol: "openai-chat", permission: null } as const;
const mcp = { face: "mcp", permission: null, errors: [] } as const;

/** OpenAI's Chat Completions and Models. Source: https://platform.openai.com/docs/api-reference */
export const openaiRoutes = {
  chat: {
    ...openai,
    name: "openai.chat",
    method: "POST",
    path: "/v1/chat/completions",
    summary: "A chat completion, whole or streamed.",
    errors: ["forbidden", "model_not_found", "unsupported_feature"],
  },
  models: { ...openai, name: "openai.models", method: "GET", path: "/v1/models", summary: "The models that the key may call.", errors: [] },
  model: {
    ...openai,
    name: "openai.model",
    method: "GET",
    path: "/v1/models/{model+}",
    summary: "One model; a slash in its id raw or as %2F.",
    errors: ["model_not_found"],
  },
} as const satisfies Record<string, DialectRoute>;

/** MCP over Streamable HTTP, both eras: all servers, or those of a namespace. */
export const mcpRoutes = {
  post: { ...mcp, name: "mcp.post", method: "POST", path: "/mcp", summary: "JSON-RPC messages." },
  get: { ...mcp, name: "mcp.get", method: "GET", path: "/mcp", summary: "The server's own messages, as a stream." },
  delete: { ...mcp, name: "mcp.delete", method: "DELETE", path: "/mcp", summary: "Ends a session." },
  namespacePost: { ...mcp, name: "mcp.namespace-post", method: "POST", path: "/ns/{namespace}/mcp", summary: "JSON-RPC messages." },
  namespaceGet: { ...mcp, name: "mcp.namespace-get", method: "GET", path: "/ns/{namespace}/mcp", summary: "The server's own messages." },
  namespaceDelete: { ...mcp, name: "mcp.namespace-delete", method: "DELETE", path: "/ns/{namespace}/mcp", summary: "Ends a session." },
} as const satisfies Record<string, McpRoute>;
