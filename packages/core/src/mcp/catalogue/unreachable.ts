import { GatewayError } from "../../errors/index.js";

export function toolNotFound(name: string): GatewayError {
  return new GatewayError("tool_not_found", `There is no tool "${name.slice(0, 200)}".`, {
    hint: "List the tools to see which there are; tools are named server__tool.",
  });
}

/** Its definition is not the one that was approved. */
export function definitionChanged(name: string): GatewayError {
  return new GatewayError("tool_definition_changed", `The definition of the tool "${name.slice(0, 200)}" is not one that was approved.`, {
    hint: "Whoever looks after the gateway sees what changed at GET /api/v1/mcp/pins, and approves or rejects it there.",
    details: { tool: name.slice(0, 200) },
  });
}
