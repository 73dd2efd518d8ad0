import type { GatewayError } from "../errors/index.js";
import type { Bus, Cache, Clock, Counters, Crypto, RecordStore, Wakeup } from "../ports/index.js";
import type { Log } from "../util/log.js";
import type { Secret } from "../util/secret.js";
import type { EventHub } from "./event-hub.js";
import type { Seams } from "./seams.js";

/** What every domain of one gateway is made with. */
export interface Services {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly wakeup: Wakeup;
  readonly bus: Bus;
  readonly cache: Cache;
  readonly counters: Counters;
  /** The server behind them that processes share. `away`: null while it answers, otherwise why it does not; `lostAtMs`: when it last was lost or came back, Unix ms. Left out: there is none. */
  readonly shared?: { readonly away: GatewayError | null; readonly lostAtMs: number | null } | undefined;
  readonly events: EventHub;
  readonly log: Log;
  /** Takes every secret that this gateway knows out of a text that leaves it; `add` tells it of one, `forget` that it is none any more. */
  readonly redactor: {
    add(value: Secret | string): void;
    forget(value: string): void;
    redact(text: string): string;
    redactJson(value: unknown): unknown;
  };
  readonly seams: Seams;
  /** Of this process's gateway; leases name it. */
  readonly nodeId: string;
}
