import type { Caller, ToolHead } from "../../calls/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import { approvalRule, inboxItem, type ApprovalRuleRow, type InboxItemRow, type ToolClass } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, now, update, type NewRow } from "../../ports/index.js";
import type { Approving, Denying, InboxItem, InboxKeeper, InboxSource, SealedPlace, Services, Settling } from "../../seams/index.js";
import { newId } from "../../util/ids.js";
import { cutText } from "../../util/well-formed.js";
import { editedAt, notPending } from "../inbox/index.js";
import type { OpenCall } from "../step.js";
import type { Asked } from "./allowance.js";
import { argumentsHash } from "./arguments-hash.js";

export interface ApprovalsOptions {
  readonly snapshot: () => Snapshot;
  readonly inbox: InboxKeeper;
}

const WITHIN_MS = 10_000;
/** Of one call to find its approval, ask for it, or use it up: more only when others do the same at once. */
const MOST_TRIES = 20;

/** Calls that wait for a person. Each stands in the inbox once however often it is made; of all that make it after it was approved, one passes. */
export class Approvals implements InboxSource {
  readonly kind = "approval";
  readonly #services: Services;
  readonly #o: ApprovalsOptions;

  constructor(services: Services, options: ApprovalsOptions) {
    this.#services = services;
    this.#o = options;
  }

