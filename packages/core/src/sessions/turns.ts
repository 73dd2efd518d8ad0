import type { Message } from "../calls/index.js";
import type { Config } from "../config/schema.js";
import { session, type SessionRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { now, nowPlus, update, type Where, type Write } from "../ports/index.js";
import type { Conversations, EndedTurn, HeldTurn, OpenedTurn } from "../seams/index.js";
import type { HotTails } from "./context/hot-tails.js";
import { assertMayWrite, noSuchSession, seenBy } from "./session-access.js";
import { entryOf, type SessionRecords } from "./session-records.js";
import { turnContext } from "./context/turn-context.js";

export interface TurnsOptions {
  readonly records: SessionRecords;
  readonly tails: HotTails;
  readonly config: () => Config["sessions"];
  readonly ready: () => Promise<void>;
}

/**
 * The turns of sessions: a run takes the turn in the unit that stores it, and in the unit that ends it appends its messages, all of them, and gives the turn back. So a turn is in the session wholly or not at all, once,
 * whichever processes carried its run out.
 */
export class Turns implements Conversations {
  readonly #o: TurnsOptions;

  constructor(options: TurnsOptions) {
    this.#o = options;
  }

  async open(
    sessionId: string,
    o: { readonly caller: Parameters<Conversations["open"]>[1]["caller"]; readonly runId: string },
  ): Promise<OpenedTurn> {
    const { records } = this.#o;
    const { caller, runId } = o;
    assertMayWrite(caller);
    await this.#o.ready();
    const row = await records.mustGet(sessionId, caller);
    if (row.projectId !== caller.projects[0])
      throw new GatewayError("validation_failed", "session: it belongs to another of the caller's projects than the one that it acts in.", {
        hint: "Act in the session's project.",
        details: { field: "session", projectId: row.projectId },
      });
    // Guarded by what the turn knows of, too: another process may have made a whole turn since the row was read.
    const free: Where<SessionRow> = { turnId: await this.#holder(row, runId), lastSeq: row.lastSeq };
    const set = { turnId: runId, lastAccessedAtMs: now, expiresAtMs: nowPlus(records.ttlMs) };
    return {
      sessionId: row.id,
      projectId: row.projectId,
      userId: row.userId,
      seq: row.lastSeq,
      model: row.model,
      tools: row.mcp.tools,
      writes: [update(session, row.id, { change: { set }, where: { ...seenBy(caller), ...free } })],
    };
  }

  async refused(turn: OpenedTurn, caller: Parameters<Conversations["refused"]>[1]): Promise<Error | null> {
    const row = await this.#o.records.get(turn.sessionId, caller);
    if (row === null) return noSuchSession(turn.sessionId);
    return row.lastSeq === turn.seq ? busy(row) : null;
  }

  async context(turn: HeldTurn, o: Parameters<Conversations["context"]>[1]): Promise<Message[]> {
    const { records, tails, config } = this.#o;
    const row = await records.services.store.get(session, turn.id, { projects: [o.projectId] }, records.within());
    if (row === null || row.status !== "active") throw noSuchSession(turn.id);
    return turnContext(row, { records, tails, config: config(), upToSeq: turn.seq, input: o.input, options: o.options });
  }

  closing(turn: HeldTurn, o: Parameters<Conversations["closing"]>[1]): Write[] {
    const { projectId, runId, callerId, ended } = o;
    const where: Where<SessionRow> = { turnId: runId, status: "active" };
    if (ended === null) return [update(session, turn.id, { change: { set: { turnId: null } }, where })];
    const entries = ended.messages.map((message, i) =>
      entryOf(message, {
        author: callerId.slice(0, 100),
        model: message.role === "assistant" ? ended.model : null,
        usage: i === ended.messages.length - 1 ? toUsage(ended) : null,
        runId,
      }),
    );
    return this.#o.records.appending({ id: turn.id, projectId, entries }, { where, more: { turnId: null } });
  }

  /** Whose turn it may be taken from: nobody's, or a run's that has ended without giving it back. Errors: `conflict`. */
  async #holder(row: SessionRow, runId: string): Promise<string | null> {
    const { turnId } = row;
    if (turnId === null || turnId === runId) return turnId;
    if (await this.#o.records.isBusy(row)) throw busy(row);
    return turnId;
  }
}

function toUsage({ usage }: EndedTurn): Record<string, unknown> {
  return { ...usage };
}

export function busy({ id, turnId }: SessionRow): GatewayError {
  return new GatewayError("conflict", "Another run has the session's turn.", {
    hint: "Wait for that run, or cancel it, and send this again; to say something else meanwhile, branch the session.",
    details: { session: id, run: turnId },
  });
}
