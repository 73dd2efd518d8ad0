import type { Caller } from "../../calls/index.js";
import { roleBinding, user, username as usernameForm, webSession, type UserRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, remove, update, type Clock, type RecordStore, type Scope, type Write } from "../../ports/index.js";
import { newId } from "../../util/ids.js";
import { changeWrites, type Actor } from "../auth-events.js";
import type { Directory, DirectorySnapshot } from "../directory.js";
import { assertMayGive } from "../grants/within.js";
import { assertProject } from "../keys/key-rules.js";
import type { Passwords } from "./passwords.js";
import type { PeopleIndex } from "./people-index.js";

/** What of the services it needs; Services is one. */
export interface UsersServices {
  readonly store: RecordStore;
  readonly clock: Clock;
}
export interface UsersOptions {
  readonly directory: Directory;
  readonly snapshot: () => DirectorySnapshot;
  readonly passwords: Passwords;
  readonly owner: () => Caller;
  readonly ready: () => Promise<void>;
  readonly changed: (id: string) => Promise<void>;
}
export interface NewUser {
  /** 1 to 100 of a-z, 0-9 and . _ @ + -; nobody else's. */
  readonly username: string;
  /** 8 characters or more, 1 KB at the most; left out: signs in with an OpenID provider only. */
  readonly password?: string | undefined;
  readonly name?: string | null | undefined;
  readonly email?: string | null | undefined;
  /** Whose people administer the account; the maker's first project when left out. */
  readonly projectId?: string | undefined;
  /** Held in that project from the start: owner, admin, developer, viewer, billing, or the id of a custom role. */
  readonly role?: string | undefined;
}
/** A user as people see it. */
export type UserView = Readonly<Omit<UserRow, "passwordHash" | "externalId">>;

const WITHIN_MS = 10_000;
const MAX_BELONGING = 1_000;
const REMOVAL: Scope = { system: "a user is removed" };

/**
 * People who sign in. What they may do is said by role bindings; nobody can give, reset or take from anybody what they do not have themselves.
 * Every method acts as the owner, or as `by`. Errors of every method: those of the store, `forbidden`, `not_found` also for a user of another project.
 */
export class Users {
  readonly #services: UsersServices;
  readonly #o: UsersOptions;

  constructor(services: UsersServices, options: UsersOptions) {
    this.#services = services;
    this.#o = options;
  }

