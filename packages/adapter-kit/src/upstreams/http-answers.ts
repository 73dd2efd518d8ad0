import { brotliCompressSync, gzipSync } from "node:zlib";

export interface AnswerShape {
  /** 200 when left out. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** How the end of the body is told: by chunks (left out), by its length, by closing, or as HTTP/1.0 does. */
  readonly framing?: "chunked" | "length" | "close" | "http1.0";
  readonly encoding?: "gzip" | "br";
  /** Sent behind the last chunk. */
  readonly trailers?: Readonly<Record<string, string>>;
}
/** An answer as the bytes of a connection. */
export interface RawAnswer {
  readonly head: Buffer;
  /** The body in the pieces it was given in, each framed. */
  readonly pieces: readonly Buffer[];
  /** What tells that the body is over; empty where only closing does. */
  readonly end: Buffer;
  /** The connection has to be closed behind it. */
  readonly closes: boolean;
}

/** An HTTP answer of these pieces of body. */
export function rawAnswer(pieces: readonly (string | Uint8Array)[], shape: AnswerShape = {}): RawAnswer {
  const { status = 200, framing = "chunked", encoding, trailers = {} } = shape;
  const plain = pieces.map((piece) => Buffer.from(piece));
  const bodies =
    encoding === undefined ? plain : [encoding === "gzip" ? gzipSync(Buffer.concat(plain)) : brotliCompressSync(Buffer.concat(plain))];
  const length = bodies.reduce((sum, body) => sum + body.length, 0);
  const headers: Record<string, string> = {
    ...shape.headers,
    ...(encoding === undefined ? {} : { "content-encoding": encoding }),
    ...(framing === "chunked" ? { "transfer-encoding": "chunked" } : {}),
    ...(framing === "length" ? { "content-length": String(length) } : {}),
    ...(framing === "close" ? { connection: "close" } : {}),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const isChunked = framing === "chunked";
  const trailing = Object.entries(trailers).map(([name, value]) => `${name}: ${value}\r\n`);
  return {
    head: Buffer.from(`HTTP/${framing === "http1.0" ? "1.0" : "1.1"} ${status} X\r\n${lines.join("")}\r\n`),
    pieces: isChunked ? bodies.map(chunk) : bodies,
    end: Buffer.from(isChunked ? `0\r\n${trailing.join("")}\r\n` : ""),
    closes: framing === "close" || framing === "http1.0",
  };
}

/** A stream of server-sent events. */
export function sse(frames: readonly (string | Uint8Array)[], shape: AnswerShape = {}): RawAnswer {
  return rawAnswer(frames, { ...shape, headers: { "content-type": "text/event-stream", ...shape.headers } });
}
/** A JSON text as a whole answer. */
export function jsonAnswer(text: string, shape: AnswerShape = {}): RawAnswer {
  return rawAnswer([text], { framing: "length", ...shape, headers: { "content-type": "application/json", ...shape.headers } });
}
export function bytesOf(answer: RawAnswer): Buffer {
  return Buffer.concat([answer.head, ...answer.pieces, answer.end]);
}

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}
