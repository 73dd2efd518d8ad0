import type { NameFilter } from "../util/glob.js";

/** What a persona leaves of MCP servers, by their names and by `server__tool`. */
export interface PersonaBound {
  readonly name: string;
  readonly servers: NameFilter;
  readonly tools: NameFilter;
}

/**
 * Who is calling. There is no anonymous caller: a request either has one of these or is answered 401.
 * `grants` are scope strings such as `models:openai/*`, `mcp:files__*`, `admin:read` or `*`; what they do not name is denied.
 */
export interface Caller {
  readonly kind: "owner" | "key" | "user" | "host" | "system";
  /** Stable id, safe to log: never the credential itself. */
  readonly id: string;
  readonly name: string;
  /** The projects whose rows this caller may see; the first is where its new rows go. Never empty. */
  readonly projects: readonly [string, ...string[]];
  readonly grants: readonly string[];
  /** Grants of the credentials that this one was made from: what it may do, each of these lists has to allow as well. */
  readonly bounds?: readonly (readonly string[])[] | undefined;
  /** Personas that bind it, as of now: what it may use of MCP servers, each of these has to let pass as well. The MCP proxy says so of each caller anew; whatever else stands here does not count. */
  readonly personas?: readonly PersonaBound[] | undefined;
  /** For whom limits, budgets and reports count the call, beside its project; undefined: nobody of that kind. */
  readonly keyId?: string | undefined;
  /** The keys that its key was made from, the nearest first: what limits them limits it, and what it spends they have spent. */
  readonly madeFrom?: readonly string[] | undefined;
  readonly userId?: string | undefined;
  readonly teamId?: string | undefined;
  readonly agentId?: string | undefined;
}

/** The project of everything that names no other. */
export const DEFAULT_PROJECT = "default";

/** The gateway's own work: reconcilers, start-up, resumed runs whose caller is read from the store. */
export const SYSTEM_CALLER: Caller = {
  kind: "system",
  id: "system",
  name: "the gateway itself",
  projects: [DEFAULT_PROJECT],
  grants: ["*"],
};
