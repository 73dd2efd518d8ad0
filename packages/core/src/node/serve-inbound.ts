import { getEventListeners } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Inbound } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import { tooLarge } from "../http/index.js";

export interface NodeInboundOptions {
  /** Below the mount, percent-encoded, without the query. */
  readonly path: string;
  readonly query: string;
  readonly basePath: string;
  /** Replaces the Host header: the authority of a request in absolute form. */
  readonly authority?: string | undefined;
  /** A body that something before us has read already; null when it kept nothing of it. */
  readonly replay?: (() => Uint8Array | null) | undefined;
  /** Where `100 Continue` goes when the client waits for it, which is not before somebody wants the body. */
  readonly continues?: ServerResponse | undefined;
}

const noBytes = new Uint8Array(0);
/**
 * A connection's controller between two of its requests: making one costs as much as all else that is done for a request here. It is handed on only when it was not aborted and nobody
 * listens to it any more, and never to two requests at once. Whoever still holds the signal of a call that is over sees at most that the same caller goes away later.
 */
const spare = new WeakMap<Socket, AbortController>();

/** A request of `node:http` as an Inbound: nothing is copied, and what nobody asks for is never made. */
export class NodeInbound implements Inbound {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly basePath: string;
  readonly raw: IncomingMessage;
  readonly #o: NodeInboundOptions;
  #controller: AbortController | null = null;
  #aborted: GatewayError | null = null;
  #refuseBody: ((reason: GatewayError) => void) | null = null;

  constructor(request: IncomingMessage, options: NodeInboundOptions) {
    this.raw = request;
    this.method = request.method ?? "GET";
    this.path = options.path;
    this.query = options.query;
    this.basePath = options.basePath;
    this.#o = options;
  }

  get remoteAddress(): string | null {
    return this.raw.socket.remoteAddress ?? null;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      const { socket } = this.raw;
      this.#controller = spare.get(socket) ?? new AbortController();
      spare.delete(socket);
      if (this.#aborted !== null) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  /** The answer is out and the caller was there to the end: nothing of this request aborts any more. */
  release(): void {
    const controller = this.#controller;
    if (controller === null || this.#aborted !== null) return;
    this.#controller = null;
    if (getEventListeners(controller.signal, "abort").length === 0) spare.set(this.raw.socket, controller);
  }

  /** Aborts the call that this request is, with the reason. Only the first reason counts. */
  abort(reason: GatewayError): void {
    if (this.#aborted !== null) return;
    this.#aborted = reason;
    this.#controller?.abort(reason);
    this.#refuseBody?.(reason);
  }

  header(name: string): string | undefined {
    if (name === "host" && this.#o.authority !== undefined) return this.#o.authority;
    const value = this.raw.headers[name];
    // A name that is no header may still be one of every object.
    return typeof value === "string" ? value : Array.isArray(value) ? value.join(", ") : undefined;
  }

  body(maxBytes: number): Promise<Uint8Array> {
    if (this.#o.replay !== undefined) return replayed(this.#o.replay, maxBytes);
    const { headers } = this.raw;
    if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) return Promise.resolve(noBytes);
    this.#o.continues?.writeContinue();
    return new Promise((resolve, reject) => {
      if (this.#aborted !== null) return reject(this.#aborted);
      this.#refuseBody = reject;
      readAll(this.raw, maxBytes, { resolve, reject });
    });
  }
}

async function replayed(replay: () => Uint8Array | null, maxBytes: number): Promise<Uint8Array> {
  const bytes = replay();
  if (bytes === null)
    throw new GatewayError("misconfigured", "A middleware read the request's body and kept nothing of it.", {
      hint: "Mount the gateway before it, or have it keep the bytes as req.rawBody.",
    });
  if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes);
  return bytes;
}

interface Settling {
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (reason: GatewayError) => void;
}

/** A request that its caller breaks off has no end: that is told by `abort`, not heard here. */
function readAll(request: IncomingMessage, maxBytes: number, { resolve, reject }: Settling): void {
  if (request.readableEnded) return resolve(noBytes);
  let first: Buffer | null = null;
  let chunks: Buffer[] | null = null;
  let length = 0;
  const onData = (chunk: Buffer): void => {
    length += chunk.byteLength;
    if (length > maxBytes) {
      // What still comes is read and dropped, so that the client gets to read why.
      request.off("data", onData);
      request.resume();
      return reject(tooLarge(maxBytes));
    }
    if (first === null) first = chunk;
    else (chunks ??= [first]).push(chunk);
  };
  request.on("data", onData);
  request.on("end", () => resolve(chunks === null ? (first ?? noBytes) : Buffer.concat(chunks, length)));
}

export function callerLeft(): GatewayError {
  return new GatewayError("cancelled", "The caller went away.");
}

/**
 * Path and query of a request target, and the authority when it is in absolute form, which then counts as the Host.
 * Source: RFC 9112 §3.2.
 */
export function readTarget(url: string): { readonly path: string; readonly query: string; readonly authority: string | undefined } {
  let authority: string | undefined;
  let target = url;
  if (url.charCodeAt(0) !== 0x2f) {
    const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url);
    if (absolute !== null) {
      authority = absolute[1];
      target = absolute[2]!.startsWith("/") ? absolute[2]! : `/${absolute[2]!}`;
    } else target = `/${url}`;
  }
  const at = target.indexOf("?");
  return at < 0 ? { path: target, query: "", authority } : { path: target.slice(0, at), query: target.slice(at + 1), authority };
}
