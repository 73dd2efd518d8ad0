import { z } from "zod";
import { restRoute } from "../route.js";

const unknownObject = z.record(z.string(), z.unknown());
const envelope = {
  request_id: z.string(),
  status: z.enum(["completed", "error"]),
  timestamp: z.string().describe("ISO 8601"),
};
/** What the forms of `/mcp/…` answer with. */
const answered = <S extends z.ZodType>(result: S) => z.object({ ...envelope, result });
const listedTool = z.object({
  mcp_server: z.string(),
  mcp_server_uuid: z.string().describe("the server's name: it has no other id"),
  name: z.string().describe("server__tool"),
  description: z.string().nullable(),
  inputSchema: z.unknown(),
});
const found = z.object({
  mcp_server: z.string(),
  mcp_server_uuid: z.string(),
  tool_name: z.string(),
  description: z.string().nullable(),
  input_schema: z.unknown(),
  match_score: z.number().min(0).max(1),
  reasoning: z.string().describe("which of the words were found, and where"),
});
const args = unknownObject.optional();
const callErrors = [
  "forbidden",
  "tool_not_found",
  "approval_required",
  "idempotency_key_reuse",
  "content_blocked",
  "upstream_unavailable",
  "upstream_timeout",
  "outcome_unknown",
] as const;
const writes = { what: "servers", name: "write" } as const;

/** MCP without MCP: tools found and called with plain JSON, by the same policy as over the protocol. */
export const mcpRestRoutes = {
  tools: restRoute({
    name: "mcp.tools",
    method: "GET",
    path: "/mcp/tools",
    summary: "The tools that the caller may call.",
    permission: null,
    output: { status: 200, kind: "json", schema: answered(z.object({ tools: z.array(listedTool), total: z.int() })) },
    errors: [],
  }),
  servers: restRoute({
    name: "mcp.servers",
    method: "GET",
    path: "/mcp/servers",
    summary: "The servers that have tools for the caller, by id.",
    permission: null,
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        ...envelope,
        result: z.record(
          z.string(),
          z.object({ name: z.string(), transport: z.string(), tool_count: z.int(), tools: z.array(z.string()) }),
        ),
        active_servers: z.int().describe("of them connected"),
        available_tools: z.int().describe("of those connected"),
        tool_count: z.int(),
        server_count: z.int(),
      }),
    },
    errors: [],
  }),
  execute: restRoute({
    name: "mcp.execute",
    method: "POST",
    path: "/mcp/execute",
    summary: "Calls a tool. A result that is an error is a result: success says it.",
    permission: null,
    headers: z.object({ "idempotency-key": z.string().min(1).max(200).optional() }),
    body: z.strictObject({
      tool_name: z.string().min(1).max(300).optional().describe("server__tool; or name"),
      name: z.string().min(1).max(300).optional(),
      args: args.describe("or arguments"),
      arguments: args,
    }),
    output: {
      status: 200,
      kind: "json",
      schema: answered(
        z.object({
          success: z.boolean(),
          server: z.string(),
          server_uuid: z.string(),
          tool: z.string(),
          content: z.string().describe("the texts of the result, one a line"),
          result: unknownObject.describe("the whole result, as the server gave it"),
        }),
      ),
    },
    errors: callErrors,
  }),
  search: restRoute({
    name: "mcp.search",
    method: "POST",
    path: "/mcp/search",
    summary:
      "The tools that fit a question best, by their names and descriptions. The same question finds the same, and no model is asked.",
    permission: null,
    body: z.strictObject({ query: z.string().min(1).max(2_000), limit: z.int().min(1).max(50).default(5) }),
    output: { status: 200, kind: "json", schema: answered(z.array(found)) },
    errors: ["missing_dependency"],
  }),
  addServers: restRoute({
    name: "mcp.servers.add",
    method: "POST",
    path: "/mcp/servers/add",
    summary:
      "Stores and connects servers. A process is started only as mcp.allowStdio has it to the letter; what does not connect is not kept.",
    permission: writes,
    body: z.strictObject({
      config_data: z.string().max(1_000_000).optional().describe('JSON text: {"mcpServers": {…}}'),
      mcpServers: z.record(z.string(), z.unknown()).optional().describe("the same as an object"),
    }),
    output: {
      status: 200,
      kind: "json",
      schema: answered(
        z.object({
          success: z.boolean(),
          added_servers: z.array(
            z.object({
              name: z.string(),
              uuid: z.string(),
              command: z.string().nullable(),
              transport: z.string(),
              tools_count: z.int(),
            }),
          ),
          failed_servers: z.array(z.object({ name: z.string(), error: z.string(), code: z.string() })),
          total_servers: z.int(),
        }),
      ),
    },
    errors: ["forbidden", "stdio_not_allowed", "conflict"],
  }),
  removeServer: restRoute({
    name: "mcp.servers.remove",
    method: "POST",
    path: "/mcp/servers/remove",
    summary: "Takes a stored server away, and ends its process.",
    permission: writes,
    body: z.strictObject({ server_uuid: z.string().min(1).max(100).optional(), server_name: z.string().min(1).max(100).optional() }),
    output: {
      status: 200,
      kind: "json",
      schema: answered(z.object({ success: z.literal(true), removed_server: z.string(), remaining: z.int() })),
    },
    errors: ["forbidden", "not_found", "conflict"],
  }),
};

