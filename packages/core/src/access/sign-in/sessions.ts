import type { Caller, Inbound } from "../../calls/index.js";
import { webSession, type UserRow, type WebSessionRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, now, remove, update, type Clock, type Crypto, type RecordStore, type Write } from "../../ports/index.js";
import type { Log } from "../../util/log.js";
import { newId } from "../../util/ids.js";
import { remoteAddressOf } from "../auth-hook.js";
import type { SessionCallers } from "../access.js";
import type { Directory, DirectorySnapshot } from "../directory.js";
import { keyDigest } from "../key-digest.js";
import type { PeopleIndex, Rights } from "../people/people-index.js";
import type { LateKey } from "../purpose-keys.js";
import { sessionToken } from "./cookies.js";
import { assertNotForged } from "./same-site.js";

/** What of the snapshot decides about sessions; a Snapshot is one. */
export interface SessionsSnapshot extends DirectorySnapshot {
  readonly config: {
    readonly access: { readonly sessions: { readonly idleMs: number; readonly maxMs: number } };
    readonly server: { readonly trustProxy: boolean };
  };
}
export interface SessionsServices {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly log: Log;
}
export interface SessionsOptions {
  /** The purpose key `web-sessions`. */
  readonly key: LateKey;
  readonly snapshot: () => SessionsSnapshot;
  readonly directory: Directory;
}
/** A session that has begun: what the browser gets. */
export interface BegunSession {
  readonly token: string;
  readonly csrf: string;
  readonly maxMs: number;
}
/** A session as it stands, with its caller. */
export interface KnownSession {
  readonly row: WebSessionRow;
  readonly caller: Caller;
}

/** A session is read again when it is older than this: one that was ended elsewhere is over as soon as a change of keys would be seen (ASVS 8.3.2). */
const FRESH_MS = 1_000;
const TOUCH_EVERY_MS = 60_000;
const WITHIN_MS = 10_000;
const MOST_KNOWN = 10_000;
const SWEEP = 500;
const scope = { system: "web sessions" };
/** Which project a user acts in; left out: the user's own, or the first with a role. */
export const PROJECT_HEADER = "x-sallyport-project";

/**
 * Browsers that have signed in, by a cookie of 256 random bits whose digest is stored. What a session may do is what its user may do now.
 * Concurrency: any number of requests; a session that was read within the last second costs no look-up.
 */
export class Sessions implements SessionCallers {
  readonly #services: SessionsServices;
  readonly #o: SessionsOptions;
  readonly #digest: (text: string) => string;
  readonly #known = new Map<string, { readonly row: WebSessionRow; readonly readAtMs: number }>();
  readonly #touchedAtMs = new Map<string, number>();

  constructor(services: SessionsServices, options: SessionsOptions) {
    this.#services = services;
    this.#o = options;
    this.#digest = keyDigest(services.crypto, options.key);
  }

  identify(inbound: Inbound): Caller | Promise<Caller> | null {
    const token = sessionToken(inbound);
    if (token === null) return null;
    const nowMs = this.#services.clock.now();
    const digest = this.#digest(token);
    const known = this.#known.get(digest);
    if (known !== undefined && nowMs - known.readAtMs < FRESH_MS) return this.#admit(known.row, token, inbound).caller;
    return this.#read(digest).then((row) => this.#admit(row, token, inbound).caller);
  }

