import type { CallHead, Caller, Face, Headers, Outcome } from "../calls/index.js";
import type { Snapshot } from "../config/snapshot.js";
import type { ErrorCode } from "../errors/index.js";
import { Meter } from "./meter.js";
import type { Origin, WireCall } from "../seams/index.js";
import type { CallSpan, Content, Leave, OpenCall, TraceContext } from "./step.js";

/** Each leave has this long, whatever became of the caller. */
const LEAVE_MS = 10_000;

export interface LiveCallOptions<H extends CallHead> {
  readonly id: string;
  readonly requestId: string;
  readonly runId: string | null;
  readonly caller: Caller;
  readonly head: H;
  readonly snapshot: Snapshot;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  readonly depth: number;
  readonly purpose: string | null;
  readonly startedAtMs: number;
  readonly face?: Face | undefined;
  readonly cacheControl?: string | undefined;
  readonly wire?: WireCall | undefined;
  /** Left out: none does. */
  readonly hears?: ((call: OpenCall) => boolean) | undefined;
  readonly decode: () => Content;
  readonly onLeaveError: (error: unknown) => void;
  /** Left out: one of its own. */
  readonly meter?: Meter | undefined;
  readonly origin?: Origin | undefined;
}

/**
 * The state of one call: its leaves, and how it ended. `settle` runs the leaves exactly once, last first, one after the other; a leave that
 * throws is reported and the next still runs. Leaves that finish synchronously cost no promise.
 */
export class LiveCall<H extends CallHead> implements OpenCall<H> {
  readonly id: string;
  readonly requestId: string;
  readonly runId: string | null;
  readonly caller: Caller;
  readonly head: H;
  readonly snapshot: Snapshot;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  readonly depth: number;
  readonly purpose: string | null;
  readonly startedAtMs: number;
  readonly meter: Meter;
  readonly face: Face | null;
  readonly cacheControl: string | null;
  readonly wire: WireCall | null;
  readonly #hears: ((call: OpenCall) => boolean) | undefined;
  readonly origin: Origin | null;
  trace: TraceContext | null = null;
  #spans: CallSpan[] | null = null;
  readonly #decode: () => Content;
  readonly #onLeaveError: (error: unknown) => void;
  #content: Content | undefined;
  #isReplaced = false;
  #told: Headers | null = null;
  #leaves: Leave[] | null = [];
  #held: (() => void | Promise<void>) | null = null;
  #failure: ErrorCode | undefined;
  /** The call that this one is a leg of. */
  #whole: LiveCall<H> | null = null;

  constructor(o: LiveCallOptions<H>) {
    this.id = o.id;
    this.requestId = o.requestId;
    this.runId = o.runId;
    this.caller = o.caller;
    this.head = o.head;
    this.snapshot = o.snapshot;
    this.signal = o.signal;
    this.deadlineMs = o.deadlineMs;
    this.depth = o.depth;
    this.purpose = o.purpose;
    this.startedAtMs = o.startedAtMs;
    this.meter = o.meter ?? new Meter();
    this.face = o.face ?? null;
    this.cacheControl = o.cacheControl ?? null;
    this.wire = o.wire ?? null;
    this.#hears = o.hears;
    this.origin = o.origin ?? null;
    this.#decode = o.decode;
    this.#onLeaveError = o.onLeaveError;
  }

  get spans(): readonly CallSpan[] | null {
    return this.#whole === null ? this.#spans : this.#whole.spans;
  }

  span(span: CallSpan): void {
    if (this.#whole !== null) return this.#whole.span(span);
    (this.#spans ??= []).push(span);
  }

  content(): Content {
    return (this.#content ??= this.#decode());
  }

  replace(content: Content): void {
    this.#content = content;
    this.#isReplaced = true;
  }

  hearsEvents(): boolean {
    return this.#hears?.(this) ?? false;
  }

  /** A step said something else than the caller did. */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  /** What steps told of the answer's headers; null: nothing. */
  get told(): Headers | null {
    return this.#told;
  }

  tell(headers: Headers): void {
    if (this.#whole !== null) return this.#whole.tell(headers);
    this.#told = this.#told === null ? headers : [...this.#told, ...headers];
  }

  /**
   * The same call within bounds of its own, for one attempt at it: it is never settled itself, and what it defers, and how it fails after its first byte, are the whole call's affair.
   */
  leg(o: { readonly signal?: AbortSignal; readonly deadlineMs?: number; readonly meter?: Meter }): LiveCall<H> {
    const { id, requestId, runId, caller, head, snapshot, depth, purpose, startedAtMs } = this;
    const leg = new LiveCall<H>({
      ...{ id, requestId, runId, caller, head, snapshot, depth, purpose, startedAtMs },
      signal: o.signal ?? this.signal,
      deadlineMs: o.deadlineMs ?? this.deadlineMs,
      meter: o.meter ?? this.meter,
      decode: () => this.content(),
      onLeaveError: this.#onLeaveError,
      origin: this.origin ?? undefined,
      face: this.face ?? undefined,
      cacheControl: this.cacheControl ?? undefined,
      wire: this.wire ?? undefined,
      hears: this.#hears,
    });
    leg.#whole = this;
    leg.trace = this.trace;
    return leg;
  }

  holdAnswer(until: () => void | Promise<void>): void {
    if (this.#whole !== null) return this.#whole.holdAnswer(until);
    const before = this.#held;
    this.#held =
      before === null
        ? until
        : () => {
            const first = before();
            return first === undefined ? until() : first.then(until);
          };
  }

  /** What the answer waits for. */
  held(): void | Promise<void> {
    const held = this.#held;
    this.#held = null;
    return held?.();
  }

  defer(leave: Leave): void {
    if (this.#whole !== null) return this.#whole.defer(leave);
    if (this.#leaves === null) throw new Error("A leave was deferred after the call was over.");
    this.#leaves.push(leave);
  }

  /** The answer broke off after the first byte: the reader was told in its dialect, and the outcome is a failure however the writing ends. */
  failed(code: ErrorCode): void {
    if (this.#whole !== null) return this.#whole.failed(code);
    this.#failure ??= code;
    this.meter.partial = true;
  }

  /** Ends the call. Only the first call counts. */
  settle(outcome: Outcome): void {
    const leaves = this.#leaves;
    if (leaves === null) return;
    this.#leaves = null;
    const final: Outcome =
      this.#failure !== undefined && outcome.kind === "done" ? { ...outcome, kind: "failed", code: this.#failure } : outcome;
    this.#leave(leaves, leaves.length - 1, final);
  }

  #leave(leaves: readonly Leave[], from: number, outcome: Outcome): void {
    for (let i = from; i >= 0; i--) {
      try {
        const pending = leaves[i]!(outcome, { deadlineMs: Date.now() + LEAVE_MS });
        if (pending !== undefined) {
          pending.catch(this.#onLeaveError).then(() => this.#leave(leaves, i - 1, outcome), this.#onLeaveError);
          return;
        }
      } catch (error) {
        this.#onLeaveError(error);
      }
    }
  }
}
