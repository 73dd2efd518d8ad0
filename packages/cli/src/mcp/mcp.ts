import { GatewayError } from "@sallyport/core";
import type { Command } from "../command.js";
import type { McpOptions } from "./mcp-options.js";

const actions = ["serve", "list", "call", "probe"];

/** `sallyport mcp <action>`. Gives the exit code. Errors: `bad_request` for no such action. */
export async function mcp(command: Command, action: string | undefined, o: McpOptions): Promise<number> {
  switch (action) {
    case "serve":
      return (await import("./serve.js")).serve(command, o);
    case "list":
      return (await import("./tools.js")).list(command, o);
    case "call":
      return (await import("./tools.js")).call(command, o);
    case "probe":
      return (await import("./probe.js")).probe(command, o);
    default:
      throw new GatewayError("bad_request", action === undefined ? "mcp needs to be told what to do." : `There is no "mcp ${action}".`, {
        hint: `Say sallyport mcp ${actions.join(", or sallyport mcp ")}.`,
      });
  }
}
