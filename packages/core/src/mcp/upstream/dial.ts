import { GatewayError } from "../../errors/index.js";
import type { McpWire } from "../../ports/index.js";
import type { RpcMessage } from "../frames/message.js";
import { admit, type ServerTarget } from "../server-target.js";
import { shakeHands, type Agreement } from "../lanes/handshake.js";
import { HttpLane } from "../lanes/http-lane.js";
import type { Lane, LaneEvents } from "../lanes/lane.js";
import { redactingEvents, RedactingLane, secretsOf } from "../lanes/redacting-lane.js";
import { hopMeta, type Connection } from "../lanes/own-request.js";
import { OPENAPI_AGREEMENT } from "../openapi/agreement.js";
import { openSse } from "./sse-wire.js";
import type { UpstreamDeps } from "./upstream-deps.js";
import { WireLane } from "../lanes/wire-lane.js";
import { waitWithin } from "./wait-within.js";

/** How a server is greeted: asked for its revisions first, with `initialize` at once, or so over HTTP+SSE. */
export type Way = "new" | "old" | "sse";

export interface DialOptions {
  readonly target: ServerTarget;
  readonly deps: UpstreamDeps;
  readonly way: Way;
  readonly onNotice: (notice: RpcMessage) => void;
  readonly onLog: (owner: string, notice: RpcMessage) => void;
  readonly onClose: (connection: Connection, why: Error | null) => void;
  /** What a process wrote that did not come up. */
  readonly onStderr: (text: string | null) => void;
  /** Aborted: nobody wants the connection any more, and an attempt under way ends at once. */
  readonly signal?: AbortSignal | undefined;
}

/** Statuses by which a server says that it does not know Streamable HTTP. Source: MCP 2025-11-25, transports, "Backwards Compatibility". */
const NOT_STREAMABLE: ReadonlySet<unknown> = new Set([400, 404, 405]);

/**
 * Opens a connection, in the way that the server understands: some older ones end when they are asked for their revisions, and are greeted the old way then; some have HTTP+SSE only.
 * `way` says how, for the next time. Errors: as of the first attempt.
 */
export async function dialServer(o: Omit<DialOptions, "way">, first: Way): Promise<{ readonly connection: Connection; readonly way: Way }> {
  const way = o.target.kind === "http" && o.target.transport === "sse" ? "sse" : first;
  try {
    return { connection: await dial({ ...o, way }), way };
  } catch (error) {
    const next = way === "new" && o.signal?.aborted !== true ? otherWay(o.target, error) : null;
    if (next === null) throw error;
    try {
      return { connection: await dial({ ...o, way: next }), way: next };
    } catch (second) {
      // A wrong address is told as what it is, not as a server that has no stream.
      throw next === "sse" ? error : second;
    }
  }
}

function otherWay(target: ServerTarget, error: unknown): Way | null {
  if (!GatewayError.is(error)) return null;
  if (error.details?.["probe"] === "closed") return "old";
  const mayBeOlder = target.kind === "http" && target.transport === "either";
  return mayBeOlder && NOT_STREAMABLE.has(error.details?.["status"]) ? "sse" : null;
}

/** One attempt. When it fails, nothing of it stays. Errors: those of a lane, `misconfigured`, `stdio_not_allowed`. */
async function dial(o: DialOptions): Promise<Connection> {
  admit(o.target, o.deps.snapshot());
  let connection: Connection | null = null;
  let over: { readonly why: Error | null } | null = null;
  const isSecret = secretsOf(o.target).length > 0 || (o.target.kind === "http" && o.target.authorizer !== undefined);
  const events: LaneEvents = {
    onNotice: o.onNotice,
    onLog: o.onLog,
    onClose: (why) => {
      over = { why };
      if (connection !== null) o.onClose(connection, why);
    },
  };
  const redact = redactorOf(o);
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

/** Every secret that the gateway knows, and the tokens that this server was shown. */
function redactorOf({ target, deps }: DialOptions): (text: string) => string {
  const authorizer = target.kind === "http" ? target.authorizer : undefined;
  if (authorizer === undefined) return deps.redact;
  return (text) => authorizer.secrets().reduce((left, token) => left.replaceAll(token, "***"), deps.redact(text));
}

/** A process that ended says more than the request that got no answer. */
function whyItEnded(over: { readonly why: Error | null } | null, error: unknown): unknown {
  if (over === null || !GatewayError.is(over.why) || (GatewayError.is(error) && error.details?.["probe"] === "closed")) return error;
  return over.why;
}

function agree(o: DialOptions, lane: Lane): Promise<Agreement> {
  const { target, deps } = o;
  if (target.kind === "openapi") return Promise.resolve(OPENAPI_AGREEMENT);
  if (target.kind === "in-process" && target.agreement !== undefined) return Promise.resolve(target.agreement);
  return shakeHands({
    lane,
    kind: target.kind === "http" && o.way !== "sse" ? "http" : "wire",
    version: deps.version,
    clock: deps.clock,
    timeoutMs: connectMs(o),
    skipProbe: o.way !== "new",
  });
}

function connectMs({ target, deps }: DialOptions): number {
  return target.connectMs ?? deps.limits.connectMs;
}

async function openLane(o: DialOptions, events: LaneEvents): Promise<Lane> {
  const { target, deps } = o;
  const { clock, log } = deps;
  const onGarbage = (error: GatewayError) => log.debug("an MCP server sent something that is no message", { error: error.message });
  switch (target.kind) {
    case "stdio": {
      if (deps.spawner === undefined)
        throw new GatewayError("misconfigured", "Servers that are child processes need Node.", { hint: "Use a server with a URL here." });
      const process = await deps.spawner.open(target.server, { deadlineMs: clock.now() + connectMs(o), signal: o.signal });
      return new WireLane(process, { clock, events, onGarbage, stderr: () => process.stderr() });
    }
    case "in-process": {
      const what = "the server in this process to open";
      const wire: McpWire = await waitWithin(target.open(), clock, { deadlineMs: clock.now() + connectMs(o), signal: o.signal, what });
      return new WireLane(wire, { clock, events, onGarbage, stderr: () => null });
    }
    case "openapi": {
      const { openOpenApi } = await import("../openapi/open-openapi.js");
      const wire = await openOpenApi(target, { ...deps, deadlineMs: clock.now() + connectMs(o), signal: o.signal });
      return new WireLane(wire, { clock, events, onGarbage, stderr: () => null });
    }
    case "http": {
      const trust = target.trust === "operator" ? "operator" : "untrusted";
      const { url, headers } = target;
      const shared = { url, headers, trust, http: deps.http, clock, maxMessageBytes: deps.limits.maxMessageBytes } as const;
      const { authorizer } = target;
      if (o.way !== "sse") return new HttpLane({ ...shared, authorizer, events });
      const wire = await openSse({ ...shared, authorizer }, { deadlineMs: clock.now() + connectMs(o), signal: o.signal });
      return new WireLane(wire, { clock, events, onGarbage, stderr: () => null });
    }
  }
}
