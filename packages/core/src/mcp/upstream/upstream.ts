import { GatewayError } from "../../errors/index.js";
import { stringMember, type RpcMessage } from "../frames/message.js";
import type { Caller } from "../../calls/index.js";
import type { HttpTarget, ServerTarget } from "../server-target.js";
import { Backoff } from "./backoff.js";
import { dialServer, type Way } from "./dial.js";
import { isOutage, keep, namedError } from "./named-error.js";
import { isSessionLost } from "../lanes/http-failure.js";
import { Listing } from "./listing.js";
import type { ExchangeOptions, UpstreamRequest } from "../lanes/lane.js";
import type { ListKind } from "./list-entries.js";
import type { Connection } from "../lanes/own-request.js";
import { wasNotHandled } from "../resilience/not-handled.js";
import { ServerGuard } from "../resilience/server-guard.js";
import { ReadCache, Reads } from "./read-cache.js";
import type { Lists } from "./server-lists.js";
import type { ServerStatus, ServerTransport } from "./server-status.js";
import { Subscriptions } from "./subscriptions.js";
import type { UpstreamDeps } from "./upstream-deps.js";
import type { UserConnections } from "./user-connections.js";
import { usersOf } from "./users-of.js";
import { waitWithin, withinItsTime, type Patience } from "./wait-within.js";

/**
 * One upstream server over any number of connections, one at a time: dialled once however many wait for it, dialled again on the next use or, for a while, by
 * itself, with growing pauses. What happens to it concerns nobody else. Its lists outlive its connections.
 */
export class Upstream {
  readonly subscriptions: Subscriptions;
  /** What stands between callers and it. */
  readonly guard: ServerGuard;
  readonly #listing: Listing;
  readonly #backoff: Backoff;
  #connection: Connection | null = null;
  #dialing: Promise<Connection> | null = null;
  #lastError: GatewayError | null = null;
  #stderr: string | null = null;
  /** How it was greeted last. */
  #way: Way = "new";
  /** Unix ms: when it answered last. */
  #lastSuccessMs: number | null = null;
  /** Aborted when the upstream is closed. */
  readonly #ending = new AbortController();
  #closed = false;
  /** Connections that are over, with the reason: one may end before its dial does. */
  readonly #over = new WeakMap<Connection, { readonly why: Error | null }>();
  readonly #deps: UpstreamDeps;
  /** Of a server that each caller signs in at; null: one connection is for all. */
  readonly #users: UserConnections<Upstream> | null;
  readonly #dialled: ServerTarget;
  readonly #reads: Reads;

