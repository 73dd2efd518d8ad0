import { assertWithin, GatewayError, type Clock, type Within } from "@sallyport/core/ports";
import { sendFor, type Argument, type Client, type ConnectionSettings } from "./client.js";
import { Connection } from "./connection.js";
import { away, notAsked, redisError, unusableBecause } from "./redis-error.js";

export type Send = (args: readonly Argument[]) => Promise<unknown>;

export interface LinkOptions {
  readonly make: (o: ConnectionSettings) => Client;
  readonly clock: Clock;
  /** The longest that one operation waits, ms. */
  readonly timeoutMs: number;
  /** What the probe writes: whether writing works is what has to be known. */
  readonly probeKey: string;
}

/** How often it is looked whether the server answers, when nobody asks it anything. */
const LOOK_EVERY_MS = 1_000;
/** A loop that is busy runs its timers before it reads what has arrived: so often it may still read, a millisecond each time or what a turn of it takes. */
const LAST_TURNS = 10;
/** A probe that has no answer for so long will not get one on this connection. */
const STUCK_MS = 3_000;

/**
 * The commands of one server, on one connection. An operation that has no answer in time, or an answer that no command will do better than, makes the server `away`: every operation then fails at once, until a
 * write of our own was answered in time. So nothing piles up in front of a server that is slow, frozen, full or gone.
 */
export class Link {
  readonly #o: LinkOptions;
  readonly #connection: Connection;
  readonly #listeners: ((away: GatewayError | null) => void)[] = [];
  #away: GatewayError | null = away("it has not been reached yet");
  /** What listeners were told last; undefined: nothing yet. */
  #told: boolean | undefined;
  /** By the clock that never goes back. */
  #answeredAt = Number.NEGATIVE_INFINITY;
  #probing = false;
  #wasThere = false;
  /** It was lost, and has not come back. */
  #isLost = false;
  #lostAtMs: number | null = null;
  #timer: NodeJS.Timeout;
  #isClosed = false;

  constructor(options: LinkOptions) {
    this.#o = options;
    this.#connection = new Connection({
      make: options.make,
      onReady: () => void this.#probe(),
      onLost: (error) => this.#goAway(redisError(error), { isSure: true, isLoss: true }),
    });
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  get away(): GatewayError | null {
    return this.#away;
  }

  /** As of `Shared`: its connection broke, or it said that it is of no use. */
  get lostAtMs(): number | null {
    return this.#lostAtMs;
  }

  onChange(listener: (away: GatewayError | null) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Asks something. Errors: `store_unavailable` when the server is away, or does not answer within the time of one operation; `deadline_exceeded` and `cancelled` by `within`.
   */
  async ask<T>(within: Within, operation: (send: Send) => Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#o;
    const nowMs = clock.now();
    assertWithin(within, nowMs);
    const client = this.#connection.client;
    if (this.#away !== null || client === null) throw notAsked(this.#away === null ? "it is not connected" : reasonOf(this.#away));
    const waitMs = Math.min(timeoutMs, within.deadlineMs - nowMs);
    try {
      const answer = await inTime(operation(sendFor(client)), { waitMs, signal: within.signal });
      this.#answeredAt = clock.monotonic();
      return answer;
    } catch (error) {
      // The caller's deadline may be as near as ours: who waited that long learnt the same.
      if (error === late && waitMs > timeoutMs * 0.8) this.#goAway(slow(timeoutMs), { isSure: false, isLoss: false });
      else if (unusableBecause(error) !== null) this.#goAway(redisError(error), { isSure: true, isLoss: true });
      if (error !== late) throw redisError(error);
      if (waitMs < timeoutMs) throw new GatewayError("deadline_exceeded", "Redis did not answer before the deadline.", unknownOutcome);
      throw slow(timeoutMs);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#away = away("it was closed");
    this.#connection.close();
  }

  #look(): void {
    if (this.#away !== null || this.#o.clock.monotonic() - this.#answeredAt >= LOOK_EVERY_MS) void this.#probe();
  }

  /** One at a time. */
  async #probe(): Promise<void> {
    const client = this.#connection.client;
    if (this.#probing || client === null || this.#isClosed) return;
    this.#probing = true;
    const { probeKey, timeoutMs, clock } = this.#o;
    let isAwake = false;
    const answer = sendFor(client)(["SET", probeKey, "1", "PX", "10000"]);
    try {
      await inTime(answer, { waitMs: timeoutMs });
      this.#answeredAt = clock.monotonic();
      this.#comeBack();
    } catch (error) {
      this.#goAway(error === late ? slow(timeoutMs) : redisError(error), { isSure: true, isLoss: error !== late });
      if (error === late)
        await inTime(answer, { waitMs: STUCK_MS }).then(
          () => (isAwake = true),
          (stuck: unknown) => stuck === late && this.#connection.restart(stuck),
        );
    } finally {
      this.#probing = false;
    }
    // It was late, and answers: there is no reason to wait for the next look.
    if (isAwake) void this.#probe();
  }

  /** `isSure`: not merely one slow answer, which may have been this process's own fault: a probe tells. */
  #goAway(why: GatewayError, { isSure, isLoss }: { readonly isSure: boolean; readonly isLoss: boolean }): void {
    if (this.#isClosed) return;
    this.#away = why;
    if (isLoss && this.#wasThere) {
      this.#isLost = true;
      this.#lostAtMs = this.#o.clock.now();
    }
    if (isSure) this.#tell(true);
    else void this.#probe();
  }

  #comeBack(): void {
    if (this.#isClosed) return;
    this.#away = null;
    if (this.#isLost) this.#lostAtMs = this.#o.clock.now();
    this.#isLost = false;
    this.#wasThere = true;
    this.#tell(false);
  }

  #tell(isAway: boolean): void {
    if (this.#told === isAway) return;
    this.#told = isAway;
    for (const listener of this.#listeners) listener(this.#away);
  }
}

const late = Symbol("no answer in time");
const unknownOutcome = { details: { outcome: "unknown" } };
const slow = (timeoutMs: number): GatewayError => away(`it did not answer within ${timeoutMs} ms`);
const reasonOf = ({ message }: GatewayError): string => message.replace(/^Redis cannot be used: |\.$/g, "");

/** Rejects with `late` when there was no answer in time. */
function inTime<T>(answer: Promise<T>, o: { readonly waitMs: number; readonly signal?: AbortSignal | undefined }): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      o.signal?.removeEventListener("abort", onAbort);
    };
    const onAbort = (): void => {
      end();
      reject(new GatewayError("cancelled", "The call was cancelled.", unknownOutcome));
    };
    let turns = LAST_TURNS;
    const onTime = (): void => {
      if (turns-- > 0) return void (timer = setTimeout(onTime, 1));
      end();
      reject(late);
    };
    let timer = setTimeout(onTime, Math.max(0, o.waitMs));
    o.signal?.addEventListener("abort", onAbort, { once: true });
    answer.then(
      (value) => (end(), resolve(value)),
      (error: unknown) => (end(), reject(error as Error)),
    );
  });
}