  /** null: a person approved this very call, which is used up by it. Else the row that it waits for, made when there is none. */
  async useOrAsk(asked: Asked, o: { readonly call: OpenCall<ToolHead>; readonly class: ToolClass }): Promise<InboxItemRow | null> {
    const { store, crypto, clock, events } = this.#services;
    const projectId = asked.caller.projects[0];
    const hash = argumentsHash(crypto, { ...asked, projectId, callerId: asked.caller.id });
    const audience = audienceOf(projectId);
    const at = { audience, openKey: hash, deadlineMs: o.call.deadlineMs };
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const { row, isNew } = await this.#o.inbox.opened(at, () => this.#newRow(asked, { ...o, hash }));
      if (isNew) events.emit("approval.requested", { approvalId: row.id, tool: o.call.head.name, runId: row.runId });
      if (row.status !== "approved") return row;
      const change = { set: { status: "used" as const, openKey: row.id } };
      const where = { status: "approved" as const, digest: hash, expiresAtMs: { gt: now } };
      const unit = { scope: { projects: [audience] }, writes: [update(inboxItem, row.id, { change, where })] };
      const [used] = await store.commit([unit], { deadlineMs: Math.min(o.call.deadlineMs, clock.now() + WITHIN_MS) });
      if (used?.ok === true) return null;
    }
    throw new GatewayError("conflict", "This call was asked for and decided on by several at once.", { hint: "Make it again." });
  }

  audiences(caller: Caller): readonly string[] {
    return caller.projects.map(audienceOf);
  }

  shown(row: InboxItemRow): InboxItem {
    const shown = (sealed: string, at: SealedPlace): string => this.#services.redactor.redact(this.#open(sealed, at));
    const said = row.arguments === null ? "null" : shown(row.arguments, argumentsAt(row.id));
    return { kind: this.kind, row, arguments: said, edited: row.edited === null ? null : shown(row.edited, editedAt(row.id)) };
  }

  async approve(row: InboxItemRow, { caller, note, arguments: text, remember }: Approving & { readonly caller: Caller }): Promise<void> {
    this.#assertAnother(row, caller);
    const edited = text === undefined ? null : this.#edited(row, text);
    // The call that it is for finds it by its arguments.
    const set = edited === null ? { openKey: row.openKey } : { edited: edited.sealed, digest: edited.hash, openKey: edited.hash };
    const also = remember === undefined ? [] : [insert(approvalRule, this.#rule(row, remember, caller))];
    if (!(await this.#o.inbox.settle(row, { status: "approved", by: caller, note, set, also }))) throw notPending(row);
  }

  async deny(row: InboxItemRow, { caller, note }: Denying & { readonly caller: Caller }): Promise<void> {
    this.#assertAnother(row, caller);
    if (!(await this.#o.inbox.settle(row, { status: "denied", by: caller, note }))) throw notPending(row);
  }

  closed(row: InboxItemRow, status: Settling["status"]): void {
    this.#services.events.emit("approval.decided", { approvalId: row.id, status, runId: row.runId });
  }

  #assertAnother(row: InboxItemRow, caller: Caller): void {
    if (!this.#o.snapshot().config.approvals.fourEyes || !this.#isBehind(row, caller)) return;
    throw new GatewayError("forbidden", "Somebody else has to decide on this call: it is your own.", {
      hint: "approvals.fourEyes asks for two people.",
    });
  }

  /** Whether one party stands behind both: a key's maker, or another key of one maker, is no second person. */
  #isBehind(row: InboxItemRow, caller: Caller): boolean {
    const own = partiesOf(caller, this.#o.snapshot().keys);
    return row.callerIds.some((id) => own.includes(id));
  }

  #newRow(asked: Asked, o: { readonly call: OpenCall<ToolHead>; readonly class: ToolClass; readonly hash: string }): NewRow<InboxItemRow> {
    const id = newId("apr");
    const { caller, server, tool } = asked;
    const projectId = caller.projects[0];
    return {
      ...{ id, audience: audienceOf(projectId), kind: this.kind, status: "pending", openKey: o.hash, projectId },
      server,
      tool: cutText(tool, 512),
      callerId: cutText(caller.id, 100),
      callerName: cutText(caller.name, 200),
      callerIds: partiesOf(caller, this.#o.snapshot().keys),
      class: o.class,
      digest: o.hash,
      arguments: this.#services.seams.vault.get().seal(asked.arguments, argumentsAt(id)),
      ...{ edited: null, pinId: null, differences: null },
      ...{ requestId: o.call.requestId, runId: o.call.runId },
      expiresAtMs: asked.nowMs + this.#o.snapshot().config.approvals.expiresMs,
      ...{ decidedBy: null, decidedAtMs: null, note: null },
    };
  }

  #edited(row: InboxItemRow, text: string): { readonly sealed: string; readonly hash: string } {
    const { projectId, callerId, server, tool } = row;
    if (row.runId === null || projectId === null || callerId === null || tool === null)
      throw new GatewayError(
        "validation_failed",
        "arguments: only where a run waits can they be changed; a caller that comes back brings its own.",
        {
          hint: "Deny it, and say in the note what should be called instead.",
        },
      );
    if (!isObjectText(text)) throw new GatewayError("validation_failed", "arguments: a JSON object is expected.");
    const hash = argumentsHash(this.#services.crypto, { projectId, callerId, server, tool, arguments: text });
    return { hash, sealed: this.#services.seams.vault.get().seal(text, editedAt(row.id)) };
  }

  #rule(row: InboxItemRow, remember: NonNullable<Approving["remember"]>, caller: Caller): NewRow<ApprovalRuleRow> {
    const { projectId, server, tool, callerId } = row;
    if (projectId === null || tool === null) throw new GatewayError("internal", "An approval has no project or no tool.");
    return {
      ...{ id: newId("apl"), projectId, server, tool },
      callerId: remember.anyCaller === true ? null : callerId,
      conditions: [...remember.conditions],
      expiresAtMs: remember.expiresAtMs ?? null,
      createdBy: cutText(caller.id, 100),
      approvalId: row.id,
    };
  }

  #open(sealed: string, at: SealedPlace): string {
    return this.#services.seams.vault.get().open(sealed, at).reveal();
  }
}

function audienceOf(projectId: string): string {
  return `project:${projectId}`;
}

/** A caller, its key and those that it was made from, who made them, and whose they are. */
function partiesOf(caller: Caller, keys: Snapshot["keys"]): string[] {
  const keyIds = [caller.keyId, ...(caller.madeFrom ?? [])].filter((id) => id !== undefined);
  const rows = keyIds.map((id) => keys.get(id)).filter((row) => row !== undefined);
  const behind = rows.flatMap(({ parentId, userId }) => [parentId, userId]);
  const ids = [caller.id, caller.userId, ...keyIds, ...behind].filter((id) => id !== undefined && id !== null);
  return [...new Set(ids.map((id) => cutText(id, 100)))];
}

function argumentsAt(rowId: string): SealedPlace {
  return { table: inboxItem.table, column: "arguments", rowId, isContent: true };
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
