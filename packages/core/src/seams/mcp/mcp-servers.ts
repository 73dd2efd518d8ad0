import type { Caller, ToolDefinition } from "../../calls/index.js";
import type { CallOptions } from "../call-options.js";
import type { CallExplanation } from "./call-explanation.js";

export interface ServerTool {
  /** As the server calls it. */
  readonly name: string;
  /** As this gateway calls it. */
  readonly localName: string;
  readonly description: string | null;
  readonly inputSchema: unknown;
}
export type ServerAuthMode = "none" | "bearer" | "api_key" | "oauth";

/** What an operator sees of a server. */
export interface ServerFacts {
  readonly name: string;
  readonly origin: "configuration" | "code" | "database";
  readonly transport: "stdio" | "http" | "sse" | "openapi" | "in-process";
  readonly healthy: boolean;
  readonly authMode: ServerAuthMode;
  /** In the server's order. */
  readonly tools: readonly ServerTool[];
  readonly lastError: string | null;
  /** Unix ms; null: it never answered. */
  readonly lastSuccessMs: number | null;
  /** Whether its calls fail at once because it kept failing; how many are there now, and how many wait for their turn. */
  readonly breaker: "closed" | "open" | "half-open";
  readonly inFlight: number;
  readonly queued: number;
}
/** A sign-in as operators see it: never a token. Instants are Unix ms. */
export interface OAuthStatus {
  readonly configured: boolean;
  readonly tokenAcquired: boolean;
  readonly expiresAtMs: number | null;
  readonly lastRefreshedAtMs: number | null;
  readonly hasRefreshToken: boolean;
  readonly lastError: string | null;
  readonly grant: string | null;
  /** A person has to sign in. */
  readonly needsReauth: boolean;
  readonly authenticatedBy: string | null;
  readonly authenticatedAtMs: number | null;
}

/** A tool that fits a question. */
export interface FoundTool {
  readonly tool: ToolDefinition;
  /** 0 to 1, of the best that was found. */
  readonly score: number;
  /** Which words were found, and where. */
  readonly why: string;
}

/** The servers behind `mcp`, for who administers them and for the REST forms; filled by `mcp`. Who may ask is the route's affair. */
export interface McpServers {
  /** All of them, by name. Waits for those that are being connected for the first time, for a while. */
  list(): Promise<readonly ServerFacts[]>;
  /** null: there is none of this name. */
  get(name: string): ServerFacts | null;
  /** Waits until it stands. Errors: `not_found`, those of the connection. */
  ready(name: string, o: CallOptions): Promise<ServerFacts>;
  /** Reads its lists again, connecting it first where it is not; a document is read anew. Errors: `not_found`, those of the connection. */
  refresh(name: string, o: CallOptions): Promise<ServerFacts>;
  /** Connects a server of this name once more, as it is configured, lists its tools, and leaves nothing behind. Errors: `not_found`, those of the connection. */
  test(name: string, o: CallOptions): Promise<readonly ServerTool[]>;
  /** The same with a server that there is not, described as the configuration describes it: as one that came over HTTP. Errors: `validation_failed`, `stdio_not_allowed`, those of the connection. */
  probe(name: string, described: unknown, o: CallOptions): Promise<readonly ServerTool[]>;
  /** Whether such a server may be added from outside. Errors: `validation_failed`, `stdio_not_allowed`, `misconfigured`. */
  check(name: string, described: unknown): void;
  oauth(name: string): Promise<OAuthStatus>;
  /** What would become of a call of `server__tool`; `arguments`: JSON text of an object. Touches nothing. Errors: `missing_dependency`, `validation_failed`. */
  explain(call: { readonly tool: string; readonly arguments: string; readonly caller: Caller }): Promise<CallExplanation>;
  /** The tools that the caller may call and that fit best, the best first; equal questions of equal tools find the same. Errors: `missing_dependency`. */
  search(query: string, o: { readonly caller: Caller; readonly limit: number }): Promise<readonly FoundTool[]>;
}
