import type { Client, ConnectionSettings } from "./client.js";

export interface ConnectionOptions {
  readonly make: (o: ConnectionSettings) => Client;
  readonly pingMs?: number | undefined;
  /** Each time that it is connected. */
  readonly onReady: () => void;
  /** Each time that it could not be connected, and when it was lost. */
  readonly onLost: (error: unknown) => void;
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2_000;
/** A connection that is silent for so long, although it was asked something, is no longer one. */
const SILENT_MS = 5_000;

/** How long to wait before connecting again: longer each time, and not at the same instant as everybody else. */
export function backoff(failures: number, longestMs = LONGEST_WAIT_MS): number {
  return Math.min(longestMs, FIRST_WAIT_MS * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2);
}

/** A connection that is made again for ever until it is closed. It never throws, and nothing waits for it: `client` is null while there is none. */
export class Connection {
  readonly #o: ConnectionOptions;
  readonly #client: Client;
  #isReady = false;
  #isClosed = false;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: ConnectionOptions) {
    this.#o = options;
    const { make, pingMs } = options;
    this.#client = make({ reconnectStrategy: false, disableOfflineQueue: true, socketTimeout: SILENT_MS, pingInterval: pingMs });
    // Without a listener an error would end the process.
    this.#client.on("error", (error) => {
      if (this.#isReady) this.restart(error);
    });
    this.#connect();
  }

  get client(): Client | null {
    return this.#isReady && this.#client.isReady ? this.#client : null;
  }

  /** Gives the connection up and makes it anew. Nothing while it is not connected. */
  restart(why: unknown): void {
    if (!this.#isReady || this.#isClosed) return;
    this.#isReady = false;
    this.#destroy();
    this.#o.onLost(why);
    this.#connectLater();
  }

  close(): void {
    this.#isClosed = true;
    this.#isReady = false;
    clearTimeout(this.#retry);
    this.#destroy();
  }

  #connect(): void {
    this.#client.connect().then(
      () => {
        if (this.#isClosed) return this.#destroy();
        this.#isReady = true;
        this.#failures = 0;
        this.#o.onReady();
      },
      (error: unknown) => {
        if (this.#isClosed) return;
        this.#destroy();
        this.#o.onLost(error);
        this.#connectLater();
      },
    );
  }

  #connectLater(): void {
    this.#retry = setTimeout(() => this.#connect(), backoff(this.#failures++));
    this.#retry.unref();
  }

  #destroy(): void {
    try {
      if (this.#client.isOpen) this.#client.destroy();
    } catch {
      // It was closed meanwhile.
    }
  }
}
