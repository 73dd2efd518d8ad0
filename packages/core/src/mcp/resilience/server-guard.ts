import { GatewayError } from "../../errors/index.js";
import { Breaker, type BreakerState } from "../../policy/resilience/breaker.js";
import { pause } from "../../policy/resilience/pause.js";
import { RetryBudget } from "../../policy/resilience/retry-budget.js";
import type { Clock } from "../../ports/index.js";
import type { Log } from "../../util/log.js";
import type { ServerResilience } from "../../entities/index.js";
import { Bulkhead, type Place } from "./bulkhead.js";
import { hedged } from "./hedged.js";
import { OwnTime } from "./own-time.js";
import { wasNotHandled } from "./not-handled.js";
import type { Nature } from "./repeatable.js";
import { SharedFlights } from "./shared-flights.js";

const PAUSE_MS = 100;

export interface ServerGuardOptions {
  readonly server: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Left out: a breaker, and nothing else. */
  readonly rules: ServerResilience | undefined;
  /** The server's own time for a call; undefined: it has none. */
  readonly callMs: number | undefined;
}

/** A call at the server, as its guard sees it. */
export interface GuardedCall {
  readonly nature: Nature;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Calls with the same text ask the same for the same caller; left out: it is nobody else's. */
  readonly same?: (() => string) | undefined;
  /** Its client may be asked something in the course of it: it is neither shared nor made twice at once. */
  readonly canBeAsked: boolean;
}
export interface AttemptBounds {
  readonly signal: AbortSignal | undefined;
  readonly deadlineMs: number;
  /** Called when the request is about to be sent: what fails before is the connection's affair. */
  readonly sent: () => void;
  /** Called when the server asks something: it is well, whenever its answer comes. */
  readonly alive: () => void;
  readonly place: Place;
}
type Attempt<T> = (o: AttemptBounds) => Promise<T>;
type Placed<T> = (o: Omit<AttemptBounds, "place">) => Promise<T>;

/** What a guard has to show. */
export interface GuardState {
  readonly breaker: BreakerState;
  /** Calls at the server now. */
  readonly inFlight: number;
  /** Calls that wait for their turn. */
  readonly queued: number;
}

/**
 * What stands between the calls of one server and the server: equal ones are joined, so many go at once, none while it keeps failing, and one that failed is sent again only when it certainly was not handled or may be handled twice. It knows
 * this process alone, and is lost with it.
 */
export class ServerGuard {
  readonly #o: ServerGuardOptions;
  readonly #breaker: Breaker | null;
  readonly #bulkhead: Bulkhead;
  readonly #budget = new RetryBudget();
  readonly #flights: SharedFlights<unknown>;

