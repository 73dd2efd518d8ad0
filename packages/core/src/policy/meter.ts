import { addUsage, type Outcome, type Usage } from "../calls/index.js";
import type { UsageRow } from "../entities/index.js";
import type { Delivered } from "./money/delivered.js";
import type { ErrorCode } from "../errors/index.js";

/** One attempt of a call that needed several. */
export type TriedAttempt = NonNullable<UsageRow["tried"]>[number];

interface Spent {
  readonly usage: Usage;
  /** null: the price is not known. */
  readonly costNanoUsd: number | null;
}

/** What the lanes find out about a call while it runs; read when it is over. One writer: the lane of the call. */
export class Meter {
  /** The total of all attempts. */
  usage: Usage = {};
  /** What answered; null until an attempt was made. */
  provider: string | null = null;
  model: string | null = null;
  attempts = 0;
  /** What prices the attempt that runs; null: it has no prices. */
  pricing: { cost(usage: Usage): number | null } | null = null;
  /** What of an answer went by, where somebody counted. */
  delivered: Delivered | null = null;
  /** When the attempt that runs began. */
  attemptAtMs = 0;
  /** When the first of a stream's answer was there; 0: not yet, or it is no stream. */
  beganAtMs = 0;
  /** The answer ended before it was whole. */
  partial = false;
  /** Nano-US-dollars, the total of all attempts; null: the price is not known. */
  costNanoUsd: number | null = null;
  /** Attempts that failed, in the order they did; null: none. */
  failures: TriedAttempt[] | null = null;
  /** What those had used all the same. A call whose first attempt answers never has any. */
  #lost: Spent | null = null;
  /** What of the total the attempt that runs has used, once others had used something. */
  #own: Spent | null = null;

  /** What the attempt that runs has used so far; the last that is said of it counts. */
  note(usage: Usage, costNanoUsd: number | null): void {
    if (this.#lost === null) {
      this.usage = usage;
      this.costNanoUsd = costNanoUsd;
      return;
    }
    this.#own = { usage, costNanoUsd };
    const total = sum(this.#lost, this.#own)!;
    this.usage = total.usage;
    this.costNanoUsd = total.costNanoUsd;
  }

  /** The attempt that runs is over without an answer. What it has used stays in the total. `status`: the vendor's own. */
  failed(code: ErrorCode, o: { readonly status: number | null; readonly nowMs: number }): void {
    const spent = this.#spent();
    (this.failures ??= []).push(this.#attempt({ code, status: o.status }, o.nowMs, spent));
    if (spent !== null) this.#lost = { usage: this.usage, costNanoUsd: this.costNanoUsd };
    this.#own = null;
  }

  /** Every attempt of a call that is over. */
  tried(outcome: Outcome, nowMs: number): TriedAttempt[] {
    const failures = this.failures ?? [];
    if (failures.length >= this.attempts) return failures;
    const code = outcome.code ?? (outcome.kind === "aborted" ? "cancelled" : null);
    return [...failures, this.#attempt({ code, status: outcome.status }, nowMs, this.#spent())];
  }

  /** Goes on with what one of two meters found out that ran side by side. What the other's attempts came to is the call's all the same. */
  join(won: Meter, other: Meter | null): void {
    const own = won.#spent();
    const failures = [...(this.failures ?? []), ...(won.failures ?? []), ...(other?.failures ?? [])];
    const lost = sum(sum(this.#lost, won.#lost), other === null ? null : (other.#lost ?? other.#spent()));
    this.provider = won.provider;
    this.model = won.model;
    this.attemptAtMs = won.attemptAtMs;
    this.pricing = won.pricing;
    this.delivered = won.delivered;
    this.beganAtMs = won.beganAtMs;
    this.partial = won.partial;
    this.failures = failures.length === 0 ? null : failures;
    this.#lost = lost;
    this.#own = null;
    this.usage = lost?.usage ?? {};
    this.costNanoUsd = lost?.costNanoUsd ?? null;
    if (own !== null) this.note(own.usage, own.costNanoUsd);
  }

  /** What the attempt that runs has used; null: nobody said. */
  #spent(): Spent | null {
    if (this.#lost !== null) return this.#own;
    for (const _count in this.usage) return { usage: this.usage, costNanoUsd: this.costNanoUsd };
    return null;
  }

  #attempt(end: Pick<TriedAttempt, "code" | "status">, nowMs: number, spent: Spent | null): TriedAttempt {
    return {
      ...{ provider: this.provider ?? "", model: this.model ?? "" },
      ...end,
      durationMs: Math.max(0, nowMs - this.attemptAtMs),
      usage: spent === null ? null : told(spent.usage),
      costNanoUsd: spent?.costNanoUsd ?? null,
    };
  }
}

/** A cost that is not known makes the total unknown. */
function sum(a: Spent | null, b: Spent | null): Spent | null {
  if (a === null || b === null) return a ?? b;
  const costNanoUsd = a.costNanoUsd === null || b.costNanoUsd === null ? null : a.costNanoUsd + b.costNanoUsd;
  return { usage: addUsage(a.usage, b.usage), costNanoUsd };
}

function told(usage: Usage): TriedAttempt["usage"] {
  const entries = Object.entries(usage).filter(([, value]) => value !== undefined && typeof value !== "object");
  return Object.fromEntries(entries) as TriedAttempt["usage"];
}
