import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { GatewayError } from "../errors/index.js";
import { isLoopback } from "../http/index.js";
import type { Log } from "../util/log.js";
import { OpenExchanges } from "./open-exchanges.js";
import { NodeExchange, type HandlingGateway } from "./serve-answer.js";
import { answerBadRequest } from "./serve-bad-request.js";
import { NodeInbound, readTarget } from "./serve-inbound.js";
import { onSignals } from "./serve-signals.js";

/** The part of the configuration that listening needs; `config.server` is one. */
export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly timeouts: { readonly requestMs: number; readonly shutdownMs: number };
}
/** What `serve` needs of a gateway; `Gateway` is one. */
export interface ServedGateway extends HandlingGateway {
  /** Idempotent: what has to be ready before the first request. */
  start(): Promise<void>;
  readonly config: { readonly server: ServerSettings };
  readonly log: Log;
  /** `/ready` answers 503 from now on. With `graceMs` runs and tasks begin to end too: called so by a signal only. */
  drain(o?: { readonly graceMs?: number }): void;
  /** Everything but the listening: called by a signal only. */
  close(): Promise<void>;
}
export interface ServeOptions {
  /** `server.host` when left out. */
  readonly host?: string | undefined;
  /** `server.port` when left out; 0 for any that is free. */
  readonly port?: number | undefined;
  /**
   * SIGINT and SIGTERM end this process: calls, runs and tasks under way have the same `shutdownMs`, then the gateway is closed, and the process exits; a second one ends it at once. Only for a process
   * that is the gateway's own.
   */
  readonly signals?: boolean | undefined;
}
export interface Serving {
  /** Where it is reached from this machine: `http://127.0.0.1:4747`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /**
   * Stops listening, and resolves when the last answer is out: calls under way have `shutdownMs` to finish, then their streams end with an error event and their connections are closed. Leaves
   * the gateway open. Idempotent.
   */
  close(): Promise<void>;
}

const HEADERS_MS = 60_000;
const KEEP_ALIVE_MS = 65_000;
const REQUEST_MS = 300_000;
/** What is left to a stream to say that it ends, after the time to finish is over. */
const LAST_WORDS_MS = 1_000;

/**
 * Serves a gateway on bare `node:http`, the fastest host there is. Resolves when it listens.
 * Errors: `port_in_use`; `misconfigured` when the address is not one of this machine or may not be bound; what `gateway.start()` throws.
 */
export async function serve(gateway: ServedGateway, options: ServeOptions = {}): Promise<Serving> {
  const settings = gateway.config.server;
  const host = options.host ?? settings.host;
  await gateway.start();
  const listener = new Listener(gateway, Math.min(REQUEST_MS, settings.timeouts.requestMs));
  const address = await listener.listen(host, options.port ?? settings.port);
  const name = host.includes(":") ? `[${host}]` : host;
  if (!isLoopback(name) && settings.allowedHosts.length === 0)
    gateway.log.warn("bound beyond this machine, but only loopback names are answered: set server.allowedHosts", { host });
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => (closing ??= listener.close(settings.timeouts.shutdownMs));
  const serving = { url: `http://${reachable(name)}:${address.port}`, host, port: address.port, close };
  if (options.signals !== true) return serving;
  const end = (): Promise<void> => {
    gateway.drain({ graceMs: settings.timeouts.shutdownMs });
    return close().then(() => gateway.close());
  };
  const forget = onSignals({ log: gateway.log, close: end, force: () => listener.destroy() });
  return { ...serving, close: () => close().finally(forget) };
}

/** A wildcard is no address to go to. */
function reachable(name: string): string {
  return name === "0.0.0.0" ? "127.0.0.1" : name === "[::]" ? "[::1]" : name;
}

/**
 * What answers requests without Host.
 * Source: RFC 9112 §3.2: such a request of HTTP/1.1 is answered with 400.
 */
const withoutHost: HandlingGateway = {
  handle: () =>
    Promise.reject(
      new GatewayError("bad_request", "The request has no Host header.", { hint: "HTTP/1.1 needs one; every HTTP library sends it." }),
    ),
};

