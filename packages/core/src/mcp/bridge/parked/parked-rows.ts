import { node, parkedCall, type ParkedCallRow } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import { insert, now, nowPlus, remove, update } from "../../../ports/index.js";
import type { Services } from "../../../seams/index.js";
import { toHex } from "../../../util/encoding/hex.js";
import type { RequestStates } from "./request-state.js";
import { sweepExpired } from "./sweep-expired.js";

const WITHIN_MS = 5_000;
const MAX_CALLER = 100;
const PAGE = 200;
const SCOPE = { system: "calls of MCP clients that wait" };
const encoder = new TextEncoder();

/** What of a row is sealed. */
export type Sealed = "questions" | "answers" | "outcome";
export type Parked = Pick<ParkedCallRow, "id" | "kind" | "callerId" | "address" | "server" | "tool">;
export type Move = Partial<Pick<ParkedCallRow, "state" | "round">> & { readonly [K in Sealed]?: string | null };

/** The rows of calls and questions that wait. Every change of state is guarded by the version that was read: of two that would answer one question, one does. */
export class ParkedRows {
  readonly #services: Services;
  readonly #states: RequestStates;
  constructor(services: Services, states: RequestStates) {
    this.#services = services;
    this.#states = states;
  }

  /** A caller's id as a row has it: what is too long stands as its digest. */
  callerOf(callerId: string): string {
    return callerId.length <= MAX_CALLER ? callerId : this.digest(callerId);
  }
  digest(text: string): string {
    return toHex(this.#services.crypto.sha256(encoder.encode(text)));
  }

  /** Errors: those of the store. */
  async insert(parked: Parked, move: Move & Pick<ParkedCallRow, "state">, keptMs: number): Promise<ParkedCallRow> {
    const { store, nodeId } = this.#services;
    const row = {
      ...parked,
      ...{ nodeId, callerId: this.callerOf(parked.callerId), round: 1, questions: null, answers: null, outcome: null },
      ...{ ...this.#sealed(parked.id, move), state: move.state },
      ...{ movedAtMs: now, expiresAtMs: nowPlus(keptMs) },
    };
    const [result] = await store.commit([{ scope: SCOPE, writes: [insert(parkedCall, row)] }], this.#within());
    if (result?.ok !== true) throw new GatewayError("internal", "A row for a call that waits was there already.");
    const made = await this.get(parked.id);
    if (made === null) throw new GatewayError("internal", "A row for a call that waits is gone.");
    return made;
  }

  /** null: there is none, or its time is over. Errors: those of the store. */
  async get(id: string): Promise<ParkedCallRow | null> {
    return this.#services.store.get(parkedCall, id, SCOPE, this.#within());
  }

  /** False: somebody was first. Errors: those of the store. */
  async move(row: Pick<ParkedCallRow, "id" | "version">, move: Move, keptMs?: number): Promise<boolean> {
    const set = { ...this.#sealed(row.id, move), movedAtMs: now, ...(keptMs === undefined ? {} : { expiresAtMs: nowPlus(keptMs) }) };
    const write = update(parkedCall, row.id, { change: { set }, ifVersion: row.version });
    const [result] = await this.#services.store.commit([{ scope: SCOPE, writes: [write] }], this.#within());
    return result?.ok === true;
  }

  async remove(id: string): Promise<void> {
    await this.#services.store.commit([{ scope: SCOPE, writes: [remove(parkedCall, id)] }], this.#within());
  }

  /** What others wrote for this process to take. Errors: those of the store. */
  async forUs(): Promise<readonly ParkedCallRow[]> {
    const where = { nodeId: this.#services.nodeId, state: { in: ["answered", "cancelled"] as const } };
    return (await this.#services.store.find(parkedCall, { where, orderBy: "movedAtMs", limit: PAGE }, SCOPE, this.#within())).rows;
  }

  isOurs(row: ParkedCallRow): boolean {
    return row.nodeId === this.#services.nodeId;
  }

  /** Whether the process that keeps it lives. Errors: those of the store. */
  async isKept(row: ParkedCallRow): Promise<boolean> {
    const { store, nodeId } = this.#services;
    if (row.nodeId === nodeId) return true;
    const [keeper, nowMs] = await Promise.all([store.get(node, row.nodeId, SCOPE, this.#within()), store.now(this.#within())]);
    return keeper !== null && keeper.state !== "gone" && keeper.leaseUntilMs > nowMs;
  }

  /** JSON text of a sealed field; null: there is none, or it does not open. */
  read(row: ParkedCallRow, field: Sealed): string | null {
    const sealed = row[field];
    return sealed === null ? null : this.#states.openText(sealed, `${row.id}/${field}`);
  }

  /** Removes those whose time is over. Errors: those of the store. */
  sweep(): Promise<void> {
    return sweepExpired(this.#services, parkedCall, SCOPE);
  }

  #sealed(id: string, move: Move): Partial<ParkedCallRow> {
    const { questions, answers, outcome, ...plain } = move;
    const out: { [K in Sealed]?: string | null } = {};
    for (const [field, text] of Object.entries({ questions, answers, outcome }) as [Sealed, string | null | undefined][])
      if (text !== undefined) out[field] = text === null ? null : this.#states.sealText(text, `${id}/${field}`);
    return { ...plain, ...out };
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}
