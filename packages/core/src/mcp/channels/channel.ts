import type { HttpAnswer } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { CallOptions } from "../../seams/index.js";
import { Ending } from "../../policy/resilience/ending.js";
import { SseReader } from "../../util/sse.js";
import type { McpRequest } from "../downstream/request.js";
import { errorBytes, rpcError } from "../downstream/respond.js";
import { textAt } from "../frames/json-scan.js";
import { idText, member, readMessage, requestPlan, stringMember, type RpcMessage } from "../frames/message.js";
import { META } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";
import { encodeHeaderValue } from "../lanes/http-headers.js";

export interface ChannelOptions {
  /** Serves one message as one HTTP request of an MCP client. */
  readonly serve: (request: McpRequest, o: CallOptions) => Promise<HttpAnswer>;
  readonly namespace: string | null;
  /** One JSON-RPC message for the client. Must not throw. */
  readonly send: (message: Uint8Array) => void;
}

/** Of params: what the `Mcp-Name` header repeats. */
const SUBJECTS = ["name", "uri", "taskId"] as const;
const decoder = new TextDecoder();

/**
 * A client that sends and hears messages over one pipe or stream instead of HTTP requests: a program on standard input and output, HTTP+SSE, or this process. Each message goes the way of one that came by HTTP, with
 * its headers made from its body; what would have been streamed comes as messages of its own.
 * Concurrency: messages run beside each other; one that needs the session waits for it.
 */
export class McpChannel {
  readonly #o: ChannelOptions;
  /** Requests under way, by the JSON text of their ids. */
  readonly #running = new Map<string, AbortController>();
  readonly #ending = new AbortController();
  readonly #streams = new Ending();
  #session: string | null = null;
  #greeting: Promise<void> | null = null;
  #last: CallOptions | null = null;

  constructor(o: ChannelOptions) {
    this.#o = o;
  }

  get isClosed(): boolean {
    return this.#ending.signal.aborted;
  }

  /** One message of the client. Resolves when what came of it was sent; never rejects. */
  async receive(bytes: Uint8Array, o: CallOptions): Promise<void> {
    if (this.isClosed) return;
    let message: RpcMessage;
    try {
      message = readMessage(bytes, requestPlan);
    } catch (error) {
      return this.#o.send(errorBytes("null", rpcError(error, o.requestId)));
    }
    this.#last = o;
    if (message.method === "initialize" && message.kind === "request") {
      this.#greeting = this.#serve(message, bytes, o);
      return this.#greeting;
    }
    await this.#greeting;
    this.#cancelHere(message);
    return this.#serve(message, bytes, o);
  }

  /** Ends what is under way, and the session. Idempotent; never rejects. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    const why = new GatewayError("cancelled", "The client closed its connection.");
    this.#ending.abort(why);
    this.#streams.end(why);
    for (const call of this.#running.values()) call.abort(why);
    if (this.#session === null || this.#last === null) return;
    const request = this.#request("DELETE", { "mcp-session-id": this.#session }, null);
    try {
      const answer = await this.#o.serve(request, { ...this.#last, signal: new AbortController().signal });
      answer.done("sent");
    } catch {
      // The session is forgotten by itself.
    }
  }

  /** Since 2026-07-28 leaving an answer cancels it: here its client has to say so, as it always did. */
  #cancelHere(message: RpcMessage): void {
    if (message.method !== "notifications/cancelled") return;
    const id = member(message.params, "requestId");
    if (id === null || this.#session !== null) return;
    this.#running.get(textAt(message.bytes, id))?.abort(new GatewayError("cancelled", "The call was cancelled."));
  }

  async #serve(message: RpcMessage, bytes: Uint8Array, o: CallOptions): Promise<void> {
    const id = message.kind === "request" ? idText(message) : null;
    const controller = new AbortController();
    if (id !== null) this.#running.set(id, controller);
    try {
      const request = this.#request("POST", headersOf(message, this.#session), bytes);
      const answer = await this.#o.serve(request, { ...o, signal: controller.signal });
      const session = answer.headers.find(([name]) => name === "mcp-session-id")?.[1];
      if (message.method === "initialize" && session !== undefined) this.#opened(session, o);
      await this.#pass(answer, id);
    } catch (error) {
      if (id !== null && !controller.signal.aborted) this.#send(errorBytes(id, rpcError(error, o.requestId)));
    } finally {
      if (id !== null) this.#running.delete(id);
    }
  }

  /** What the server says unasked comes by a standing request. */
  #opened(session: string, o: CallOptions): void {
    this.#session = session;
    const headers = { "mcp-session-id": session, accept: "text/event-stream" };
    const listen = async (): Promise<void> => {
      const answer = await this.#o.serve(this.#request("GET", headers, null), { ...o, deadlineMs: Infinity, signal: this.#ending.signal });
      await this.#pass(answer, null);
    };
    // Without it the client still gets its answers.
    listen().catch(() => undefined);
  }

  #request(method: string, headers: Readonly<Record<string, string>>, bytes: Uint8Array | null): McpRequest {
    return { method, header: (name) => headers[name], bytes, namespace: this.#o.namespace, isChannel: true };
  }

  async #pass(answer: HttpAnswer, id: string | null): Promise<void> {
    const { body } = answer;
    try {
      if (body.kind === "bytes") {
        if (body.bytes.length > 0) this.#send(id === null ? body.bytes : named(body.bytes, id));
      } else if (body.kind === "frames") await this.#stream(body.frames);
      answer.done(this.isClosed ? "left" : "sent");
    } catch (error) {
      answer.done("failed", GatewayError.from(error).code);
      throw error;
    }
  }

  #stream(frames: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#streams.run(async (signal) => {
      const reader = new SseReader();
      const iterator = frames[Symbol.asyncIterator]();
      signal.addEventListener("abort", () => void iterator.return?.(), { once: true });
      for (let next = await iterator.next(); next.done !== true && !this.isClosed; next = await iterator.next())
        for (const { data } of reader.push(next.value)) if (data !== "") this.#send(utf8(data));
    });
  }

  #send(message: Uint8Array): void {
    if (!this.isClosed) this.#o.send(message);
  }
}

function headersOf(message: RpcMessage, session: string | null): Readonly<Record<string, string>> {
  const base = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const version = stringMember(message.bytes, member(message.params, "_meta"), META.protocolVersion);
  if (version === null || (message.method === "initialize" && message.kind === "request"))
    return session === null ? base : { ...base, "mcp-session-id": session };
  const subject = SUBJECTS.map((name) => stringMember(message.bytes, message.params, name)).find((text) => text !== null);
  return {
    ...base,
    "mcp-protocol-version": version,
    "mcp-method": message.method,
    ...(subject === undefined || subject === null ? {} : { "mcp-name": encodeHeaderValue(subject) }),
  };
}

/** An error that was found before the message was read names no id: here nothing else says whose it is. */
function named(bytes: Uint8Array, id: string): Uint8Array {
  const text = decoder.decode(bytes.subarray(0, 64));
  if (!/"id":null[,}]/.test(text)) return bytes;
  const { error } = JSON.parse(decoder.decode(bytes)) as { readonly error?: unknown };
  return error === undefined ? bytes : utf8(`{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify(error)}}`);
}
