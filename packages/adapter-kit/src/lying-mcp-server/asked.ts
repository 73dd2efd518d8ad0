import type { IncomingHttpHeaders } from "node:http";

/** One JSON-RPC message that a client sent, as the server read it. */
export interface Asked {
  /** undefined for a notification; null when the client sent no method, so an answer to a question of ours. */
  readonly id: string | number | undefined;
  /** Empty for an answer to a question of ours. */
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** As it came, byte for byte. */
  readonly text: string;
  /** Lower-case names; empty over standard streams. */
  readonly headers: IncomingHttpHeaders;
  /** How many messages of this method came before it. */
  readonly nth: number;
}

/** How an answer goes out. Over standard streams there is neither status nor header, and `sse` is the same as `send`. */
export interface Speaker {
  readonly transport: "http" | "stdio";
  /** False as soon as the peer went or the answer ended. */
  readonly isOpen: boolean;
  /** Resolves when the peer is gone. */
  readonly gone: Promise<void>;
  /** The whole answer as one JSON message: ends it over HTTP, is a line over standard streams. */
  send(message: string): void;
  /** One message of an event stream, which stays open until `end`. */
  sse(message: string): void;
  /** These very bytes; over HTTP behind the head of an answer of this type. Resolves when they were taken. */
  raw(bytes: string | Uint8Array, contentType?: string): Promise<void>;
  /** Bytes in the place of a whole HTTP answer, head included; the connection is closed. Over standard streams the same as `raw`. */
  instead(bytes: string): void;
  end(): void;
  /** Cuts the connection where it is; ends the process that speaks for us over standard streams. */
  cut(): void;
}

/** What a lying server does with a message; `false` lets it tell the truth. */
export type Lie = (asked: Asked, say: Speaker) => boolean | void | Promise<boolean | void>;

export const result = (id: Asked["id"], value: unknown): string => JSON.stringify({ jsonrpc: "2.0", id: id ?? null, result: value });
export const failure = (id: Asked["id"], code: number, message: string): string =>
  JSON.stringify({ jsonrpc: "2.0", id: id ?? null, error: { code, message } });
export const notice = (method: string, params: object = {}): string => JSON.stringify({ jsonrpc: "2.0", method, params });
/** The result of a tool that says one thing. */
export const said = (text: string) => ({ resultType: "complete", content: [{ type: "text", text }] });
