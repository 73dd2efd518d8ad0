import type { Readable, Writable } from "node:stream";

/** A client's way in; `McpProxy.open` gives one. */
interface Channel {
  receive(message: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
/** What `serveStdio` needs of a gateway; `Gateway` is one. */
export interface PipedGateway {
  start(): Promise<void>;
  readonly mcp: { open(o: { readonly namespace?: string | undefined; readonly send: (message: Uint8Array) => void }): Channel };
}
export interface ServeStdioOptions {
  /** Standard input and output when left out. */
  readonly input?: Readable | undefined;
  readonly output?: Writable | undefined;
  /** The namespace that the client sees; left out: every server. */
  readonly namespace?: string | undefined;
  /** Ends it, as the end of the input does. */
  readonly signal?: AbortSignal | undefined;
  /** What is asked when the input ends may still be answered this long, ms. 5 s when left out. */
  readonly graceMs?: number | undefined;
}

/** One message; a client that sends more has lost its way. */
const MAX_LINE_BYTES = 67_108_864;
/** What a client may leave unread. */
const MAX_UNREAD_BYTES = 67_108_864;
const GRACE_MS = 5_000;
const LINE_FEED = 10;

/**
 * Serves MCP to the one client at the other end of a pipe, as its owner: one message a line, of any protocol revision, and nothing else on the output. Starts the gateway, and leaves it open. Resolves when the client is
 * gone: its input ended, it no longer reads, or `signal` was aborted. Errors: those of the gateway's start.
 */
export async function serveStdio(gateway: PipedGateway, o: ServeStdioOptions = {}): Promise<void> {
  const { input = process.stdin, output = process.stdout, namespace, signal } = o;
  const isAborted = (): boolean => signal?.aborted === true;
  await gateway.start();
  if (isAborted()) return;
  const pending = new Set<Promise<void>>();
  const { ended, end } = endOf({ input, output, signal });
  const send = (message: Uint8Array): void => {
    if (!output.writable || output.writableLength > MAX_UNREAD_BYTES) return end();
    // One write, so that nothing comes between a message and its end.
    output.write(Buffer.concat([message, Buffer.of(LINE_FEED)]));
  };
  const channel = gateway.mcp.open({ namespace, send });
  const lines = new Lines((line) => {
    const work = channel.receive(line).finally(() => pending.delete(work));
    pending.add(work);
  });
  input.on("data", (chunk: Buffer) => {
    if (!lines.push(chunk)) end();
  });
  await ended;
  input.pause();
  if (!isAborted() && output.writable) await within(Promise.all(pending), o.graceMs ?? GRACE_MS);
  await channel.close();
}

function endOf({
  input,
  output,
  signal,
}: {
  readonly input: Readable;
  readonly output: Writable;
  readonly signal?: AbortSignal | undefined;
}) {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  for (const event of ["end", "close", "error"]) input.once(event, () => end());
  for (const event of ["close", "error"]) output.once(event, () => end());
  signal?.addEventListener("abort", () => end(), { once: true });
  return { ended, end };
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, late]);
  clearTimeout(timer);
}

/** Cuts bytes into lines; empty ones are left out. */
class Lines {
  readonly #onLine: (line: Uint8Array) => void;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(onLine: (line: Uint8Array) => void) {
    this.#onLine = onLine;
  }

  /** False: a line is longer than any message may be. */
  push(chunk: Buffer): boolean {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      const line = Buffer.concat([...this.#parts, chunk.subarray(from, end)]);
      this.#parts = [];
      this.#bytes = 0;
      from = end + 1;
      const whole = line.at(-1) === 13 ? line.subarray(0, -1) : line;
      if (whole.length > 0) this.#onLine(whole);
    }
    if (from < chunk.length) this.#parts.push(chunk.subarray(from));
    this.#bytes += chunk.length - from;
    return this.#bytes <= MAX_LINE_BYTES;
  }
}
