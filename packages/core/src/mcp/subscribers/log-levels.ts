import type { Clock } from "../../ports/index.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { LOG_LEVELS } from "../frames/protocol.js";
import { ownRequest, type Connection } from "../lanes/own-request.js";
import type { Upstream } from "../upstream/upstream.js";
import type { LegacySession } from "./legacy-session.js";

const REQUEST_MS = 10_000;

/** Asks servers for logs as detailed as the most curious session wants; each session hears only from its own level on. */
export class LogLevels {
  readonly #catalogue: Catalogue;
  readonly #clock: Clock;
  #asked: number | null = null;

  constructor(catalogue: Catalogue, clock: Clock) {
    this.#catalogue = catalogue;
    this.#clock = clock;
  }

  update(sessions: Iterable<LegacySession>): void {
    let least: number | null = null;
    for (const { logs } of sessions) if (typeof logs === "object") least = Math.min(least ?? logs.least, logs.least);
    if (least === null || least === this.#asked) return;
    this.#asked = least;
    for (const upstream of this.#catalogue.all()) this.tell(upstream);
  }

  /** A server that was connected just now is told what the others know. */
  tell(upstream: Upstream): void {
    for (const connection of upstream.connections()) this.#tell(connection);
  }

  #tell(connection: Connection): void {
    if (this.#asked === null || connection.era === "modern" || connection.capabilities["logging"] === undefined) return;
    const request = ownRequest(connection, { method: "logging/setLevel", params: `"level":"${LOG_LEVELS[this.#asked]}"` });
    // A server that does not do as it is asked logs as it likes; sessions are filtered anyway.
    connection.lane.exchange(request, { deadlineMs: this.#clock.now() + REQUEST_MS, owner: null }).catch(() => undefined);
  }
}
