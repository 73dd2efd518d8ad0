import { GatewayError } from "../../errors/index.js";
import type { QuestionGuard } from "../../policy/guardrails/guard-call.js";
import type { Clock } from "../../ports/index.js";
import type { RpcMessage } from "../frames/message.js";
import { RPC } from "../frames/protocol.js";
import type { Era } from "../frames/protocol.js";
import { missingFor } from "./capabilities.js";
import { missingCapability } from "./missing-capability.js";
import type { Asker, ClientCapabilities, Question, QuestionAnswer } from "./question.js";

/** A server's answer, and the connection that it came over. */
export interface Replied {
  readonly reply: RpcMessage;
  readonly connection: { readonly era: Era };
}
/** What there is to tell of a call: how it ended, or what its server wants to know. */
export type Told =
  | { readonly kind: "reply"; readonly replied: Replied }
  | { readonly kind: "asks"; readonly questions: ReadonlyMap<string, Question> };

/** `slow`: nothing, for as long as somebody wanted to wait. */
export type Next = Told | { readonly kind: "slow" };

export interface HeldCallOptions {
  readonly clock: Clock;
  readonly capabilities: ClientCapabilities;
}
type End = { readonly replied: Replied } | { readonly error: GatewayError };
interface Open {
  readonly question: Question;
  readonly resolve: (answer: QuestionAnswer) => void;
}

/**
 * A call at its server that may outlive the request of the client that began it: between two requests it belongs to nobody's connection. What the server asks is kept until a request brings the answers. Ends once, with the server's
 * answer or a failure; whoever waits then, or later, is told.
 */
export class HeldCall implements Asker {
  readonly capabilities: ClientCapabilities;
  /** Notices go to the request that waits now. */
  onNotice: ((notice: RpcMessage) => void) | undefined = undefined;
  /** What looks at its questions: that of the request that came last. */
  guard: () => QuestionGuard | null = () => null;
  /** What becomes of its server's answer first, where no request waits for that. */
  finish: ((replied: Replied, signal: AbortSignal) => Promise<Replied>) | null = null;
  readonly #clock: Clock;
  readonly #open = new Map<string, Open>();
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();
  #asked = 0;
  #end: End | null = null;

  constructor(o: HeldCallOptions) {
    this.capabilities = o.capabilities;
    this.#clock = o.clock;
  }

  /** Aborted when nobody wants the call any more. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }
  get isOver(): boolean {
    return this.#end !== null;
  }

  start(work: Promise<Replied>): void {
    const over = (replied: Replied): void => this.#over({ replied });
    const failed = (error: unknown): void => this.#over({ error: GatewayError.from(error) });
    work.then((replied) => (this.finish === null ? over(replied) : this.finish(replied, this.signal).then(over, failed)), failed);
  }

  ask(question: Question, signal: AbortSignal): Promise<QuestionAnswer> {
    const missing = missingFor(question, this.capabilities);
    if (missing !== null) {
      const refused = { error: { code: RPC.methodNotFound, message: `The client declared no capability for ${question.method}.` } };
      // Servers ask for roots once they are greeted, whichever call is under way then, and go on without.
      if (question.method === "roots/list") return Promise.resolve(refused);
      // Its client has to know what it lacks; the server may have done something already.
      this.cancel(missingCapability(missing));
      return whenAborted(signal, refused);
    }
    if (this.#end !== null || signal.aborted) return Promise.resolve(OVER);
    const key = `q${++this.#asked}`;
    return new Promise((resolve) => {
      const withdraw = (): void => {
        if (this.#open.delete(key)) resolve(OVER);
      };
      signal.addEventListener("abort", withdraw, { once: true });
      this.#open.set(key, { question, resolve });
      this.#wake();
    });
  }

  completed(): void {
    // Since 2026-07-28 nothing tells a client of it.
  }

  get questions(): ReadonlyMap<string, Question> {
    return new Map([...this.#open].map(([key, { question }]) => [key, question]));
  }

  /** Hands answers to the server, by the keys of the questions; what was not asked is left out. Values are JSON texts. */
  answer(responses: ReadonlyMap<string, string>): void {
    for (const [key, result] of responses) {
      const open = this.#open.get(key);
      if (open === undefined) continue;
      this.#open.delete(key);
      open.resolve({ result });
    }
  }

  /** Ends it for everybody, and cancels it at its server. */
  cancel(error: GatewayError): void {
    this.#over({ error });
    this.#stop.abort();
  }

  /** Waits until there is something to tell, or until `slowAtMs`; `deadlineMs` null: the call has its own. When the waiter goes, or its time is over, the call is cancelled. Errors: those of the call; `cancelled`, `upstream_timeout`. */
  async next(o: {
    readonly signal: AbortSignal;
    readonly deadlineMs: number | null;
    readonly slowAtMs?: number | undefined;
  }): Promise<Next> {
    const leave = (): void => this.cancel(new GatewayError("cancelled", "The call was cancelled."));
    const late = (): void => this.cancel(new GatewayError("upstream_timeout", "The server did not answer in time."));
    if (o.signal.aborted) leave();
    o.signal.addEventListener("abort", leave, { once: true });
    const cancelTimer = o.deadlineMs === null ? undefined : this.#clock.at(o.deadlineMs, late);
    let cancelSlow: () => void = () => undefined;
    try {
      if (o.slowAtMs === undefined) return await this.told();
      const slow = new Promise<Next>((resolve) => (cancelSlow = this.#clock.at(o.slowAtMs!, () => resolve({ kind: "slow" }))));
      return await Promise.race([this.told(), slow]);
    } finally {
      cancelSlow();
      cancelTimer?.();
      o.signal.removeEventListener("abort", leave);
    }
  }

  /** The same for whoever has all the time. */
  async told(): Promise<Told> {
    for (;;) {
      if (this.#end !== null) {
        if ("error" in this.#end) throw this.#end.error;
        return { kind: "reply", replied: this.#end.replied };
      }
      if (this.#open.size > 0) return { kind: "asks", questions: this.questions };
      await this.changed();
    }
  }

  /** The next change: a question, or the end. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #over(end: End): void {
    if (this.#end !== null) return;
    this.#end = end;
    // Open questions end with the request at the server: it hears first that nobody waits for that.
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

function whenAborted(signal: AbortSignal, answer: QuestionAnswer): Promise<QuestionAnswer> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(answer);
    else signal.addEventListener("abort", () => resolve(answer), { once: true });
  });
}

const OVER: QuestionAnswer = { error: { code: RPC.serverError, message: "The call that this was asked for is over." } };
