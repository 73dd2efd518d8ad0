import type { Caller, Message, OutputFormat, RunStatus, StoredRunEvent } from "../calls/index.js";
import type { RunRow } from "../entities/index.js";

/** A message whose content is one text may say just that. */
export type InputMessage = Message | { readonly role: "system" | "developer" | "user" | "assistant"; readonly content: string };

export interface RunRequest {
  /** May be left out with a session that has one. */
  readonly model?: string | undefined;
  /** A text is one user message. */
  readonly input: string | readonly InputMessage[];
  /** The id of a session: what was said there comes before the input, and a run that succeeds leaves its messages there. One run at a time has a session's turn; another is refused with `conflict`. */
  readonly session?: string | undefined;
  /** Globs over tool names; left out: the session's tools, or none. */
  readonly tools?: readonly string[] | undefined;
  /** Model calls at the most; 20 when left out. */
  readonly maxSteps?: number | undefined;
  readonly timeoutMs?: number | undefined;
  /** Of each model call; left out: as the model likes. */
  readonly temperature?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  /** The shape of the answers; left out: text. */
  readonly format?: OutputFormat | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** How faces and tasks start and watch runs; filled by `agents`. */
export interface RunStarter {
  /** Stores the run and starts it. Resolves when it is stored: from then on it is not lost. Errors: `validation_failed`, `idempotency_key_reuse`. */
  start(request: RunRequest, caller: Caller): Promise<RunRow>;
  /** null: there is none that this caller may see. */
  get(id: string, caller: Caller): Promise<RunRow | null>;
  list(
    caller: Caller,
    q: { readonly status?: RunStatus | undefined; readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<{ rows: readonly RunRow[]; next: string | null }>;
  /**
   * Events after `after` (0: all), those stored and then those to come, in order and without gaps; ends after the terminal event. Leaving the iteration leaves the run alone.
   * Errors: `not_found`.
   */
  events(id: string, o: { readonly caller: Caller; readonly after: number; readonly signal: AbortSignal }): AsyncIterable<StoredRunEvent>;
  /** Asks for the end; the row as it then is. A run that has ended stays as it is. Errors: `not_found`. */
  cancel(id: string, o: { readonly caller: Caller; readonly reason: string }): Promise<RunRow>;
  /** Lets a run that waits for a person go on; one that does not wait stays as it is. */
  wake(id: string, projectId: string): Promise<void>;
}
