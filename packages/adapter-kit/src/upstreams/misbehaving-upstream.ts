import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A request as an upstream got it. */
export interface Arrived {
  readonly method: string;
  readonly path: string;
  /** By lower-case name; of a repeated header the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The number of its connection, from 0. */
  readonly connection: number;
}
/** The upstream's end of one connection. What is written goes out as it is, HTTP and all. */
export interface Wire {
  /** Resolves when the bytes have left this process, or the peer has gone. */
  write(bytes: Uint8Array | string): Promise<void>;
  /** FIN. */
  end(): void;
  /** RST. */
  reset(): void;
  readonly isClosed: boolean;
  /** Resolves with the time, Unix ms, at which the peer had gone or we closed. */
  readonly closed: Promise<number>;
}
/** What an upstream does. A function is called with each whole request. */
export type Behaviour =
  | ((request: Arrived, wire: Wire) => void | Promise<void>)
  | {
      readonly onConnection?: (wire: Wire, connection: number) => void;
      /** As soon as the head is there; the body may be on its way. True: the request is dealt with. */
      readonly onHead?: (request: Omit<Arrived, "body">, wire: Wire) => boolean;
      readonly onRequest?: (request: Arrived, wire: Wire) => void | Promise<void>;
    };

export interface Upstream {
  /** `http://127.0.0.1:<port>`, without a path. */
  readonly url: string;
  readonly port: number;
  /** In the order they came. */
  readonly arrived: readonly Arrived[];
  readonly wires: readonly Wire[];
  /** Changes what is done with the next request. */
  behave(behaviour: Behaviour): void;
  /** Resolves when so many requests came in all. */
  arrivals(count: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * A server on a free port of 127.0.0.1 that speaks HTTP/1.1 by hand, so that it can also speak it wrongly: requests are read as far as they have a `content-length`, answers are whatever
 * the behaviour writes. Close it when the test is over.
 */
export async function misbehavingUpstream(behaviour: Behaviour): Promise<Upstream> {
  const arrived: Arrived[] = [];
  const wires: SocketWire[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  let current = behaviour;
  const server = createServer((socket) => {
    const wire = new SocketWire(socket);
    const connection = wires.push(wire) - 1;
    if (typeof current === "object") current.onConnection?.(wire, connection);
    const reader = new RequestReader(connection, {
      head: (request) => typeof current === "object" && current.onHead?.(request, wire) === true,
      whole: (request) => {
        arrived.push(request);
        for (const { count, resolve } of waiting) if (arrived.length >= count) resolve();
        const act = typeof current === "function" ? current : current.onRequest;
        // A behaviour that fails is a connection that breaks.
        void Promise.resolve(act?.(request, wire)).catch(() => wire.reset());
      },
    });
    socket.on("data", (chunk: Buffer) => reader.push(chunk));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${port}`, port, arrived, wires },
    behave: (next) => void (current = next),
    arrivals: (count) => (arrived.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve }))),
    close: () => closeServer(server, wires),
  };
}

/** The address of a port at which nothing listens. */
export async function refusingUpstream(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await closeServer(server, []);
  return `http://127.0.0.1:${port}`;
}

async function closeServer(server: Server, wires: readonly Wire[]): Promise<void> {
  for (const wire of wires) wire.reset();
  await new Promise((closed) => server.close(closed));
}

class SocketWire implements Wire {
  readonly closed: Promise<number>;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true);
    this.closed = new Promise((resolve) => socket.once("close", () => resolve(Date.now())));
    socket.on("error", () => undefined); // "close" follows
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }
  write(bytes: Uint8Array | string): Promise<void> {
    if (this.#socket.destroyed) return Promise.resolve();
    return Promise.race([new Promise<void>((sent) => this.#socket.write(bytes, () => sent())), this.closed.then(() => undefined)]);
  }
  end(): void {
    this.#socket.end();
  }
  reset(): void {
    this.#socket.resetAndDestroy();
  }
}

interface Readings {
  readonly head: (request: Omit<Arrived, "body">) => boolean;
  readonly whole: (request: Arrived) => void;
}

/** Cuts requests out of what a connection gives. */
class RequestReader {
  readonly #connection: number;
  readonly #on: Readings;
  #bytes = Buffer.alloc(0);
  #head: Omit<Arrived, "body"> | null = null;
  /** The request was dealt with when its head came; what still comes of it means nothing. */
  #isDone = false;

  constructor(connection: number, on: Readings) {
    this.#connection = connection;
    this.#on = on;
  }

  push(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (!this.#isDone && this.#readOne());
  }

  #readOne(): boolean {
    if (this.#head === null) {
      const end = this.#bytes.indexOf("\r\n\r\n");
      if (end < 0) return false;
      this.#head = headOf(this.#bytes.subarray(0, end).toString("latin1"), this.#connection);
      this.#bytes = this.#bytes.subarray(end + 4);
      this.#isDone = this.#on.head(this.#head);
      if (this.#isDone) return false;
    }
    const length = Number(this.#head.headers["content-length"] ?? 0);
    if (this.#bytes.length < length) return false;
    const request = { ...this.#head, body: this.#bytes.subarray(0, length).toString("utf8") };
    this.#bytes = this.#bytes.subarray(length);
    this.#head = null;
    this.#on.whole(request);
    return true;
  }
}

function headOf(text: string, connection: number): Omit<Arrived, "body"> {
  const [line = "", ...rest] = text.split("\r\n");
  const [method = "", path = ""] = line.split(" ");
  const headers = Object.fromEntries(
    rest.map((header) => {
      const colon = header.indexOf(":");
      return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()];
    }),
  );
  return { method, path, headers, connection };
}
