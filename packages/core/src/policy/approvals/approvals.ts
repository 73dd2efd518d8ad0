import type { Caller, ToolHead } from "../../calls/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import { approval, approvalRule, run, type ApprovalRow, type ToolClass } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, now, update, type NewRow, type Unit, type Within, type Write } from "../../ports/index.js";
import type { Approving, Inbox, InboxItem, InboxQuery, SealedPlace, Services, Verdict } from "../../seams/index.js";
import { newId } from "../../util/ids.js";
import { cutText } from "../../util/well-formed.js";
import type { OpenCall } from "../step.js";
import type { Asked } from "./allowance.js";
import { argumentsHash } from "./arguments-hash.js";

export interface ApprovalsOptions {
  readonly snapshot: () => Snapshot;
}

const WITHIN_MS = 10_000;
const SWEEP_MS = 10_000;
/** Of one call to find its approval, ask for it, or use it up: more only when others do the same at once. */
const MOST_TRIES = 20;
const SWEEP_ROWS = 200;
const SYSTEM = { system: "what waits for a person" } as const;
const ARGUMENTS = "arguments";
const EDITED = "edited";

/**
 * Calls that wait for a person. Each stands in the store once however often it is made; of all that make it after it was approved, one passes. What was decided wakes the run that waits.
 * Concurrency: any number of callers and processes; every change is one guarded write.
 */
export class Approvals implements Inbox {
  readonly #services: Services;
  readonly #snapshot: () => Snapshot;
  #cancelSweep: () => void = () => undefined;

  constructor(services: Services, options: ApprovalsOptions) {
    this.#services = services;
    this.#snapshot = options.snapshot;
  }