class Listener {
  readonly #gateway: ServedGateway;
  readonly #server: Server;
  readonly #open = new OpenExchanges();
  #isDraining = false;
  #idle: (() => void) | null = null;

  constructor(gateway: ServedGateway, requestTimeout: number) {
    this.#gateway = gateway;
    // Two values of a header that counts once are joined, and so refused, instead of the second being dropped unseen.
    this.#server = createServer({
      headersTimeout: Math.min(HEADERS_MS, requestTimeout),
      requestTimeout,
      keepAliveTimeout: KEEP_ALIVE_MS,
      joinDuplicateHeaders: true,
      // Refused below, in the shape of our errors; Node's own refusal is empty.
      requireHostHeader: false,
    });
    this.#server.on("request", (request, response) => this.#serve(request, response, false));
    this.#server.on("checkContinue", (request, response) => this.#serve(request, response, true));
    // An expectation that nobody knows may be ignored (RFC 9110 §10.1.1); without a listener Node refuses with an empty answer.
    this.#server.on("checkExpectation", (request, response) => this.#serve(request, response, false));
    this.#server.on("clientError", answerBadRequest);
  }

  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      this.#server.listen({ host, port }, () => {
        this.#server.removeAllListeners("error");
        this.#server.on("error", (error) => this.#gateway.log.error("the server failed", { message: error.message }));
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  readonly #isLast = (): boolean => this.#isDraining;
  readonly #onClose = (exchange: NodeExchange): void => {
    this.#open.remove(exchange);
    if (!this.#isDraining) return;
    // A connection that was promised to be kept is idle only now.
    setImmediate(() => this.#server.closeIdleConnections());
    if (this.#open.size === 0) this.#idle?.();
  };
  readonly #exchangeOptions = { wrapped: false, isLast: this.#isLast, onClose: this.#onClose };

  #serve(request: IncomingMessage, response: ServerResponse, waits: boolean): void {
    const { path, query, authority } = readTarget(request.url ?? "/");
    const inbound = new NodeInbound(request, { path, query, basePath: "", authority, continues: waits ? response : undefined });
    const hasHost = request.headers.host !== undefined || request.httpVersion === "1.0";
    const exchange = new NodeExchange(
      inbound,
      response,
      hasHost ? this.#exchangeOptions : { ...this.#exchangeOptions, isLast: () => true },
    );
    this.#open.add(exchange);
    exchange.start(hasHost ? this.#gateway : withoutHost);
  }

  async close(shutdownMs: number): Promise<void> {
    this.#gateway.drain();
    this.#isDraining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    await this.#emptied(shutdownMs);
    const reason = new GatewayError("shutting_down", "The gateway is closing.", {
      hint: "Send it again: another one, or the next, answers.",
    });
    for (const exchange of this.#open.list()) exchange.abort(reason);
    await this.#emptied(LAST_WORDS_MS);
    this.destroy();
    await closed;
  }

  destroy(): void {
    this.#server.closeAllConnections();
  }

  /** Resolves when no exchange is open, or after the time. */
  #emptied(withinMs: number): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#idle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): GatewayError {
  if (error.code === "EADDRINUSE")
    return new GatewayError("port_in_use", `Another program listens on port ${port} of ${host}.`, {
      hint: "Stop it, or choose another port with PORT or server.port; 0 takes any that is free.",
      details: { host, port },
    });
  const why: Record<string, string> = {
    EADDRNOTAVAIL: `${host} is not an address of this machine.`,
    EACCES: `Port ${port} of ${host} may not be bound by this user.`,
    ENOTFOUND: `The name ${host} means no address.`,
  };
  return new GatewayError(
    "misconfigured",
    why[error.code ?? ""] ?? `Listening on port ${port} of ${host} failed (${error.code ?? "unknown"}).`,
    {
      hint: "Set server.host (HOST) and server.port (PORT); 127.0.0.1 is always there.",
      details: { host, port },
      cause: error,
    },
  );
}
