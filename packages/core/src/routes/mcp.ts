import type { McpRoute } from "./route.js";

const mcp = { face: "mcp", permission: null, errors: [] } as const;

/** MCP over Streamable HTTP, both eras: all servers, or those of a namespace. */
export const mcpRoutes = {
  post: { ...mcp, name: "mcp.post", method: "POST", path: "/mcp", summary: "JSON-RPC messages." },
  get: { ...mcp, name: "mcp.get", method: "GET", path: "/mcp", summary: "The server's own messages, as a stream." },
  delete: { ...mcp, name: "mcp.delete", method: "DELETE", path: "/mcp", summary: "Ends a session." },
  namespacePost: { ...mcp, name: "mcp.namespace-post", method: "POST", path: "/ns/{namespace}/mcp", summary: "JSON-RPC messages." },
  namespaceGet: { ...mcp, name: "mcp.namespace-get", method: "GET", path: "/ns/{namespace}/mcp", summary: "The server's own messages." },
  namespaceDelete: { ...mcp, name: "mcp.namespace-delete", method: "DELETE", path: "/ns/{namespace}/mcp", summary: "Ends a session." },
} as const satisfies Record<string, McpRoute>;
