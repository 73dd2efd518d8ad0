import type { CallOptions } from "../../seams/index.js";
import { utf8 } from "../frames/splice.js";
import { McpChannel, type ChannelOptions } from "./channel.js";

const decoder = new TextDecoder();

/**
 * The gateway as an MCP server for a client in this process: what `Client.connect` of the official SDK takes, of either of its lines. Messages are passed on in later turns. `close` ends what is under way.
 */
export class ClientTransport {
  onmessage?: (message: unknown) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  readonly #channel: McpChannel;
  readonly #options: () => CallOptions;

  constructor(o: Omit<ChannelOptions, "send"> & { readonly options: () => CallOptions }) {
    const { options, ...rest } = o;
    this.#options = options;
    this.#channel = new McpChannel({
      ...rest,
      send: (message) => queueMicrotask(() => this.onmessage?.(JSON.parse(decoder.decode(message)))),
    });
  }

  start(): Promise<void> {
    return Promise.resolve();
  }
  send(message: unknown): Promise<void> {
    void this.#channel.receive(utf8(JSON.stringify(message)), this.#options());
    return Promise.resolve();
  }
  async close(): Promise<void> {
    if (this.#channel.isClosed) return;
    await this.#channel.close();
    this.onclose?.();
  }
}
