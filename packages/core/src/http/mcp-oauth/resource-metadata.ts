import type { AccessTokens } from "../../access/tokens/access-tokens.js";
import { GatewayError } from "../../errors/index.js";
import { resourceMetadataRoutes, type RouteOutput } from "../../routes/index.js";
import type { OpenHandler } from "../exchange.js";
import { jsonHandler } from "../faces/rest-face.js";

type Metadata = RouteOutput<typeof resourceMetadataRoutes.all>;

/** Who issues the tokens that the gateway's MCP addresses take. */
export function resourceMetadataHandlers(
  tokens: AccessTokens | undefined,
): Readonly<Record<keyof typeof resourceMetadataRoutes, OpenHandler>> {
  const of = (path: string): Metadata => {
    if (tokens !== undefined) return tokens.metadata(path) as Metadata;
    throw new GatewayError("not_found", "This gateway takes no access tokens.", { hint: "See access.resourceServer." });
  };
  return {
    all: jsonHandler(resourceMetadataRoutes.all, () => of("/mcp")),
    mcp: jsonHandler(resourceMetadataRoutes.mcp, () => of("/mcp")),
    namespace: jsonHandler(resourceMetadataRoutes.namespace, ({ params }) => of(`/ns/${encodeURIComponent(params.namespace)}/mcp`)),
  };
}
