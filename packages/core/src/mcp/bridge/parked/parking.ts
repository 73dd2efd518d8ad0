import type { ParkedCallRow } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { Services } from "../../../seams/index.js";
import { newId } from "../../../util/ids.js";
import type { HeldCall } from "../held-call.js";
import { encodeOutcome, encodeQuestions } from "./parked-texts.js";
import type { Move, ParkedRows } from "./parked-rows.js";
import { membersOf } from "../members.js";
import type { UsedStates } from "./used-states.js";

/** Without a bus another process's answer is found after this. */
const POLL_MS = 500;
const SWEEP_EVERY_MS = 60_000;
const TRIES = 8;
const TOPIC = "mcp-parked";
/** Of this process, whoever's they are. */
const MAX_KEPT = 10_000;

export interface ParkingLimits {
  /** How long a call waits for its client. */
  readonly waitMs: number;
  /** How long a task is kept, from when it moved last. */
  readonly taskTtlMs: number;
  /** A call of a client that takes tasks becomes one when it took so long. */
  readonly taskAfterMs: number;
  /** How many calls of one caller wait at once. */
  readonly mostWaiting: number;
}
export interface ParkingOptions {
  readonly rows: ParkedRows;
  readonly used: UsedStates;
  readonly limits: () => ParkingLimits;
  /** Whether other processes can be on this store. */
  readonly isShared: boolean;
}

export interface Place {
  readonly kind: "call" | "task";
  readonly callerId: string;
  /** The caller's key, or itself. */
  readonly credentialId: string;
  readonly address: string;
  readonly server: string;
  /** What grants call the tool of a task; empty: no task. */
  readonly tool: string;
}
interface Kept {
  readonly held: HeldCall;
  readonly place: Place;
  /** The row as it was written last. */
  row: Pick<ParkedCallRow, "id" | "version" | "round"> & { readonly state?: ParkedCallRow["state"] };
  cancelTimer: () => void;
}

/**
 * The calls that this process keeps while their clients are away, each with its row: from the row any process hands it answers and learns what became of it. A call that nobody comes for in time is cancelled at its server.
 */
export class Parking {
  readonly #services: Services;
  readonly #o: ParkingOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #ofCaller = new Map<string, number>();
  /** Of all callers, those included whose rows are being written. */
  #places = 0;
  readonly #waiting = new Set<() => void>();
  #looking: Promise<void> | null = null;
  #again = false;
  #isClosed = false;
  #cancelTimer: (() => void) | null = null;
  #cancelSweep: () => void = () => undefined;
  #unsubscribe: Promise<(() => Promise<void>) | null> = Promise.resolve(null);

  constructor(services: Services, options: ParkingOptions) {
    this.#services = services;
    this.#o = options;
  }

  start(): void {
    this.#sweepLater();
    if (!this.#o.isShared) return;
    const look = (): void => this.#hinted();
    this.#unsubscribe = this.#services.bus.subscribe(TOPIC, look, look).catch(() => null); // it polls all the same
  }

  get size(): number {
    return this.#kept.size;
  }

  /**
   * Keeps a call until its client comes for it, and gives the id of its row, which is written then. A task is followed: its row says at any time how it stands. Errors: `overloaded`, those of the store; the call is cancelled then.
   */
  async keep(held: HeldCall, place: Place): Promise<{ readonly id: string; readonly round: number }> {
    try {
      this.#refuseTooMany(place.callerId);
      const id = `${newId("parked")}${newId("")}`;
      const row = await this.#inserted(id, held, place);
      const kept: Kept = { held, place, row, cancelTimer: () => undefined };
      this.#kept.set(id, kept);
      this.#wait(kept);
      this.#schedule();
      if (place.kind === "task") void this.#follow(kept);
      return { id, round: row.round };
    } catch (error) {
      const known = GatewayError.from(error);
      held.cancel(known);
      throw known;
    }
  }

  /** The row of a call that has its place from now on, before it stands in the store: many may come at once. Errors: those of the store. */
  async #inserted(id: string, held: HeldCall, place: Place): Promise<ParkedCallRow> {
    const { callerId, address, server, tool, kind } = place;
    this.#ofCaller.set(callerId, (this.#ofCaller.get(callerId) ?? 0) + 1);
    this.#places++;
    try {
      return await this.#o.rows.insert({ id, kind, callerId, address, server, tool }, this.#standing(held), this.#waitMs(place));
    } catch (error) {
      this.#free(callerId);
      throw error;
    }
  }

  /** A call that this process keeps; null: it does not. */
  holder(id: string): HeldCall | null {
    return this.#kept.get(id)?.held ?? null;
  }

  /** The call, for the one request that claimed its row; null: it is not kept here any more. */
  taken(id: string, version: number): HeldCall | null {
    const kept = this.#kept.get(id);
    if (kept === undefined) return null;
    kept.row = { ...kept.row, version };
    kept.cancelTimer();
    return kept.held;
  }

