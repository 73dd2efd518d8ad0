import { alert, alertChannel, alertNotification, type AlertNotificationRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { now, nowPlus, update } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
import { messageOf } from "./alert-message.js";
import { tellChannel, type TellDeps } from "./tell-channel.js";

/** Who sends has this long; then another node may. */
const LEASE_MS = 60_000;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;
const MOST_ATTEMPTS = 8;
const BATCH = 10;
const WITHIN_MS = 10_000;
const scope = { system: "telling of alerts" };

/**
 * Sends what is pending, on whichever node takes it first: `take` gives a notification to one of them, and a node that lost its lease cannot change it any more. At least once: a node that dies after it
 * sent and before it wrote that down has its message sent again, under the same delivery id.
 */
export class Notifier {
  readonly #services: Services;
  readonly #deps: TellDeps;

  constructor(services: Services, deps: TellDeps) {
    this.#services = services;
    this.#deps = deps;
  }

  /** Sends what is due, and gives how many that were. Never throws for a channel that fails. Errors: those of the store. */
  async sendDue(): Promise<number> {
    let sent = 0;
    for (;;) {
      const taken = await this.#services.store.take(
        alertNotification,
        {
          where: { status: "pending", dueAtMs: { lte: now } },
          orderBy: ["dueAtMs"],
          limit: BATCH,
          change: { set: { dueAtMs: nowPlus(LEASE_MS) }, add: { attempt: 1 } },
        },
        this.#within(),
      );
      await Promise.all(taken.map((row) => this.#send(row)));
      sent += taken.length;
      if (taken.length < BATCH) return sent;
    }
  }

  async #send(row: AlertNotificationRow): Promise<void> {
    try {
      await this.#tell(row);
      await this.#settle(row, { status: "sent", sentAtMs: this.#services.clock.now(), error: null });
    } catch (error) {
      const known = GatewayError.from(error);
      const isLast = row.attempt >= MOST_ATTEMPTS || known.code === "not_found";
      this.#services.log[isLast ? "error" : "warn"](
        isLast ? "an alert could not be told, and it is given up" : "an alert could not be told yet",
        {
          ...{ notification: row.id, channel: row.channelId, attempt: row.attempt, code: known.code },
        },
      );
      const text = this.#services.redactor.redact(`${known.code}: ${known.message}`).slice(0, 1_000);
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (row.attempt - 1));
      await this.#settle(row, isLast ? { status: "failed", error: text } : { dueAtMs: nowPlus(pauseMs), error: text });
    }
  }

  async #tell(row: AlertNotificationRow): Promise<void> {
    const { store } = this.#services;
    const [about, channel] = await Promise.all([
      store.get(alert, row.alertId, scope, this.#within()),
      store.get(alertChannel, row.channelId, scope, this.#within()),
    ]);
    if (about === null || channel === null || !channel.enabled)
      throw new GatewayError("not_found", "The alert or its channel is gone, or the channel is off.");
    await tellChannel(messageOf(about, { deliveryId: row.id, event: row.event }), channel, this.#deps);
  }

  async #settle(row: AlertNotificationRow, set: Parameters<typeof update<AlertNotificationRow>>[2]["change"]["set"]): Promise<void> {
    const write = update(alertNotification, row.id, { change: { set: set ?? {} }, where: { attempt: row.attempt, status: "pending" } });
    await this.#services.store.commit([{ scope, writes: [write] }], this.#within());
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}
