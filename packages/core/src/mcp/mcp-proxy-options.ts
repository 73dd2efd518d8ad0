import type { Caller, ToolEvent } from "../calls/index.js";
import type { Snapshot } from "../config/snapshot.js";
import type { HttpClient, McpSpawner } from "../ports/index.js";
import type { ToolGuards, ToolSteps } from "./tool-policy.js";
import type { McpLimits } from "./upstream/upstream-deps.js";

export interface McpProxyOptions {
  readonly snapshot: () => Snapshot;
  /** Every tool call passes them, wherever it comes from. */
  readonly steps: ToolSteps;
  /** Look at resources and prompts that are read, and at questions of servers; nobody does when left out. */
  readonly guards?: ToolGuards | undefined;
  /** The guarded dialer, for servers with a URL. */
  readonly http: HttpClient;
  /** Starts servers that are child processes; left out where there are none. */
  readonly spawner?: McpSpawner | undefined;
  /** Reads text files that the operator named; left out where there are none. */
  readonly readFile?: ((path: string) => Promise<string | null>) | undefined;
  /** Who calls made in this process act as. */
  readonly owner: Caller;
  readonly limits?: Partial<McpLimits> | undefined;
  /** How browsers reach the gateway; left out: by what each request says. */
  readonly publicUrl?: string | undefined;
  /** What is known of other processes on this store; left out: there can be none. */
  readonly fleet?: { readonly hasPeers: boolean } | undefined;
  /** Seals what clients carry between the rounds of a call, the same at every process; left out: a key of this process. */
  readonly parkedKey?: (() => Uint8Array) | undefined;
}

export interface McpCallOptions {
  /** Left out: the owner. */
  readonly caller?: Caller | undefined;
  readonly signal?: AbortSignal | undefined;
  /** 10 minutes when left out. */
  readonly timeoutMs?: number | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly onProgress?: ((event: Extract<ToolEvent, { type: "progress" }>) => void) | undefined;
}
