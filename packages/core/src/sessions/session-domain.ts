import type { Caller } from "../calls/index.js";
import type { Config } from "../config/schema.js";
import type { ResourceActions, Services } from "../seams/index.js";
import { HotTails } from "./context/hot-tails.js";
import { isSeenBy, seenBy } from "./session-access.js";
import { SessionEraser } from "./session-eraser.js";
import { SessionRecords } from "./session-records.js";
import { Sessions } from "./sessions.js";
import { Turns } from "./turns.js";

export interface SessionDomainOptions {
  /** As it is configured now. */
  readonly config: () => Config["sessions"];
  /** The purpose key `session-tails`, once the gateway has started. */
  readonly secret: () => Uint8Array;
  readonly ready: () => Promise<void>;
}
type Row = Parameters<typeof isSeenBy>[0];

/** The sessions of one gateway: what each caller gets, what runs are given, and the sweeper of what has expired. */
export class SessionDomain {
  /** For runs. */
  readonly turns: Turns;
  readonly #records: SessionRecords;
  readonly #eraser: SessionEraser;
  readonly #ready: () => Promise<void>;

  constructor(services: Services, o: SessionDomainOptions) {
    const { cache, clock, crypto, log } = services;
    this.#records = new SessionRecords(services, { ttlMs: () => o.config().ttlSeconds * 1_000 });
    const tails = new HotTails({ cache, clock, crypto, log, secret: o.secret });
    this.#eraser = new SessionEraser(this.#records, tails);
    this.turns = new Turns({ records: this.#records, tails, config: o.config, ready: o.ready });
    this.#ready = o.ready;
  }

  of(caller: Caller, ready: () => Promise<void> = this.#ready): Sessions {
    return new Sessions({ records: this.#records, eraser: this.#eraser, caller, ready });
  }

  /** What the resource API does otherwise than for other entities: who sees which, and that messages go with their session. */
  actions(): ResourceActions {
    return {
      seen: ({ caller }) => ({
        where: seenBy(caller) as Readonly<Record<string, unknown>>,
        row: (row) => isSeenBy(row as unknown as Row, caller, this.#records.services.clock.now()),
      }),
      remove: ({ id, ifVersion }, { caller, requestId }) => this.of(caller).delete(id, { ifVersion, requestId }),
    };
  }

  work(): void {
    this.#eraser.start();
  }

  /** One sweep of what has expired; how many sessions went. Errors: those of the store. */
  sweep(): Promise<number> {
    return this.#eraser.sweep();
  }

  close(): Promise<void> {
    return this.#eraser.close();
  }
}
