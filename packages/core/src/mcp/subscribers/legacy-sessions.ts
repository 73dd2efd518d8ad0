import type { Caller } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock, Crypto } from "../../ports/index.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import type { View } from "../catalogue/view.js";
import { LegacySession } from "./legacy-session.js";
import type { Notifier } from "./notifier.js";
import { Watches } from "./watches.js";

/** A session that nobody used this long is forgotten; its client starts a new one when it is told so. */
const IDLE_MS = 1_800_000;
const SWEEP_MS = 60_000;
const MAX_SESSIONS = 10_000;
const MAX_SESSIONS_OF_ONE = 2_000;

export interface SessionsOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly catalogue: Catalogue;
  readonly notifier: Notifier;
}

/** The sessions of this process. A session id alone opens nothing: it is looked up together with the caller and the address. */
export class LegacySessions {
  readonly #o: SessionsOptions;
  readonly #sessions = new Map<string, { readonly session: LegacySession; readonly forget: () => void }>();
  readonly #ofCaller = new Map<string, number>();
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
  create(caller: Caller, view: View, version: string): LegacySession {
    this.#makeRoom(caller);
    const { clock, catalogue } = this.#o;
    const id = hex(this.#o.crypto.random(24));
    const session = new LegacySession({ id, caller, view, version, clock, watches: new Watches(catalogue, view) });
    this.#sessions.set(id, { session, forget: this.#o.notifier.add(session) });
    this.#ofCaller.set(caller.id, (this.#ofCaller.get(caller.id) ?? 0) + 1);
    this.#cancelSweep ??= clock.at(clock.now() + SWEEP_MS, () => this.#sweep());
    return session;
  }

  /** null: there is none of this id for this caller at this address. */
  find(id: string, caller: Caller, view: View): LegacySession | null {
    const session = this.#sessions.get(id)?.session;
    if (session === undefined || session.callerId !== caller.id || session.view.key !== view.key) return null;
    session.lastUsedMs = this.#o.clock.now();
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

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
