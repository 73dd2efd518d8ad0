import type { JsonObject, ToolDefinition, ToolResult } from "../../calls/index.js";
import { mayDo } from "../../access/grants.js";
import { GatewayError } from "../../errors/index.js";
import { mcpProxyRoutes, mcpRestRoutes, type RouteOutput } from "../../routes/index.js";
import type { ServerFacts, Services } from "../../seams/index.js";
import { callOptions, type Exchange, type Handler } from "../exchange.js";
import { jsonHandler } from "../faces/rest-face.js";
import type { McpServing } from "../faces/mcp-face.js";
import { askMcp, type McpQuestion } from "./ask-mcp.js";
import type { ServerRows } from "./server-rows.js";
import { addServers, removeServer } from "./change-servers.js";

export interface McpRestOptions {
  readonly services: Services;
  readonly mcp: McpServing;
  readonly rows: ServerRows;
}

/** MCP as plain JSON: `/mcp/…`. */
export function mcpRestHandlers(o: McpRestOptions): Readonly<Record<keyof typeof mcpRestRoutes, Handler>> {
  const { seams, clock } = o.services;
  const envelope = (x: Exchange) => ({
    request_id: x.requestId,
    status: "completed" as const,
    timestamp: new Date(clock.now()).toISOString(),
  });
  return {
    tools: jsonHandler(mcpRestRoutes.tools, async (_input, x: Exchange) => {
      const tools = await seams.tools.get().list(x.caller);
      return { ...envelope(x), result: { tools: tools.map(listed), total: tools.length } };
    }),
    servers: jsonHandler(mcpRestRoutes.servers, async (_input, x: Exchange) => ({ ...envelope(x), ...(await serversOf(o.services, x)) })),
    execute: jsonHandler(mcpRestRoutes.execute, async ({ body, headers }, x: Exchange) => {
      const name = oneOf([body.tool_name, body.name], ["tool_name", "name"]);
      const args = oneOf([body.args, body.arguments], ["args", "arguments"], {});
      const idempotencyKey = headers["idempotency-key"];
      const call = { name, arguments: JSON.stringify(args), idempotencyKey };
      const result = await seams.tools.get().call(call, callOptions(x));
      return { ...envelope(x), status: result.isError ? ("error" as const) : ("completed" as const), result: executed(name, result) };
    }),
    search: jsonHandler(mcpRestRoutes.search, async ({ body }, x: Exchange) => {
      const found = await seams.mcpServers.get().search(body.query, { caller: x.caller, limit: body.limit });
      const result = found.map(({ tool, score, why }) => ({
        mcp_server: tool.server,
        mcp_server_uuid: tool.server,
        tool_name: tool.name,
        description: tool.description ?? null,
        input_schema: tool.inputSchema,
        match_score: score,
        reasoning: why,
      }));
      return { ...envelope(x), result };
    }),
    addServers: jsonHandler(mcpRestRoutes.addServers, async ({ body }, x: Exchange) => ({
      ...envelope(x),
      result: (await addServers(o, body, x)) as RouteOutput<typeof mcpRestRoutes.addServers>["result"],
    })),
    removeServer: jsonHandler(mcpRestRoutes.removeServer, async ({ body }, x: Exchange) => {
      const name = oneOf([body.server_uuid, body.server_name], ["server_uuid", "server_name"]);
      await removeServer(o, name, x);
      const remaining = (await seams.mcpServers.get().list()).length;
      return { ...envelope(x), result: { success: true as const, removed_server: name, remaining } };
    }),
  };
}

