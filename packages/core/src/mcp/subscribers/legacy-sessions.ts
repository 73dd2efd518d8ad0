import type { Caller, JsonObject } from "../../calls/index.js";
import type { McpSessionRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock, Crypto } from "../../ports/index.js";
import { toHex } from "../../util/encoding/hex.js";
import { newId } from "../../util/ids.js";
import type { ClientCapabilities } from "../bridge/question.js";
import type { QuestionRows, SessionKey } from "../bridge/parked/question-rows.js";
import { answerOf } from "../bridge/session-questions.js";
import { textAt } from "../frames/json-scan.js";
import type { RpcMessage } from "../frames/message.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { lasting, type View } from "../catalogue/view.js";
import { LegacySession } from "./legacy-session.js";
import type { Notifier } from "./notifier.js";
import type { SharedSessions } from "./shared-sessions.js";
import { Watches, type AssertSayable } from "./watches.js";

/** A session that nobody used this long is forgotten by this process; its client starts a new one when it is told so, or another process goes on with it. */
const IDLE_MS = 1_800_000;
const SWEEP_MS = 60_000;
const MAX_SESSIONS = 10_000;
const MAX_SESSIONS_OF_ONE = 2_000;

export interface SessionsOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly catalogue: Catalogue;
  readonly notifier: Notifier;
  readonly assertSayable: AssertSayable;
  /** Left out: no other process may go on with a session. */
  readonly shared?: SharedSessions | undefined;
  /** Left out: clients are asked by this process alone. */
  readonly questions?: QuestionRows | undefined;
  /** A session asks for other logs than before, for what another process was told. */
  readonly onLogs?: (() => void) | undefined;
}

/** What a client opens a session with. */
export interface Opened {
  readonly caller: Caller;
  readonly view: View;
  readonly version: string;
  readonly capabilities: ClientCapabilities;
}

/** What a session that is made anew from its row may take to watch what it watched. */
const WATCH_MS = 10_000;

/**
 * The sessions that this process knows. A session id alone opens nothing: it is looked up together with the caller and the address. One that another process opened is taken from its row with its first request here, and
 * followed from then on.
 */
export class LegacySessions {
  readonly #o: SessionsOptions;
  readonly #sessions = new Map<string, { readonly session: LegacySession; readonly forget: () => void }>();
  readonly #ofCaller = new Map<string, number>();
  /** By the id of the row. */
  readonly #rows = new Map<string, LegacySession>();
  #cancelSweep: (() => void) | null = null;

  constructor(options: SessionsOptions) {
    this.#o = options;
  }

