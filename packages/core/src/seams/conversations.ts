import type { Caller, Message, Usage } from "../calls/index.js";
import type { Write } from "../ports/index.js";
import type { CallOptions } from "./call-options.js";

/** A session as a run finds it when it begins its turn. */
export interface OpenedTurn {
  readonly sessionId: string;
  readonly projectId: string;
  /** Whose the session is; null: nobody's. */
  readonly userId: string | null;
  /** The newest message that the turn knows of: what is appended later is no part of it. */
  readonly seq: number;
  /** The session's own, where the request names none. */
  readonly model: string | null;
  readonly tools: readonly string[];
  /** What the unit that stores the run also writes: the session's turn is its own then. A unit that is refused for one of them lost the turn to another: see `refused`. */
  readonly writes: readonly Write[];
}
/** What a run keeps of its turn. */
export interface HeldTurn {
  readonly id: string;
  readonly seq: number;
  /** Whose the session is: what the run says is seen by who sees the session. Left out: nobody's. */
  readonly userId?: string | null;
}
export interface EndedTurn {
  readonly messages: readonly Message[];
  readonly model: string;
  readonly usage: Usage;
}

/** How runs take part in sessions; filled by `sessions`. */
export interface Conversations {
  /**
   * Looks whether a turn may begin for the run. Errors: `not_found`, `forbidden`; `conflict` while another run has the turn; `validation_failed` for a session of a project that is not the caller's first.
   */
  open(sessionId: string, o: { readonly caller: Caller; readonly runId: string }): Promise<OpenedTurn>;
  /** Why a unit with the turn's writes was refused: `conflict`, or `not_found`; null: the session went on since it was looked at, so it is to be opened again. */
  refused(turn: OpenedTurn, caller: Caller): Promise<Error | null>;
  /** What the model is sent, the turn's own messages last. A summary that is due is made with `options`. Errors: `not_found` when the session is gone, those of the store. */
  context(
    turn: HeldTurn,
    o: { readonly projectId: string; readonly input: readonly Message[]; readonly options: CallOptions },
  ): Promise<Message[]>;
  /** What the unit that ends the run also writes: its messages, and the end of the turn; null: it leaves nothing but the turn. A unit that is refused for one of them is to be written without. */
  closing(
    turn: HeldTurn,
    o: { readonly projectId: string; readonly runId: string; readonly callerId: string; readonly ended: EndedTurn | null },
  ): Write[];
}
