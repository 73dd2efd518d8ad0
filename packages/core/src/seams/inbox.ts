import type { Caller } from "../calls/index.js";
import type { ApprovalCondition, InboxItemRow, InboxKind, InboxStatus } from "../entities/index.js";
import type { NewRow, Write } from "../ports/index.js";
import type { PinDifference } from "./mcp/tool-pins.js";

export interface InboxQuery {
  readonly kind?: InboxKind | undefined;
  readonly status?: InboxStatus | undefined;
  readonly server?: string | undefined;
  /** 1 to 100. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}
/** An item with what a person decides on. */
export type InboxItem =
  /** `arguments` and `edited`: JSON text, without secrets that the gateway knows. */
  | { readonly kind: "approval"; readonly row: InboxItemRow; readonly arguments: string; readonly edited: string | null }
  /** `url`: where its user signs in, made when one pending item is asked for; null: in a list, or nobody knows how browsers reach the gateway. `confirmationCode`: what the page there may ask for. */
  | {
      readonly kind: "sign_in";
      readonly row: InboxItemRow;
      readonly url: string | null;
      readonly urlExpiresAtMs: number | null;
      readonly confirmationCode: string | null;
    }
  | { readonly kind: "tool_change"; readonly row: InboxItemRow; readonly differences: readonly PinDifference[] };

export interface Denying {
  readonly note?: string | undefined;
  /** The `digest` that was looked at: of an item with another one nothing is decided. */
  readonly ifDigest?: string | undefined;
}
export interface Approving extends Denying {
  /** Of an approval: JSON text of other arguments. Only where a run waits. */
  readonly arguments?: string | undefined;
  /** Of an approval: also makes a rule: calls that fit are not asked for again. */
  readonly remember?:
    | { readonly conditions: readonly ApprovalCondition[]; readonly expiresAtMs?: number | null; readonly anyCaller?: boolean }
    | undefined;
}

/** What waits for a person; filled by `policy/inbox`. Every verb sees what the caller may see: approvals of its projects, its own sign-ins, and changes of tools when it administers servers. */
export interface Inbox {
  /** Newest first. Errors: `bad_request` for a cursor that is not of this query. */
  list(caller: Caller, q: InboxQuery): Promise<{ readonly items: readonly InboxItem[]; readonly next: string | null }>;
  /** null: there is none that the caller may see. */
  get(caller: Caller, id: string): Promise<InboxItem | null>;
  /**
   * Of N who decide at once, one does. Errors: `not_found`; `conflict` when it is not pending any more, is another than `ifDigest`, or is a sign-in; `validation_failed`; `forbidden` for one's own approval under
   * `approvals.fourEyes`, and for a change of a tool without `servers:write` in every project.
   */
  approve(caller: Caller, id: string, o: Approving): Promise<InboxItem>;
  /** Errors: as of `approve`. */
  deny(caller: Caller, id: string, o: Denying): Promise<InboxItem>;
  /** How many are pending. */
  pending(caller: Caller): Promise<number>;
}

/** What a run needs to know of what it waits for. */
export interface Verdict {
  readonly kind: InboxKind;
  readonly status: InboxStatus;
  readonly note: string | null;
  /** JSON text of the arguments to use in the place of those asked for; null: those. */
  readonly edited: string | null;
}

/** The domain that a kind of items belongs to. */
export interface InboxSource {
  readonly kind: InboxKind;
  /** The audiences whose items of this kind the caller sees. */
  audiences(caller: Caller): readonly string[];
  shown(row: InboxItemRow, o: Showing): InboxItem | Promise<InboxItem>;
  /** The row is pending, and its caller may see it. Errors: as of `Inbox.approve`. */
  approve(row: InboxItemRow, o: Approving & { readonly caller: Caller }): Promise<void>;
  /** Errors: as of `approve`. */
  deny(row: InboxItemRow, o: Denying & { readonly caller: Caller }): Promise<void>;
  /** An item was closed by this process. */
  closed?(row: InboxItemRow, status: Settling["status"]): void;
  /** Called every ten seconds: closes what nobody has to decide on any more. */
  look?(): Promise<void>;
}
export interface Showing {
  readonly caller: Caller;
  /** It was asked for by its id. */
  readonly isAlone: boolean;
}
export interface Settling {
  readonly status: "approved" | "denied" | "expired";
  /** Left out: nobody, it closed by itself. */
  readonly by?: Caller | undefined;
  readonly note?: string | undefined;
  /** An approved call's `openKey` stays: the call finds it by that. */
  readonly set?: Partial<Pick<InboxItemRow, "edited" | "digest" | "openKey">> | undefined;
  /** Written with it, or not at all. */
  readonly also?: readonly Write[] | undefined;
}

/** The inbox as the domains use it whose items it holds. */
export interface InboxKeeper extends Inbox {
  /** Errors: `misconfigured` when the kind has a source. */
  add(source: InboxSource): void;
  /** The open item of this audience and key, made of `draft` when there is none; however many ask at once, there is one. Errors: `conflict` when others decide on it over and over. */
  opened(
    at: { readonly audience: string; readonly openKey: string; readonly deadlineMs?: number | undefined },
    draft: () => NewRow<InboxItemRow>,
  ): Promise<{ readonly row: InboxItemRow; readonly isNew: boolean }>;
  /** Closes a pending item and wakes the runs that wait for it. False: it is not pending any more. */
  settle(row: InboxItemRow, o: Settling): Promise<boolean>;
  /** What became of an item that a run waits for; null: it is gone. */
  verdict(id: string): Promise<Verdict | null>;
}