const server = z.strictObject({ server: z.string().min(1).max(100) });
const proxied = { method: "POST", permission: null, params: server, errors: callErrors } as const;
const result = { status: 200, kind: "json", schema: unknownObject } as const;
const page = z.strictObject({ cursor: z.string().min(1).max(2_000).optional() });

/** One server's methods as plain JSON, under its own names; the result as MCP has it. */
export const mcpProxyRoutes = {
  callTool: restRoute({
    ...proxied,
    name: "mcp.proxy.tools.call",
    path: "/v1/mcp/{server}/tools/call",
    summary: "Calls a tool of the server.",
    headers: z.object({ "idempotency-key": z.string().min(1).max(200).optional() }),
    body: z.strictObject({
      tool: z.string().min(1).max(200).optional().describe("as the server calls it; or name"),
      name: z.string().min(1).max(200).optional(),
      arguments: args,
    }),
    output: result,
  }),
  listTools: restRoute({
    ...proxied,
    name: "mcp.proxy.tools.list",
    path: "/v1/mcp/{server}/tools/list",
    summary: "The tools of the server that the caller may call.",
    body: page,
    bodyOptional: true,
    output: result,
  }),
  readResource: restRoute({
    ...proxied,
    name: "mcp.proxy.resources.read",
    path: "/v1/mcp/{server}/resources/read",
    summary: "Reads a resource of the server.",
    body: z.strictObject({ uri: z.string().min(1).max(4_000) }),
    output: result,
  }),
  listResources: restRoute({
    ...proxied,
    name: "mcp.proxy.resources.list",
    path: "/v1/mcp/{server}/resources/list",
    summary: "The resources of the server that the caller may read.",
    body: page,
    bodyOptional: true,
    output: result,
  }),
  getPrompt: restRoute({
    ...proxied,
    name: "mcp.proxy.prompts.get",
    path: "/v1/mcp/{server}/prompts/get",
    summary: "A prompt of the server, filled in.",
    body: z.strictObject({ name: z.string().min(1).max(200), arguments: z.record(z.string(), z.string()).optional() }),
    output: result,
  }),
  listPrompts: restRoute({
    ...proxied,
    name: "mcp.proxy.prompts.list",
    path: "/v1/mcp/{server}/prompts/list",
    summary: "The prompts of the server that the caller may use.",
    body: page,
    bodyOptional: true,
    output: result,
  }),
};
