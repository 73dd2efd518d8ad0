import type { HttpAnswer, JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { isObject } from "../../util/json.js";
import { bridgeable } from "../bridge/capabilities.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { textAt } from "../frames/json-scan.js";
import { member, stringMember, valueMember } from "../frames/message.js";
import { LEGACY_VERSIONS, RPC, severity } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";
import { CAPABILITIES, instructionsFor } from "./describe.js";
import type { LegacySession } from "../subscribers/legacy-session.js";
import type { LegacySessions } from "../subscribers/legacy-sessions.js";
import type { LogLevels } from "../subscribers/log-levels.js";
import type { Methods } from "./methods.js";
import { acknowledged } from "./other-calls.js";
import type { RpcCall } from "./request.js";
import { STREAM_HEADERS, emptyAnswer, errorAnswer, jsonAnswer, resultBytes } from "./respond.js";

/** By convention of the official SDK. */
const SESSION_NOT_FOUND = -32001;

export interface LegacyFaceOptions {
  readonly catalogue: Catalogue;
  readonly sessions: LegacySessions;
  readonly methods: Methods;
  readonly logLevels: LogLevels;
  readonly version: string;
  /** Whether other processes may hold a session's requests. */
  readonly hasPeers?: (() => boolean) | undefined;
  /** A session's row was written. */
  readonly onTold?: (() => void) | undefined;
}
/** Of a request's id as JSON text. */
const MAX_REQUEST_ID = 200;
export type Incoming = Omit<RpcCall, "signal" | "logs" | "era" | "session">;

/**
 * Revisions up to 2025-11-25: `initialize` opens a session; requests without one are served too, without what needs one (cancellation by message, subscriptions, log
 * levels, notices on a standing stream).
 */
export class LegacyFace {
  readonly #o: LegacyFaceOptions;
  constructor(options: LegacyFaceOptions) {
    this.#o = options;
  }

  /** Throws, or rejects, with what is to be told as a JSON-RPC error. */
  post(incoming: Incoming): HttpAnswer | Promise<HttpAnswer> {
    const { message } = incoming;
    if (message.method === "initialize" && message.kind === "request") return this.#initialize(incoming);
    const found = this.#session(incoming);
    return found instanceof Promise ? found.then((session) => this.#post(incoming, session)) : this.#post(incoming, found);
  }

  #post(incoming: Incoming, found: LegacySession | "unknown" | null): HttpAnswer | Promise<HttpAnswer> {
    const { message } = incoming;
    if (found === "unknown") return unknownSession(incoming.id);
    if (message.kind === "notification") return this.#notified(incoming, found);
    if (found !== null) return this.#inSession(incoming, found);
    return this.#request(rpcCall(incoming, { signal: incoming.o.signal, logs: "all", session: null }), null);
  }

  /** A client's answer to what it was asked, perhaps by another process. */
  async answered(incoming: Incoming): Promise<HttpAnswer> {
    const found = await this.#session(incoming);
    if (found === "unknown") return unknownSession(incoming.id);
    const { message } = incoming;
    if (found === null || found.questions.answered(message)) return emptyAnswer(202);
    await this.#o.sessions.answeredElsewhere(found, message);
    // Whether anybody still waits for it is nothing that a client could act on.
    return emptyAnswer(202);
  }

  async #inSession(incoming: Incoming, session: LegacySession): Promise<HttpAnswer> {
    const running = session.begin(incoming.id, incoming.o.signal);
    try {
      const answer = await this.#request(
        rpcCall(incoming, { signal: running.signal, logs: session.logs, session: session.questions }),
        session,
      );
      const done: HttpAnswer["done"] = (how, code) => {
        running.end();
        answer.done(how, code);
      };
      return { ...answer, done };
    } catch (error) {
      running.end();
      throw error;
    }
  }

  /** The standing stream of a session. */
  async stream(incoming: Omit<Incoming, "message" | "id">): Promise<HttpAnswer> {
    const found = await this.#session(incoming);
    if (found === null)
      return errorAnswer(405, "null", {
        code: RPC.serverError,
        message: "There is a stream only within a session: POST initialize first.",
      });
    if (found === "unknown") return unknownSession("null");
    if (!incoming.takesStream)
      return errorAnswer(406, "null", {
        code: RPC.serverError,
        message: "The stream is sent as text/event-stream, which the Accept header does not name.",
      });
    const stream = found.open();
    const { signal } = incoming.o;
    // It ends with what its caller came in with: whoever comes again is told by 401.
    const end = (): void => {
      signal.removeEventListener("abort", end);
      found.detach(stream);
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
    return { status: 200, headers: STREAM_HEADERS, body: { kind: "frames", frames: stream }, done: end };
  }

  async end(incoming: Omit<Incoming, "message" | "id">): Promise<HttpAnswer> {
    const found = await this.#session(incoming);
    if (found === "unknown" || found === null) return unknownSession("null");
    await this.#o.sessions.endEverywhere(found);
    this.#o.onTold?.();
    return emptyAnswer(204);
  }

  /** A promise when another process may have opened it. */
  #session(incoming: Omit<Incoming, "message" | "id">): LegacySession | "unknown" | null | Promise<LegacySession | "unknown"> {
    const id = incoming.request.header("mcp-session-id");
    if (id === undefined) return null;
    const { caller } = incoming.o;
    const here = this.#o.sessions.find(id, caller, incoming.view);
    return here ?? this.#o.sessions.adopt(id, caller, incoming.view).then((session) => session ?? "unknown");
  }

  async #initialize(incoming: Incoming): Promise<HttpAnswer> {
    const { bytes, params } = incoming.message;
    const asked = stringMember(bytes, params, "protocolVersion");
    if (asked === null) throw new GatewayError("validation_failed", 'initialize needs the "protocolVersion", a string.');
    // What a client asks for that we do not know is answered with our newest, which it may then accept or leave.
    const version = (LEGACY_VERSIONS as readonly string[]).includes(asked) ? asked : LEGACY_VERSIONS[0];
    const starting = this.#o.catalogue.started();
    if (starting !== null) await starting;
    const declared = valueMember(bytes, params, "capabilities");
    const capabilities = bridgeable(isObject(declared) ? (declared as JsonObject) : {});
    const session = this.#o.sessions.create({ caller: incoming.o.caller, view: incoming.view, version, capabilities });
    await this.#o.sessions.share(session);
    const instructions = instructionsFor(this.#o.catalogue, incoming.view, incoming.o.caller);
    const result = {
      protocolVersion: version,
      capabilities: CAPABILITIES,
      serverInfo: { name: "sallyport", version: this.#o.version },
      ...(instructions === null ? {} : { instructions }),
    };
    return jsonAnswer(200, resultBytes(incoming.id, utf8(JSON.stringify(result))), [["mcp-session-id", session.id]]);
  }

  async #notified(incoming: Incoming, session: LegacySession | null): Promise<HttpAnswer> {
    const { message } = incoming;
    const id = message.method === "notifications/cancelled" ? member(message.params, "requestId") : null;
    if (id === null || session === null) return emptyAnswer(202);
    const requestId = textAt(message.bytes, id);
    if (!session.cancel(requestId) && this.#o.hasPeers?.() === true) {
      await this.#o.sessions.cancelElsewhere(session, requestId.slice(0, MAX_REQUEST_ID));
      this.#o.onTold?.();
    }
    return emptyAnswer(202);
  }

  #request(rpc: RpcCall, session: LegacySession | null): HttpAnswer | Promise<HttpAnswer> {
    switch (rpc.message.method) {
      case "ping":
        return acknowledged(rpc, this.#o.version);
      case "logging/setLevel":
        return this.#setLevel(rpc, session);
      case "resources/subscribe":
      case "resources/unsubscribe":
        return this.#subscribe(rpc, session);
      default:
        return this.#o.methods.request(rpc);
    }
  }

  async #setLevel(rpc: RpcCall, session: LegacySession | null): Promise<HttpAnswer> {
    const level = severity(stringMember(rpc.message.bytes, rpc.message.params, "level") ?? "");
    if (level < 0)
      throw new GatewayError(
        "validation_failed",
        'logging/setLevel needs a "level": debug, info, notice, warning, error, critical, alert or emergency.',
      );
    session?.setLogs(level);
    this.#o.logLevels.update(this.#o.sessions.all());
    if (session !== null) {
      await this.#o.sessions.tell(session, () => ({ logLevel: level }));
      this.#o.onTold?.();
    }
    return acknowledged(rpc, this.#o.version);
  }

  async #subscribe(rpc: RpcCall, session: LegacySession | null): Promise<HttpAnswer> {
    const { bytes, params, method } = rpc.message;
    const uri = stringMember(bytes, params, "uri");
    if (uri === null) throw new GatewayError("validation_failed", `${method} needs the resource's "uri", a string.`);
    if (session === null) throw new GatewayError("unsupported_feature", "Subscriptions need a session: POST initialize first.");
    const isWanted = method === "resources/subscribe";
    if (isWanted) await session.watches.add(uri, rpc.o);
    else session.watches.remove(uri);
    await this.#o.sessions.tell(session, ({ watches }) => {
      if (watches.includes(uri) === isWanted) return null;
      return { watches: isWanted ? [...watches, uri] : watches.filter((watched) => watched !== uri) };
    });
    this.#o.onTold?.();
    return acknowledged(rpc, this.#o.version);
  }
}

/** Member by member: a spread of this many is several times as slow. */
function rpcCall(incoming: Incoming, more: Pick<RpcCall, "signal" | "logs" | "session">): RpcCall {
  const { request, o, view, message, id, takesStream } = incoming;
  return { request, o, view, message, id, takesStream, era: "legacy", signal: more.signal, logs: more.logs, session: more.session };
}

function unknownSession(id: string): HttpAnswer {
  return errorAnswer(404, id, {
    code: SESSION_NOT_FOUND,
    message: "There is no such session: it ended, or belongs to somebody else. Start a new one.",
  });
}
