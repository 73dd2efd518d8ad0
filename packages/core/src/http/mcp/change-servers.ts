import { GatewayError } from "../../errors/index.js";
import type { Row } from "../../routes/index.js";
import type { Services } from "../../seams/index.js";
import { callOptions, type Exchange } from "../exchange.js";
import { parseStrictJson } from "../faces/strict-json.js";
import type { ServerRows } from "./server-rows.js";

interface Changing {
  readonly services: Services;
  readonly rows: ServerRows;
}
const MAX_SERVERS = 50;
/** One that takes longer counts as failed. */
const CONNECT_MS = 30_000;

/**
 * Stores each server and waits until it stands; one that does not connect is not kept, unless somebody changed it meanwhile. A command that may not be started refuses the whole request, before anything is stored.
 * Errors: `validation_failed`, `stdio_not_allowed`, `forbidden`.
 */
export async function addServers(
  o: Changing,
  body: { readonly config_data?: string | undefined; readonly mcpServers?: Row | undefined },
  x: Exchange,
) {
  const { seams } = o.services;
  seams.resources.assertEverywhere(x.caller, "servers:write");
  const given = Object.entries(serversOf(body));
  for (const [name, described] of given) seams.mcpServers.get().check(name, described);
  const wanted = given.map(([name, described]) => [name, rowOf(name, described)] as const);
  const added: unknown[] = [];
  const failed: { name: string; error: string; code: string }[] = [];
  for (const [name, row] of wanted) {
    try {
      added.push(await add(o, { name, row }, x));
    } catch (error) {
      const known = GatewayError.from(error);
      if (known.code === "internal") throw known;
      failed.push({ name, error: known.message, code: known.code });
    }
  }
  const total = (await seams.mcpServers.get().list()).length;
  return { success: failed.length === 0, added_servers: added, failed_servers: failed, total_servers: total };
}

/** Errors: `not_found`; `conflict` for one that a file declares. */
export async function removeServer(o: Changing, name: string, x: Exchange): Promise<void> {
  const { seams } = o.services;
  seams.resources.assertEverywhere(x.caller, "servers:write");
  const facts = seams.mcpServers.get().get(name);
  if (facts !== null && facts.origin !== "database")
    throw new GatewayError("conflict", `The MCP server "${name}" is declared in a file, or in code, and is not removed here.`, {
      hint: "Remove it where it is declared.",
    });
  const row = await o.rows.find(name, x);
  if (row === null) throw new GatewayError("not_found", `There is no MCP server "${name}".`, { hint: "GET /mcp/servers lists them." });
  await o.rows.remove(row, x);
}

async function add(o: Changing, { name, row }: { readonly name: string; readonly row: Row }, x: Exchange) {
  const { seams, clock } = o.services;
  const made = await o.rows.create(row, x);
  try {
    const deadlineMs = Math.min(x.deadlineMs, clock.now() + CONNECT_MS);
    const facts = await seams.mcpServers.get().ready(name, { ...callOptions(x), deadlineMs });
    const command = typeof row["command"] === "string" ? row["command"] : null;
    return { name, uuid: name, command, transport: facts.transport, tools_count: facts.tools.length };
  } catch (error) {
    // Whoever changed it meanwhile keeps it.
    await o.rows.remove({ id: made["id"] as string, version: made["version"] as number }, x).catch(() => undefined);
    throw error;
  }
}

function serversOf({
  config_data: text,
  mcpServers,
}: {
  readonly config_data?: string | undefined;
  readonly mcpServers?: Row | undefined;
}): Row {
  if ((text === undefined) === (mcpServers === undefined))
    throw new GatewayError("validation_failed", "config_data: either it or mcpServers is needed, and not both");
  const given = text === undefined ? { mcpServers } : parseStrictJson(new TextEncoder().encode(text));
  const servers: unknown = typeof given === "object" && given !== null ? (given as Row)["mcpServers"] : undefined;
  if (typeof servers !== "object" || servers === null || Array.isArray(servers))
    throw new GatewayError("validation_failed", 'config_data: is JSON text of an object with "mcpServers"');
  const count = Object.keys(servers).length;
  if (count === 0 || count > MAX_SERVERS)
    throw new GatewayError("validation_failed", `mcpServers: has ${count} entries, and takes 1 to ${MAX_SERVERS}`);
  return servers as Row;
}

/** The shape that desktop clients keep their servers in, as a row; a process with an environment or a directory of its own was refused. Errors: `validation_failed`. */
function rowOf(name: string, described: unknown): Row {
  if (typeof described !== "object" || described === null || Array.isArray(described))
    throw new GatewayError("validation_failed", `mcpServers.${name}: is not an object`);
  const { type, url, command, args, env: _env, cwd: _cwd, headers, ...others } = described as Row;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw new GatewayError("validation_failed", `mcpServers.${name}.${unknown}: is not known here`);
  if (command === undefined) return { name, type: (type as string | undefined) ?? "http", url, ...credentialOf(name, headers) };
  return { name, type: "stdio", command, args: args ?? [] };
}

/** An authorization header is a credential, and is sealed; the others are kept as they are. */
function credentialOf(name: string, headers: unknown): Row {
  const entries = Object.entries((headers ?? {}) as Readonly<Record<string, unknown>>);
  const at = entries.findIndex(([header]) => header.toLowerCase() === "authorization");
  const plain = entries.filter((_entry, index) => index !== at);
  const rest = plain.length === 0 ? {} : { headers: Object.fromEntries(plain) };
  if (at < 0) return rest;
  const token = /^Bearer\s+(\S+)$/i.exec(String(entries[at]![1]))?.[1];
  if (token === undefined) throw new GatewayError("validation_failed", `mcpServers.${name}.headers.authorization: is not "Bearer …"`);
  return { ...rest, auth_mode: "bearer", credential: token };
}
