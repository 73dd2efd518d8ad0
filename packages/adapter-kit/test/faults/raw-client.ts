import { connect, type Socket } from "node:net";

/** A client that writes HTTP by hand and can leave in any way. */
export interface RawClient {
  /** Everything received, HTTP and all. */
  readonly bytes: () => Buffer;
  /** Resolves when so many bytes came, or the peer ended. */
  received(count: number): Promise<void>;
  /** Resolves when the peer closed, or the answer's last chunk came; gives it taken apart. */
  answer(): Promise<HttpAnswer>;
  /** Stops reading; what comes stays in the sockets. */
  pause(): void;
  resume(): void;
  reset(): void;
  end(): void;
}
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body's own end came. */
  readonly isWhole: boolean;
}

export function rawClient(o: { readonly port: number; readonly path: string; readonly body: unknown; readonly key: string }): RawClient {
  const chunks: Buffer[] = [];
  let length = 0;
  let isEnded = false;
  let isPaused = false;
  const waiting = new Set<() => void>();
  const socket: Socket = connect(o.port, "127.0.0.1");
  const wake = (): void => {
    for (const check of waiting) check();
  };
  const bytes = (): Buffer => Buffer.concat(chunks);
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    // A reader that is paused keeps nothing: what came in between was on its way.
    chunks.push(chunk);
    length += chunk.length;
    wake();
  });
  for (const event of ["end", "close", "error"]) socket.on(event, () => ((isEnded = true), wake()));
  const body = JSON.stringify(o.body);
  socket.write(
    `POST ${o.path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${o.key}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const until = (done: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!done()) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  return {
    bytes,
    received: (count) => until(() => length >= count || isEnded),
    answer: async () => {
      await until(() => isEnded || parsed(bytes())?.isWhole === true);
      const answer = parsed(bytes());
      socket.destroy();
      if (answer === null) throw new Error(`The gateway hung up after ${length} bytes.`);
      return answer;
    },
    pause: () => void ((isPaused = true), socket.pause()),
    resume: () => void (isPaused && socket.resume()),
    reset: () => void socket.resetAndDestroy(),
    end: () => void socket.destroy(),
  };
}

/** null: its head is not there yet. */
function parsed(bytes: Buffer): HttpAnswer | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const [line = "", ...rest] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const headers = Object.fromEntries(
    rest.map((header) => [header.slice(0, header.indexOf(":")).toLowerCase(), header.slice(header.indexOf(":") + 1).trim()]),
  );
  const body = bytes.subarray(end + 4);
  const status = Number(line.split(" ")[1]);
  if (headers["transfer-encoding"] === "chunked") return { status, headers, ...dechunked(body) };
  return { status, headers, body: body.toString("utf8"), isWhole: body.length >= Number(headers["content-length"] ?? Infinity) };
}

function dechunked(bytes: Buffer): { readonly body: string; readonly isWhole: boolean } {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf("\r\n", at);
    const size = line < 0 ? Number.NaN : Number.parseInt(bytes.subarray(at, line).toString("latin1"), 16);
    if (size === 0) return { body: Buffer.concat(parts).toString("utf8"), isWhole: true };
    if (Number.isNaN(size) || bytes.length < line + 2 + size) return { body: Buffer.concat(parts).toString("utf8"), isWhole: false };
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 4 + size;
  }
}
