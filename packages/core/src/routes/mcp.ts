import type { McpRoute } from "./route.js";

const mcp = { face: "mcp", permission: null, errors: [] } as const;

/** MCP over Streamable HTTP, both eras: all servers, or those of a namespace. */
export const mcpRoutes = {
  post: { ...mcp, name: "mcp.post", method: "POST", path: "/mcp", summary: "JSON-RPC messages." },
  get: { ...mcp, name: "mcp.get", method: "GET", path: "/mcp", summary: "The server's own messages, as a stream." },
  delete: { ...mcp, name: "mcp.delete", method: "DELETE", path: "/mcp", summary: "Ends a session." },
  sse: { ...mcp, name: "mcp.sse", method: "GET", path: "/sse", summary: "A stream for clients of 2024-11-05 (HTTP+SSE)." },
  messages: { ...mcp, name: "mcp.messages", method: "POST", path: "/messages", summary: "Messages beside such a stream." },
  namespaceSse: { ...mcp, name: "mcp.namespace-sse", method: "GET", path: "/ns/{namespace}/sse", summary: "The same, of a namespace." },
  namespaceMessages: {
    ...mcp,
    name: "mcp.namespace-messages",
    method: "POST",
    path: "/ns/{namespace}/messages",
    summary: "Messages beside such a stream.",
  },
  namespacePost: { ...mcp, name: "mcp.namespace-post", method: "POST", path: "/ns/{namespace}/mcp", summary: "JSON-RPC messages." },
  namespaceGet: { ...mcp, name: "mcp.namespace-get", method: "GET", path: "/ns/{namespace}/mcp", summary: "The server's own messages." },
  namespaceDelete: { ...mcp, name: "mcp.namespace-delete", method: "DELETE", path: "/ns/{namespace}/mcp", summary: "Ends a session." },
} as const satisfies Record<string, McpRoute>;
