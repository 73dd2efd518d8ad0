import { RetryBudget } from "../../policy/resilience/retry-budget.js";
import { TargetHealth } from "./target-health.js";

/** Targets that are remembered: routes come and go while the process runs. */
const MOST_KEPT = 1_000;

/**
 * What this process knows of the vendors' good and bad days: one breaker, cooldown and latency a target, one budget of repetitions a provider. Only calls of routes feed it: a call that names its model
 * has nowhere else to go. Lost with the process, on purpose: what was learnt is soon learnt again, and soon wrong.
 */
export class Health {
  readonly #targets = new Map<string, TargetHealth>();
  readonly #budgets = new Map<string, RetryBudget>();

  /** By `provider/code`. */
  target(id: string): TargetHealth {
    const known = this.#targets.get(id);
    if (known !== undefined) return known;
    const made = new TargetHealth();
    this.#targets.set(id, made);
    if (this.#targets.size > MOST_KEPT) this.#forget();
    return made;
  }

  /** What is known without beginning to know it; null: nothing. */
  peek(id: string): TargetHealth | null {
    return this.#targets.get(id) ?? null;
  }

  /** Targets that are not called as usual now. */
  breakers(nowMs: number): { readonly target: string; readonly state: "open" | "half-open" }[] {
    return [...this.#targets].flatMap(([target, { breaker }]) => {
      const state = breaker.state(nowMs);
      return state === "closed" ? [] : [{ target, state }];
    });
  }

  /** By the provider's name. */
  budget(provider: string): RetryBudget {
    let budget = this.#budgets.get(provider);
    if (budget === undefined) this.#budgets.set(provider, (budget = new RetryBudget()));
    return budget;
  }

  /** The oldest target at which nothing is under way. */
  #forget(): void {
    for (const [id, target] of this.#targets) {
      if (target.inFlight > 0) continue;
      this.#targets.delete(id);
      return;
    }
  }
}
