import type { GatewayOptions } from "@sallyport/core";

/** What a gateway process of these tests is told. */
export interface NodeOptions {
  readonly store: { readonly sqlite: string } | { readonly mysql: string };
  readonly redis: string | null;
  /** Where models, tools and tasks have their effects: an HTTP server of the test. */
  readonly world: string;
  /** An MCP server of the test. */
  readonly mcp: string | null;
  readonly graceMs: number;
  /** Beside what all have; left out: nothing. */
  readonly settings?: Pick<GatewayOptions, "mcpServers" | "mcp" | "limits"> | undefined;
}

export const OWNER_KEY = "many-nodes-owner-key-7be1a5c093f24d68-on-loopback";

/** One line of standard input: what the process is asked to do beside what it serves over HTTP. */
export interface Asked {
  readonly id: number;
  readonly method: "task" | "taskOf" | "run" | "nodes" | "fenced";
  readonly args: Readonly<Record<string, unknown>>;
}
