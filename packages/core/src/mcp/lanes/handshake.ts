import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/client";
import type { JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";
import { BRIDGED } from "../bridge/capabilities.js";
import { META, isModern, type Era } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";
import type { Lane } from "./lane.js";

/** What both sides know of each other once a connection stands. */
export interface Agreement {
  readonly era: Era;
  readonly version: string;
  readonly capabilities: JsonObject;
  /** `{name, version, …}` as the server said it; null when it did not. */
  readonly serverInfo: JsonObject | null;
  readonly instructions: string | null;
}

export interface HandshakeOptions {
  readonly lane: Lane;
  readonly kind: "wire" | "http";
  readonly version: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The server is known to end when it is asked for its revisions first: start with `initialize`. */
  readonly skipProbe: boolean;
}

/**
 * Agrees on a revision over a fresh connection with the official SDK's client: `server/discover` first, then the older handshake. After it the SDK is done:
 * requests travel as bytes, on the same connection.
 * Errors: those of a lane; `upstream_rejected` when the server refuses, `upstream_protocol` when no revision is common. `details.probe` is "closed" when the server ended on being asked for its revisions.
 */
export async function shakeHands(o: HandshakeOptions): Promise<Agreement> {
  const { Client, SdkHttpError, SdkErrorCode } = await import("@modelcontextprotocol/client");
  const transport = new LaneTransport(
    o,
    (status, cause) => new SdkHttpError(SdkErrorCode.ClientHttpNotImplemented, cause.message, { status }),
  );
  const client = new Client(
    { name: "sallyport", version: o.version },
    { capabilities: BRIDGED, versionNegotiation: { mode: "auto", probe: { timeoutMs: o.timeoutMs / 2 } } },
  );
  try {
    await client.connect(transport, { timeout: o.timeoutMs, ...(o.skipProbe ? { prior: { kind: "legacy" as const } } : {}) });
  } catch (error) {
    throw transport.failure ?? refusal(error);
  }
  const version = client.getNegotiatedProtocolVersion() ?? "";
  o.lane.adopt(version);
  return {
    era: isModern(version) ? "modern" : "legacy",
    version,
    capabilities: (client.getServerCapabilities() ?? {}) as JsonObject,
    serverInfo: (client.getServerVersion() as JsonObject | undefined) ?? null,
    instructions: client.getInstructions() ?? null,
  };
}

function refusal(error: unknown): GatewayError {
  const code: unknown = typeof error === "object" && error !== null ? (error as { code?: unknown }).code : undefined;
  if (typeof code === "number")
    return new GatewayError("upstream_rejected", `The server refused the handshake with the JSON-RPC error ${code}.`, {
      cause: error,
      details: { rpcCode: code },
    });
  if (code === "REQUEST_TIMEOUT")
    return new GatewayError("upstream_timeout", "The server did not answer the handshake in time.", { cause: error });
  return new GatewayError("upstream_protocol", "No revision of the Model Context Protocol could be agreed on with the server.", {
    cause: error,
    hint: "Check that the command or address is that of an MCP server.",
  });
}

/** The SDK's view of a lane: only for the few messages of a handshake. */
class LaneTransport implements Transport {
  onmessage?: (message: JSONRPCMessage) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  /** The last failure below the SDK, which says more than what the SDK makes of it. */
  failure: GatewayError | null = null;
  readonly #o: HandshakeOptions;
  readonly #httpError: (status: number, cause: GatewayError) => Error;

  constructor(options: HandshakeOptions, httpError: (status: number, cause: GatewayError) => Error) {
    this.#o = options;
    this.#httpError = httpError;
    // By these two the SDK recognises a child process, for which silence means an older server.
    if (options.kind === "wire") Object.assign(this, { stderr: null, pid: null });
  }

  async start(): Promise<void> {
    // The lane is open already.
  }
  async close(): Promise<void> {
    // Whoever opened the lane closes it.
  }
  setProtocolVersion(version: string): void {
    this.#o.lane.adopt(version);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const deadlineMs = this.#o.clock.now() + this.#o.timeoutMs;
    if (!("method" in message)) return;
    if (!("id" in message)) return this.#o.lane.notify(utf8(JSON.stringify(message)), deadlineMs);
    try {
      this.failure = null;
      const named: unknown = (message.params?.["_meta"] as JsonObject | undefined)?.[META.protocolVersion];
      const reply = await this.#o.lane.exchange(
        {
          method: message.method,
          subject: null,
          headers: [],
          version: typeof named === "string" ? named : null,
          encode: (id) => utf8(JSON.stringify({ ...message, id })),
        },
        { deadlineMs, owner: null },
      );
      const parsed = JSON.parse(new TextDecoder().decode(reply.bytes)) as JSONRPCMessage;
      this.onmessage?.({ ...parsed, id: message.id } as JSONRPCMessage);
    } catch (error) {
      throw this.#failed(GatewayError.from(error), message.method);
    }
  }

  /** A refused probe is how an older server says that it is one, so the SDK has to see the status. */
  #failed(error: GatewayError, method: string): Error {
    const ended = method === "server/discover" && this.#o.kind === "wire" && error.code === "upstream_interrupted";
    this.failure = ended ? new GatewayError(error.code, error.message, { cause: error, details: { probe: "closed" } }) : error;
    const status = error.details?.["status"];
    return typeof status === "number" ? this.#httpError(status, error) : this.failure;
  }
}
