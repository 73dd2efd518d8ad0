import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpAnswer, Inbound } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import { failedAnswer } from "../http/index.js";
import { callerLeft, type NodeInbound } from "./serve-inbound.js";

/** What a host on `node:http` needs of a gateway: every answer it has, errors too. */
export interface HandlingGateway {
  handle(inbound: Inbound): Promise<HttpAnswer>;
}
export interface NodeExchangeOptions {
  /**
   * Middleware of a framework may have wrapped the response or set headers on it: each header is set by name, so that they meet. Without, all go out in one call.
   */
  readonly wrapped: boolean;
  /** The connection is not to be used again after this answer. */
  readonly isLast?: (() => boolean) | undefined;
  /** Called once, when the response is over in whatever way. */
  readonly onClose?: ((exchange: NodeExchange) => void) | undefined;
}

/** A response as it is when compression middleware wrapped it. */
type Response = ServerResponse & { readonly flush?: () => void };

/** The body of an answered request that goes on arriving is dropped for this long, so that the client reads the answer; then the connection goes. */
const LINGER_MS = 5_000;
/** Framing is decided here, by the body that is written. */
const framing = new Set(["content-length", "transfer-encoding", "connection", "keep-alive"]);

/**
 * One request on its way to a gateway and its answer on the way back: written as it comes, held back while the reader is slow. A reader that leaves aborts the call's signal first and then
 * returns the iterator: a source that waits for its upstream ends by the signal alone.
 */
export class NodeExchange {
  /** Its place among those that are open; kept by whoever keeps them. */
  slot = -1;
  readonly #inbound: NodeInbound;
  readonly #response: Response;
  readonly #o: NodeExchangeOptions;
  #answer: HttpAnswer | null = null;
  #source: AsyncIterator<Uint8Array> | null = null;
  #isOver = false;
  #wake: (() => void) | null = null;

  constructor(inbound: NodeInbound, response: ServerResponse, options: NodeExchangeOptions) {
    this.#inbound = inbound;
    this.#response = response;
    this.#o = options;
  }

  /** Has the gateway answer. Called once. */
  start(gateway: HandlingGateway): void {
    this.#response.on("close", () => this.#closed());
    gateway.handle(this.#inbound).then(
      (answer) => this.#begin(answer),
      (error: unknown) => this.#crash(error),
    );
  }

  /** Ends the call with the reason; its answer, if it is a stream, may still say so. */
  abort(reason: GatewayError): void {
    this.#inbound.abort(reason);
  }

  #begin(answer: HttpAnswer): void {
    this.#answer = answer;
    const { body } = answer;
    if (body.kind === "frames") this.#source = body.frames[Symbol.asyncIterator]();
    if (this.#isOver) return this.#leave();
    try {
      if (body.kind === "bytes") this.#writeBytes(answer, body.bytes);
      else if (this.#source !== null) {
        this.#writeHead(answer, null);
        void this.#stream(this.#source);
      } else this.#crash(new GatewayError("internal", "A face answered with events."));
    } catch (error) {
      this.#crash(error);
    }
  }

  #writeBytes(answer: HttpAnswer, bytes: Uint8Array): void {
    this.#writeHead(answer, bytes.byteLength);
    this.#response.end(bytes);
    this.#tell("sent");
  }

  #writeHead(answer: HttpAnswer, length: number | null): void {
    const response = this.#response;
    if (this.#o.isLast?.() === true) response.shouldKeepAlive = false;
    const hasLength = length !== null && answer.status !== 204 && answer.status !== 304;
    if (this.#o.wrapped) {
      for (const [name, value] of answer.headers) if (!framing.has(name)) response.setHeader(name, value);
      if (hasLength) response.setHeader("content-length", length);
      response.writeHead(answer.status);
      return;
    }
    const flat: string[] = [];
    for (const [name, value] of answer.headers) if (!framing.has(name)) flat.push(name, value);
    if (hasLength) flat.push("content-length", String(length));
    response.writeHead(answer.status, flat);
  }

  async #stream(source: AsyncIterator<Uint8Array>): Promise<void> {
    const response = this.#response;
    let isBegun = false;
    // The head leaves with the first frame when that is there at once, and alone when it is not.
    setImmediate(() => {
      if (!isBegun && !this.#isOver) response.flushHeaders();
    });
    try {
      for (;;) {
        const { done, value } = await source.next();
        isBegun = true;
        if (this.#isOver) return;
        if (done === true) break;
        const isTaken = response.write(value);
        response.flush?.();
        if (!isTaken) await this.#drained();
      }
      response.end();
      this.#tell("sent");
    } catch (error) {
      if (this.#isOver) return;
      this.#tell("failed", error);
      response.destroy();
    }
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#response.once("drain", resolve);
    });
  }

  #closed(): void {
    this.#isOver = true;
    if (this.#response.writableFinished) {
      this.#inbound.release();
      dropRest(this.#inbound.raw);
    } else this.#leave();
    this.#o.onClose?.(this);
  }

  #leave(): void {
    this.#inbound.abort(callerLeft());
    this.#source?.return?.().catch(() => undefined);
    this.#wake?.();
    this.#tell("left");
  }

  /** The answer is told once how it ended. */
  #tell(how: "sent" | "left" | "failed", error?: unknown): void {
    const answer = this.#answer;
    this.#answer = null;
    if (how === "failed") answer?.done(how, GatewayError.from(error).code);
    else answer?.done(how);
  }

  /** The gateway rejected, or its answer cannot be written; the client is told so when that is still possible. */
  #crash(error: unknown): void {
    this.#tell("failed", error);
    if (this.#response.headersSent) this.#response.destroy();
    else if (!this.#isOver) this.#begin(failedAnswer(error, this.#inbound));
  }
}

function dropRest(request: IncomingMessage): void {
  if (request.complete) return;
  const timer = setTimeout(() => request.socket.destroy(), LINGER_MS);
  timer.unref();
  request.once("close", () => clearTimeout(timer));
}
