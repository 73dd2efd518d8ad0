import type { CallHead, Outcome } from "../../calls/index.js";
import type { OpenCall } from "../../policy/step.js";
import type { Clock } from "../../ports/index.js";
import type { CallObserver } from "../watch-calls.js";
import { Histogram } from "./histogram.js";

/** What one kind of call to one model or server came to. */
export class CallSeries {
  readonly byStatus = new Map<number, number>();
  readonly byCode = new Map<string, number>();
  readonly failedAttempts = new Map<string, number>();
  readonly durations = new Histogram();
  readonly firstTokens = new Histogram();
  attempts = 0;
  inputTokens = 0;
  cacheReadTokens = 0;
  cacheWriteTokens = 0;
  outputTokens = 0;
  reasoningTokens = 0;
  costUsd = 0;

  constructor(readonly labels: Readonly<Record<"kind" | "operation" | "provider" | "model", string>>) {}
}

export interface CallCountsOptions {
  readonly clock: Clock;
  /** Whether the provider lists the model: what is not listed was named by a caller, and is counted as `other`. */
  readonly isListed: (provider: string, model: string) => boolean;
}

/** More combinations than this are counted as `other`: what callers and servers make up does not grow the process. */
const MOST_SERIES = 2_000;
const OTHER = "other";
const NANO = 1e-9;

/** Counts of all calls since the start, by kind, operation, provider and listed model. Labels are bounded, whatever callers send. */
export class CallCounts implements CallObserver {
  readonly #o: CallCountsOptions;
  readonly #series = new Map<string, CallSeries>();
  /** Calls that have begun and are not over. */
  underWay = 0;

  constructor(options: CallCountsOptions) {
    this.#o = options;
  }

  get series(): Iterable<CallSeries> {
    return this.#series.values();
  }

  begin(call: OpenCall<CallHead>): (outcome: Outcome) => void {
    this.underWay++;
    return (outcome) => {
      this.underWay--;
      this.#count(call, outcome);
    };
  }

  #count(call: OpenCall<CallHead>, outcome: Outcome): void {
    const { meter, head } = call;
    const series = this.#of(head, meter.provider, meter.model);
    increment(series.byStatus, outcome.status);
    if (outcome.code !== undefined) increment(series.byCode, outcome.code);
    series.durations.observe(Math.max(0, this.#o.clock.now() - call.startedAtMs) / 1_000);
    if (meter.beganAtMs > 0) series.firstTokens.observe(Math.max(0, meter.beganAtMs - call.startedAtMs) / 1_000);
    series.attempts += meter.attempts;
    if (meter.failures !== null) for (const { code } of meter.failures) if (code !== null) increment(series.failedAttempts, code);
    const { usage } = meter;
    series.inputTokens += usage.inputTokens ?? 0;
    series.cacheReadTokens += usage.cacheReadTokens ?? 0;
    series.cacheWriteTokens += usage.cacheWriteTokens ?? 0;
    series.outputTokens += usage.outputTokens ?? 0;
    series.reasoningTokens += usage.reasoningTokens ?? 0;
    series.costUsd += (meter.costNanoUsd ?? 0) * NANO;
  }

  #of(head: CallHead, provider: string | null, model: string | null): CallSeries {
    const operation = head.kind === "model" ? head.operation : (head.operation ?? "call");
    const key = `${operation}\n${provider ?? ""}\n${model ?? ""}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    // Only what is new is looked up.
    const isListed = provider !== null && model !== null && this.#o.isListed(provider, model);
    const labels = { kind: head.kind, operation, provider: provider ?? "none", model: modelLabel(head, model, isListed) };
    const bounded = isListed || model === null ? labels : { ...labels, model: head.kind === "model" ? OTHER : labels.model };
    if (this.#series.size >= MOST_SERIES) return this.#other(head.kind, operation);
    // A name that nobody lists has no series of its own, nor a key: it may be another one each time.
    const own = bounded.model === OTHER ? `${operation}\n${provider ?? ""}\n\0other` : key;
    let series = this.#series.get(own);
    if (series === undefined) this.#series.set(own, (series = new CallSeries(bounded)));
    return series;
  }

  #other(kind: CallHead["kind"], operation: string): CallSeries {
    const key = `${operation}\n\0other`;
    let series = this.#series.get(key);
    if (series === undefined) this.#series.set(key, (series = new CallSeries({ kind, operation, provider: OTHER, model: OTHER })));
    return series;
  }
}

function modelLabel(head: CallHead, model: string | null, isListed: boolean): string {
  if (head.kind === "tool") return "none";
  return model === null ? "none" : isListed ? model : OTHER;
}

function increment<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
