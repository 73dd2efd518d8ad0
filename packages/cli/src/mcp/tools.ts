import { GatewayError, type Gateway } from "@sallyport/core";
import type { Command } from "../command.js";
import { openGateway } from "../open-gateway.js";
import { givenOwnerKey } from "../owner-key.js";
import { findPlace, loadPlace } from "../place.js";
import type { McpOptions } from "./mcp-options.js";

/** Prints the tools of every server, and on standard error the servers that are not there. */
export function list(command: Command, o: McpOptions): Promise<number> {
  return withGateway(command, async (gateway) => {
    const tools = await gateway.mcp.tools(o.rest[0]);
    const { terminal } = command;
    for (const { name, lastError } of gateway.mcp.status())
      if (lastError !== null) terminal.err(`${terminal.paint.yellow("!")} ${name}: ${lastError}`);
    if (o.json)
      terminal.out(
        JSON.stringify(
          tools.map(({ raw, name }) => ({ ...raw, name })),
          null,
          2,
        ),
      );
    else
      for (const { name, description } of tools)
        terminal.out(`${name}${description === undefined ? "" : `  ${terminal.paint.dim(firstLine(description))}`}`);
    return 0;
  });
}

/** Calls a tool, and prints the text of its result, or all of it with `--json`. Gives 1 for a result that is an error. */
export function call(command: Command, o: McpOptions): Promise<number> {
  const [name, given = "{}"] = o.rest;
  if (name === undefined)
    throw new GatewayError("bad_request", "mcp call needs the name of a tool.", { hint: "sallyport mcp list shows them." });
  const args = argumentsOf(given);
  return withGateway(command, async (gateway) => {
    const { raw, isError } = await gateway.mcp.call(name, args);
    const content = Array.isArray(raw["content"]) ? (raw["content"] as readonly { readonly type?: string; readonly text?: string }[]) : [];
    const texts = content.flatMap(({ type, text }) => (type === "text" && text !== undefined ? [text] : []));
    command.terminal.out(o.json || texts.length === 0 ? JSON.stringify(raw, null, 2) : texts.join("\n"));
    return isError ? 1 : 0;
  });
}

async function withGateway(command: Command, use: (gateway: Gateway) => Promise<number>): Promise<number> {
  const place = findPlace(command);
  const onOwnerKey = (key: string): void => command.terminal.err(`The owner key of ${place.dataDir}, shown only now: ${key}`);
  const gateway = openGateway(place, loadPlace(place, command.flags), { ownerKey: givenOwnerKey(command.env), onOwnerKey });
  try {
    await gateway.start();
    return await use(gateway);
  } finally {
    await gateway.close({ graceMs: 0 });
  }
}

function argumentsOf(text: string): Record<string, never> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, never>;
  } catch {
    // Told below.
  }
  throw new GatewayError("bad_request", "The arguments of the tool are no JSON object.", {
    hint: `sallyport mcp call files__read '{"path":"README.md"}'`,
  });
}

function firstLine(text: string): string {
  const [line = ""] = text.split("\n");
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
