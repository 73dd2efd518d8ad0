import { GatewayError } from "../../errors/index.js";
import type { McpWire } from "../../ports/index.js";
import type { RpcMessage } from "../frames/message.js";
import { admit, type ServerTarget } from "../server-target.js";
import { shakeHands, type Agreement } from "../lanes/handshake.js";
import { HttpLane } from "../lanes/http-lane.js";
import type { Lane, LaneEvents } from "../lanes/lane.js";
import { redactingEvents, RedactingLane, secretsOf } from "../lanes/redacting-lane.js";
import { hopMeta, type Connection } from "../lanes/own-request.js";
import type { UpstreamDeps } from "./upstream-deps.js";
import { WireLane } from "../lanes/wire-lane.js";
import { waitWithin } from "./wait-within.js";

export interface DialOptions {
  readonly target: ServerTarget;
  readonly deps: UpstreamDeps;
  readonly skipProbe: boolean;
  readonly onNotice: (notice: RpcMessage) => void;
  readonly onLog: (owner: string, notice: RpcMessage) => void;
  readonly onClose: (connection: Connection, why: Error | null) => void;
  /** What a process wrote that did not come up. */
  readonly onStderr: (text: string | null) => void;
  /** Aborted: nobody wants the connection any more, and an attempt under way ends at once. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a connection, in the way that the server understands: some older ones end when they are asked for their revisions, and are greeted the old way then.
 * `greetedOldWay` says so, for the next time. Errors: as of one attempt.
 */
export async function dialServer(
  o: Omit<DialOptions, "skipProbe">,
  oldWayFirst: boolean,
): Promise<{ readonly connection: Connection; readonly greetedOldWay: boolean }> {
  if (!oldWayFirst) {
    try {
      return { connection: await dial({ ...o, skipProbe: false }), greetedOldWay: false };
    } catch (error) {
      if (!GatewayError.is(error) || error.details?.["probe"] !== "closed" || o.signal?.aborted === true) throw error;
    }
  }
  return { connection: await dial({ ...o, skipProbe: true }), greetedOldWay: true };
}

/** One attempt. When it fails, nothing of it stays. Errors: those of a lane, `misconfigured`, `stdio_not_allowed`. */
async function dial(o: DialOptions): Promise<Connection> {
  admit(o.target, o.deps.snapshot());
  let connection: Connection | null = null;
  let over: { readonly why: Error | null } | null = null;
  const isSecret = secretsOf(o.target).length > 0;
  const events: LaneEvents = {
    onNotice: o.onNotice,
    onLog: o.onLog,
    onClose: (why) => {
      over = { why };
      if (connection !== null) o.onClose(connection, why);
    },
  };
  const { redact } = o.deps;
  const lane = new RedactingLane(await openLane(o, isSecret ? redactingEvents(events, redact) : events), { redact, hasSecrets: isSecret });
  const end = (): void => void lane.close();
  o.signal?.addEventListener("abort", end, { once: true });
  try {
    if (o.signal?.aborted === true) throw new GatewayError("cancelled", "The connection is not wanted any more.");
    const agreement = await agree(o, lane);
    connection = { ...agreement, lane, meta: hopMeta(agreement, o.deps.version) };
    return connection;
  } catch (error) {
    await lane.close();
    o.onStderr(lane.stderr());
    throw whyItEnded(over, error);
  } finally {
    o.signal?.removeEventListener("abort", end);
  }
}

/** A process that ended says more than the request that got no answer. */
function whyItEnded(over: { readonly why: Error | null } | null, error: unknown): unknown {
  if (over === null || !GatewayError.is(over.why) || (GatewayError.is(error) && error.details?.["probe"] === "closed")) return error;
  return over.why;
}

function agree(o: DialOptions, lane: Lane): Promise<Agreement> {
  const { target, deps } = o;
  if (target.kind === "in-process" && target.agreement !== undefined) return Promise.resolve(target.agreement);
  return shakeHands({
    lane,
    kind: target.kind === "http" ? "http" : "wire",
    version: deps.version,
    clock: deps.clock,
    timeoutMs: deps.limits.connectMs,
    skipProbe: o.skipProbe,
  });
}

async function openLane(o: DialOptions, events: LaneEvents): Promise<Lane> {
  const { target, deps } = o;
  const { clock, log } = deps;
  const onGarbage = (error: GatewayError) => log.debug("an MCP server sent something that is no message", { error: error.message });
  switch (target.kind) {
    case "stdio": {
      if (deps.spawner === undefined)
        throw new GatewayError("misconfigured", "Servers that are child processes need Node.", { hint: "Use a server with a URL here." });
      const process = await deps.spawner.open(target.server, { deadlineMs: clock.now() + deps.limits.connectMs });
      return new WireLane(process, { clock, events, onGarbage, stderr: () => process.stderr() });
    }
    case "in-process": {
      const deadlineMs = clock.now() + deps.limits.connectMs;
      const wire: McpWire = await waitWithin(target.open(), clock, {
        deadlineMs,
        signal: o.signal,
        what: "the server in this process to open",
      });
      return new WireLane(wire, { clock, events, onGarbage, stderr: () => null });
    }
    case "http": {
      const trust = target.trust === "operator" ? "operator" : "untrusted";
      return new HttpLane({
        url: target.url,
        headers: target.headers,
        trust,
        http: deps.http,
        clock,
        maxMessageBytes: deps.limits.maxMessageBytes,
        events,
      });
    }
  }
}
