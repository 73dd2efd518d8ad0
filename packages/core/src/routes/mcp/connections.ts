import { z } from "zod";
import { openApiSettings, serverAuthModes, serverOAuth, serverTypes } from "../../entities/index.js";
import { restRoute } from "../route.js";

const reads = { what: "servers", name: "read" } as const;
const writes = { what: "servers", name: "write" } as const;
const kind = z.enum(["mcp"]);
const params = z.strictObject({ kind, name: z.string().min(1).max(100) });
const named = z.strictObject({ name: z.string().min(1).max(100) });
const timeout = z
  .union([
    z.number().positive().max(31_622_400),
    z.string().regex(/^\d+(?:\.\d+)?(?:ms|s|m|h)$/, "a duration such as 10s, or a number of seconds"),
  ])
  .describe('seconds, or text such as "500ms", "10s", "2m"');

const oauth = z.strictObject({
  grant: serverOAuth.shape.grant,
  credentials: z.enum(["shared", "per_user"]).optional(),
  issuer: serverOAuth.shape.issuer,
  token_url: serverOAuth.shape.tokenUrl,
  authorization_url: serverOAuth.shape.authorizationUrl,
  client_id: serverOAuth.shape.clientId,
  client_secret: z.string().min(1).nullable().optional().describe("[REDACTED] keeps the one that is stored"),
  endpoint_auth_style: serverOAuth.shape.endpointAuthStyle,
  scope: serverOAuth.shape.scope,
  resource: serverOAuth.shape.resource,
  prompt: serverOAuth.shape.prompt,
  refresh_max_lifetime: timeout.optional(),
});

/** What of a connection a caller sets. */
export const connectionConfig = z.strictObject({
  type: z.enum(serverTypes).optional().describe("left out: stdio with a command and no endpoint, else http"),
  endpoint: z.string().max(2_000).nullable().optional().describe("the server's URL; for openapi that of the document"),
  command: z.string().max(1_000).nullable().optional(),
  args: z.array(z.string().max(4_000)).max(100).nullable().optional(),
  headers: z.record(z.string(), z.string()).nullable().optional().describe("shown as they are: a credential belongs in credential"),
  auth_mode: z.enum(serverAuthModes).optional(),
  credential: z.string().min(1).nullable().optional().describe("[REDACTED] keeps the one that is stored"),
  credential_header: z.string().max(100).nullable().optional().describe("of api_key; x-api-key when left out"),
  oauth: oauth.nullable().optional().describe("of the auth mode oauth; each field may stand beside it as oauth_…, which goes before"),
  oauth_grant: oauth.shape.grant,
  oauth_credentials: oauth.shape.credentials,
  oauth_issuer: oauth.shape.issuer,
  oauth_token_url: oauth.shape.token_url,
  oauth_authorization_url: oauth.shape.authorization_url,
  oauth_client_id: oauth.shape.client_id,
  oauth_client_secret: oauth.shape.client_secret,
  oauth_endpoint_auth_style: oauth.shape.endpoint_auth_style,
  oauth_scope: oauth.shape.scope,
  oauth_resource: oauth.shape.resource,
  oauth_prompt: oauth.shape.prompt,
  oauth_refresh_max_lifetime: oauth.shape.refresh_max_lifetime,
  openapi: z
    .strictObject({
      document: openApiSettings.shape.document,
      base_url: openApiSettings.shape.baseUrl,
      include: openApiSettings.shape.include,
      exclude: openApiSettings.shape.exclude,
    })
    .nullable()
    .optional(),
  connect_timeout: timeout.nullable().optional(),
  call_timeout: timeout.nullable().optional(),
  trust_level: z.enum(["untrusted", "trusted"]).optional(),
  enabled: z.boolean().optional(),
});
const connection = z.object({
  kind,
  name: z.string(),
  config: connectionConfig,
  description: z.string().nullable(),
  created_by: z.string().nullable(),
  updated_at: z.string().nullable().describe("ISO 8601; null: it is of the configuration, or of code"),
  source: z.enum(["file", "database"]),
});
const tool = z.object({ name: z.string(), local_name: z.string(), description: z.string().nullable() });
const tested = z.object({ healthy: z.boolean(), tools: z.array(tool).optional(), error: z.string().optional() });
const status = z.object({
  name: z.string(),
  healthy: z.boolean(),
  auth_mode: z.enum(["none", "bearer", "api_key", "oauth"]),
  tools: z.array(z.string()).describe("as this gateway calls them"),
  last_error: z.string().nullable(),
  last_success_at: z.string().nullable(),
  breaker: z.enum(["closed", "open", "half-open"]).describe("open: calls fail at once for a while, because it kept failing"),
  in_flight: z.int().describe("calls at the server now"),
  queued: z.int().describe("calls that wait for their turn"),
  oauth: z.object({
    configured: z.boolean(),
    token_acquired: z.boolean(),
    expires_at: z.string().nullable(),
    last_refreshed_at: z.string().nullable(),
    has_refresh_token: z.boolean(),
    last_error: z.string().nullable(),
    grant: z.string().nullable(),
    needs_reauth: z.boolean(),
    authenticated_by: z.string().nullable(),
    authenticated_at: z.string().nullable(),
  }),
});

