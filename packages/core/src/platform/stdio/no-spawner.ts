import type { McpSpawner } from "../../ports/index.js";

/** This runtime starts no processes: stdio servers are refused by name. */
export function stdioSpawner(): McpSpawner | undefined {
  return undefined;
}