/** One server's methods: `/v1/mcp/{server}/…`. */
export function mcpProxyHandlers({ services, mcp }: McpRestOptions): Readonly<Record<keyof typeof mcpProxyRoutes, Handler>> {
  const ask = (x: Exchange, question: McpQuestion) => {
    const { server } = question;
    if (services.seams.mcpServers.get().get(server) === null)
      throw new GatewayError("not_found", `There is no MCP server "${server.slice(0, 100)}".`, { hint: "GET /mcp/servers lists them." });
    return askMcp(mcp, x, question);
  };
  const list = (method: string) => (input: { params: { server: string }; body: { cursor?: string | undefined } }, x: Exchange) =>
    ask(x, { server: input.params.server, method, params: input.body.cursor === undefined ? {} : { cursor: input.body.cursor } });
  return {
    callTool: jsonHandler(mcpProxyRoutes.callTool, ({ params, body, headers }, x: Exchange) => {
      const name = oneOf([body.tool, body.name], ["tool", "name"]);
      const call = { name, arguments: (body.arguments ?? {}) as JsonObject, ...keyed(headers["idempotency-key"]) };
      return ask(x, { server: params.server, method: "tools/call", params: call });
    }),
    listTools: jsonHandler(mcpProxyRoutes.listTools, list("tools/list")),
    readResource: jsonHandler(mcpProxyRoutes.readResource, ({ params, body }, x: Exchange) =>
      ask(x, { server: params.server, method: "resources/read", params: { uri: body.uri } }),
    ),
    listResources: jsonHandler(mcpProxyRoutes.listResources, list("resources/list")),
    getPrompt: jsonHandler(mcpProxyRoutes.getPrompt, ({ params, body }, x: Exchange) =>
      ask(x, {
        server: params.server,
        method: "prompts/get",
        params: { name: body.name, ...(body.arguments === undefined ? {} : { arguments: body.arguments }) },
      }),
    ),
    listPrompts: jsonHandler(mcpProxyRoutes.listPrompts, list("prompts/list")),
  };
}

/** As MCP carries it. */
function keyed(key: string | undefined): JsonObject {
  return key === undefined ? {} : { _meta: { "sallyport/idempotencyKey": key } };
}

/** The one of two names for a field that was sent. Errors: `validation_failed` for both, or none. */
function oneOf<T>([first, second]: readonly [T | undefined, T | undefined], names: readonly [string, string], otherwise?: T): T {
  if (first !== undefined && second !== undefined)
    throw new GatewayError("validation_failed", `${names[0]}: stands beside ${names[1]}`, { hint: "Send one of the two." });
  const given = first ?? second ?? otherwise;
  if (given !== undefined) return given;
  throw new GatewayError("validation_failed", `${names[0]}: is missing`, {
    hint: `Send ${names[0]}, or ${names[1]}.`,
    details: { field: names[0] },
  });
}

function listed(tool: ToolDefinition) {
  const { server, name, description = null, inputSchema } = tool;
  return { mcp_server: server, mcp_server_uuid: server, name, description, inputSchema };
}

function executed(name: string, { isError, raw }: ToolResult) {
  const content = Array.isArray(raw["content"]) ? (raw["content"] as readonly JsonObject[]) : [];
  const texts = content.flatMap(({ type, text }) => (type === "text" && typeof text === "string" ? [text] : []));
  const at = name.indexOf("__");
  const server = at > 0 ? name.slice(0, at) : "";
  return { success: !isError, server, server_uuid: server, tool: name, content: texts.join("\n"), result: raw as Record<string, unknown> };
}

/** The servers of which the caller may call something; whoever reads servers sees all of them, with the same tools. */
async function serversOf({ seams }: Services, { caller }: Exchange) {
  const [servers, tools] = await Promise.all([seams.mcpServers.get().list(), seams.tools.get().list(caller)]);
  const seesAll = mayDo(caller, "servers", "read");
  const names = (server: string): string[] => tools.flatMap((tool) => (tool.server === server ? [tool.name] : []));
  const shown = servers.filter(({ name }) => seesAll || tools.some(({ server }) => server === name));
  const result = Object.fromEntries(
    shown.map(({ name, transport }) => [name, { name, transport, tool_count: names(name).length, tools: names(name) }] as const),
  );
  const counted = (some: readonly ServerFacts[]): number => some.reduce((sum, { name }) => sum + names(name).length, 0);
  const active = shown.filter(({ healthy }) => healthy);
  return {
    result,
    active_servers: active.length,
    available_tools: counted(active),
    tool_count: counted(shown),
    server_count: shown.length,
  };
}
