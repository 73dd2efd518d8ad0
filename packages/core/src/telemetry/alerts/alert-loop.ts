import { GatewayError } from "../../errors/index.js";
import type { Services } from "../../seams/index.js";
import type { AlertEvaluator } from "./evaluator.js";
import type { Notifier } from "./notifier.js";

/** Messages that wait for their next attempt are looked for this often, on every node. */
const SEND_EVERY_MS = 5_000;

export interface AlertLoopOptions {
  readonly evaluator: AlertEvaluator;
  readonly notifier: Notifier;
  /** As it is set now: looked at before each wait. */
  readonly everyMs: () => number;
}

/** Evaluates and tells, again and again, one at a time in this process. Never keeps it alive. */
export class AlertLoop {
  readonly #services: Services;
  readonly #o: AlertLoopOptions;
  readonly #cancels = new Set<() => void>();
  #closed = false;
  #evaluating: Promise<void> = Promise.resolve();
  #sending: Promise<void> | null = null;
  #sendAgain = false;

  constructor(services: Services, o: AlertLoopOptions) {
    this.#services = services;
    this.#o = o;
  }

  start(): void {
    const { clock } = this.#services;
    const oftenMs = (): number => Math.min(SEND_EVERY_MS, this.#o.everyMs());
    let lastMs = clock.monotonic();
    // In steps, so that a shorter time holds soon although a longer one was being waited for.
    const leftMs = (): number => lastMs + this.#o.everyMs() - clock.monotonic();
    this.#again(
      () => Math.max(1, Math.min(leftMs(), SEND_EVERY_MS)),
      async () => {
        if (leftMs() > 0) return;
        lastMs = clock.monotonic();
        this.#evaluating = this.#evaluate();
        await this.#evaluating;
      },
    );
    this.#again(oftenMs, () => this.sendSoon());
  }

  /** Sends what is due, now or when the sending that is under way is over. */
  sendSoon(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#sending !== null) {
      this.#sendAgain = true;
      return this.#sending;
    }
    return (this.#sending = this.#send().finally(() => {
      this.#sending = null;
      if (!this.#sendAgain) return;
      this.#sendAgain = false;
      void this.sendSoon();
    }));
  }

  /** Waits for what is under way: a message that is being sent has ten seconds. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const cancel of this.#cancels) cancel();
    await this.#evaluating;
    await this.#sending;
  }

  async #evaluate(): Promise<void> {
    try {
      if ((await this.#o.evaluator.evaluateDue()) > 0) void this.sendSoon();
    } catch (error) {
      this.#failed("alert rules were not evaluated; it is tried again", error);
    }
  }

  async #send(): Promise<void> {
    try {
      await this.#o.notifier.sendDue();
    } catch (error) {
      this.#failed("alerts were not told; it is tried again", error);
    }
  }

  #failed(what: string, error: unknown): void {
    this.#services.log.warn(what, { code: GatewayError.from(error).code });
  }

  #again(everyMs: () => number, work: () => Promise<void>): void {
    const { clock } = this.#services;
    const cancel = clock.at(clock.now() + everyMs(), () => {
      this.#cancels.delete(cancel);
      void work().then(() => {
        if (!this.#closed) this.#again(everyMs, work);
      });
    });
    this.#cancels.add(cancel);
  }
}
