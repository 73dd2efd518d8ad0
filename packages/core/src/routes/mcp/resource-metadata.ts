import { z } from "zod";
import { restRoute } from "../route.js";

const base = {
  method: "GET",
  open: true,
  permission: null,
  output: {
    status: 200,
    kind: "json",
    schema: z.object({
      resource: z.string(),
      authorization_servers: z.array(z.string()),
      scopes_supported: z.array(z.string()),
      bearer_methods_supported: z.array(z.string()),
      resource_name: z.string(),
    }),
  },
  errors: ["not_found"],
} as const;

/** Where MCP clients learn which authorization servers the gateway takes tokens of (RFC 9728). Open: it is for those who have none yet. */
export const resourceMetadataRoutes = {
  all: restRoute({
    ...base,
    name: "mcp.resource",
    path: "/.well-known/oauth-protected-resource",
    summary: "Protected-resource metadata of /mcp.",
  }),
  mcp: restRoute({ ...base, name: "mcp.resource.mcp", path: "/.well-known/oauth-protected-resource/mcp", summary: "The same." }),
  namespace: restRoute({
    ...base,
    name: "mcp.resource.namespace",
    path: "/.well-known/oauth-protected-resource/ns/{namespace}/mcp",
    summary: "Protected-resource metadata of a namespace.",
    params: z.strictObject({ namespace: z.string().min(1).max(100) }),
  }),
} as const;
