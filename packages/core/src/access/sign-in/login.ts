import { DEFAULT_PROJECT, type Inbound } from "../../calls/index.js";
import { user, type UserRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { now, update, type Clock, type Counters, type Crypto, type RecordStore, type Write } from "../../ports/index.js";
import { remoteAddressOf } from "../auth-hook.js";
import { signInWrite, type SignInEvent } from "../auth-events.js";
import type { Passwords } from "../people/passwords.js";
import type { BegunSession, Sessions, SessionsSnapshot } from "./sessions.js";
import { assertOwnPage } from "./same-site.js";
import { normalName, SignInTries } from "./tries.js";

export interface LoginServices {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly counters: Counters;
}
export interface LoginOptions {
  readonly sessions: Sessions;
  readonly passwords: Passwords;
  readonly snapshot: () => SessionsSnapshot;
}
export interface SignedIn {
  readonly user: UserRow;
  readonly session: BegunSession;
}

const WITHIN_MS = 10_000;

/**
 * Sign-in with a password. Whoever fails learns nothing: the same error in the same time, whether there is such a user or not (T40). Tries are limited by address and by account.
 */
export class Login {
  readonly #services: LoginServices;
  readonly #o: LoginOptions;
  readonly #tries: SignInTries;

  constructor(services: LoginServices, options: LoginOptions) {
    this.#services = services;
    this.#o = options;
    this.#tries = new SignInTries(services);
  }

  /** Errors: `unauthenticated`, `rate_limited`, `origin_refused` for a page of another origin, `overloaded`, `missing_dependency`. */
  async withPassword(
    given: { readonly username: string; readonly password: string },
    inbound: Inbound,
    requestId: string,
  ): Promise<SignedIn> {
    assertOwnPage(inbound);
    const address = remoteAddressOf(inbound, this.#o.snapshot().config.server);
    const giveBack = await this.#tries.password(given.username, address);
    const row = await this.#find(given.username);
    const isRight = await this.#o.passwords.verify(given.password, row?.passwordHash ?? null);
    const about = { kind: "login" as const, projectId: row?.projectId ?? DEFAULT_PROJECT, userId: row?.id ?? null, address, requestId };
    if (!isRight || row === null || !row.enabled) {
      await this.#record({ ...about, outcome: "failed" });
      throw new GatewayError("unauthenticated", "The user name or the password is not right.", {
        hint: "Try again, or have the password reset.",
      });
    }
    await giveBack();
    const writes = this.loginWrites(row, { ...about, outcome: "ok" });
    return { user: row, session: await this.#o.sessions.begin(row, { by: "password", inbound, writes }) };
  }

  /** What a sign-in leaves behind, beside its session. */
  loginWrites(row: UserRow, event: SignInEvent): Write[] {
    return [update(user, row.id, { change: { set: { lastLoginAtMs: now } } }), signInWrite(event, this.#services.clock.now())];
  }

  /** Something else that a password is asked for, under the same limits. */
  async limited<T>(account: string, inbound: Inbound, work: () => Promise<T>): Promise<T> {
    const giveBack = await this.#tries.password(account, remoteAddressOf(inbound, this.#o.snapshot().config.server));
    const done = await work();
    await giveBack();
    return done;
  }

  async logout(inbound: Inbound, requestId: string): Promise<void> {
    const row = await this.#o.sessions.end(inbound);
    if (row === null) return;
    const address = remoteAddressOf(inbound, this.#o.snapshot().config.server);
    await this.#record({ kind: "logout", outcome: "ok", projectId: row.projectId, userId: row.userId, address, requestId });
  }

  async #find(username: string): Promise<UserRow | null> {
    if (username.length > 100) return null;
    const where = { username: normalName(username) };
    const { rows } = await this.#services.store.find(user, { where, orderBy: "id", limit: 1 }, { system: "sign-in" }, this.#within());
    return rows[0] ?? null;
  }

  async #record(event: SignInEvent): Promise<void> {
    const writes = [signInWrite(event, this.#services.clock.now())];
    await this.#services.store.commit([{ scope: { system: "sign-in" }, writes }], this.#within());
  }

  #within(): { readonly deadlineMs: number } {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}
