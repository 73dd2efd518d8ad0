import type { Answer, CallHead, Caller, ModelCall, ModelHead, Outcome, Usage } from "../calls/index.js";
import type { Snapshot } from "../config/snapshot.js";
import type { Within } from "../ports/index.js";
import type { Meter } from "./meter.js";

/** What a step does to content: only looks at the head (cheap), reads the content, or changes it (which forces the translate lane). */
export type Sight = "head" | "read" | "write";

/** Called once when the call is over. Throwing is reported and left to the reconciler; it never changes the answer. */
export type Leave = (outcome: Outcome, within: Within) => void | Promise<void>;

/** The content of a call: what a step that sees more than the head gets. */
export type Content =
  | { readonly kind: "model"; readonly call: ModelCall }
  | { readonly kind: "tool"; readonly name: string; readonly arguments: string };

/** One call on its way through the steps. */
export interface OpenCall<H extends CallHead = CallHead> {
  /** Of this call; its usage row has the same id. */
  readonly id: string;
  /** Of the request that it belongs to; a run's calls share one. */
  readonly requestId: string;
  readonly runId: string | null;
  readonly caller: Caller;
  readonly head: H;
  readonly snapshot: Snapshot;
  readonly signal: AbortSignal;
  /** Unix ms. */
  readonly deadlineMs: number;
  readonly depth: number;
  readonly purpose: string | null;
  readonly startedAtMs: number;
  readonly meter: Meter;
  /** Decodes on first use. Only for a step that `sees` more than the head. */
  content(): Content;
  /** Registers what undoes or settles what a step acquired. Leaves run exactly once, last first, when the call is over. */
  defer(leave: Leave): void;
}

/**
 * One policy. `Step` alone serves model calls and tool calls alike; one that answers or sees events says of which kind. A step is stateless beside what it was made with; a call's state lives in closures that it defers.
 */
export interface Step<H extends CallHead = CallHead, E = never> {
  readonly name: string;
  /** Default: "head". */
  sees?(head: H, snapshot: Snapshot): Sight;
  /** Throw a GatewayError to refuse; return an Answer to stop here with it. Synchronous when it can be. */
  enter?(call: OpenCall<H>): void | Answer<E> | Promise<void | Answer<E>>;
  /** Only for a step that sees "read" or "write"; one that reads may throw, not change. */
  events?(call: OpenCall<H>, source: AsyncIterable<E>): AsyncIterable<E>;
}

/** Where one attempt of a model call is about to go. */
export interface AttemptTarget {
  readonly provider: string;
  /** Its code at the provider. */
  readonly model: string;
  /** null: nobody said. */
  readonly contextTokens: number | null;
  readonly maxOutputTokens: number | null;
  /** What this usage costs here, nano-US-dollars; null: its price is not known. */
  cost(usage: Usage): number | null;
}

/**
 * One policy of an attempt: passed in order before a provider is dialed, again for every further key and target. Throw to refuse: `budget_exceeded` and all else that is the caller's ends the call,
 * `rate_limited` lets the route go on to its next target. What it acquires it registers with `call.defer`, which runs when the whole call is over.
 */
export interface AttemptStep {
  readonly name: string;
  enter(call: OpenCall<ModelHead>, target: AttemptTarget): void | Promise<void>;
}
