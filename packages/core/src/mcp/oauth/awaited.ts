import type { Clock } from "../../ports/index.js";

export interface AwaitedOptions {
  readonly clock: Clock;
  /** Whether somebody has signed in by now. */
  readonly isSignedIn: (server: string) => Promise<boolean>;
  readonly onSignedIn: (server: string) => void;
}

const LOOK_MS = 5_000;

/** Servers that wait for somebody to sign in, which may happen in another process: the store is looked at now and then, as long as there are any. */
export class Awaited {
  readonly #o: AwaitedOptions;
  readonly #servers = new Set<string>();
  #cancel: (() => void) | null = null;
  #closed = false;

  constructor(options: AwaitedOptions) {
    this.#o = options;
  }

  add(server: string): void {
    this.#servers.add(server);
    this.#look();
  }

  /** It is there, or gone. */
  done(server: string): void {
    this.#servers.delete(server);
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  #look(): void {
    if (this.#closed || this.#servers.size === 0) return;
    const { clock } = this.#o;
    this.#cancel ??= clock.at(clock.now() + LOOK_MS, () => {
      this.#cancel = null;
      void this.#lookNow().finally(() => this.#look());
    });
  }

  async #lookNow(): Promise<void> {
    for (const server of [...this.#servers]) {
      // A store that is away is asked again.
      if (!(await this.#o.isSignedIn(server).catch(() => false)) || this.#closed) continue;
      this.#servers.delete(server);
      this.#o.onSignedIn(server);
    }
  }
}
