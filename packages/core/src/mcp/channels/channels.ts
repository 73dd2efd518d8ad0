import type { Caller } from "../../calls/index.js";
import type { Clock, Crypto } from "../../ports/index.js";
import type { CallOptions } from "../../seams/index.js";
import { newId } from "../../util/ids.js";
import { oneLine } from "../frames/sse-stream.js";
import { McpChannel, type ChannelOptions } from "./channel.js";
import { ClientTransport } from "./client-transport.js";
import { SseChannels } from "./sse-channels.js";

export interface ChannelsOptions {
  readonly serve: ChannelOptions["serve"];
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly owner: Caller;
  /** Of one call, ms. */
  readonly requestMs: () => number;
}
export interface OpenChannel {
  /** The namespace; left out: every server. */
  readonly namespace?: string | undefined;
  /** Left out: the owner. */
  readonly caller?: Caller | undefined;
}
/** A client's way in that is no HTTP request. */
export interface Channel {
  /** One JSON-RPC message of the client. Never rejects. */
  receive(message: Uint8Array): Promise<void>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** The ways in beside HTTP requests: a program's standard input and output, this process, and HTTP+SSE. */
export class Channels {
  readonly sse: SseChannels;
  readonly #o: ChannelsOptions;
  readonly #open = new Set<McpChannel>();

  constructor(o: ChannelsOptions) {
    this.#o = o;
    this.sse = new SseChannels(o);
  }

  /** `send` is given one JSON-RPC message at a time, without line feeds. */
  open(o: OpenChannel & { readonly send: (message: Uint8Array) => void }): Channel {
    const channel = new McpChannel({ serve: this.#o.serve, namespace: o.namespace ?? null, send: (message) => o.send(oneLine(message)) });
    this.#open.add(channel);
    return {
      receive: (message) => channel.receive(message, this.#options(o.caller)),
      close: async () => {
        this.#open.delete(channel);
        await channel.close();
      },
    };
  }

  transport(o: OpenChannel): ClientTransport {
    return new ClientTransport({ serve: this.#o.serve, namespace: o.namespace ?? null, options: () => this.#options(o.caller) });
  }

  async close(): Promise<void> {
    this.sse.close();
    await Promise.all([...this.#open].map((channel) => channel.close()));
  }

  #options(caller: Caller | undefined): CallOptions {
    const deadlineMs = this.#o.clock.now() + this.#o.requestMs();
    const origin = { source: "mcp" as const, purpose: null, traceparent: null, tracestate: null };
    return {
      caller: caller ?? this.#o.owner,
      requestId: newId("req"),
      signal: new AbortController().signal,
      deadlineMs,
      depth: 0,
      origin,
    };
  }
}
