import type { ParkedCallRow } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { HeldCall } from "../held-call.js";
import { membersOf, objectOf } from "../members.js";
import type { ParkedRows } from "./parked-rows.js";
import { decodeOutcome, type Ended } from "./parked-texts.js";
import type { Parking, ParkingLimits, Place } from "./parking.js";
import type { Bond, RequestStates } from "./request-state.js";

/** Between two looks at a task, as its client is told. */
const POLL_MS = 1_000;
const TRIES = 5;
/** A server's own task is its own to forget; our handle of it holds as long. */
const HANDLE_MS = 30 * 86_400_000;
const HANDLE = "task-";

export interface TasksOptions {
  readonly states: RequestStates;
  readonly rows: ParkedRows;
  readonly parking: Parking;
  readonly limits: () => ParkingLimits;
  readonly now: () => number;
}
/** Whose a task is: another's is not there. */
export interface TaskOwner {
  readonly callerId: string;
  readonly address: string;
}
/** `ours`: a call that this gateway keeps; `theirs`: a task of a server, under our handle. */
export type FoundTask =
  | { readonly kind: "ours"; readonly tool: string; readonly row: ParkedCallRow }
  | { readonly kind: "theirs"; readonly tool: string; readonly server: string; readonly taskId: string };

/**
 * Handles of the tasks extension. A call that takes long, or asks, at a server up to 2025-11-25 becomes a task of ours: its row says at every process how it stands. The tasks of servers since 2026-07-28 are reached under sealed handles that
 * name their server and open for one caller at one address.
 */
export class Tasks {
  readonly #o: TasksOptions;
  constructor(options: TasksOptions) {
    this.#o = options;
  }

  /** Its row stands when this resolves: what a client is told of it is true at once, everywhere. As members of `Task`, without braces. Errors: `overloaded`, those of the store. */
  async create(held: HeldCall, place: Omit<Place, "kind">): Promise<string> {
    const { id } = await this.#o.parking.keep(held, { kind: "task", ...place });
    const row = await this.#o.rows.get(id);
    if (row === null) throw new GatewayError("outcome_unknown", "The task is gone already.");
    return taskMembers(row, row.state === "asked" ? "input_required" : "working");
  }

  handleOf(taskId: string, of: { readonly server: string; readonly tool: string }, owner: TaskOwner): string {
    return (
      HANDLE +
      this.#o.states.seal({ kind: "task", server: of.server, tool: of.tool, theirs: taskId }, bondOf(owner), this.#o.now() + HANDLE_MS)
    );
  }

  /** null: there is none for this caller at this address, or not any more. Errors: those of the store. */
  async find(taskId: string, owner: TaskOwner): Promise<FoundTask | null> {
    const { states, rows } = this.#o;
    if (taskId.startsWith(HANDLE)) {
      const carried = states.open(taskId.slice(HANDLE.length), bondOf(owner))?.carried;
      return carried?.kind === "task" ? { kind: "theirs", tool: carried.tool, server: carried.server, taskId: carried.theirs } : null;
    }
    const row = await rows.get(taskId);
    if (row === null || row.kind !== "task" || row.callerId !== rows.callerOf(owner.callerId) || row.address !== owner.address) return null;
    if (isOpen(row) && !(await rows.isKept(row)) && (await rows.move(row, { state: "lost" })))
      return { kind: "ours", tool: row.tool, row: { ...row, state: "lost" } };
    return { kind: "ours", tool: row.tool, row };
  }

  /** How it stands, as members of a detailed task; `encode`: how it ended, in its caller's terms, as a member. */
  told(
    row: ParkedCallRow,
    encode: (ended: Exclude<Ended, { kind: "cancelled" }>) => { readonly status: "completed" | "failed"; readonly member: string },
  ): string {
    const { rows } = this.#o;
    if (row.state === "cancelled") return taskMembers(row, "cancelled");
    const open = openQuestions(row, rows);
    if (open !== null) return `${taskMembers(row, "input_required")},"inputRequests":${open}`;
    if (isOpen(row)) return taskMembers(row, "working");
    const ended: Ended = row.state === "lost" ? { kind: "error", error: lost() } : decodeOutcome(rows.read(row, "outcome"));
    if (ended.kind === "cancelled") return taskMembers(row, "cancelled");
    const { status, member } = encode(ended);
    return `${taskMembers(row, status)},${member}`;
  }

  /** Hands it answers, by key, as JSON texts; those that nobody asked for, or that came before, are left out. Errors: those of the store; `conflict`. */
  update(row: ParkedCallRow, responses: ReadonlyMap<string, string>): Promise<void> {
    const { rows } = this.#o;
    return this.#change(row, (current) => {
      if (current.state !== "asked" && current.state !== "answered") return null;
      const asked = membersOf(rows.read(current, "questions") ?? "{}");
      const fitting = [...responses].filter(([key]) => asked.has(key));
      const answers = new Map([...fitting, ...membersOf(rows.read(current, "answers") ?? "{}")]);
      return fitting.length === 0 ? null : { state: "answered", answers: objectOf(answers) };
    });
  }

  /** Errors: those of the store; `conflict`. */
  cancel(row: ParkedCallRow): Promise<void> {
    return this.#change(row, (current) => (isOpen(current) && current.state !== "cancelled" ? { state: "cancelled" } : null));
  }

  async #change(row: ParkedCallRow, to: (row: ParkedCallRow) => Parameters<ParkedRows["move"]>[1] | null): Promise<void> {
    const { rows, parking } = this.#o;
    for (let tries = 0, current: ParkedCallRow | null = row; tries < TRIES && current !== null; tries++) {
      const move = to(current);
      if (move === null) return;
      if (await rows.move(current, move)) return parking.hint();
      current = await rows.get(row.id);
    }
    throw new GatewayError("conflict", "The task changed again and again.", { hint: "Repeat it in a moment.", retryAfterMs: POLL_MS });
  }
}

/** Those that nobody answered, also while its process has not heard of answers to others; null: there are none. */
function openQuestions(row: ParkedCallRow, rows: ParkedRows): string | null {
  if (row.state !== "asked" && row.state !== "answered") return null;
  const answered = membersOf(rows.read(row, "answers") ?? "{}");
  const open = [...membersOf(rows.read(row, "questions") ?? "{}")].filter(([key]) => !answered.has(key));
  return open.length === 0 ? null : objectOf(new Map(open));
}

function isOpen({ state }: ParkedCallRow): boolean {
  return state !== "told" && state !== "lost";
}

type Status = "working" | "input_required" | "completed" | "failed" | "cancelled";

function taskMembers(row: ParkedCallRow, status: Status): string {
  const { id: taskId, createdAtMs, movedAtMs, expiresAtMs } = row;
  const iso = (ms: number): string => new Date(ms).toISOString();
  const task = {
    taskId,
    status,
    createdAt: iso(createdAtMs),
    lastUpdatedAt: iso(movedAtMs),
    ttlMs: expiresAtMs - createdAtMs,
    pollIntervalMs: POLL_MS,
  };
  return JSON.stringify(task).slice(1, -1);
}

function bondOf({ callerId, address }: TaskOwner): Bond {
  return { callerId, address, server: "", method: "tasks", asked: "null" };
}
function lost(): GatewayError {
  return new GatewayError("outcome_unknown", "The process that kept this task is gone. Nobody knows whether the tool ran to its end.", {
    hint: "Look whether its effect is there before you call it again.",
  });
}
