import { z } from "zod";
import { bool, defineEntity, field, int, json, longText, text, type RowType } from "../define-entity.js";
import { nameSchema } from "../route.js";
import { serverResilienceSchema } from "./rules/server-resilience.js";
import { pinMode, toolShapeSchema } from "./tool-shape.js";

export const serverTypes = ["http", "streamable-http", "sse", "stdio", "openapi"] as const;
export type ServerType = (typeof serverTypes)[number];
export const serverAuthModes = ["none", "bearer", "api_key", "oauth"] as const;

const address = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .nullable();
const durationMs = z.int().min(1).max(86_400_000).nullable();
const globs = z.array(z.string().min(1).max(200)).max(200);

/** What of an OpenAPI document becomes tools; the document itself, where it does not stand at `url`. */
export const openApiSettings = z.strictObject({
  document: z.record(z.string(), z.unknown()).optional(),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional(),
  include: globs.optional(),
  exclude: globs.optional(),
});

const words = z.string().min(1).max(2_000);
/** How the gateway signs in at a server, in the words of the configuration; the client's secret stands apart, sealed. */
export const serverOAuth = z.strictObject({
  grant: z.enum(["client_credentials", "authorization_code", "token_exchange"]).optional(),
  credentials: z.enum(["shared", "perUser"]).optional(),
  issuer: words.optional(),
  tokenUrl: words.optional(),
  authorizationUrl: words.optional(),
  clientId: words.optional(),
  endpointAuthStyle: z.enum(["header", "params"]).optional(),
  scope: words.optional(),
  resource: words.optional(),
  prompt: words.optional(),
  refreshMaxLifetimeMs: z.int().min(1).optional(),
});

/**
 * An MCP server kept in the store. One of the configuration, or of code, with the same name counts instead. Whoever stores it is not the operator: it is dialled only at public addresses
 * unless `network.allowPrivate`, and started as a process only as `mcp.allowStdio` has it to the letter.
 */
export const mcpServer = defineEntity({
  name: "mcpServer",
  table: "mcp_servers",
  kind: "record",
  scope: null,
  watched: true,
  fields: {
    name: field(nameSchema, { access: "create-only", column: text(40), filter: true, sort: true }),
    description: field(z.string().max(2_000).nullable(), { access: "open", column: longText }),
    type: field(z.enum(serverTypes).default("http").describe("with a command and no url: stdio"), { access: "open", column: text(16) }),
    /** Of the server; of the document, for `openapi`. */
    url: field(address, { access: "open", column: longText }),
    command: field(z.string().min(1).max(1_000).nullable(), { access: "open", column: text(1_000) }),
    args: field(z.array(z.string().max(4_000)).max(100).nullable(), { access: "open", column: json }),
    /** Sent with every request, and no secret: shown as they are. */
    headers: field(z.record(z.string().max(100), z.string().max(4_000)).nullable(), { access: "open", column: json }),
    authMode: field(z.enum(serverAuthModes).default("none"), { access: "open", column: text(16) }),
    credential: field(z.string().min(1).nullable(), { access: "secret", column: longText }),
    /** Of `api_key`; null: `x-api-key`. */
    credentialHeader: field(z.string().min(1).max(100).nullable(), { access: "open", column: text(100) }),
    oauth: field(serverOAuth.nullable(), { access: "open", column: json }),
    clientSecret: field(z.string().min(1).nullable(), { access: "secret", column: longText }),
    openapi: field(openApiSettings.nullable(), { access: "open", column: json }),
    connectTimeoutMs: field(durationMs, { access: "open", column: int }),
    callTimeoutMs: field(durationMs, { access: "open", column: int }),
    /** `trusted`: the server's own instructions are handed on to clients. */
    trustLevel: field(z.enum(["untrusted", "trusted"]).default("untrusted"), { access: "open", column: text(16) }),
    /** How its calls are kept from harming it and each other; null: a breaker alone. */
    resilience: field(serverResilienceSchema.nullable(), { access: "open", column: json }),
    /** Which of its tools are there, and how they are shown; null: all, as they are. */
    tools: field(toolShapeSchema.nullable(), { access: "open", column: json }),
    /** null: as `mcp.pin` says. */
    pin: field(pinMode.nullable(), { access: "open", column: text(16) }),
    enabled: field(z.boolean().default(true), { access: "open", column: bool }),
    createdBy: field(z.string().max(100).nullable(), { access: "server", column: text(100) }),
  },
  unique: [["name"]],
  rest: {
    type: "mcp-server",
    plural: "mcp-servers",
    permission: "servers",
    readers: "everywhere",
    verbs: ["list", "get", "create", "update", "delete"],
  },
});
export type McpServerRow = RowType<typeof mcpServer>;
