import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How one kind of server is started. */
export interface ServerKind {
  readonly name: string;
  /** Prepares the empty folder, once. */
  prepare?(folder: string): Promise<void>;
  command(at: { readonly folder: string; readonly port: number }): readonly [program: string, ...args: string[]];
  /** Whether it answers. */
  answers(at: { readonly folder: string; readonly port: number }): Promise<boolean>;
}

const STARTING_MS = 90_000;

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
      const server = new PrivateServer(kind, folder, await freePort());
      await server.start();
      return server;
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

/** A port of 127.0.0.1 that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Whether something accepts a connection. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
