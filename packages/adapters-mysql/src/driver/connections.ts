import { GatewayError } from "@sallyport/core/ports";
import type { Pool, PoolConnection } from "mysql2";
import { driverError, isRefusal, toGatewayError, unavailable } from "../mysql-errors.js";
import { Session, type Shape } from "./session.js";
import type { Settings } from "../settings.js";

export interface Bounds {
  /** Connections used at once. */
  readonly connections: number;
  /** Callers that may wait for one. */
  readonly maxWaiting: number;
  /** Longest wait for one, ms. */
  readonly waitMs: number;
  /** Longest work on one, ms. */
  readonly workMs: number;
}
export interface ConnectionsOptions {
  readonly pool: Pool;
  readonly shape: Shape;
  readonly bounds: Bounds;
  /** Where it leads, for errors. */
  readonly words: string;
  /** Looks at each new connection, and makes it what is relied on. */
  readonly prepare: (session: Session) => Promise<Settings>;
}

/** How long a connection that may be dead has to answer. */
const PROBE_MS = 300;
/** 0: it takes writes. Both are of MySQL and of MariaDB; the second is what a cluster's reader says. */
const WRITABLE = { sql: "select @@global.read_only + @@global.innodb_read_only", gives: "one" } as const;
const SLOW = "The database is slow, or the pool too small for the load: docs/how-to/mysql.md says how they are set.";

export const busy = (message: string): GatewayError => unavailable(message, { outcome: "none", hint: SLOW });

/** What a caller that waits in vain learns: its own deadline, or that the pool is too busy. */
function tooLate(deadlineMs: number): GatewayError {
  if (Date.now() < deadlineMs) return busy("No connection to the database became free in time.");
  return new GatewayError("deadline_exceeded", "No connection to the database became free until the deadline.", {
    hint: SLOW,
    details: { outcome: "none" },
  });
}

/**
 * Connections of a pool, waited for in turn, by not too many and not too long. When one turns out to be dead, those that were idle then are asked whether they live, and lead
 * to a server that takes writes, before they are used.
 */
export class Connections {
  readonly #o: ConnectionsOptions;
  /** When the last use of each connection that was looked at began, counted in uses. */
  readonly #lastUse = new WeakMap<PoolConnection, number>();
  readonly #waiters: (() => void)[] = [];
  #used = 0;
  #uses = 0;
  #suspectUntil = 0;
  #maxPacketBytes = Number.POSITIVE_INFINITY;

  constructor(o: ConnectionsOptions) {
    this.#o = o;
  }

  /** For one work of at most `workMs`; `release` gives it back. Errors: `store_unavailable`, `deadline_exceeded`, `misconfigured`. */
  async acquire(deadlineMs: number, workMs = this.#o.bounds.workMs): Promise<Session> {
    await this.#turn(deadlineMs);
    try {
      for (;;) {
        const connection = await this.#connection(deadlineMs);
        if (!(await this.#isReady(connection, deadlineMs))) continue;
        // As of its beginning: one that was in use when another turned out to be dead is asked, too.
        this.#lastUse.set(connection, ++this.#uses);
        return this.#session(connection, Math.min(deadlineMs, Date.now() + workMs));
      }
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  release(session: Session): void {
    if (session.isBroken) this.#suspectUntil = ++this.#uses;
    session.release();
    this.#leave();
  }

  #session(connection: PoolConnection, untilMs: number): Session {
    return new Session(connection, { untilMs, shape: this.#o.shape, maxPacketBytes: this.#maxPacketBytes });
  }

  /** false: it was dead. */
  async #isReady(connection: PoolConnection, deadlineMs: number): Promise<boolean> {
    const lastUse = this.#lastUse.get(connection);
    if (lastUse === undefined) {
      await this.#look(this.#session(connection, Math.min(deadlineMs, Date.now() + this.#o.bounds.waitMs)));
      return true;
    }
    if (lastUse > this.#suspectUntil) return true;
    const probe = this.#session(connection, Math.min(deadlineMs, Date.now() + PROBE_MS));
    try {
      const { rows } = await probe.run({ statement: WRITABLE, parameters: [] });
      // A server that was the primary and stays up: whoever still asks it reads what was.
      if (Number(rows[0]?.[0]) !== 0) {
        probe.break(new Error("It is read-only."));
        return false;
      }
      probe.end();
      return true;
    } catch {
      return false;
    }
  }

  async #look(session: Session): Promise<void> {
    try {
      this.#maxPacketBytes = (await this.#o.prepare(session)).maxPacketBytes;
      session.end();
    } catch (error) {
      session.break(error as Error);
      throw this.#named(error);
    }
  }

  /** A refusal says of whom, and never a password. */
  #named(error: unknown): GatewayError {
    const known = toGatewayError(error, "none");
    if (!isRefusal(error)) return known;
    const { code, message, hint = "", details = {} } = known;
    return new GatewayError(code, message, { hint: `${hint} This was ${this.#o.words}.`, details, cause: error });
  }

  async #turn(deadlineMs: number): Promise<void> {
    const { connections, maxWaiting, waitMs } = this.#o.bounds;
    if (this.#used < connections) {
      this.#used++;
      return;
    }
    if (this.#waiters.length >= maxWaiting) throw busy("Too many calls wait for a connection to the database.");
    await new Promise<void>((resolve, reject) => {
      const take = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const giveUp = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(take), 1);
        reject(tooLate(deadlineMs));
      };
      const timer = setTimeout(giveUp, Math.max(0, Math.min(deadlineMs - Date.now(), waitMs)));
      this.#waiters.push(take);
    });
  }

  /** The turn goes to who waited longest. */
  #leave(): void {
    const next = this.#waiters.shift();
    if (next === undefined) this.#used--;
    else next();
  }

  /** One that comes too late goes straight back. */
  #connection(deadlineMs: number): Promise<PoolConnection> {
    return new Promise((resolve, reject) => {
      let late = false;
      const giveUp = (): void => {
        late = true;
        reject(tooLate(deadlineMs));
      };
      const timer = setTimeout(giveUp, Math.max(0, Math.min(deadlineMs - Date.now(), this.#o.bounds.waitMs)));
      this.#o.pool.getConnection((error, connection) => {
        clearTimeout(timer);
        if (error !== null)
          reject(driverError(error) === null ? busy(`The pool gave no connection: ${error.message}`) : this.#named(error));
        else if (late) connection.release();
        else resolve(connection);
      });
    });
  }
}
