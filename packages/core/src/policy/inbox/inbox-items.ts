import type { Caller } from "../../calls/index.js";
import { inboxItem, type InboxItemRow, type InboxKind } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, now, remove, update, type NewRow, type Where, type Within } from "../../ports/index.js";
import type {
  Approving,
  Denying,
  InboxItem,
  InboxKeeper,
  InboxQuery,
  InboxSource,
  SealedPlace,
  Services,
  Settling,
  Showing,
  Verdict,
} from "../../seams/index.js";
import { cutText } from "../../util/well-formed.js";
import { WaitingRuns } from "./waiting-runs.js";

const WITHIN_MS = 10_000;
const LOOK_MS = 10_000;
/** Of one who asks, to find the open item or make it: more only when others decide at the same time. */
const MOST_TRIES = 20;
const SWEEP_ROWS = 200;
/** What nobody decides on any more. */
const CLOSED = ["approved", "denied", "expired", "used"] as const;
const SYSTEM = { system: "what waits for a person" } as const;

/**
 * What waits for a person, of every kind, in one table whose rows say who sees them. What is asked for over and over stands there once, and is decided once; what was decided wakes the runs that wait for it.
 * Concurrency: any number of callers and processes; every change is one guarded write.
 */
export class InboxItems implements InboxKeeper {
  readonly #services: Services;
  readonly #keptMs: () => number;
  readonly #sources = new Map<InboxKind, InboxSource>();
  readonly #runs: WaitingRuns;
  #cancelLook: () => void = () => undefined;

  /** `keptMs`: how long what is closed stays to be looked up. */
  constructor(services: Services, { keptMs }: { readonly keptMs: () => number }) {
    this.#services = services;
    this.#keptMs = keptMs;
    this.#runs = new WaitingRuns(services);
  }

