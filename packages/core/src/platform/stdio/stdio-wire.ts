import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { GatewayError } from "../../errors/index.js";
import type { McpFrame, McpWire, Within } from "../../ports/index.js";

export interface StdioWireOptions {
  readonly command: string;
  readonly maxMessageBytes: number;
  readonly stderrBytes: number;
  readonly graceMs: number;
  readonly onExit: () => void;
}

/** Bytes that a server may leave unread. */
const MAX_UNREAD_BYTES = 67_108_864;
const LAST_WORDS_MS = 500;
const LINE_FEED = Buffer.from("\n");

/** A running stdio server: one message a line. Empty lines are left out; what is no message is for the reader to judge. */
export class StdioWire implements McpWire {
  readonly pid: number;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #o: StdioWireOptions;
  readonly #exited: Promise<void>;
  #isRunning = true;
  #partial: Buffer[] = [];
  #partialBytes = 0;
  #stderr = Buffer.alloc(0);
  #onFrame: ((frame: McpFrame) => void) | null = null;
  #onClose: ((why: Error | null) => void) | null = null;
  #over: { readonly why: Error | null } | null = null;
  #closing: Promise<void> | null = null;

  constructor(child: ChildProcessWithoutNullStreams, options: StdioWireOptions) {
    this.#child = child;
    this.#o = options;
    this.pid = child.pid!;
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#isRunning = false;
        // What it started may still run in its group.
        this.kill("SIGKILL");
        options.onExit();
        resolve();
        // Its last words may still be in the pipe; somebody else who holds the pipe open is not waited for.
        const end = () => this.#end(this.#closing === null ? this.#exitError(code, signal) : null);
        child.once("close", end);
        setTimeout(end, LAST_WORDS_MS).unref();
      });
    });
    child.stdout.on("data", (chunk: Buffer) => this.#read(chunk));
    child.stderr.on("data", (chunk: Buffer) => this.#keepStderr(chunk));
    // A broken pipe or a failed kill shows as the exit of the process.
    for (const emitter of [child, child.stdin, child.stdout, child.stderr]) emitter.on("error", () => undefined);
  }

  /** What it wrote last to its error output. */
  stderr(): string {
    return this.#stderr.toString("utf8");
  }

  onFrame(handler: (frame: McpFrame) => void): void {
    this.#onFrame = handler;
  }
  onClose(handler: (why: Error | null) => void): void {
    this.#onClose = handler;
    if (this.#over !== null) handler(this.#over.why);
  }

  send(frame: McpFrame, within: Within): Promise<void> {
    const { stdin } = this.#child;
    if (this.#over !== null || this.#closing !== null || !stdin.writable)
      return Promise.reject(new GatewayError("upstream_unavailable", `The server "${this.#o.command}" does not run any more.`));
    if (stdin.writableLength > MAX_UNREAD_BYTES)
      return Promise.reject(new GatewayError("upstream_unavailable", `The server "${this.#o.command}" does not read its input.`));
    // One write for both, so that nothing comes between a message and its end.
    stdin.cork();
    stdin.write(frame);
    const isTaken = stdin.write(LINE_FEED);
    stdin.uncork();
    return isTaken ? Promise.resolve() : this.#drained(within);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** Signals the whole group at once. */
  kill(signal: NodeJS.Signals): void {
    try {
      if (process.platform === "win32") this.#child.kill(signal);
      else process.kill(-this.pid, signal);
    } catch {
      // ESRCH: nobody of the group is left.
    }
  }

  async #close(): Promise<void> {
    this.#end(null);
    this.#child.stdin.end();
    if (await this.#exitsWithin(this.#o.graceMs)) return;
    this.kill("SIGTERM");
    if (await this.#exitsWithin(this.#o.graceMs)) return;
    this.kill("SIGKILL");
    await this.#exited;
  }

  async #exitsWithin(ms: number): Promise<boolean> {
    if (!this.#isRunning) return true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
    const inTime = await Promise.race([this.#exited.then(() => true), late]);
    clearTimeout(timer);
    return inTime;
  }

  /** The frame is in the pipe's queue and goes out in order; a slow reader is waited for, so that callers slow down with it. */
  #drained(within: Within): Promise<void> {
    const { stdin } = this.#child;
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(), Math.max(0, within.deadlineMs - Date.now()));
      const done = () => {
        clearTimeout(timer);
        stdin.off("drain", done);
        stdin.off("close", done);
        within.signal?.removeEventListener("abort", done);
        resolve();
      };
      stdin.once("drain", done);
      stdin.once("close", done);
      within.signal?.addEventListener("abort", done, { once: true });
    });
  }

  #read(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#line(chunk.subarray(from, end));
      from = end + 1;
    }
    if (from === chunk.length) return;
    this.#partial.push(from === 0 ? chunk : chunk.subarray(from));
    this.#partialBytes += chunk.length - from;
    if (this.#partialBytes > this.#o.maxMessageBytes) this.#tooLarge();
  }

  #line(tail: Buffer): void {
    let line = tail;
    if (this.#partial.length > 0) {
      line = Buffer.concat([...this.#partial, tail]);
      this.#partial = [];
      this.#partialBytes = 0;
    }
    if (line.length > this.#o.maxMessageBytes) return this.#tooLarge();
    if (line[line.length - 1] === 13) line = line.subarray(0, line.length - 1);
    if (line.length > 0 && this.#over === null) this.#onFrame?.(line);
  }

  /** It cannot be told whose answer this would have been, so the server is ended and everybody learns why. */
  #tooLarge(): void {
    this.#partial = [];
    this.#partialBytes = 0;
    this.#end(
      new GatewayError(
        "upstream_protocol",
        `The server "${this.#o.command}" sent a message larger than ${this.#o.maxMessageBytes} bytes.`,
        {
          hint: "Ask for less at once, or raise the limit of a message.",
        },
      ),
    );
    void this.close();
  }

  #keepStderr(chunk: Buffer): void {
    const all = Buffer.concat([this.#stderr, chunk]);
    this.#stderr = all.length <= this.#o.stderrBytes ? all : Buffer.from(all.subarray(all.length - this.#o.stderrBytes));
  }

  #end(why: Error | null): void {
    if (this.#over !== null) return;
    this.#over = { why };
    this.#onClose?.(why);
  }

  #exitError(code: number | null, signal: NodeJS.Signals | null): GatewayError {
    const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
    return new GatewayError("upstream_unavailable", `The server "${this.#o.command}" ${how}.`, { hint: "Its error output tells more." });
  }
}
