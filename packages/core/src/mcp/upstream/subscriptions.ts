import { GatewayError } from "../../errors/index.js";
import { pause } from "../../policy/resilience/pause.js";
import type { Clock } from "../../ports/index.js";
import type { Connection } from "../lanes/own-request.js";
import { ownRequest } from "../lanes/own-request.js";

const REQUEST_MS = 10_000;
/** A listen request is made anew after this long, so that one that died silently is noticed some time. */
const LISTEN_MS = 3_600_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_LAST_MS = 30_000;

/**
 * What we want to be told by one server: changes of its lists, and of resources that somebody watches. Kept over reconnections. Before 2026-07-28 list changes come by
 * themselves and resources are subscribed one by one; since then one standing `subscriptions/listen` names them all and is replaced when the set changes.
 */
export class Subscriptions {
  readonly #clock: Clock;
  /** How many watch each URI. */
  readonly #watched = new Map<string, number>();
  /** What the server is being asked for, by URI: who comes meanwhile watches when it is there, or not at all. */
  readonly #asked = new Map<string, Promise<void>>();
  /** Of a server that each caller signs in at: each principal's own. */
  readonly #own = new Map<string, Subscriptions>();
  #connection: Connection | null = null;
  #listening: AbortController | null = null;

  readonly #onWatched: () => void;

  constructor(clock: Clock, onWatched = (): void => undefined) {
    this.#clock = clock;
    this.#onWatched = onWatched;
  }

  /** Those of one principal; kept while something is watched. */
  of(principal: string): Subscriptions {
    for (const [other, own] of this.#own) if (!own.isWatched && own.#connection === null) this.#own.delete(other);
    // One that was not connected just then is known again as soon as it watches something.
    const own: Subscriptions = this.#own.get(principal) ?? new Subscriptions(this.#clock, () => void this.#own.set(principal, own));
    this.#own.set(principal, own);
    return own;
  }
  /** Whether anything is watched. */
  get isWatched(): boolean {
    return this.#watched.size > 0;
  }

  /** The connection stands (again), or is gone. */
  connected(connection: Connection | null): void {
    this.#listening?.abort();
    this.#listening = null;
    this.#connection = connection;
    if (connection === null) return;
    if (connection.era === "modern") this.#listen(connection);
    else for (const uri of this.#watched.keys()) this.#quietly(this.#ask(connection, "resources/subscribe", uri));
  }

  /** Starts watching; many may watch one resource. Errors: those of a lane, `upstream_rejected`, `unsupported_feature` when the server has no subscriptions. */
  async watch(connection: Connection, uri: string): Promise<void> {
    if (!canSubscribe(connection))
      throw new GatewayError("unsupported_feature", "The server of this resource does not offer subscriptions.");
    const watchers = this.#watched.get(uri) ?? 0;
    this.#watched.set(uri, watchers + 1);
    this.#onWatched();
    if (watchers > 0) return this.#asked.get(uri);
    if (connection.era === "modern") return this.#listen(connection);
    const asked = this.#ask(connection, "resources/subscribe", uri);
    this.#asked.set(uri, asked);
    try {
      await asked;
    } catch (error) {
      this.#watched.delete(uri);
      throw error;
    } finally {
      this.#asked.delete(uri);
    }
  }

  unwatch(uri: string): void {
    const watchers = this.#watched.get(uri);
    if (watchers === undefined) return;
    if (watchers > 1) return void this.#watched.set(uri, watchers - 1);
    this.#watched.delete(uri);
    const connection = this.#connection;
    if (connection === null) return;
    if (connection.era === "modern") this.#listen(connection);
    else this.#quietly(this.#ask(connection, "resources/unsubscribe", uri));
  }

  #listen(connection: Connection): void {
    this.#listening?.abort();
    const filter = this.#filter(connection);
    if (filter === null) return;
    const abort = new AbortController();
    this.#listening = abort;
    this.#quietly(this.#keepListening(connection, filter, abort.signal));
  }

  async #keepListening(connection: Connection, filter: string, signal: AbortSignal): Promise<void> {
    for (let waitMs = RETRY_FIRST_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_LAST_MS)) {
      const startedMs = this.#clock.now();
      const request = ownRequest(connection, { method: "subscriptions/listen", params: `"notifications":${filter}` });
      try {
        const reply = await connection.lane.exchange(request, { deadlineMs: startedMs + LISTEN_MS, signal, owner: null });
        if (reply.error !== null) return;
      } catch {
        // The connection broke, or the stream is old: try again. That the server is gone is noticed elsewhere.
      }
      if (this.#clock.now() - startedMs > RETRY_LAST_MS) waitMs = RETRY_FIRST_MS;
      await pause(waitMs, this.#clock, signal);
    }
  }

  #filter(connection: Connection): string | null {
    const filter: Record<string, unknown> = {};
    for (const list of ["tools", "prompts", "resources"] as const)
      if (flag(connection, list, "listChanged")) filter[`${list}ListChanged`] = true;
    if (this.#watched.size > 0) filter["resourceSubscriptions"] = [...this.#watched.keys()];
    return Object.keys(filter).length === 0 ? null : JSON.stringify(filter);
  }

  async #ask(connection: Connection, method: string, uri: string): Promise<void> {
    const request = ownRequest(connection, { method, params: `"uri":${JSON.stringify(uri)}`, subject: uri });
    const reply = await connection.lane.exchange(request, { deadlineMs: this.#clock.now() + REQUEST_MS, owner: null });
    if (reply.error !== null) throw new GatewayError("upstream_rejected", `The server refused ${method}.`);
  }

  /** For what is tried again with the next connection anyway. */
  #quietly(work: Promise<void>): void {
    work.catch(() => undefined);
  }
}

function canSubscribe(connection: Connection): boolean {
  return flag(connection, "resources", "subscribe");
}

function flag(connection: Connection, capability: string, name: string): boolean {
  const declared = connection.capabilities[capability];
  return (
    typeof declared === "object" && declared !== null && !Array.isArray(declared) && (declared as { [key: string]: unknown })[name] === true
  );
}