  constructor(
    readonly name: string,
    readonly target: ServerTarget,
    given: UpstreamDeps & {
      /** What is watched already, of one that this takes the place of. */
      readonly subscriptions?: Subscriptions | undefined;
      /** As they were read last, of one that this takes the place of. */
      readonly lists?: Lists | undefined;
      readonly reads?: Reads | undefined;
    },
  ) {
    const { subscriptions, lists, reads, ...deps } = given;
    const cache = new ReadCache(deps.clock);
    this.#reads = reads ?? new Reads(deps.clock, cache, "");
    this.#deps = deps;
    this.subscriptions = subscriptions ?? new Subscriptions(deps.clock);
    const { resilience: rules, callMs } = target;
    this.guard = new ServerGuard({ server: name, clock: deps.clock, log: deps.log, rules, callMs });
    this.#listing = new Listing(name, deps, lists);
    this.#backoff = new Backoff(deps.clock);
    this.#dialled = deps.prepare?.(name, target) ?? target;
    const make = (own: HttpTarget, more: ConstructorParameters<typeof Upstream>[2]) => new Upstream(name, own, more);
    this.#users =
      this.#dialled.kind === "http"
        ? usersOf({ name, target: this.#dialled, deps, subscriptions: this.subscriptions, reads: cache, make })
        : null;
  }

  /** What everybody is shown. */
  get lists(): Lists {
    return this.#users?.public ?? this.#listing.lists;
  }
  /** What the caller is shown, as far as is known. */
  listsFor(caller: Caller | undefined): Lists {
    return this.#users === null ? this.#listing.lists : this.#users.listsOf(caller);
  }
  /** The one that all callers share. */
  get connection(): Connection | null {
    return this.#connection;
  }
  /** The one that the caller's requests go over. */
  connectionFor(caller: Caller): Connection | null {
    return this.#users === null ? this.#connection : (this.#users.peek(caller)?.connection ?? null);
  }
  connections(): readonly Connection[] {
    return this.#users?.connections() ?? (this.#connection === null ? [] : [this.#connection]);
  }
  /** Each caller has a connection, and lists, of its own: what is said over it unasked is for nobody else. */
  get isPerUser(): boolean {
    return this.#users !== null;
  }

  get transport(): ServerTransport {
    const { target } = this;
    return target.kind === "http" && (target.transport === "sse" || this.#way === "sse") ? "sse" : target.kind;
  }

  status(): ServerStatus {
    const connection = this.#connection;
    return {
      name: this.name,
      transport: this.transport,
      connected: this.connections().length > 0 && this.#lastError === null,
      tools: this.#users?.toolCount() ?? this.lists.tools.size,
      lastError: this.#lastError?.message ?? this.#listing.lastError ?? this.#listing.leftOut,
      lastSuccessMs: this.#lastSuccessMs,
      era: connection?.era ?? null,
      version: connection?.version ?? null,
      stderr: connection?.lane.stderr() ?? this.#stderr,
      ...this.guard.state(),
    };
  }

  /** A connection that stands. Errors: those of a dial, told with the server's name; `upstream_timeout`, `cancelled` for this waiter alone. */
  async ready(o: Patience): Promise<Connection> {
    if (this.#users !== null) return (await this.#users.of(o.caller, o)).ready(o);
    if (this.#connection !== null) return this.#connection;
    return waitWithin(this.#dialOnce(), this.#deps.clock, { ...o, what: `the connection to the MCP server "${this.name}"` });
  }

  /** Begins to connect, unless it stands or is under way. Settles with the first attempt, however it ends. */
  async start(): Promise<void> {
    if (this.#users !== null || this.#connection !== null) return;
    await this.#dialOnce().catch(() => undefined); // its status tells of it
  }

  /**
   * One request, built for the connection that it goes over. It is sent a second time only when it certainly was not handled: the connection was gone before it was
   * sent, or the server had forgotten our session. Errors: those of a lane and of `ready`, told with the server's name.
   */
  async exchange(
    build: (connection: Connection) => UpstreamRequest,
    given: ExchangeOptions,
  ): Promise<{ readonly reply: RpcMessage; readonly connection: Connection }> {
    if (this.#users !== null) return (await this.#users.of(given.caller, given)).exchange(build, given);
    const o = withinItsTime(given, this.target.callMs, this.#deps.clock);
    const connection = this.#connection ?? (await this.ready(o));
    try {
      const reply = await connection.lane.exchange(build(connection), o);
      this.#lastSuccessMs = this.#deps.clock.now();
      if (this.#lastError !== null && this.#connection === connection) this.#recovered();
      return { reply, connection };
    } catch (error) {
      this.#doubt(error);
      if (isSessionLost(error)) this.#forgotten(connection);
      const isUnsent = GatewayError.is(error, "upstream_unavailable") && wasNotHandled(error);
      const again = isUnsent && this.#connection !== connection && !this.#closed;
      if (!again) throw this.#named(error);
    }
    try {
      const next = await this.ready(o);
      return { reply: await next.lane.exchange(build(next), o), connection: next };
    } catch (error) {
      this.#doubt(error);
      throw this.#named(error);
    }
  }

  /** What was read over the caller's connection and may be kept; null: it has not signed in. Errors: those of the store. */
  async reads(caller: Caller): Promise<Reads | null> {
    return this.#users === null ? this.#reads : ((await this.#users.signedIn(caller))?.reads(caller) ?? null);
  }
  /** A resource changed, or null: any may have. `whose`: as of `refresh`. */
  stale(uri: string | null, whose?: string): void {
    if (this.#users === null) this.#reads.stale(uri);
    else if (whose !== undefined) for (const own of this.#users.ofPrincipal(whose)) own.stale(uri);
  }

  /** Has what the caller is shown at hand, where each caller is shown its own. Never rejects. */
  look(caller: Caller, o: Patience): Promise<void> | undefined {
    return this.#users?.look(caller, o);
  }

  /** Watches a resource, until the function that it gives is called. Errors: those of `ready` and of `Subscriptions.watch`. */
  async watch(uri: string, o: Patience): Promise<() => void> {
    if (this.#users !== null) return (await this.#users.of(o.caller, o)).watch(uri, o);
    await this.subscriptions.watch(await this.ready(o), uri);
    return () => this.subscriptions.unwatch(uri);
  }

  /** Reads the list again now, unless it was read within the last second: then at the end of it. `whose`: of the one principal that is shown it. */
  async refresh(kind: ListKind, whose?: string): Promise<void> {
    const own = whose === undefined ? [] : (this.#users?.ofPrincipal(whose) ?? []);
    await Promise.all(own.map((one) => one.refresh(kind)));
    if (this.#connection !== null) await this.#listing.refresh(this.#connection, kind);
  }

  /** How long a list may be kept by the caller that is shown it now; Infinity: there is none. One that was to be kept for a while that is over is read again. */
  freshMs(kind: ListKind, caller: Caller): number {
    if (this.#users !== null) return this.#users.peek(caller)?.freshMs(kind, caller) ?? 0;
    if (this.#listing.isOverdue(kind)) void this.refresh(kind);
    return this.#listing.freshMs(this.#connection, kind);
  }

  /** Reads a list again because something was asked for that is not in it; at most once in a while. */
  async lookAgain(kind: ListKind, o: Patience): Promise<void> {
    if (this.#users !== null) return (await this.#users.of(o.caller, o)).lookAgain(kind, o);
    const connection = await this.ready(o);
    await waitWithin(this.#listing.lookAgain(connection, kind), this.#deps.clock, {
      ...o,
      what: `the lists of the MCP server "${this.name}"`,
    });
  }

  /**
   * Reads every list again now, whenever it was read last, over a connection that is made at once where there is none; an API's document is read anew. Errors: those of `ready`, and of the lists.
   */
  async readAgain(o: Patience): Promise<void> {
    if (this.#users !== null) return (await this.#users.of(o.caller, o)).readAgain(o);
    const before = this.#connection;
    if (before === null) this.#backoff.forgive();
    else if (this.target.kind === "openapi") this.#forgotten(before);
    const connection = await this.ready(o);
    if (before !== connection) return;
    const what = `the lists of the MCP server "${this.name}"`;
    await waitWithin(this.#listing.readAll(connection), this.#deps.clock, { ...o, what });
    if (this.#listing.lastError !== null) throw this.#named(new GatewayError("upstream_unavailable", this.#listing.lastError));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#reads.stale(null);
    await this.#users?.close();
    this.#backoff.stop();
    this.#listing.close();
    this.subscriptions.connected(null);
    const connection = this.#connection;
    this.#connection = null;
    await connection?.lane.close();
    // A dial under way ends now, and closes what it opened.
    this.#ending.abort();
    await this.#dialing?.catch(() => undefined);
  }

  #doubt(error: unknown): void {
    if (this.target.kind === "http" && isOutage(error)) this.#suspect(GatewayError.from(error));
  }

  #dialOnce(): Promise<Connection> {
    if (this.#closed) return Promise.reject(new GatewayError("shutting_down", `The MCP server "${this.name}" was disconnected.`));
    if (this.#dialing !== null) return this.#dialing;
    const waitMs = this.#backoff.waitMs();
    if (waitMs > 0 && this.#lastError !== null)
      return Promise.reject(
        new GatewayError(this.#lastError.code, this.#lastError.message, { ...keep(this.#lastError), retryAfterMs: waitMs }),
      );
    this.#dialing = this.#dial().finally(() => (this.#dialing = null));
    return this.#dialing;
  }

  async #dial(): Promise<Connection> {
    try {
      const connection = await this.#open();
      await this.#readLists(connection);
      if (this.#closed) {
        await connection.lane.close();
        throw new GatewayError("shutting_down", `The MCP server "${this.name}" was disconnected.`);
      }
      const over = this.#over.get(connection);
      if (over !== undefined) throw over.why ?? new GatewayError("upstream_interrupted", "The server closed the connection at once.");
      this.#connection = connection;
      this.#recovered();
      this.#backoff.succeeded();
      connection.lane.begin();
      this.subscriptions.connected(connection);
      return connection;
    } catch (error) {
      const named = this.#named(error);
      this.#failed(named);
      throw named;
    }
  }

  async #readLists(connection: Connection): Promise<void> {
    const { signal } = this.#ending;
    const end = (): void => void connection.lane.close();
    signal.addEventListener("abort", end, { once: true });
    await this.#listing.readAll(connection).finally(() => signal.removeEventListener("abort", end));
  }

  async #open(): Promise<Connection> {
    const settings = {
      target: this.#dialled,
      deps: this.#deps,
      onNotice: (notice: RpcMessage) => this.#notice(notice),
      onLog: (owner: string, notice: RpcMessage) => this.#deps.onLog(this.name, owner, notice),
      onClose: (connection: Connection, why: Error | null) => this.#gone(connection, why),
      onStderr: (text: string | null) => void (this.#stderr = text),
      signal: this.#ending.signal,
    };
    const first = this.#way;
    // What fails is tried the new way again: the server may have been replaced.
    this.#way = "new";
    const { connection, way } = await dialServer(settings, first);
    this.#way = way;
    return connection;
  }

  #notice(notice: RpcMessage): void {
    switch (notice.method) {
      case "notifications/tools/list_changed":
        return void this.refresh("tools");
      case "notifications/prompts/list_changed":
        return void this.refresh("prompts");
      case "notifications/resources/list_changed":
        this.#reads.stale(null);
        void this.refresh("resources");
        return void this.refresh("resourceTemplates");
      case "notifications/resources/updated":
        this.#reads.stale(stringMember(notice.bytes, notice.params, "uri"));
        return this.#deps.onResourceUpdated(this.name, notice);
    }
  }

  /** A connection is over. One that we ended ourselves changes nothing more. */
  #gone(connection: Connection, why: Error | null): void {
    this.#over.set(connection, { why });
    if (this.#connection !== connection || this.#closed) return;
    this.#connection = null;
    this.#reads.stale(null); // what changes meanwhile is told to nobody
    this.#stderr = connection.lane.stderr();
    this.subscriptions.connected(null);
    if (why === null) return void connection.lane.close();
    this.#failed(
      this.#named(GatewayError.is(why) ? why : new GatewayError("upstream_interrupted", "The connection broke.", { cause: why })),
    );
  }

  /** The server is there but does not know our session: it was restarted, and can be greeted anew at once. */
  #forgotten(connection: Connection): void {
    this.#lastError = null;
    this.#backoff.succeeded();
    this.#gone(connection, null);
  }

  #failed(error: GatewayError): void {
    if (this.#closed) return;
    const isAwaiting = error.code === "authorization_required" || error.details?.["reason"] === "authorization_required";
    // Told once, and not with every use.
    const isKnown = isAwaiting && this.#lastError?.message === error.message;
    this.#lastError = error;
    if (isKnown) return this.#backoff.forgive();
    this.#deps.onStatus(this.name, false, error.message);
    this.#deps.log.warn("an MCP server is not connected", { server: this.name, code: error.code, error: error.message });
    // Whether somebody has signed in by now costs nothing to ask, and is found out without a timer.
    if (isAwaiting) return this.#backoff.forgive();
    // What only the operator can mend is not tried again by itself.
    if (error.blame !== "operator") this.#backoff.failed(() => void this.start());
    else this.#backoff.failed(null);
  }

  /** An HTTP server did not answer: its session may be good still, so it is asked again before a new one is made. */
  #suspect(error: GatewayError): void {
    const connection = this.#connection;
    if (connection === null || this.#closed) return;
    const wasWell = this.#lastError === null;
    this.#lastError = this.#named(error);
    if (!wasWell) return;
    this.#deps.onStatus(this.name, false, this.#lastError.message);
    this.#backoff.failed(() => void this.#checkAgain(connection));
  }

  async #checkAgain(connection: Connection): Promise<void> {
    const deadlineMs = this.#deps.clock.now() + this.#deps.limits.listMs;
    try {
      await this.exchange((to) => this.#listing.check(to), { deadlineMs, owner: null });
      this.#backoff.succeeded();
    } catch {
      // Its status tells why. A session that was lost was made anew by the exchange, or has its own attempts now.
      if (this.#connection === connection && !this.#closed) this.#backoff.failed(() => void this.#checkAgain(connection));
    }
  }

  #recovered(): void {
    const wasDown = this.#lastError !== null;
    this.#lastError = null;
    this.#lastSuccessMs = this.#deps.clock.now();
    this.#deps.onStatus(this.name, true, null);
    if (wasDown) this.#deps.log.info("an MCP server is connected again", { server: this.name });
  }

  #named(error: unknown): GatewayError {
    return namedError(error, { server: this.name, redact: this.#deps.redact });
  }
}
