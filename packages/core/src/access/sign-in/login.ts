import { DEFAULT_PROJECT, type Inbound } from "../../calls/index.js";
import { user, type UserRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { now, update, type Clock, type Counters, type Crypto, type RecordStore, type Write } from "../../ports/index.js";
import { remoteAddressOf } from "../auth-hook.js";
import { signInWrite, type SignInEvent } from "../auth-events.js";
import type { Passwords } from "../people/passwords.js";
import type { BegunSession, Sessions, SessionsSnapshot } from "./sessions.js";
import { assertOwnPage } from "./same-site.js";

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
const MINUTE_MS = 60_000;
/** Failed tries; a sign-in that succeeds gives its try back. */
const tries = { address: { limit: 30, windowMs: 5 * MINUTE_MS }, account: { limit: 10, windowMs: 15 * MINUTE_MS } } as const;
const encoder = new TextEncoder();

/**
 * Sign-in with a password. Whoever fails learns nothing: the same error in the same time, whether there is such a user or not (T40). Tries are limited by address and by account.
 */
export class Login {
  readonly #services: LoginServices;
  readonly #o: LoginOptions;

  constructor(services: LoginServices, options: LoginOptions) {
    this.#services = services;
    this.#o = options;
  }

  /** Errors: `unauthenticated`, `rate_limited`, `origin_refused` for a page of another origin, `overloaded`, `missing_dependency`. */
  async withPassword(
    given: { readonly username: string; readonly password: string },
    inbound: Inbound,
    requestId: string,
  ): Promise<SignedIn> {
    assertOwnPage(inbound);
    const address = remoteAddressOf(inbound, this.#o.snapshot().config.server);
    const giveBack = await this.#spend(given.username, address);
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
    const giveBack = await this.#spend(account, remoteAddressOf(inbound, this.#o.snapshot().config.server));
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

  /** Gives back the try, for who turned out to be right. */
  async #spend(username: string, address: string | null): Promise<() => Promise<void>> {
    const { counters, clock, crypto } = this.#services;
    const name = [...crypto.sha256(encoder.encode(username.slice(0, 1_000)))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const keys = { address: `login:address:${address ?? "unknown"}`, account: `login:account:${name}` };
    const within = { deadlineMs: clock.now() + WITHIN_MS };
    const spent = await counters.spend(
      [
        { key: keys.address, cost: 1, ...tries.address },
        { key: keys.account, cost: 1, ...tries.account },
      ],
      within,
    );
    if (!spent.ok)
      throw new GatewayError("rate_limited", "Too many tries to sign in.", {
        retryAfterMs: Math.max(1_000, (spent.retryAtMs ?? clock.now() + MINUTE_MS) - clock.now()),
      });
    return async () => {
      const { at } = spent;
      await Promise.all(
        [keys.address, keys.account].map((key) => counters.adjust({ key, delta: -1, at }, { deadlineMs: clock.now() + WITHIN_MS })),
      );
    };
  }

  async #find(username: string): Promise<UserRow | null> {
    if (username.length > 100) return null;
    const where = { username: username.toLowerCase() };
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
