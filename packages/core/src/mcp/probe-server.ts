import type { JsonObject } from "../calls/index.js";
import type { Era } from "./frames/protocol.js";
import { dialServer } from "./upstream/dial.js";
import { listsOf, readList } from "./upstream/server-lists.js";
import type { ServerTransport } from "./upstream/server-status.js";
import type { UpstreamDeps } from "./upstream/upstream-deps.js";
import type { ServerTarget } from "./server-target.js";

/** What a server showed when it was looked at. */
export interface ProbedServer {
  readonly transport: ServerTransport;
  readonly era: Era;
  readonly version: string;
  readonly serverInfo: JsonObject | null;
  readonly instructions: string | null;
  readonly capabilities: JsonObject;
  /** The definitions as the server sent them. */
  readonly tools: readonly JsonObject[];
  /** What of its tools was left out, and why. */
  readonly rejected: readonly string[];
}

/** Connects, looks, and ends the connection, whatever comes of it; when the signal is aborted, at once. Errors: those of a dial and of a lane. */
export async function probeServer(target: ServerTarget, deps: UpstreamDeps, signal?: AbortSignal): Promise<ProbedServer> {
  const nothing = (): void => undefined;
  const settings = { target, deps, onNotice: nothing, onLog: nothing, onClose: nothing, onStderr: nothing, signal };
  const { connection, way } = await dialServer(settings, "new");
  const end = (): void => void connection.lane.close();
  signal?.addEventListener("abort", end, { once: true });
  try {
    signal?.throwIfAborted();
    const rejected: string[] = [];
    const entries = listsOf(connection).includes("tools")
      ? await readList(connection, "tools", { deadlineMs: deps.clock.now() + deps.limits.listMs, onRejected: (why) => rejected.push(why) })
      : new Map<string, never>();
    const decoder = new TextDecoder();
    return {
      transport: way === "sse" ? "sse" : target.kind,
      era: connection.era,
      version: connection.version,
      serverInfo: connection.serverInfo,
      instructions: connection.instructions,
      capabilities: connection.capabilities,
      tools: [...entries.values()].map((entry) => JSON.parse(decoder.decode(entry.raw)) as JsonObject),
      rejected,
    };
  } finally {
    signal?.removeEventListener("abort", end);
    await connection.lane.close();
  }
}
