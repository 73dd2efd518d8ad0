import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";
import type { Health } from "../health/health.js";
import type { Target } from "../resolve.js";

export interface WaitingOptions {
  readonly health: Health;
  /** null: the next larger target takes what does not fit. */
  readonly contextOverflow: Target | null;
  /** What the call needs and the target is known not to have; null: nothing. */
  readonly lacks: (target: Target) => string | null;
}

/** The targets of one call that were not tried yet, in their order. Those that lack what the call needs are never among them. */
export class Waiting {
  /** The route leads to one target, and nothing can stand in for it. */
  readonly isAlone: boolean;
  readonly #o: WaitingOptions;
  readonly #clock: Clock;
  readonly #all: readonly Target[];
  readonly #lacking: readonly string[];
  #left: Target[];
  /** The route's choice for what does not fit; null: there is none, or it was taken. */
  #overflow: Target | null;

  constructor(targets: readonly Target[], o: WaitingOptions, clock: Clock) {
    this.#o = o;
    this.#clock = clock;
    this.#all = targets;
    const lacking: string[] = [];
    this.#left = targets.filter((target) => {
      const lack = o.lacks(target);
      if (lack !== null) lacking.push(lack);
      return lack === null;
    });
    this.#lacking = lacking;
    this.#overflow = o.contextOverflow !== null && o.lacks(o.contextOverflow) === null ? o.contextOverflow : null;
    this.isAlone = targets.length === 1 && o.contextOverflow === null;
  }

  /**
   * Takes the first that is not to be left alone. `anyway`: nobody was asked yet, so that of those which are all to be left alone the one that is free soonest is asked all the same.
   */
  next(anyway: boolean): Target | null {
    const target = this.peek() ?? (anyway ? this.#soonest() : null);
    if (target !== null) this.remove(target);
    return target;
  }

  /** The first that is not to be left alone. */
  peek(): Target | null {
    const nowMs = this.#clock.now();
    return this.#left.find((target) => restsUntilMs(target, this.#o.health, nowMs) === null) ?? null;
  }

  remove(target: Target): void {
    this.#left = this.#left.filter((other) => other !== target);
  }

  /** The call did not fit this one: only what is known to hold more can take it, the route's own choice for this first. */
  onlyLarger(than: Target): void {
    const known = than.model?.contextTokens ?? 0;
    const larger = this.#left.filter(({ model }) => (model?.contextTokens ?? 0) > known);
    const choice = this.#overflow === null || this.#overflow.id === than.id ? null : this.#overflow;
    this.#overflow = null;
    this.#left = choice === null ? larger : [choice, ...larger.filter(({ id }) => id !== choice.id)];
  }

  /** What a call fails with that was sent to nobody. */
  nobody(): GatewayError {
    if (this.#lacking.length === this.#all.length && this.#lacking.length > 0) {
      const missing = [...new Set(this.#lacking)].join(", ");
      return new GatewayError("unsupported_feature", `No target of the route has what this call needs: ${missing}.`, {
        hint: "Name a target that has it, or list its features in the provider's models if it does.",
        details: { missing, targets: this.#all.map(({ id }) => id) },
      });
    }
    const nowMs = this.#clock.now();
    const waits = this.#all.map(({ id }) => (this.#o.health.peek(id)?.breaker.openUntilMs ?? nowMs) - nowMs).filter((ms) => ms > 0);
    return new GatewayError("upstream_unavailable", "Every target of the route failed too often lately and is left alone for a moment.", {
      hint: "`gateway.routes.explain` shows since when and until when.",
      details: { targets: this.#all.map(({ id }) => id) },
      ...(waits.length === 0 ? {} : { retryAfterMs: Math.min(...waits) }),
    });
  }

  #soonest(): Target | null {
    const nowMs = this.#clock.now();
    let soonest: Target | null = null;
    let soonestMs = Infinity;
    for (const target of this.#left) {
      const untilMs = restsUntilMs(target, this.#o.health, nowMs) ?? 0;
      if (untilMs < soonestMs) [soonest, soonestMs] = [target, untilMs];
    }
    return soonest;
  }
}

/** Until when a target is to be left alone, by its own word or because none of its provider's keys is free; null: not. The breaker is not asked. */
export function restsUntilMs(target: Target, health: Health, nowMs: number): number | null {
  const coolMs = health.peek(target.id)?.coolUntilMs ?? 0;
  const keysMs = target.provider.keys.restsUntilMs(nowMs) ?? 0;
  const untilMs = Math.max(coolMs, keysMs);
  return untilMs > nowMs ? untilMs : null;
}