  /** Errors: `validation_failed`, `conflict` when the name is taken. */
  async create(input: NewUser, by?: Actor): Promise<UserView> {
    const actor = await this.#actor(by);
    const projectId = input.projectId ?? actor.caller.projects[0];
    assertProject(projectId, actor.caller);
    if (!usernameForm.safeParse(input.username).success) throw invalid("username", "has 1 to 100 of a-z, 0-9 and . _ @ + -");
    const id = newId("user");
    const nowMs = this.#services.clock.now();
    const row = {
      ...{ id, projectId, username: input.username, name: input.name ?? null, email: input.email ?? null, enabled: true },
      ...{ passwordHash: input.password === undefined ? null : await this.#o.passwords.hash(input.password), externalId: null },
      ...{ lastLoginAtMs: null, sessionsFromMs: 0 },
    };
    const writes: Write[] = [insert(user, row), ...changeWrites({ kind: "user.created", targetId: id, projectId }, actor, nowMs)];
    if (input.role !== undefined) writes.push(...this.#grant(row, input.role, actor));
    await this.#commit(writes, id);
    return this.#view(id);
  }

  async list(
    query: { readonly limit?: number; readonly cursor?: string } = {},
    by?: Actor,
  ): Promise<{ readonly users: readonly UserView[]; readonly next: string | null }> {
    const { caller } = await this.#actor(by);
    const limit = Math.min(query.limit ?? 100, 1_000);
    const page = await this.#services.store.find(user, { orderBy: "id", limit, cursor: query.cursor }, scopeOf(caller), this.#within());
    return { users: page.rows.map(userView), next: page.next };
  }

  async get(id: string, by?: Actor): Promise<UserView> {
    const { caller } = await this.#actor(by);
    return userView(await this.#stored(id, caller));
  }

  /**
   * Sets a password and ends the user's sessions. Of oneself only with `current`; of somebody else only by who has all that they have.
   * Errors: `unauthenticated` for a wrong current password, `validation_failed`.
   */
  async setPassword(id: string, o: { readonly password: string; readonly current?: string | undefined }, by?: Actor): Promise<void> {
    const actor = await this.#actor(by);
    const isOwn = actor.caller.kind === "user" && actor.caller.id === id;
    const row = isOwn ? await this.#any(id) : await this.#stored(id, actor.caller);
    if (isOwn) await this.#assertCurrent(row, o.current);
    else this.assertMayAct(id, actor.caller);
    const set = { passwordHash: await this.#o.passwords.hash(o.password), sessionsFromMs: this.#services.clock.now() };
    const event = { kind: "password.changed" as const, targetId: id, projectId: row.projectId };
    await this.#commit([update(user, id, { change: { set } }), ...changeWrites(event, actor, this.#services.clock.now())], id);
  }

  /** Removes the user with its roles; its sessions and the keys that it made end with it. */
  async remove(id: string, o: { readonly ifVersion?: number | undefined } = {}, by?: Actor): Promise<void> {
    const actor = await this.#actor(by);
    const row = await this.#stored(id, actor.caller);
    this.assertMayAct(id, actor.caller);
    const event = { kind: "user.removed" as const, targetId: id, projectId: row.projectId };
    const writes = [
      remove(user, id, o.ifVersion === undefined ? {} : { ifVersion: o.ifVersion }),
      ...changeWrites(event, actor, this.#services.clock.now()),
    ];
    await this.#commit([...(await this.#belongingTo(id)), ...writes], id);
  }

  /** The removals of what refers to a user, which come before its own. */
  async #belongingTo(id: string): Promise<Write[]> {
    const { store } = this.#services;
    const query = { where: { userId: id }, orderBy: "id" as const, limit: MAX_BELONGING };
    for (;;) {
      const bindings = await store.find(roleBinding, query, REMOVAL, this.#within());
      const sessions = await store.find(webSession, query, REMOVAL, this.#within());
      const over = sessions.rows.map((session) => remove(webSession, session.id));
      if (sessions.next === null) return [...over, ...bindings.rows.map((binding) => remove(roleBinding, binding.id))];
      const units = over.map((write) => ({ scope: REMOVAL, writes: [write] }));
      await store.commit(units, this.#within());
    }
  }

  /** Errors: `forbidden` when the user may, somewhere, what the caller may not: whoever resets a password could sign in with it (T05). */
  assertMayAct(userId: string, caller: Caller): void {
    if (caller.kind === "owner" || caller.kind === "system") return;
    const people = this.#people();
    for (const projectId of people.projects) {
      const rights = people.grantsIn(userId, projectId);
      if (rights.length === 0) continue;
      assertProject(projectId, caller);
      assertMayGive(rights, caller);
    }
  }

  /** The binding that a new user begins with. */
  #grant(row: { readonly id: string; readonly projectId: string }, role: string, actor: Actor): Write[] {
    const { caller } = actor;
    const scopes = this.#people().scopesOf(role, row.projectId);
    if (scopes.length === 0)
      throw invalid("role", "is owner, admin, developer, viewer, billing, or the id of a custom role of the project");
    assertMayGive(scopes, caller);
    const id = newId("binding");
    const binding = {
      id,
      projectId: row.projectId,
      userId: row.id,
      role,
      scope: "project" as const,
      scopeId: row.projectId,
      createdBy: caller.id.slice(0, 100),
    };
    const event = { kind: "role.granted" as const, targetId: row.id, projectId: row.projectId, detail: { role } };
    return [insert(roleBinding, binding), ...changeWrites(event, actor, this.#services.clock.now())];
  }

  async #assertCurrent(row: UserRow, current: string | undefined): Promise<void> {
    if (await this.#o.passwords.verify(current ?? "", row.passwordHash)) return;
    throw new GatewayError("unauthenticated", "The current password is not right.", { hint: "Send it as current_password." });
  }

  async #any(id: string): Promise<UserRow> {
    const row = await this.#services.store.get(user, id, { system: "one's own account" }, this.#within());
    if (row === null) throw noSuchUser();
    return row;
  }

  async #stored(id: string, caller: Caller): Promise<UserRow> {
    const row = /^[A-Za-z0-9_-]{1,64}$/.test(id) ? await this.#services.store.get(user, id, scopeOf(caller), this.#within()) : null;
    if (row === null) throw noSuchUser();
    return row;
  }

  async #view(id: string): Promise<UserView> {
    return userView(await this.#any(id));
  }

  async #commit(writes: readonly Write[], id: string): Promise<void> {
    const [result] = await this.#services.store.commit([{ scope: { system: "users" }, writes }], this.#within());
    if (result?.ok !== true) {
      const message = result?.why === "taken" ? "There is already a user of this name." : "The user was changed meanwhile.";
      throw new GatewayError("conflict", message, { hint: result?.why === "taken" ? "Choose another." : "Read it again and repeat." });
    }
    await this.#o.changed(id);
  }

  #people(): PeopleIndex {
    return this.#o.directory.of(this.#o.snapshot()).people;
  }

  async #actor(by: Actor | undefined): Promise<Actor> {
    await this.#o.ready();
    return by ?? { caller: this.#o.owner() };
  }

  #within(): { readonly deadlineMs: number } {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}

function userView(row: UserRow): UserView {
  const { passwordHash: _hash, externalId: _external, ...view } = row;
  return view;
}

function scopeOf(caller: Caller): Scope {
  return caller.kind === "owner" ? { system: "the owner looks at users" } : { projects: caller.projects };
}

function noSuchUser(): GatewayError {
  return new GatewayError("not_found", "There is no such user.", { hint: "GET /api/v1/users lists those of the caller's projects." });
}

function invalid(field: string, problem: string): GatewayError {
  return new GatewayError("validation_failed", `${field}: ${problem}.`, { details: { field } });
}