const INSTANCES = "/api/v1/admin/connection-instances";
const CONNECTIONS = "/api/v1/admin/gateway/connections";

/** Connections to MCP servers, for who administers them: the same rows as `/api/v1/mcp-servers`, by name, and how they do. */
export const connectionRoutes = {
  list: restRoute({
    name: "connections.list",
    method: "GET",
    path: INSTANCES,
    summary: "The connections to MCP servers, by name, those of the configuration among them.",
    permission: reads,
    output: { status: 200, kind: "json", schema: z.object({ connections: z.array(connection) }) },
    errors: ["forbidden"],
  }),
  effective: restRoute({
    name: "connections.effective",
    method: "GET",
    path: `${INSTANCES}/effective`,
    summary: "What holds of each connection: where it is declared, and its tools.",
    permission: reads,
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        connections: z.array(
          z.object({
            kind,
            name: z.string(),
            source: z.enum(["file", "database", "both"]).describe("both: the file counts"),
            file_declared: z.boolean(),
            healthy: z.boolean(),
            transport: z.string(),
            tools: z.array(z.string()),
          }),
        ),
      }),
    },
    errors: ["forbidden"],
  }),
  get: restRoute({
    name: "connections.get",
    method: "GET",
    path: `${INSTANCES}/{kind}/{name}`,
    summary: "One connection; its credential is [REDACTED].",
    permission: reads,
    params,
    output: { status: 200, kind: "json", schema: connection },
    errors: ["forbidden", "not_found"],
  }),
  put: restRoute({
    name: "connections.put",
    method: "PUT",
    path: `${INSTANCES}/{kind}/{name}`,
    summary: "Makes a connection, or replaces it. One that a file declares is not changed here.",
    permission: writes,
    params,
    body: z.strictObject({ config: connectionConfig, description: z.string().max(2_000).nullable().optional() }),
    output: { status: 200, kind: "json", schema: connection },
    errors: ["forbidden", "conflict", "stdio_not_allowed", "misconfigured"],
  }),
  remove: restRoute({
    name: "connections.delete",
    method: "DELETE",
    path: `${INSTANCES}/{kind}/{name}`,
    summary: "Takes a connection away. One that a file declares stays.",
    permission: writes,
    params,
    output: { status: 200, kind: "json", schema: z.object({ kind, name: z.string(), deleted: z.literal(true) }) },
    errors: ["forbidden", "not_found", "conflict"],
  }),
  test: restRoute({
    name: "connections.test",
    method: "POST",
    path: `${CONNECTIONS}/{name}/test`,
    summary: "Connects once more, lists the tools, and leaves nothing behind; with a config, one that there is not.",
    permission: writes,
    params: named,
    body: z.strictObject({ config: connectionConfig.optional() }),
    bodyOptional: true,
    output: { status: 200, kind: "json", schema: tested },
    errors: ["forbidden", "not_found", "stdio_not_allowed"],
  }),
  refresh: restRoute({
    name: "connections.refresh",
    method: "POST",
    path: `${CONNECTIONS}/{name}/refresh`,
    summary: "Reads the server's lists again, connecting it first where it is not.",
    permission: writes,
    params: named,
    body: z.strictObject({}),
    bodyOptional: true,
    output: { status: 200, kind: "json", schema: tested },
    errors: ["forbidden", "not_found"],
  }),
  status: restRoute({
    name: "connections.status",
    method: "GET",
    path: `${CONNECTIONS}/{name}/status`,
    summary: "How a connection does, and how its sign-in stands.",
    permission: reads,
    params: named,
    output: { status: 200, kind: "json", schema: status },
    errors: ["forbidden", "not_found"],
  }),
};
export type ConnectionConfig = z.output<typeof connectionConfig>;