  get size(): number {
    return this.#sessions.size;
  }
  all(): Iterable<LegacySession> {
    return [...this.#sessions.values()].map(({ session }) => session);
  }

  /** Errors: `overloaded` when there are too many that are in use. */
  create(opened: Opened): LegacySession {
    return this.#add(toHex(this.#o.crypto.random(24)), opened);
  }

  /** Lets other processes go on with it; when that cannot be written, it is of this one alone. */
  async share(session: LegacySession): Promise<void> {
    if ((await this.#o.shared?.open(session)) === true) session.row = { version: 1, cancelled: 0 };
  }

  /** One that another process opened; null: there is none of this id for this caller at this address. Errors: those of the store, `overloaded`. */
  async adopt(id: string, caller: Caller, view: View): Promise<LegacySession | null> {
    const row = (await this.#o.shared?.find(id, caller, view)) ?? null;
    if (row === null) return null;
    // Another request was first.
    const known = this.find(id, caller, view);
    if (known !== null) return known;
    const session = this.#add(id, { caller, view, version: row.revision, capabilities: row.capabilities as JsonObject });
    session.row = { version: 0, cancelled: row.cancelled.before + row.cancelled.ids.length };
    await this.#apply(session, row);
    return session;
  }

  /** What a request did to the session holds at every process. Errors: those of the store; `conflict`. */
  async tell(
    session: LegacySession,
    to: (row: McpSessionRow) => Partial<Pick<McpSessionRow, "watches" | "logLevel">> | null,
  ): Promise<void> {
    if (session.row === null) return;
    const row = await this.#o.shared?.change(session.id, to);
    if (row !== null && row !== undefined) await this.#apply(session, row);
  }

  /** A request that runs at another process was cancelled. Errors: those of the store. */
  async cancelElsewhere(session: LegacySession, requestId: string): Promise<void> {
    if (session.row !== null) await this.#o.shared?.cancel(session.id, requestId);
  }

  /** A row changed, perhaps by another process. */
  follow(row: McpSessionRow): void {
    const session = this.#rows.get(row.id);
    if (session === undefined || session.row === null || row.version <= session.row.version) return;
    if (row.endedAtMs !== null) this.end(session);
    else void this.#apply(session, row);
  }

  /** Ends it for every process. Errors: those of the store; here it has ended all the same. */
  async endEverywhere(session: LegacySession): Promise<void> {
    this.end(session);
    if (session.row !== null) await this.#o.shared?.end(session.id);
  }

  async #apply(session: LegacySession, row: McpSessionRow): Promise<void> {
    const known = session.row;
    if (known === null || row.version <= known.version) return;
    const cancelled = row.cancelled.ids.slice(Math.max(0, known.cancelled - row.cancelled.before));
    session.row = { version: row.version, cancelled: row.cancelled.before + row.cancelled.ids.length };
    for (const id of cancelled) session.cancel(id);
    if (row.logLevel !== null && row.logLevel !== session.logLevel) {
      session.setLogs(row.logLevel);
      this.#o.onLogs?.();
    }
    const wanted = new Set(row.watches);
    for (const uri of session.watches.uris) if (!wanted.has(uri)) session.watches.remove(uri);
    const { clock } = this.#o;
    const o = { caller: session.caller, signal: new AbortController().signal, deadlineMs: clock.now() + WATCH_MS, depth: 0 };
    // What cannot be watched here now may be at another process.
    await Promise.all(row.watches.map((uri) => session.watches.add(uri, { ...o, requestId: newId("req") }).catch(() => undefined)));
  }

  /** The client answered a question that another process asked. Errors: those of the store. */
  async answeredElsewhere(session: LegacySession, message: RpcMessage): Promise<void> {
    const { bytes, id } = message;
    const questionId: unknown = id === null ? null : JSON.parse(textAt(bytes, id));
    await this.#o.questions?.deliver(keyOf(session), questionId, answerOf(message));
  }

  #add(id: string, o: Opened): LegacySession {
    const { caller, version, capabilities } = o;
    const view = lasting(o.view);
    this.#makeRoom(caller);
    const { clock, catalogue, assertSayable } = this.#o;
    const elsewhere = this.#o.questions?.of(keyOf({ id, callerId: caller.id, view })) ?? null;
    const session = new LegacySession({
      ...{ id, caller, view, version, capabilities, elsewhere, clock },
      watches: new Watches({ catalogue, view, assertSayable }),
    });
    this.#sessions.set(id, { session, forget: this.#o.notifier.add(session) });
    if (this.#o.shared !== undefined) this.#rows.set(this.#o.shared.rowId(id), session);
    this.#ofCaller.set(caller.id, (this.#ofCaller.get(caller.id) ?? 0) + 1);
    this.#cancelSweep ??= clock.at(clock.now() + SWEEP_MS, () => this.#sweep());
    return session;
  }

  /** null: there is none of this id for this caller at this address. */
  find(id: string, caller: Caller, view: View): LegacySession | null {
    const session = this.#sessions.get(id)?.session;
    if (session === undefined || session.callerId !== caller.id || session.view.key !== view.key) return null;
    session.lastUsedMs = this.#o.clock.now();
    session.caller = caller;
    // Last used, last dropped.
    const entry = this.#sessions.get(id)!;
    this.#sessions.delete(id);
    this.#sessions.set(id, entry);
    return session;
  }

  end(session: LegacySession): void {
    const entry = this.#sessions.get(session.id);
    if (entry === undefined) return;
    this.#sessions.delete(session.id);
    if (this.#o.shared !== undefined) this.#rows.delete(this.#o.shared.rowId(session.id));
    entry.forget();
    const left = (this.#ofCaller.get(session.callerId) ?? 1) - 1;
    if (left > 0) this.#ofCaller.set(session.callerId, left);
    else this.#ofCaller.delete(session.callerId);
    session.close();
  }

  close(): void {
    this.#cancelSweep?.();
    for (const session of this.all()) this.end(session);
  }

  #makeRoom(caller: Caller): void {
    if ((this.#ofCaller.get(caller.id) ?? 0) >= MAX_SESSIONS_OF_ONE) this.#dropIdle((session) => session.callerId === caller.id);
    else if (this.#sessions.size >= MAX_SESSIONS) this.#dropIdle(() => true);
  }

  #dropIdle(candidate: (session: LegacySession) => boolean): void {
    for (const { session } of this.#sessions.values()) if (!session.isBusy && candidate(session)) return this.end(session);
    throw new GatewayError("overloaded", "There are too many MCP sessions.", {
      hint: "Close sessions that are not used any more.",
      retryAfterMs: SWEEP_MS,
    });
  }

  #sweep(): void {
    this.#cancelSweep = null;
    const oldestMs = this.#o.clock.now() - IDLE_MS;
    for (const session of this.all()) if (!session.isBusy && session.lastUsedMs < oldestMs) this.end(session);
    if (this.#sessions.size > 0) this.#cancelSweep = this.#o.clock.at(this.#o.clock.now() + SWEEP_MS, () => this.#sweep());
  }
}

function keyOf({ id, callerId, view }: Pick<LegacySession, "id" | "callerId" | "view">): SessionKey {
  return { sessionId: id, callerId, address: view.key };
}