  add(source: InboxSource): void {
    if (this.#sources.has(source.kind)) throw new GatewayError("misconfigured", `The inbox has a source of ${source.kind} already.`);
    this.#sources.set(source.kind, source);
  }

  /** Begins to look for what is over, and for runs that nobody woke. */
  work(): void {
    const { clock, events } = this.#services;
    this.#cancelLook();
    this.#cancelLook = clock.at(clock.now() + LOOK_MS, () => {
      this.look()
        .catch((error: unknown) => events.emit("internal.error", { where: "looking after what waits for a person", error }))
        .finally(() => this.work());
    });
  }

  stop(): void {
    this.#cancelLook();
    this.work = () => undefined;
  }

  async list(caller: Caller, q: InboxQuery): Promise<{ readonly items: readonly InboxItem[]; readonly next: string | null }> {
    const { kind, status, server, limit, cursor } = q;
    const audiences = this.#audiences(caller);
    const where: Where<InboxItemRow> = {
      audience: { in: audiences },
      ...(kind === undefined ? {} : { kind }),
      ...(status === undefined ? {} : { status }),
      ...(server === undefined ? {} : { server }),
    };
    const query = { where, orderBy: "createdAtMs", desc: true, limit, cursor } as const;
    const { rows, next } = await this.#services.store.find(inboxItem, query, { projects: audiences }, this.#within());
    return { items: await Promise.all(rows.map((row) => this.#shown(row, { caller, isAlone: false }))), next };
  }

  async get(caller: Caller, id: string): Promise<InboxItem | null> {
    const row = await this.#row(caller, id);
    return row === null ? null : this.#shown(row, { caller, isAlone: true });
  }

  async pending(caller: Caller): Promise<number> {
    const audiences = this.#audiences(caller);
    const query = { where: { audience: { in: audiences }, status: "pending" as const }, by: ["status" as const], sum: [] };
    const groups = await this.#services.store.sum(inboxItem, query, { projects: audiences }, this.#within());
    return groups.reduce((count, group) => count + group.count, 0);
  }

  async approve(caller: Caller, id: string, o: Approving): Promise<InboxItem> {
    const row = await this.#decidable(caller, id, o);
    await this.#source(row.kind).approve(row, { ...o, caller });
    return this.#mustGet(caller, id);
  }

  async deny(caller: Caller, id: string, o: Denying): Promise<InboxItem> {
    const row = await this.#decidable(caller, id, o);
    await this.#source(row.kind).deny(row, { ...o, caller });
    return this.#mustGet(caller, id);
  }

  async verdict(id: string): Promise<Verdict | null> {
    const row = await this.#services.store.get(inboxItem, id, SYSTEM, this.#within());
    if (row === null) return null;
    const { kind, status, note, edited } = row;
    return { kind, status, note, edited: edited === null ? null : this.#services.seams.vault.get().open(edited, editedAt(id)).reveal() };
  }

  async opened(
    { audience, openKey, deadlineMs }: { readonly audience: string; readonly openKey: string; readonly deadlineMs?: number | undefined },
    draft: () => NewRow<InboxItemRow>,
  ): Promise<{ readonly row: InboxItemRow; readonly isNew: boolean }> {
    const { store, clock } = this.#services;
    const scope = { projects: [audience] };
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const within = this.#within(deadlineMs);
      const { rows } = await store.find(inboxItem, { where: { openKey }, orderBy: "id", limit: 1 }, scope, within);
      const nowMs = clock.now();
      const open = rows[0];
      if (open === undefined) {
        const made = draft();
        const [result] = await store.commit([{ scope, writes: [insert(inboxItem, made)] }], within);
        if (result?.ok === true) return { row: { ...made, version: 1, createdAtMs: nowMs, updatedAtMs: nowMs }, isNew: true };
        continue; // somebody else asked at the same time
      }
      if (open.expiresAtMs === null || open.expiresAtMs > nowMs) return { row: open, isNew: false };
      await this.#expire(open, within);
    }
    throw new GatewayError("conflict", "This was asked for and decided on by several at once.", { hint: "Make the call again." });
  }

  async settle(row: InboxItemRow, { status, by, note, set, also }: Settling): Promise<boolean> {
    const decision = {
      decidedBy: by === undefined ? null : cutText(by.id, 100),
      decidedAtMs: this.#services.clock.now(),
      note: note === undefined ? null : cutText(note, 1_000),
    };
    const change = { set: { status, openKey: row.id, ...decision, ...set } };
    const isStanding: Where<InboxItemRow> =
      row.expiresAtMs === null || status === "denied" ? { status: "pending" } : { status: "pending", expiresAtMs: { gt: now } };
    const writes = [update(inboxItem, row.id, { change, where: isStanding }), ...(also ?? [])];
    const projects = [row.audience, ...(row.projectId === null ? [] : [row.projectId])];
    const [result] = await this.#services.store.commit([{ scope: { projects }, writes }], this.#within());
    if (result?.ok !== true) return false;
    this.#closed(row, status);
    return true;
  }

  /** Ends what waited for too long, closes what needs nobody any more, wakes the runs that a process left waiting which ended right after it decided, and removes what was closed long ago. */
  async look(): Promise<void> {
    const { store } = this.#services;
    const over = { expiresAtMs: { lte: now } };
    for (const where of [
      { status: "pending" as const, ...over },
      { status: "approved" as const, kind: "approval" as const, ...over },
    ]) {
      const { rows } = await store.find(inboxItem, { where, orderBy: "expiresAtMs", limit: SWEEP_ROWS }, SYSTEM, this.#within());
      for (const row of rows) await this.#expire(row, this.#within());
    }
    for (const source of this.#sources.values()) await source.look?.();
    await this.#runs.look();
    await this.#prune();
  }

  /** The oldest 200 that are closed. */
  async #prune(): Promise<void> {
    const { store, clock } = this.#services;
    const where = { createdAtMs: { lt: clock.now() - this.#keptMs() }, status: { in: CLOSED } };
    const { rows } = await store.find(inboxItem, { where, orderBy: "createdAtMs", limit: SWEEP_ROWS }, SYSTEM, this.#within());
    const units = rows.map(({ id }) => ({ scope: SYSTEM, writes: [remove(inboxItem, id)] }));
    if (units.length > 0) await store.commit(units, this.#within());
  }

  async #expire(row: InboxItemRow, within: Within): Promise<void> {
    const change = { set: { status: "expired" as const, openKey: row.id } };
    const where = { status: row.status, expiresAtMs: { lte: now } };
    const [result] = await this.#services.store.commit([{ scope: SYSTEM, writes: [update(inboxItem, row.id, { change, where })] }], within);
    if (result?.ok === true) this.#closed(row, "expired");
  }

  #closed(row: InboxItemRow, status: Settling["status"]): void {
    const { events } = this.#services;
    this.#source(row.kind).closed?.(row, status);
    this.#runs
      .wake(row.id)
      .catch((error: unknown) => events.emit("internal.error", { where: "waking a run that waited for a person", error }));
  }

  async #decidable(caller: Caller, id: string, { ifDigest }: Denying): Promise<InboxItemRow> {
    const row = await this.#row(caller, id);
    if (row === null)
      throw new GatewayError("not_found", "There is no such item, or you may not see it.", {
        details: { id },
        hint: "GET /api/v1/inbox lists them; what a server changed again meanwhile is another item.",
      });
    if (row.status !== "pending" || (row.expiresAtMs !== null && row.expiresAtMs <= this.#services.clock.now())) throw notPending(row);
    if (ifDigest === undefined || ifDigest === row.digest) return row;
    throw new GatewayError("conflict", "The item is about something else than what was looked at.", {
      details: { id, digest: row.digest },
    });
  }

  #row(caller: Caller, id: string): Promise<InboxItemRow | null> {
    return this.#services.store.get(inboxItem, id, { projects: this.#audiences(caller) }, this.#within());
  }

  async #mustGet(caller: Caller, id: string): Promise<InboxItem> {
    const item = await this.get(caller, id);
    if (item === null) throw new GatewayError("not_found", "The item is gone.", { details: { id } });
    return item;
  }

  #audiences(caller: Caller): readonly string[] {
    return [...this.#sources.values()].flatMap((source) => source.audiences(caller));
  }

  async #shown(row: InboxItemRow, o: Showing): Promise<InboxItem> {
    return this.#source(row.kind).shown(row, o);
  }

  #source(kind: InboxKind): InboxSource {
    const source = this.#sources.get(kind);
    if (source === undefined) throw new GatewayError("misconfigured", `The inbox has no source of ${kind}.`);
    return source;
  }

  #within(deadlineMs = Number.POSITIVE_INFINITY): Within {
    return { deadlineMs: Math.min(deadlineMs, this.#services.clock.now() + WITHIN_MS) };
  }
}

/** Where the arguments stand that a person put in the place of those asked for. */
export function editedAt(rowId: string): SealedPlace {
  return { table: inboxItem.table, column: "edited", rowId, isContent: true };
}

export function notPending({ id }: InboxItemRow): GatewayError {
  return new GatewayError("conflict", "This item is not pending any more.", {
    details: { id },
    hint: "Read it again: somebody decided, or its time is over.",
  });
}