  /** A call that was taken asks again: the round that it waits in now. Errors: those of the store; the call is cancelled then. */
  async askAgain(id: string): Promise<number> {
    const kept = this.#kept.get(id);
    if (kept === undefined) throw new GatewayError("internal", "A call that is not kept asks again.");
    try {
      await this.#write(kept, () => ({ ...this.#standing(kept.held), round: kept.row.round + 1 }));
    } catch (error) {
      kept.held.cancel(GatewayError.from(error));
      await this.forget(id);
      throw error;
    }
    this.#wait(kept);
    return kept.row.round;
  }

  /** Its client was told how it ended. Never rejects. */
  async forget(id: string): Promise<void> {
    this.#drop(id);
    await this.#o.rows.remove(id).catch(() => undefined); // it is swept one day
  }

  /** Cancels what was made by a credential that stands no longer. */
  endUnless(isStanding: (credentialId: string) => boolean): void {
    for (const { held, place, row } of [...this.#kept.values()]) {
      if (isStanding(place.credentialId)) continue;
      held.cancel(new GatewayError("unauthenticated", "The credential of this call was revoked.", { hint: "Send another." }));
      // The row of a task tells how it ended.
      if (place.kind === "call") void this.forget(row.id);
    }
  }

  /** A row changed that another process waits for. */
  hint(): void {
    this.#hinted();
    if (this.#o.isShared) this.#services.bus.publish(TOPIC, []).catch(() => undefined); // they poll
  }

  /** Resolves when something may have changed: at the latest after the time that a poll takes. */
  changed(signal: AbortSignal): Promise<void> {
    const { clock } = this.#services;
    return new Promise((resolve) => {
      const done = (): void => {
        cancelTimer();
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const cancelTimer = clock.at(clock.now() + POLL_MS, done);
      this.#waiting.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#cancelSweep();
    await (await this.#unsubscribe)?.().catch(() => undefined);
    await this.#looking;
    const why = new GatewayError("shutting_down", "The process that kept this call was stopped.");
    const kept = [...this.#kept.values()];
    for (const { held } of kept) held.cancel(why);
    await Promise.all(kept.map((one) => this.#lose(one)));
  }

  async #lose(kept: Kept): Promise<void> {
    this.#drop(kept.row.id);
    await this.#write(kept, () => ({ state: "lost" })).catch(() => undefined); // its node is gone, which says the same
  }

  #refuseTooMany(callerId: string): void {
    if (this.#isClosed) throw new GatewayError("shutting_down", "The gateway is closing.");
    const { mostWaiting } = this.#o.limits();
    if (this.#places < MAX_KEPT && (this.#ofCaller.get(callerId) ?? 0) < mostWaiting) return;
    throw new GatewayError("overloaded", "Too many calls wait for an answer of their client.", {
      hint: "Answer those that wait, or raise mcp.questions.mostWaiting.",
    });
  }

  #standing(held: HeldCall): Move & Pick<ParkedCallRow, "state"> {
    const { questions } = held;
    return { state: questions.size > 0 ? "asked" : "working", questions: questions.size > 0 ? encodeQuestions(questions) : null };
  }

  #waitMs({ kind }: Place): number {
    const { waitMs, taskTtlMs } = this.#o.limits();
    return kind === "task" ? taskTtlMs : waitMs;
  }

  #wait(kept: Kept): void {
    const { clock } = this.#services;
    const waitMs = this.#waitMs(kept.place);
    kept.cancelTimer();
    kept.cancelTimer = clock.at(clock.now() + waitMs, () => {
      kept.held.cancel(new GatewayError("cancelled", "Nobody came for the call in time."));
      void this.forget(kept.row.id);
    });
  }

  #drop(id: string): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    kept.cancelTimer();
    this.#free(kept.place.callerId);
  }

  #free(callerId: string): void {
    this.#places--;
    const left = (this.#ofCaller.get(callerId) ?? 1) - 1;
    if (left > 0) this.#ofCaller.set(callerId, left);
    else this.#ofCaller.delete(callerId);
  }

  #hinted(): void {
    for (const resolve of [...this.#waiting]) resolve();
    void this.#look();
  }

  #schedule(): void {
    if (this.#isClosed || !this.#o.isShared || this.#cancelTimer !== null || this.#kept.size === 0) return;
    const { clock } = this.#services;
    this.#cancelTimer = clock.at(clock.now() + POLL_MS, () => {
      this.#cancelTimer = null;
      void this.#look().then(() => this.#schedule());
    });
  }

  /** Never rejects. */
  #look(): Promise<void> {
    if (this.#isClosed || this.#kept.size === 0) return Promise.resolve();
    this.#again = true;
    return (this.#looking ??= this.#lookAll().finally(() => (this.#looking = null)));
  }

  async #lookAll(): Promise<void> {
    while (this.#again && !this.#isClosed) {
      this.#again = false;
      try {
        for (const row of await this.#o.rows.forUs()) await this.#take(row);
      } catch (error) {
        this.#services.log.debug("what calls that wait were told was not read; it is tried again", { code: GatewayError.from(error).code });
      }
    }
  }

  /** Rows outlive those who would have come for them. */
  #sweepLater(): void {
    if (this.#isClosed) return;
    const { clock, log } = this.#services;
    this.#cancelSweep = clock.at(clock.now() + SWEEP_EVERY_MS, () => {
      const { rows, used } = this.#o;
      const swept = Promise.all([rows.sweep(), used.sweep()]);
      swept.catch((error: unknown) => log.debug("calls that nobody came for were not removed", { code: GatewayError.from(error).code }));
      this.#sweepLater();
    });
  }

  /** What another process wrote for a call of ours. */
  async #take(row: ParkedCallRow): Promise<void> {
    const kept = this.#kept.get(row.id);
    if (kept === undefined) return;
    this.#hear(kept, row);
    if (row.kind === "task" && row.state === "cancelled") {
      await this.#write(kept, () => ({ state: "told", outcome: encodeOutcome({ kind: "cancelled" }), questions: null }));
      return this.#drop(row.id);
    }
    if (kept.held.isOver && row.kind === "call") return row.state === "cancelled" ? this.forget(row.id) : this.#tell(kept);
    kept.cancelTimer();
    // Of a task some questions may be open still, which nobody else tells of.
    await this.#write(kept, () => (row.kind === "task" ? this.#standing(kept.held) : { state: "working" }));
    if (row.kind === "call") void this.#tell(kept);
    else this.#wait(kept);
  }

  #hear(kept: Kept, row: ParkedCallRow): void {
    kept.row = row;
    if (row.state === "cancelled") kept.held.cancel(new GatewayError("cancelled", "The call was cancelled."));
    if (row.state === "answered") kept.held.answer(membersOf(this.#o.rows.read(row, "answers") ?? "{}"));
  }

  /** A call that another process waits for: its next news go into its row. */
  async #tell(kept: Kept): Promise<void> {
    await this.#settle(kept, await outcomeOf(kept.held));
  }

  /** `outcome` null: it asks again. Never rejects. */
  async #settle(kept: Kept, outcome: string | null): Promise<void> {
    try {
      if (outcome === null) await this.#write(kept, () => ({ ...this.#standing(kept.held), round: kept.row.round + 1 }));
      else await this.#write(kept, () => ({ state: "told", outcome, questions: null }));
      if (outcome === null) this.#wait(kept);
      else this.#drop(kept.row.id);
    } catch (error) {
      this.#services.log.warn("a call that waits was lost: it could not be written", { code: GatewayError.from(error).code });
      kept.held.cancel(GatewayError.from(error));
      this.#drop(kept.row.id);
    }
  }

  /** A task's row follows it until its end. Never rejects. */
  async #follow(kept: Kept): Promise<void> {
    let known = [...kept.held.questions.keys()].join();
    while (this.#kept.get(kept.row.id) === kept) {
      if (kept.held.isOver) return kept.row.state === "cancelled" ? undefined : this.#tell(kept);
      const keys = [...kept.held.questions.keys()].join();
      if (keys !== known && keys !== "") await this.#settle(kept, null);
      known = keys;
      if (!kept.held.isOver && [...kept.held.questions.keys()].join() === known) await kept.held.changed();
    }
  }

  /** Writes what is so, after what others wrote meanwhile was heard. Errors: those of the store; `conflict`. */
  async #write(kept: Kept, make: () => Move): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      const move = make();
      if (await this.#o.rows.move(kept.row, { ...move, answers: null }, this.#waitMs(kept.place))) {
        kept.row = { id: kept.row.id, version: kept.row.version + 1, round: move.round ?? kept.row.round };
        return this.hint();
      }
      const row = await this.#o.rows.get(kept.row.id);
      // Another process took this one for gone, and said so: that stands.
      if (row === null || row.state === "lost") throw new GatewayError("outcome_unknown", "The row of a call that waits is gone.");
      this.#hear(kept, row);
    }
    throw new GatewayError("conflict", "The row of a call that waits changed again and again.");
  }
}

/** How a held call ended, as its row keeps it; null: it asks. */
async function outcomeOf(held: HeldCall): Promise<string | null> {
  try {
    const told = await held.told();
    return told.kind === "asks" ? null : encodeOutcome({ kind: "reply", replied: told.replied });
  } catch (error) {
    return encodeOutcome({ kind: "error", error: GatewayError.from(error) });
  }
}
