import type { Answer, CallHead, Caller, Face, Headers, ModelCall, ModelHead, Outcome, Usage } from "../calls/index.js";
import type { Snapshot } from "../config/snapshot.js";
import type { Within } from "../ports/index.js";
import type { Origin, WireCall } from "../seams/index.js";
import type { Meter } from "./meter.js";

/** What a step does to content: only looks at the head (cheap), reads the content, or changes it (which forces the translate lane). */
export type Sight = "head" | "read" | "write";

/** Called once when the call is over. Throwing is reported and left to the reconciler; it never changes the answer. */
export type Leave = (outcome: Outcome, within: Within) => void | Promise<void>;

/** The content of a call: what a step that sees more than the head gets. */
export type Content =
  | { readonly kind: "model"; readonly call: ModelCall }
  | { readonly kind: "tool"; readonly name: string; readonly arguments: string };

/** Something that took time or decided something on a call's way: kept as a span when it is over. No content. */
export interface CallSpan {
  readonly kind: "guardrail" | "cache" | "approval" | "internal";
  readonly name: string;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** What it ended with; left out: well. */
  readonly code?: string | undefined;
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** What goes out with a call so that others can join its trace. */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits: of the call's own span. */
  readonly spanId: string;
  /** `traceparent`, and `tracestate` if there is one. */
  readonly headers: readonly (readonly [string, string])[];
  readonly toVendors: boolean;
  readonly toServers: boolean;
}

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
  /** The shape that the answer's headers are wanted in; null: nobody reads them. */
  readonly face: Face | null;
  /** What the caller's `cache-control` said; null: nothing. */
  readonly cacheControl: string | null;
  /** null: from code, or from its run. */
  readonly origin: Origin | null;
  /** Set by telemetry when the call is part of a trace. */
  trace: TraceContext | null;
  /** What `span` was told; null: nothing. */
  readonly spans: readonly CallSpan[] | null;
  /** Notes a span of the call. Only for what is rare or slow: a plain call has none. */
  span(span: CallSpan): void;
  /** What the caller sent, in its dialect; null: a call in neutral shape. */
  readonly wire: WireCall | null;
  /** A step said something else than the caller did: `content` holds, not `wire`. */
  readonly isReplaced: boolean;
  /** Whether a step wants to see the answer pass as events. */
  hearsEvents(): boolean;
  /** Decodes on first use. Only for a step that `sees` more than the head. */
  content(): Content;
  /** From now on this is what the call says, to later steps and to whoever is asked. Only for a step that `sees` "write". */
  replace(content: Content): void;
  /** Headers that the answer gets, and the error that stands for one. They replace those of the same names. */
  tell(headers: Headers): void;
  /** Nothing of the call's answer is handed on before what this gives is done; asked once, when the answer is there. */
  holdAnswer(until: () => void | Promise<void>): void;
  /** Registers what undoes or settles what a step acquired. Leaves run exactly once, last first, when the call is over. */
  defer(leave: Leave): void;
}

/**
 * One policy. `Step` alone serves model calls and tool calls alike; one that answers or sees events says of which kind. A step is stateless beside what it was made with; a call's state lives in closures that it defers.
 */
export interface Step<H extends CallHead = CallHead, E = never> {
  readonly name: string;
  /** Default: "head". Asked once a call, before its answer is known; `of` says whose call it is and what for. */
  sees?(head: H, snapshot: Snapshot, of: Pick<OpenCall, "caller" | "purpose">): Sight;
  /** Throw a GatewayError to refuse; return an Answer to stop here with it. Synchronous when it can be. */
  enter?(call: OpenCall<H>): void | Answer<E> | Promise<void | Answer<E>>;
  /** Is shown the answer that no step gave, whatever its body is, before any step's `events`; gives it on, or one that says the same. */
  answered?(call: OpenCall<H>, answer: Answer<E>): Answer<E>;
  /** Only for a step that sees "read" or "write"; one that reads may throw, not change. */
  events?(call: OpenCall<H>, source: AsyncIterable<E>): AsyncIterable<E>;
}

/** Where one attempt of a model call is about to go. */
export interface AttemptTarget {
  readonly provider: string;
  /** Its code at the provider. */
  readonly model: string;
  /** Every full name of the model, its own first; null: it has no other. */
  readonly names?: readonly string[] | null | undefined;
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
