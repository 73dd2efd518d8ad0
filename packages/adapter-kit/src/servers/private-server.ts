import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How one kind of server is started. */
export interface ServerKind {
  readonly name: string;
  /** Prepares the empty folder, once. */
  prepare?(folder: string): Promise<void>;
  command(at: { readonly folder: string; readonly port: number }): readonly [program: string, ...args: string[]];
  /** Whether it answers: it, and no other that has its port. */
  answers(at: { readonly folder: string; readonly port: number; readonly pid: number | null }): Promise<boolean>;
}

const STARTING_MS = 90_000;
/** So often another port is tried. */
const TRIES = 3;

/** A server of this test alone: a process of its own, in a folder of its own, on a free port of 127.0.0.1. It can be killed, frozen and started again on the same data and port. */
export class PrivateServer {
  readonly folder: string;
  readonly port: number;
  readonly #kind: ServerKind;
  #child: ChildProcess | null = null;
  #said = "";

  private constructor(kind: ServerKind, folder: string, port: number) {
    this.#kind = kind;
    this.folder = folder;
    this.port = port;
  }

  /** Of the process; null: it does not run. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  static async start(kind: ServerKind): Promise<PrivateServer> {
    const folder = mkdtempSync(join(tmpdir(), `sallyport-${kind.name}-`));
    try {
      await kind.prepare?.(folder);
      for (let left = TRIES - 1; ; left--) {
        const server = new PrivateServer(kind, folder, await freePort());
        try {
          await server.start();
          return server;
        } catch (error) {
          if (left === 0) throw error;
        }
      }
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get isUp(): boolean {
    return this.#child !== null;
  }
  /** The end of what it wrote. */
  get output(): string {
    return this.#said;
  }

  /** Resolves when it answers. Nothing when it is up. */
  async start(): Promise<void> {
    if (this.#child !== null) return;
    const [program, ...args] = this.#kind.command(this);
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], cwd: this.folder });
    const note = (text: string): void => void (this.#said = (this.#said + text).slice(-20_000));
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", note);
    this.#child = child;
    child.once("error", (error) => note(String(error)));
    child.once("close", () => {
      if (this.#child === child) this.#child = null;
    });
    kept.add(child);
    child.once("close", () => void kept.delete(child));
    const untilMs = Date.now() + STARTING_MS;
    while (!(await this.#kind.answers(this).catch(() => false))) {
      if (this.#child !== child || Date.now() > untilMs) {
        await this.kill();
        throw new Error(`${this.#kind.name} did not start:\n${this.#said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** kill -9, or as told; resolves when the process is gone. Its data stay. */
  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    const gone = once(child, "close");
    child.kill("SIGCONT");
    child.kill(signal);
    await gone;
  }
  /** Its connections stay open and nothing answers. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }
  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Ends it and removes its folder. */
  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What still runs when the tests' process ends. */
const kept = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of kept) child.kill("SIGKILL");
});

/** Below what systems give to whoever asks for any port (Linux: from 32768, others: from 49152): nobody gets it by chance between this look and its use. */
const PORTS = { from: 20_000, to: 32_000 };

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
