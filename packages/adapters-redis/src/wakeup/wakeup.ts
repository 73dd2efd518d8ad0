import { GatewayError, type Clock, type Wakeup } from "@sallyport/core/ports";
import type { ConnectionSettings, Client } from "../connection/client.js";
import type { Link } from "../connection/link.js";
import { away, redisError } from "../connection/redis-error.js";
import type { KeySpace } from "../key-space.js";
import { BullConnection } from "./bull-connection.js";
import { BullLane } from "./bull-lane.js";

export interface WakeupOptions {
  readonly make: (o: ConnectionSettings) => Client;
  readonly link: Link;
  readonly clock: Clock;
  readonly keys: KeySpace;
}

/** Nobody waits for an offer: it has time to connect. */
const OFFER_MS = 2_000;
const MOST_OFFERS = 1_000;

/** Hints as jobs of BullMQ: a queue a lane, an id and nothing else in a job, one attempt, gone when it was told. BullMQ is loaded when the first lane is used. */
export class BullWakeup implements Wakeup {
  readonly #o: WakeupOptions;
  readonly #lanes = new Map<string, BullLane>();
  #connection: Promise<BullConnection> | null = null;
  #offers = 0;
  #isClosed = false;

  constructor(options: WakeupOptions) {
    this.#o = options;
  }

  /** Errors: `store_unavailable`. */
  async offer(lane: string, id: string, o: { readonly dueAtMs: number; readonly priority: number }): Promise<void> {
    const { link } = this.#o;
    if (link.away !== null) throw link.away;
    if (this.#offers >= MOST_OFFERS) throw away("it does not keep up with what it is offered");
    this.#offers++;
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<never>(
        (_, reject) => (timer = setTimeout(() => reject(away(`it did not answer within ${OFFER_MS} ms`)), OFFER_MS)),
      );
      await Promise.race([(await this.#lane(lane)).offer(id, o), late]);
    } catch (error) {
      throw redisError(error);
    } finally {
      clearTimeout(timer);
      this.#offers--;
    }
  }

  async listen(lane: string, o: { readonly concurrency: number }, onId: (id: string) => Promise<void>): Promise<() => Promise<void>> {
    return (await this.#lane(lane)).listen(o, onId);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const connection = await this.#connection;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
    connection?.close();
  }

  async #lane(name: string): Promise<BullLane> {
    if (this.#isClosed) throw new GatewayError("shutting_down", "The wake-ups are closed.");
    const connection = await (this.#connection ??= BullConnection.open(this.#o.make));
    const { clock, keys, link } = this.#o;
    const lane = this.#lanes.get(name) ?? new BullLane({ connection, name, clock, keys, isAway: () => link.away !== null });
    this.#lanes.set(name, lane);
    return lane;
  }
}
