import type { Caller } from "../calls/index.js";
import type { ApprovalCondition, ApprovalRow, ApprovalStatus } from "../entities/index.js";

export interface InboxQuery {
  readonly status?: ApprovalStatus | undefined;
  /** 1 to 100. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}
/** An approval with the arguments that a person decides on: as JSON text, without secrets that the gateway knows. */
export interface InboxItem {
  readonly row: ApprovalRow;
  readonly arguments: string;
  readonly edited: string | null;
}
export interface Approving {
  readonly note?: string | undefined;
  /** JSON text of other arguments. Only where a run waits. */
  readonly arguments?: string | undefined;
  /** Also makes a rule: calls that fit are not asked for again. */
  readonly remember?:
    | { readonly conditions: readonly ApprovalCondition[]; readonly expiresAtMs?: number | null; readonly anyCaller?: boolean }
    | undefined;
}

/** What waits for a person; filled by `policy/approvals`. Every verb sees the caller's projects only. */
export interface Inbox {
  list(caller: Caller, q: InboxQuery): Promise<{ readonly items: readonly InboxItem[]; readonly next: string | null }>;
  /** null: there is none that the caller may see. */
  get(caller: Caller, id: string): Promise<InboxItem | null>;
  /** Of N who decide at once, one does. Errors: `not_found`, `conflict` when it is not pending any more, `validation_failed`, `forbidden` for one's own under `approvals.fourEyes`. */
  approve(caller: Caller, id: string, o: Approving): Promise<InboxItem>;
  /** Errors: as of `approve`. */
  deny(caller: Caller, id: string, o: { readonly note?: string | undefined }): Promise<InboxItem>;
  /** How many are pending. */
  pending(caller: Caller): Promise<number>;
  /** What became of an approval that a run waits for; null: it is gone. */
  verdict(projectId: string, id: string): Promise<Verdict | null>;
}

/** What a run needs to know of what it waits for. */
export interface Verdict {
  readonly status: ApprovalStatus;
  readonly note: string | null;
  /** JSON text of the arguments to use in the place of those asked for; null: those. */
  readonly edited: string | null;
}
