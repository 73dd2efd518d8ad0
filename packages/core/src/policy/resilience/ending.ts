/**
 * Signals for pieces of work that end with their owner. Each has one of its own, which nothing else listens to: an owner that lives long gathers no listeners, however much is under way and however often.
 */
export class Ending {
  readonly #running = new Set<AbortController>();
  #over: { readonly reason: unknown } | null = null;

  /** Errors: those of the work. */
  async run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const own = new AbortController();
    if (this.#over !== null) own.abort(this.#over.reason);
    this.#running.add(own);
    try {
      return await work(own.signal);
    } finally {
      this.#running.delete(own);
    }
  }

  /** Ends what is under way, and at once what begins after that. Idempotent. */
  end(reason?: unknown): void {
    this.#over ??= { reason };
    for (const own of this.#running) own.abort(reason);
  }

  /** Pieces that are under way. */
  get size(): number {
    return this.#running.size;
  }
}
