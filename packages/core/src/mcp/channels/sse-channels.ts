import type { Caller, HttpAnswer } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock, Crypto } from "../../ports/index.js";
import type { CallOptions } from "../../seams/index.js";
import { toHex } from "../../util/encoding/hex.js";
import { STREAM_HEADERS, emptyAnswer } from "../downstream/respond.js";
import { utf8 } from "../frames/splice.js";
import { SseStream } from "../frames/sse-stream.js";
import { McpChannel, type ChannelOptions } from "./channel.js";

const MAX_STREAMS = 10_000;
const MAX_STREAMS_OF_ONE = 1_000;

export interface SseChannelsOptions {
  readonly serve: ChannelOptions["serve"];
  readonly clock: Clock;
  readonly crypto: Crypto;
}
/** Where a client's messages go, as it is told. */
export interface SseOpening {
  readonly namespace: string | null;
  /** The path that messages are posted to, without a query. */
  readonly messagesPath: string;
}
interface Open {
  readonly channel: McpChannel;
  readonly stream: SseStream;
  readonly caller: Caller;
  readonly namespace: string | null;
}

/**
 * Clients of 2024-11-05: a stream that first says where messages are posted, and on which every answer comes. A stream is of who opened it, at the process that holds it.
 * Source: MCP 2024-11-05, transports, "HTTP with SSE".
 */
export class SseChannels {
  readonly #o: SseChannelsOptions;
  readonly #open = new Map<string, Open>();

  constructor(o: SseChannelsOptions) {
    this.#o = o;
  }

  /** Errors: `overloaded`. */
  open({ namespace, messagesPath }: SseOpening, o: CallOptions): HttpAnswer {
    const ofThisCaller = [...this.#open.values()].filter(({ caller }) => caller.id === o.caller.id).length;
    if (this.#open.size >= MAX_STREAMS || ofThisCaller >= MAX_STREAMS_OF_ONE)
      throw new GatewayError("overloaded", "There are too many streams open.", { hint: "Close those that are not used." });
    const id = toHex(this.#o.crypto.random(24));
    const end = (): void => this.#end(id);
    const stream = new SseStream(this.#o.clock, end);
    const channel = new McpChannel({ serve: this.#o.serve, namespace, send: (message) => stream.push(message) });
    this.#open.set(id, { channel, stream, caller: o.caller, namespace });
    o.signal.addEventListener("abort", end, { once: true });
    const frames = withEndpoint(`${messagesPath}?sessionId=${id}`, stream);
    return { status: 200, headers: STREAM_HEADERS, body: { kind: "frames", frames }, done: end };
  }

  /** One message; what comes of it comes on the stream. Errors: `not_found` for a stream that is not here, or somebody else's. */
  post(message: { readonly id: string; readonly namespace: string | null; readonly bytes: Uint8Array }, o: CallOptions): HttpAnswer {
    const found = this.#open.get(message.id);
    if (found === undefined || found.caller.id !== o.caller.id || found.namespace !== message.namespace)
      throw new GatewayError("not_found", "There is no stream of this session.", {
        hint: "Open one with GET …/sse first. With several processes its messages have to reach the one that holds it.",
      });
    // The call is over when the stream is, not when the post is answered.
    void found.channel.receive(message.bytes, { ...o, signal: new AbortController().signal });
    return emptyAnswer(202);
  }

  close(): void {
    for (const id of [...this.#open.keys()]) this.#end(id);
  }

  #end(id: string): void {
    const found = this.#open.get(id);
    if (found === undefined) return;
    this.#open.delete(id);
    found.stream.end();
    void found.channel.close();
  }
}

async function* withEndpoint(address: string, stream: SseStream): AsyncGenerator<Uint8Array> {
  yield utf8(`event: endpoint\ndata: ${address}\n\n`);
  yield* stream;
}
