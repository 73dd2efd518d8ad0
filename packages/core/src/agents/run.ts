import type { Json, StoredRunEvent, Usage } from "../calls/index.js";
import type { RunRow } from "../entities/index.js";
import { GatewayError, type ErrorCode } from "../errors/index.js";
import { eventResponse } from "./event-response.js";

/** What awaiting a run gives: only a run that succeeded has one. */
export interface RunResult {
  readonly id: string;
  readonly status: "succeeded";
  /** Visible text of the last answer. */
  readonly text: string;
  readonly output: Json;
  readonly usage: Usage;
  /** Model calls. */
  readonly steps: number;
}

/** What a handle needs of the engine, for one caller. */
export interface RunWatch {
  /** Resolves to the row once the run has ended. Errors: `not_found`, `shutting_down`. */
  ended(id: string): Promise<RunRow>;
  events(id: string, o: { readonly after: number; readonly signal: AbortSignal }): AsyncIterable<StoredRunEvent>;
  cancel(id: string, reason: string): Promise<RunRow>;
  /** The event as JSON for readers over HTTP. */
  view(event: StoredRunEvent): unknown;
}

const never = new AbortController().signal;

/**
 * A handle on a run, which lives in the store and not in this object: leaving it, or losing it, leaves the run alone. Three uses: await it for the result, iterate it for the events, or
 * answer a request with `toResponse()`. Any number of readers may use it, here and in other processes; each sees every event from the first, in order.
 *
 * As it is awaitable, nothing async may resolve to one.
 */
export class Run implements PromiseLike<RunResult>, AsyncIterable<StoredRunEvent> {
  readonly id: string;
  readonly #watch: RunWatch;
  readonly #started: Promise<unknown>;
  #result: Promise<RunResult> | null = null;

  /** `started`: resolves when the run is stored. */
  constructor(o: { readonly id: string; readonly watch: RunWatch; readonly started: Promise<unknown> }) {
    this.id = o.id;
    this.#watch = o.watch;
    this.#started = o.started;
    // Whoever awaits or reads hears of it; a handle that nobody uses must not end the process.
    this.#started.catch(() => undefined);
  }

  /**
   * The result of a run that succeeded. Rejects with the error of one that failed (`details` name run and step) and with `cancelled`; with what was wrong with the request when it was not accepted.
   */
  then<T = RunResult, F = never>(
    onResult?: ((result: RunResult) => T | PromiseLike<T>) | null,
    onError?: ((error: unknown) => F | PromiseLike<F>) | null,
  ): Promise<T | F> {
    this.#result ??= this.#await();
    return this.#result.then(onResult, onError);
  }

  /** Visible text of the last answer of a run that succeeded. Rejects as awaiting the run does. */
  get text(): Promise<string> {
    return this.then(({ text }) => text);
  }

  [Symbol.asyncIterator](): AsyncIterator<StoredRunEvent> {
    return this.events()[Symbol.asyncIterator]();
  }

  /**
   * Events after `after` (0: from the first), those stored and then those to come; ends after the terminal event, and when `signal` is aborted. A step that is begun a second time voids what it told before: `step.started`
   * says so. Errors: `not_found`, `shutting_down`, and what was wrong with the request.
   */
  async *events(o: { readonly after?: number; readonly signal?: AbortSignal } = {}): AsyncGenerator<StoredRunEvent, void, undefined> {
    await this.#started;
    yield* this.#watch.events(this.id, { after: o.after ?? 0, signal: o.signal ?? never });
  }

  /** Stops the run, aborting the model and the tools it is calling; what it wrote so far is kept. Resolves to the row as it then is; a run that has ended stays as it is. */
  async cancel(reason = "cancelled by its caller"): Promise<RunRow> {
    await this.#started;
    return this.#watch.cancel(this.id, reason);
  }

  /**
   * The events as an event stream: `id` is the sequence number, `event` the type, `data` JSON in snake_case. The run goes on when the reader leaves; a reader that comes back passes the last id that it
   * saw as `after`. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
   */
  toResponse(o: { readonly after?: number; readonly headers?: Readonly<Record<string, string>> } = {}): Response {
    return eventResponse({
      events: (signal) => this.events({ after: o.after ?? 0, signal }),
      view: (event) => this.#watch.view(event),
      headers: { ...o.headers, "x-run-id": this.id },
    });
  }

  async #await(): Promise<RunResult> {
    await this.#started;
    return toResult(await this.#watch.ended(this.id));
  }
}

function toResult(row: RunRow): RunResult {
  if (row.status === "succeeded")
    return {
      id: row.id,
      status: row.status,
      text: row.text ?? "",
      output: (row.output ?? null) as Json,
      usage: row.usage,
      steps: row.steps,
    };
  if (row.status === "cancelled")
    throw new GatewayError("cancelled", `The run was cancelled${row.cancelReason ? `: ${row.cancelReason}` : "."}`, {
      details: { runId: row.id },
    });
  const { code, message, step } = row.error ?? { code: "internal", message: "The run failed and did not say why.", step: row.steps };
  throw new GatewayError(code as ErrorCode, message, { details: { runId: row.id, step } });
}