  /** The session of a request, whatever its method does. Errors: `unauthenticated`. */
  async of(inbound: Inbound): Promise<KnownSession> {
    const token = sessionToken(inbound);
    if (token === null) throw over("The request carries no session.");
    const row = await this.#read(this.#digest(token));
    return { row, caller: this.#callerOf(row, inbound) };
  }

  /** The token that changes have to carry; null: the request has no session cookie. */
  csrfOf(inbound: Pick<Inbound, "header">): string | null {
    const token = sessionToken(inbound);
    return token === null ? null : this.#csrf(token);
  }

  /** Begins a session, with a token that nobody had before; the one that the browser had is over. `writes` go with it, in one unit. */
  async begin(
    user: UserRow,
    o: { readonly by: string; readonly inbound: Inbound; readonly writes?: readonly Write[] },
  ): Promise<BegunSession> {
    const { clock, crypto, store } = this.#services;
    const { config } = this.#o.snapshot();
    const token = base64url(crypto.random(32));
    const nowMs = clock.now();
    const row = {
      ...{ id: newId("session"), projectId: user.projectId, userId: user.id, digest: this.#digest(token), by: o.by },
      ...{ beganAtMs: nowMs, lastSeenAtMs: nowMs, expiresAtMs: nowMs + config.access.sessions.maxMs, revokedAtMs: null },
      ...{ address: remoteAddressOf(o.inbound, config.server), agent: o.inbound.header("user-agent")?.slice(0, 200) ?? null },
    };
    await this.end(o.inbound);
    const [result] = await store.commit([{ scope, writes: [insert(webSession, row), ...(o.writes ?? [])] }], this.#within());
    if (result?.ok !== true) throw over("The user is gone.");
    return { token, csrf: this.#csrf(token), maxMs: config.access.sessions.maxMs };
  }

  /** The same browser, after its user's sessions were ended. Errors: `unauthenticated`. */
  async beginAgain(userId: string, inbound: Inbound): Promise<BegunSession> {
    const { people } = this.#o.directory.of(this.#o.snapshot());
    const row = people.user(userId);
    if (row === undefined) throw over("The user is gone.");
    return this.begin(row, { by: "password", inbound });
  }

  /** The session of the request is over, on every node within a second. Gives its row; null: it had none. */
  async end(inbound: Pick<Inbound, "header">): Promise<WebSessionRow | null> {
    const token = sessionToken(inbound);
    if (token === null) return null;
    const digest = this.#digest(token);
    this.#known.delete(digest);
    const row = await this.#find(digest);
    if (row === null || row.revokedAtMs !== null) return null;
    const change = { set: { revokedAtMs: this.#services.clock.now() } };
    await this.#services.store.commit([{ scope, writes: [update(webSession, row.id, { change })] }], this.#within());
    return row;
  }

  /** Removes sessions that are over. Gives how many. */
  async sweep(): Promise<number> {
    const { store, clock } = this.#services;
    const query = { where: { expiresAtMs: { lt: clock.now() } }, orderBy: "expiresAtMs" as const, limit: SWEEP };
    const { rows } = await store.find(webSession, query, scope, this.#within());
    if (rows.length > 0)
      await store.commit(
        rows.map((row) => ({ scope, writes: [remove(webSession, row.id)] })),
        this.#within(),
      );
    for (const row of rows) this.#touchedAtMs.delete(row.id);
    return rows.length;
  }

  #admit(row: WebSessionRow, token: string, inbound: Inbound): KnownSession {
    const caller = this.#callerOf(row, inbound);
    assertNotForged(inbound, this.#csrf(token), this.#services.crypto);
    this.#touch(row);
    return { row, caller };
  }

  /** Errors: `unauthenticated` for a session that is over, and for a user that is gone or disabled; `forbidden` for a project in which the user has no role. */
  #callerOf(row: WebSessionRow, inbound: Inbound): Caller {
    const snapshot = this.#o.snapshot();
    const nowMs = this.#services.clock.now();
    const lastMs = Math.max(row.lastSeenAtMs, this.#touchedAtMs.get(row.id) ?? 0);
    if (row.revokedAtMs !== null || row.expiresAtMs <= nowMs || lastMs + snapshot.config.access.sessions.idleMs <= nowMs)
      throw over("The session is over.");
    const { people } = this.#o.directory.of(snapshot);
    const user = people.user(row.userId);
    if (user === undefined || !user.enabled || row.beganAtMs < user.sessionsFromMs) throw over("The session is over.");
    return callerOfUser(user, people, inbound.header(PROJECT_HEADER));
  }

  async #read(digest: string): Promise<WebSessionRow> {
    const row = await this.#find(digest);
    if (row === null) throw over("The session is not one of this gateway.");
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(digest, { row, readAtMs: this.#services.clock.now() });
    return row;
  }

  async #find(digest: string): Promise<WebSessionRow | null> {
    const { rows } = await this.#services.store.find(webSession, { where: { digest }, orderBy: "id", limit: 1 }, scope, this.#within());
    return rows[0] ?? null;
  }

  #csrf(token: string): string {
    return this.#digest(`csrf ${token}`).slice(0, 43);
  }

  #touch(row: WebSessionRow): void {
    const nowMs = this.#services.clock.now();
    if (nowMs - Math.max(row.lastSeenAtMs, this.#touchedAtMs.get(row.id) ?? 0) < TOUCH_EVERY_MS) return;
    if (this.#touchedAtMs.size >= MOST_KNOWN) this.#touchedAtMs.clear();
    this.#touchedAtMs.set(row.id, nowMs);
    const unit = { scope, writes: [update(webSession, row.id, { change: { set: { lastSeenAtMs: now } } })] };
    this.#services.store.commit([unit], this.#within()).catch((error: unknown) => {
      this.#services.log.debug("the last use of a session was not written", { code: GatewayError.from(error).code });
    });
  }

  #within(): { readonly deadlineMs: number } {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}

const callers = new WeakMap<Rights, Map<string, Caller>>();

/** The user as a caller in one of its projects. Errors: `forbidden` for a project in which it has no role. */
export function callerOfUser(user: UserRow, people: PeopleIndex, projectId: string | undefined): Caller {
  const rights = people.rightsOf(user.id, projectId);
  if (rights === null)
    throw new GatewayError("forbidden", `The user has no role in the project that ${PROJECT_HEADER} names.`, {
      hint: "Leave it out, or name another.",
    });
  let ofRights = callers.get(rights);
  if (ofRights === undefined) callers.set(rights, (ofRights = new Map()));
  let caller = ofRights.get(user.id);
  if (caller === undefined) {
    const { grants, projects, teamId } = rights;
    const known = { kind: "user" as const, id: user.id, name: user.name ?? user.username, projects, grants, userId: user.id };
    ofRights.set(user.id, (caller = Object.freeze(teamId === undefined ? known : { ...known, teamId })));
  }
  return caller;
}

function over(message: string): GatewayError {
  return new GatewayError("unauthenticated", message, { hint: "Sign in again: POST /api/v1/login." });
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