  /** Begins to look for approvals whose time is over. */
  work(): void {
    const { clock, events } = this.#services;
    this.#cancelSweep();
    this.#cancelSweep = clock.at(clock.now() + SWEEP_MS, () => {
      this.sweep()
        .catch((error: unknown) => events.emit("internal.error", { where: "ending approvals whose time is over", error }))
        .finally(() => this.work());
    });
  }

  close(): void {
    this.#cancelSweep();
    this.work = () => undefined;
  }

  /** null: a person approved this very call, which is used up by it. Else the row that it waits for, made when there is none. */
  async useOrAsk(asked: Asked, o: { readonly call: OpenCall<ToolHead>; readonly class: ToolClass }): Promise<ApprovalRow | null> {
    const { store, crypto } = this.#services;
    const projectId = asked.caller.projects[0];
    const hash = argumentsHash(crypto, { ...asked, projectId, callerId: asked.caller.id });
    const scope = { projects: [projectId] };
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const within = this.#within(o.call.deadlineMs);
      const { rows } = await store.find(approval, { where: { openKey: hash }, orderBy: "id", limit: 1 }, scope, within);
      const open = rows[0];
      if (open === undefined) {
        const made = this.#newRow(asked, { ...o, hash });
        const [result] = await store.commit([{ scope, writes: [insert(approval, made)] }], within);
        if (result?.ok !== true) continue; // somebody else asked at the same time
        this.#services.events.emit("approval.requested", { approvalId: made.id, tool: o.call.head.name, runId: made.runId });
        return { ...made, version: 1, createdAtMs: asked.nowMs, updatedAtMs: asked.nowMs };
      }
      if (open.expiresAtMs <= asked.nowMs) {
        await this.#end(open, "expired", within);
        continue;
      }
      if (open.status !== "approved") return open;
      const change = { set: { status: "used" as const, openKey: open.id } };
      const where = { status: "approved" as const, argumentsHash: hash, expiresAtMs: { gt: now } };
      const [used] = await store.commit([{ scope, writes: [update(approval, open.id, { change, where })] }], within);
      if (used?.ok === true) return null;
    }
    throw new GatewayError("conflict", "This call was asked for and decided on by several at once.", { hint: "Make it again." });
  }

  async list(caller: Caller, q: InboxQuery): Promise<{ readonly items: readonly InboxItem[]; readonly next: string | null }> {
    const where = { projectId: { in: caller.projects }, ...(q.status === undefined ? {} : { status: q.status }) };
    const query = { where, orderBy: "createdAtMs", desc: true, limit: q.limit, cursor: q.cursor } as const;
    const { rows, next } = await this.#services.store.find(approval, query, { projects: caller.projects }, this.#within());
    return { items: rows.map((row) => this.#item(row)), next };
  }

  async get(caller: Caller, id: string): Promise<InboxItem | null> {
    const row = await this.#services.store.get(approval, id, { projects: caller.projects }, this.#within());
    return row === null ? null : this.#item(row);
  }

  async pending(caller: Caller): Promise<number> {
    const where = { projectId: { in: caller.projects }, status: "pending" as const };
    const groups = await this.#services.store.sum(
      approval,
      { where, by: ["status"], sum: [] },
      { projects: caller.projects },
      this.#within(),
    );
    return groups.reduce((count, group) => count + group.count, 0);
  }

  async approve(caller: Caller, id: string, o: Approving): Promise<InboxItem> {
    const row = await this.#decidable(caller, id);
    const edited = o.arguments === undefined ? null : this.#edited(row, o.arguments);
    const set = {
      status: "approved" as const,
      ...this.#decision(caller, o.note),
      ...(edited === null ? {} : { edited: edited.sealed, argumentsHash: edited.hash, openKey: edited.hash }),
    };
    const writes: Write[] = [update(approval, id, { change: { set }, where: { status: "pending", expiresAtMs: { gt: now } } })];
    if (o.remember !== undefined) writes.push(insert(approvalRule, this.#rule(row, o.remember, caller)));
    await this.#decide(row, { writes, status: "approved" });
    return (await this.get(caller, id))!;
  }

  async deny(caller: Caller, id: string, o: { readonly note?: string | undefined }): Promise<InboxItem> {
    const row = await this.#decidable(caller, id);
    const set = { status: "denied" as const, openKey: id, ...this.#decision(caller, o.note) };
    await this.#decide(row, { writes: [update(approval, id, { change: { set }, where: { status: "pending" } })], status: "denied" });
    return (await this.get(caller, id))!;
  }

  /** What became of an approval that a run waits for; null: it is gone. */
  async verdict(projectId: string, id: string): Promise<Verdict | null> {
    const row = await this.#services.store.get(approval, id, { projects: [projectId] }, this.#within());
    if (row === null) return null;
    return { status: row.status, note: row.note, edited: row.edited === null ? null : this.#open(row, EDITED, row.edited) };
  }

  /** Ends what waited for too long, of all projects. */
  async sweep(): Promise<void> {
    const { store } = this.#services;
    for (const status of ["pending", "approved"] as const) {
      const where = { status, expiresAtMs: { lte: now } };
      const { rows } = await store.find(approval, { where, orderBy: "expiresAtMs", limit: SWEEP_ROWS }, SYSTEM, this.#within());
      for (const row of rows) await this.#end(row, "expired", this.#within());
    }
    await this.#wakeDecided();
  }

  /** A process that decides and ends before it wakes the run leaves it waiting: whoever looks next wakes it. */
  async #wakeDecided(): Promise<void> {
    const { store, seams } = this.#services;
    const waiting = await store.find(run, { where: { status: "waiting" }, orderBy: "id", limit: SWEEP_ROWS }, SYSTEM, this.#within());
    for (const { id, projectId } of waiting.rows) {
      const where = { runId: id, status: "pending" as const };
      const { rows } = await store.find(approval, { where, orderBy: "id", limit: 1 }, SYSTEM, this.#within());
      if (rows.length === 0) await seams.runs.get().wake(id, projectId);
    }
  }

  async #end(row: ApprovalRow, status: "expired", within: Within): Promise<void> {
    const change = { set: { status, openKey: row.id } };
    const where = { status: row.status, expiresAtMs: { lte: now } };
    const [result] = await this.#services.store.commit([{ scope: SYSTEM, writes: [update(approval, row.id, { change, where })] }], within);
    if (result?.ok === true) this.#decided(row, status);
  }

  async #decidable(caller: Caller, id: string): Promise<ApprovalRow> {
    const row = await this.#services.store.get(approval, id, { projects: caller.projects }, this.#within());
    if (row === null) throw new GatewayError("not_found", "There is no such approval, or you may not see it.", { details: { id } });
    if (row.status !== "pending" || row.expiresAtMs <= this.#services.clock.now()) throw notPending(row);
    if (this.#snapshot().config.approvals.fourEyes && this.#isBehind(row, caller))
      throw new GatewayError("forbidden", "Somebody else has to decide on this call: it is your own.", {
        hint: "approvals.fourEyes asks for two people.",
      });
    return row;
  }

  /** Whether one party stands behind both: a key's maker, or another key of one maker, is no second person. */
  #isBehind(row: ApprovalRow, caller: Caller): boolean {
    const own = partiesOf(caller, this.#snapshot().keys);
    return row.callerIds.some((id) => own.includes(id));
  }

  async #decide(row: ApprovalRow, o: { readonly writes: readonly Write[]; readonly status: "approved" | "denied" }): Promise<void> {
    const unit: Unit = { scope: { projects: [row.projectId] }, writes: o.writes };
    const [result] = await this.#services.store.commit([unit], this.#within());
    if (result?.ok !== true) throw notPending(row);
    this.#decided(row, o.status);
  }

  #decided(row: ApprovalRow, status: "approved" | "denied" | "expired"): void {
    this.#services.events.emit("approval.decided", { approvalId: row.id, status, runId: row.runId });
    if (row.runId === null) return;
    const { events } = this.#services;
    const runs = this.#services.seams.runs.get();
    runs
      .wake(row.runId, row.projectId)
      .catch((error: unknown) => events.emit("internal.error", { where: "waking a run that waited for a person", error }));
  }

  #newRow(asked: Asked, o: { readonly call: OpenCall<ToolHead>; readonly class: ToolClass; readonly hash: string }): NewRow<ApprovalRow> {
    const id = newId("apr");
    const { caller, server, tool } = asked;
    return {
      id,
      projectId: caller.projects[0],
      status: "pending",
      callerId: cutText(caller.id, 100),
      callerName: cutText(caller.name, 200),
      callerIds: partiesOf(caller, this.#snapshot().keys),
      server,
      tool: cutText(tool, 200),
      class: o.class,
      argumentsHash: o.hash,
      openKey: o.hash,
      arguments: this.#services.seams.vault.get().seal(asked.arguments, placeOf(ARGUMENTS, id)),
      edited: null,
      requestId: o.call.requestId,
      runId: o.call.runId,
      expiresAtMs: asked.nowMs + this.#snapshot().config.approvals.expiresMs,
      decidedBy: null,
      decidedAtMs: null,
      note: null,
    };
  }

  #decision(caller: Caller, note: string | undefined) {
    return {
      decidedBy: cutText(caller.id, 100),
      decidedAtMs: this.#services.clock.now(),
      note: note === undefined ? null : cutText(note, 1_000),
    };
  }

  #edited(row: ApprovalRow, text: string): { readonly sealed: string; readonly hash: string } {
    if (row.runId === null)
      throw new GatewayError(
        "validation_failed",
        "arguments: only where a run waits can they be changed; a caller that comes back brings its own.",
        {
          hint: "Deny it, and say in the note what should be called instead.",
        },
      );
    if (!isObjectText(text)) throw new GatewayError("validation_failed", "arguments: a JSON object is expected.");
    const { callerId, server, tool } = row;
    const hash = argumentsHash(this.#services.crypto, { projectId: row.projectId, callerId, server, tool, arguments: text });
    return { hash, sealed: this.#services.seams.vault.get().seal(text, placeOf(EDITED, row.id)) };
  }

  #rule(
    row: ApprovalRow,
    remember: NonNullable<Approving["remember"]>,
    caller: Caller,
  ): NewRow<import("../../entities/index.js").ApprovalRuleRow> {
    const { projectId, server, tool, callerId } = row;
    return {
      ...{ id: newId("apl"), projectId, server, tool },
      callerId: remember.anyCaller === true ? null : callerId,
      conditions: [...remember.conditions],
      expiresAtMs: remember.expiresAtMs ?? null,
      createdBy: cutText(caller.id, 100),
      approvalId: row.id,
    };
  }

  #item(row: ApprovalRow): InboxItem {
    const shown = (column: typeof ARGUMENTS | typeof EDITED, sealed: string): string =>
      this.#services.redactor.redact(this.#open(row, column, sealed));
    return { row, arguments: shown(ARGUMENTS, row.arguments), edited: row.edited === null ? null : shown(EDITED, row.edited) };
  }

  #open(row: ApprovalRow, column: string, sealed: string): string {
    return this.#services.seams.vault.get().open(sealed, placeOf(column, row.id)).reveal();
  }

  #within(deadlineMs = Number.POSITIVE_INFINITY): Within {
    return { deadlineMs: Math.min(deadlineMs, this.#services.clock.now() + WITHIN_MS) };
  }
}

/** A caller, its key and those that it was made from, who made them, and whose they are. */
function partiesOf(caller: Caller, keys: Snapshot["keys"]): string[] {
  const keyIds = [caller.keyId, ...(caller.madeFrom ?? [])].filter((id) => id !== undefined);
  const rows = keyIds.map((id) => keys.get(id)).filter((row) => row !== undefined);
  const behind = rows.flatMap(({ parentId, userId }) => [parentId, userId]);
  const ids = [caller.id, caller.userId, ...keyIds, ...behind].filter((id) => id !== undefined && id !== null);
  return [...new Set(ids.map((id) => cutText(id, 100)))];
}

function placeOf(column: string, rowId: string): SealedPlace {
  return { table: approval.table, column, rowId, isContent: true };
}

function notPending(row: ApprovalRow): GatewayError {
  return new GatewayError("conflict", "This approval is not pending any more.", {
    details: { id: row.id },
    hint: "Read it again: somebody decided, or its time is over.",
  });
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
