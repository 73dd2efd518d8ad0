// What is recorded while processes die: by whom the product knows nothing of.

/** What became of one write to a row of `tasks`, noted by a trigger in the same transaction: for each task in the order of its commits. */
export interface Transition {
  readonly task: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly fromAttempt: number | null;
  readonly toAttempt: number | null;
  /** The end of the lease, or the due time, before. */
  readonly fromReadyAtMs: number | null;
  readonly toReadyAtMs: number | null;
  /** The database's clock. */
  readonly atMs: number;
}

/** What a worker did in the world outside, or was told. */
export interface Seen {
  readonly saw: "effect" | "aborted" | "refused";
  readonly key?: string;
  readonly task: string;
  readonly attempt: number;
  readonly code?: string;
  readonly worker: string;
  readonly atMs: number;
}

/** A task that a producer was told is accepted. */
export interface Accepted {
  readonly id: string;
  readonly key: string | null;
  /** What it has to end as. */
  readonly ends: "succeeded" | "dead";
  readonly type: string;
  readonly askedAtMs: number;
  readonly acceptedAtMs: number;
}

/** A row as it stands at the end. */
export interface EndedTask {
  readonly id: string;
  readonly key: string | null;
  readonly status: string;
  readonly attempt: number;
  readonly uncounted: number;
  readonly maxAttempts: number;
  readonly deadLetter: boolean;
  readonly result: { readonly by: string; readonly attempt: number } | null;
}

export interface Recorded {
  readonly accepted: readonly Accepted[];
  /** Keys and nonces of creations whose answer never came: they may stand or not. */
  readonly unknown: ReadonlySet<string>;
  readonly rows: readonly EndedTask[];
  readonly history: readonly Transition[];
  readonly seen: readonly Seen[];
}
