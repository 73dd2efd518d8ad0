import { GatewayError } from "../../../errors/index.js";
import type { Clock } from "../../../ports/index.js";
import type { Log } from "../../../util/log.js";
import type { OAuthServer } from "../oauth-server.js";
import type { Refreshes } from "./refreshes.js";
import type { TokenRows } from "./token-rows.js";

export interface RefreshRoundsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly rows: TokenRows;
  readonly refreshes: Refreshes;
  readonly serverOf: (name: string) => OAuthServer | undefined;
  /** Removes sign-ins that nobody finished. */
  readonly sweep: () => Promise<void>;
}

const EVERY_MS = 300_000;
const ACCESS_SPARE_MS = 300_000;
const REFRESH_SPARE_MS = 3_600_000;
/** A round that takes longer leaves the rest to the next one. */
const ROUND_MS = 90_000;

/** Renews sign-ins before they end although nobody calls, so that a refresh token does not end unused: at the start, and every five minutes. Every process does it; of each sign-in one takes care. */
export class RefreshRounds {
  readonly #o: RefreshRoundsOptions;
  #cancel: () => void = () => undefined;
  #closed = false;

  constructor(options: RefreshRoundsOptions) {
    this.#o = options;
  }

  start(): void {
    void this.#round();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  async #round(): Promise<void> {
    const { clock, log, rows, refreshes, serverOf, sweep } = this.#o;
    const beganMs = clock.now();
    try {
      for (const row of await rows.endingBy({ accessMs: beganMs + ACCESS_SPARE_MS, refreshMs: beganMs + REFRESH_SPARE_MS })) {
        const server = serverOf(row.server);
        if (this.#closed || clock.now() - beganMs > ROUND_MS) break;
        if (server === undefined || row.url !== server.url || row.lastError?.startsWith("refresh_skipped") === true) continue;
        await refreshes.renewIfFree(server, row);
      }
      await sweep();
    } catch (error) {
      log.warn("sign-ins at MCP servers were not looked after", { code: GatewayError.from(error).code });
    }
    if (!this.#closed) this.#cancel = clock.at(clock.now() + EVERY_MS, () => void this.#round());
  }
}
