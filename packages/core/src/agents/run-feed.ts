import { isTerminal, type RunEvent, type StoredRunEvent } from "../calls/index.js";
import { run, runEvent } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { Bus, Clock, RecordStore, Scope } from "../ports/index.js";
import type { KeepAlive } from "../util/keep-alive.js";

export interface RunFeedOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly keepAlive: KeepAlive;
  /** Whether this process runs it: then its news needs no polling. */
  readonly isHere: (id: string) => boolean;
}
export interface WatchOptions {
  readonly scope: Scope;
  readonly after: number;
  readonly signal: AbortSignal;
}
type Topic = "run.event" | "run.end";

const PAGE = 200;
const STORE_TIMEOUT_MS = 10_000;
/** Without a bus, news of another process's run is this old at most. */
const POLL_MS = 250;
/** A run of this process tells its readers itself; this only covers its moving to another one. */
const LOCAL_POLL_MS = 2000;
const terminal: ReadonlySet<string> = new Set(["run.succeeded", "run.failed", "run.cancelled"]);

/**
 * News of runs for those who wait: told at once within the process, by the bus and by polling across processes. What is told is only that there is something to read; what readers see
 * comes from the store, so that all see the same, in the same order.
 */
export class RunFeed {
  readonly #o: RunFeedOptions;
  readonly #waiting = new Map<string, Set<() => void>>();
  #subscriptions: Promise<(() => Promise<void>)[]> | null = null;
  #closed = false;

  constructor(options: RunFeedOptions) {
    this.#o = options;
  }

  /** There are new events, or the run has ended. */
  tell(topic: Topic, id: string): void {
    this.#wake(topic, id);
    this.#o.bus.publish(topic, [id]).catch(() => undefined); // other processes poll
    if (topic === "run.end") this.tell("run.event", id);
  }

  /** Resolves at the next news of the run, when it is time to look anyway, or when the signal is aborted. */
  wait(topic: Topic, id: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#closed || signal?.aborted === true) return Promise.resolve();
    this.#subscribe();
    const key = `${topic} ${id}`;
    const { clock, keepAlive } = this.#o;
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      keepAlive.acquire();
      const woken = (): void => {
        if (!waiting.delete(woken)) return;
        if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
        cancelTimer();
        signal?.removeEventListener("abort", woken);
        keepAlive.release();
        resolve();
      };
      const cancelTimer = clock.at(clock.now() + (this.#o.isHere(id) ? LOCAL_POLL_MS : POLL_MS), woken);
      waiting.add(woken);
      signal?.addEventListener("abort", woken, { once: true });
    });
  }

  /**
   * Stored events after `after`, then those to come; ends after the terminal event, at once when `after` is beyond it, and when the signal is aborted. Errors: `shutting_down`, also as the
   * reason of the signal: a reader must not take the end of its process for that of the run; those of the store.
   */
  async *events(id: string, o: WatchOptions): AsyncGenerator<StoredRunEvent, void, undefined> {
    let { after } = o;
    let hasEnded = false;
    while (!o.signal.aborted) {
      // Asked for before reading: what is stored between the two wakes us.
      const leave = new AbortController();
      const news = this.wait("run.event", id, leave.signal);
      const forward = () => leave.abort();
      o.signal.addEventListener("abort", forward, { once: true });
      try {
        const page = await this.#page(id, after, o.scope);
        for (const event of page) {
          after = event.seq;
          yield event;
          if (terminal.has(event.type)) return;
          if (o.signal.aborted) break;
        }
        if (page.length > 0) continue;
        if (hasEnded) return;
        // Whoever was given an event gets the terminal one too. Others may have come after it; what was stored until the end was seen is still theirs.
        hasEnded = after === o.after && (await this.#hasEnded(id, o.scope));
        if (hasEnded) continue;
        if (this.#closed)
          throw new GatewayError("shutting_down", "The gateway is closing.", { hint: "Read on from another process, after the last seq." });
        await news;
      } finally {
        o.signal.removeEventListener("abort", forward);
        leave.abort();
      }
    }
    if (GatewayError.is(o.signal.reason, "shutting_down")) throw o.signal.reason;
  }

  /** The newest seq; 0: there is none. */
  async lastSeq(id: string, scope: Scope): Promise<number> {
    const newest = await this.#o.store.read(runEvent, id, { afterSeq: 0, limit: 1, last: true }, scope, this.#within());
    return newest[0]?.seq ?? 0;
  }

  /** What the step that came last has said: the text that a run leaves when it ends without its process. */
  async textSoFar(id: string, scope: Scope): Promise<string> {
    const newest = await this.#o.store.read(runEvent, id, { afterSeq: 0, limit: 1000, last: true }, scope, this.#within());
    let text = "";
    for (const { entry } of newest) {
      const event = entry.event as unknown as RunEvent;
      if (event.type === "step.started") text = "";
      else if (event.type === "text.delta") text += event.text;
    }
    return text;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Wakes whoever waits, for good. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of [...this.#waiting.values()]) for (const woken of [...waiting]) woken();
    for (const unsubscribe of (await this.#subscriptions) ?? []) await unsubscribe().catch(() => undefined);
  }

  async #page(id: string, after: number, scope: Scope): Promise<StoredRunEvent[]> {
    const entries = await this.#o.store.read(runEvent, id, { afterSeq: after, limit: PAGE }, scope, this.#within());
    return entries.map(({ seq, atMs, entry }) => ({ ...(entry.event as unknown as RunEvent), seq, atMs }));
  }

  async #hasEnded(id: string, scope: Scope): Promise<boolean> {
    const row = await this.#o.store.get(run, id, scope, this.#within());
    return row === null || isTerminal(row.status);
  }

  #within() {
    return { deadlineMs: this.#o.clock.now() + STORE_TIMEOUT_MS };
  }

  #wake(topic: Topic, id: string): void {
    const waiting = this.#waiting.get(`${topic} ${id}`);
    if (waiting !== undefined) for (const woken of [...waiting]) woken();
  }

  /** Hints of other processes; asked for when somebody first waits. A bus that is down costs time, no news. */
  #subscribe(): void {
    this.#subscriptions ??= Promise.all(
      (["run.event", "run.end"] as const).map((topic) =>
        this.#o.bus
          .subscribe(
            topic,
            (ids) => ids.forEach((id) => !this.#o.isHere(id) && this.#wake(topic, id)),
            () => undefined,
          )
          .catch(() => () => Promise.resolve()),
      ),
    );
  }
}