  constructor(options: ServerGuardOptions) {
    const { rules, clock, server } = (this.#o = options);
    this.#breaker = rules?.breaker === false ? null : new Breaker(rules?.breaker);
    this.#bulkhead = new Bulkhead({ server, clock, most: rules?.maxConcurrent, queued: rules?.maxQueued ?? 0 });
    this.#flights = new SharedFlights({ clock, server });
  }

  state(): GuardState {
    const { inFlight, queued } = this.#bulkhead;
    return { breaker: this.#breaker?.state(this.#o.clock.now()) ?? "closed", inFlight, queued };
  }

  /** Errors: `upstream_unavailable` while the server is left alone, `overloaded` when too many wait for it, `upstream_timeout`, `cancelled`, and those of the attempt. */
  run<T>(call: GuardedCall, attempt: Attempt<T>): Promise<T> {
    const { same, canBeAsked, nature } = call;
    if (this.#o.rules?.coalesce !== true || nature !== "read-only" || canBeAsked || same === undefined)
      return this.#admitted(call, attempt);
    const shared = (signal: AbortSignal, deadlineMs: number) => this.#admitted({ ...call, signal, deadlineMs }, attempt);
    return this.#flights.join(same(), call, shared) as Promise<T>;
  }

  /** The server's own time for an attempt whose caller may be asked something. */
  ownTime({ place, signal }: AttemptBounds): OwnTime {
    const { server, clock, callMs } = this.#o;
    return new OwnTime({ server, clock, callMs, place, signal });
  }

  async #admitted<T>(call: GuardedCall, attempt: Attempt<T>): Promise<T> {
    const place = await this.#bulkhead.enter(call);
    try {
      return await this.#repeated(call, (bounds) => attempt({ ...bounds, place }));
    } finally {
      place.leave();
    }
  }

  async #repeated<T>(call: GuardedCall, attempt: Placed<T>): Promise<T> {
    const retries = this.#o.rules?.retries ?? 0;
    this.#budget.offered();
    for (let retry = 0; ; retry++) {
      try {
        return await this.#once(call, attempt);
      } catch (error) {
        const waitMs = PAUSE_MS * 2 ** retry + (GatewayError.is(error) ? (error.retryAfterMs ?? 0) : 0);
        const hasTime = this.#o.clock.now() + waitMs < call.deadlineMs && call.signal?.aborted !== true;
        if (retry >= retries || !hasTime || !mayRepeat(error, call) || !this.#budget.take()) throw error;
        await pause(waitMs, this.#o.clock, call.signal);
      }
    }
  }

  #once<T>(call: GuardedCall, attempt: Placed<T>): Promise<T> {
    const afterMs = this.#o.rules?.hedgeAfterMs;
    if (afterMs === undefined || call.nature !== "read-only" || call.canBeAsked) return this.#try(call, attempt, call.signal);
    const { clock } = this.#o;
    const maySecond = (): boolean => this.#breaker?.state(clock.now()) !== "open" && this.#budget.take();
    return hedged({ clock, afterMs, signal: call.signal, maySecond }, (signal) => this.#try(call, attempt, signal));
  }

  async #try<T>({ deadlineMs }: GuardedCall, attempt: Placed<T>, signal: AbortSignal | undefined): Promise<T> {
    const { clock, callMs } = this.#o;
    const breaker = this.#breaker;
    let admitted = breaker === null ? "pass" : breaker.admit(clock.now());
    if (breaker !== null && admitted === null) throw this.#leftAlone(breaker);
    const hasOwnTime = callMs !== undefined && clock.now() + callMs <= deadlineMs;
    let isSent = false;
    try {
      const alive = (): void => {
        breaker?.succeeded();
        admitted = "pass";
      };
      const answer = await attempt({ signal, deadlineMs, sent: () => void (isSent = true), alive });
      breaker?.succeeded();
      return answer;
    } catch (error) {
      if (isSent && speaksAgainst(error, hasOwnTime)) this.#failed(breaker);
      else if (admitted === "probe") breaker?.probeLeft();
      throw error;
    }
  }

  #failed(breaker: Breaker | null): void {
    if (breaker === null) return;
    const { clock, log, server } = this.#o;
    const wasOpen = breaker.state(clock.now()) === "open";
    breaker.failed(clock.now());
    if (!wasOpen && breaker.state(clock.now()) === "open")
      log.warn("an MCP server keeps failing and is left alone for a while", { server, ms: breaker.openUntilMs - clock.now() });
  }

  #leftAlone(breaker: Breaker): GatewayError {
    const waitMs = Math.max(0, breaker.openUntilMs - this.#o.clock.now());
    return new GatewayError("upstream_unavailable", `The MCP server "${this.#o.server}" keeps failing, and is left alone for a while.`, {
      hint: "Try again later; the server's status says what it said last.",
      details: { reason: "circuit_open" },
      retryAfterMs: waitMs,
    });
  }
}

/** What a server did to a call that reached it. A caller's own deadline, or its going, says nothing of the server. */
function speaksAgainst(error: unknown, hasOwnTime: boolean): boolean {
  if (GatewayError.is(error, "upstream_interrupted")) return true;
  if (GatewayError.is(error, "upstream_timeout")) return hasOwnTime;
  return GatewayError.is(error, "upstream_unavailable") && typeof error.details?.["status"] === "number";
}

/** Certainly not handled, or of a tool that may be called again. What was never sent is the connection's affair. */
function mayRepeat(error: unknown, { nature, canBeAsked }: GuardedCall): boolean {
  if (!GatewayError.is(error) || error.details?.["reason"] === "circuit_open") return false;
  const isLimited = error.code === "upstream_rate_limited";
  if (isLimited && wasNotHandled(error)) return true;
  const broke = isLimited || error.code === "upstream_interrupted" || error.code === "upstream_unavailable";
  return nature !== "unknown" && !canBeAsked && broke;
}
