/** What is assumed of the call that is explained. */
export interface ExplainOptions {
  /** What it needs: `tools`, `vision`, `structured-output`. Nothing when left out. */
  readonly needs?: readonly string[] | undefined;
  /** How large it is, for the strategy `cost`: 4,000 bytes when left out. */
  readonly bytes?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  /** What its caller calls the conversation: then a route that draws says what it draws for it. */
  readonly sessionId?: string | undefined;
}

/** One target, as this process sees it now. */
export interface ExplainedTarget {
  /** `provider/model`. */
  readonly model: string;
  /** `first`: it is asked. `stands-in`: it is asked when those before it fail. `skipped`: it is not asked. */
  readonly outcome: "first" | "stands-in" | "skipped";
  /** Why it stands where it does, in words, the weightiest first. */
  readonly reasons: readonly string[];
  readonly weight: number;
  readonly breaker: "closed" | "open" | "half-open";
  /** Until when it is left alone, Unix ms; null: it is not. */
  readonly restsUntilMs: number | null;
  /** How long it takes to begin an answer, ms; null: not measured lately. */
  readonly beginsInMs: number | null;
  readonly inFlight: number;
  /** What the call would cost, about, nano-US-dollars; null: nobody knows the price. */
  readonly costNanoUsd: number | null;
  readonly contextTokens: number | null;
  readonly keys: { readonly total: number; readonly free: number };
}

/** What a call of a name would do now, and why. */
export interface RouteExplanation {
  /** The name in full: `route/name` or `provider/model`. */
  readonly name: string;
  /** null: the name is a model's own, and nothing stands in for it. */
  readonly strategy: "fallback" | "weighted" | "cost" | "latency" | "least-busy" | null;
  /** In the order they would be asked; those that are skipped last. */
  readonly targets: readonly ExplainedTarget[];
  /** What else the route does, in words. */
  readonly notes: readonly string[];
}
