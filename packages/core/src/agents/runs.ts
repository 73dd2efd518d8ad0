import type { Caller } from "../calls/index.js";
import type { RunRow } from "../entities/index.js";
import type { RunRequest } from "../seams/index.js";
import type { RunEngine } from "./run-engine.js";
import type { RunQuery } from "./run-records.js";
import type { Run } from "./run.js";

/** The runs that one caller may see and start: `gateway.runs`. */
export class Runs {
  readonly #engine: RunEngine;
  readonly #caller: Caller;

  constructor(engine: RunEngine, caller: Caller) {
    this.#engine = engine;
    this.#caller = caller;
  }

  /** Starts a run and gives its handle at once; what is wrong with the request is heard by whoever awaits or reads it. */
  run(request: RunRequest): Run {
    return this.#engine.run(request, this.#caller);
  }
  /** A handle on a run that exists, perhaps in another process; nothing is read before it is used. */
  open(id: string): Run {
    return this.#engine.open(id, this.#caller);
  }
  /** The stored row; null: there is none that this caller may see. */
  get(id: string): Promise<RunRow | null> {
    return this.#engine.get(id, this.#caller);
  }
  /** Newest first. Errors: `bad_request` for a cursor of another query. */
  list(q: Partial<RunQuery> = {}): Promise<{ rows: RunRow[]; next: string | null }> {
    return this.#engine.list(this.#caller, { ...q, limit: q.limit ?? 50 });
  }
  /** Asks for the end; the row as it then is. A run that has ended stays as it is. Errors: `not_found`. */
  cancel(id: string, reason = "cancelled by its caller"): Promise<RunRow> {
    return this.#engine.cancel(id, { caller: this.#caller, reason });
  }
}
