import { DEFAULT_PROJECT, type Caller } from "../calls/index.js";
import {
  gatewayKey,
  persona,
  project,
  projectId as projectIdForm,
  role,
  roleBinding,
  team,
  user,
  type RoleBindingRow,
  type RoleRow,
  type TeamRow,
} from "../entities/access/index.js";
import type { AnyEntity, Entity } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { insert, remove, type Clock, type RecordStore, type Write } from "../ports/index.js";
import type { ActionOptions, ResourceActions, ResourceActionsTable } from "../seams/index.js";
import { newId } from "../util/ids.js";
import { changeWrites, type Actor } from "./auth-events.js";
import { holdsEverywhere } from "./grants/everywhere.js";
import { areScopes } from "./grants/scope-cover.js";
import { assertMayGive, assertMayLift } from "./grants/within.js";
import type { GatewayKeys } from "./keys/gateway-keys.js";
import type { KeyChange, NewKey } from "./keys/key-input.js";
import { assertMayBind, assertMayWithdraw, heldIn, projectOfBinding, type NewBinding } from "./people/bindings.js";
import type { PeopleIndex } from "./people/people-index.js";
import type { NewUser, Users } from "./people/users.js";

type Row = Readonly<Record<string, unknown>>;
export interface AccessActionsOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly keys: GatewayKeys;
  readonly users: Users;
  readonly people: () => PeopleIndex;
  readonly personas: ResourceActions;
  readonly changed: (id: string) => Promise<void>;
  /** A row as the resource API shows it. */
  readonly view: (entity: AnyEntity, row: Row) => Row;
}

const WITHIN_MS = 10_000;

/** What keys and people do themselves of the resource API: what is shown once, and what nobody may give away who does not have it. */
export function registerAccess(table: ResourceActionsTable, o: AccessActionsOptions): void {
  table.judgeEverywhere((caller, scope) => holdsEverywhere(caller, scope, o.people()));
  table.set(gatewayKey.name, {
    create: async (input, options) => {
      const { key, ...row } = await o.keys.create(newKeyOf(input), actorOf(options));
      return { ...o.view(gatewayKey, row), key };
    },
    update: async ({ id, set, ifVersion }, options) =>
      o.view(gatewayKey, await o.keys.update(id, { ...(set as KeyChange), ifVersion }, actorOf(options))),
    remove: async ({ id }, options) => void (await o.keys.revoke(id, actorOf(options))),
  });
  table.set(user.name, {
    create: async (input, options) => o.view(user, await o.users.create(newUserOf(input), actorOf(options))),
    check: (row, { caller }) => o.users.assertMayAct(row["id"] as string, caller),
    remove: ({ id, ifVersion }, options) => o.users.remove(id, { ifVersion }, actorOf(options)),
  });
  table.set(role.name, {
    check: (row, { caller }, before) => {
      const scopes = row["scopes"] as readonly string[];
      if (scopes.some((scope) => scope.startsWith("project:"))) throw invalid("scopes", "of a role name no projects: bindings do");
      assertMayGive(scopes, caller);
      if (before !== null) assertMayRewrite(before, { caller, people: o.people(), after: scopes });
    },
    checkRemoval: (row, { caller }) => assertMayRewrite(row, { caller, people: o.people(), after: [] }),
  });
  table.set(team.name, {
    checkRemoval: (row, { caller }) => {
      const people = o.people();
      const gone = row as unknown as TeamRow;
      assertMayLift({ before: people.scopesInTeam(gone), after: [] }, caller, heldIn(gone.projectId, caller, people));
    },
  });
  table.set(persona.name, o.personas);
  table.set(project.name, { create: (input, options) => createProject(input, options, o) });
  table.set(roleBinding.name, {
    create: (input, options) => createBinding(input as unknown as NewBinding, options, o),
    remove: (target, options) => removeBinding(target.id, options, o),
  });
}

/** A role that is there is changed, or goes: by who has all that it allows, and is not bound by what it denies. */
function assertMayRewrite(
  row: Row,
  { caller, people, after }: { readonly caller: Caller; readonly people: PeopleIndex; readonly after: readonly string[] },
): void {
  const { scopes, projectId } = row as unknown as RoleRow;
  // What is no list of scopes allows and denies nothing (T47).
  const before = areScopes(scopes) ? scopes : [];
  assertMayGive(before, caller);
  assertMayLift({ before, after }, caller, heldIn(projectId, caller, people));
}

async function createProject(input: Row, options: ActionOptions, o: AccessActionsOptions): Promise<Row> {
  const { caller } = options;
  assertEverywhere(caller, o.people(), "A project is made only by who has all of them.");
  const id = (input["id"] as string | undefined) ?? newId("project");
  if (!projectIdForm.safeParse(id).success || id === DEFAULT_PROJECT)
    throw invalid("id", "is 1 to 64 of A-Z, a-z, 0-9, _ and -, and not default");
  const {
    name,
    description = null,
    metadata = null,
  } = input as { name: string; description?: string | null; metadata?: Record<string, string> | null };
  const row = { id, projectId: id, name, description, metadata, createdBy: caller.id.slice(0, 100) };
  await commit(o, [insert(project, row)], id);
  return o.view(project, { ...(await stored(o, project, id)) });
}

async function createBinding(given: NewBinding, options: ActionOptions, o: AccessActionsOptions): Promise<Row> {
  const { caller } = options;
  const people = o.people();
  const held = people.user(given.userId);
  if (held === undefined || !(isOwner(caller) || caller.projects.includes(held.projectId)))
    throw invalid("user_id", "there is no such user");
  const scopeId = given.scope === "global" ? "*" : given.scope === "project" && given.scopeId === "*" ? caller.projects[0] : given.scopeId;
  const binding: NewBinding = { userId: given.userId, role: given.role, scope: given.scope, scopeId };
  assertMayBind(binding, caller, people);
  const row = { ...binding, id: newId("binding"), projectId: projectOfBinding(binding, people), createdBy: caller.id.slice(0, 100) };
  const event = {
    kind: "role.granted" as const,
    targetId: row.userId,
    projectId: row.projectId,
    detail: { role: row.role, scope: row.scope },
  };
  await commit(o, [insert(roleBinding, row), ...changeWrites(event, actorOf(options), o.clock.now())], row.id);
  return o.view(roleBinding, { ...(await stored(o, roleBinding, row.id)) });
}

async function removeBinding(id: string, options: ActionOptions, o: AccessActionsOptions): Promise<void> {
  const { caller } = options;
  const scope = isOwner(caller) ? { system: "the owner withdraws a role" } : { projects: caller.projects };
  const row: RoleBindingRow | null = await o.store.get(roleBinding, id, scope, { deadlineMs: options.deadlineMs });
  if (row === null) throw new GatewayError("not_found", "There is no such role binding.");
  // A role that is gone, or of a team that is, may be taken away by whoever administers roles.
  if (o.people().scopesOf(row.role, row.projectId).length > 0) assertMayWithdraw(row, caller, o.people());
  const event = {
    kind: "role.withdrawn" as const,
    targetId: row.userId,
    projectId: row.projectId,
    detail: { role: row.role, scope: row.scope },
  };
  await commit(o, [remove(roleBinding, id), ...changeWrites(event, actorOf(options), o.clock.now())], id);
}

function assertEverywhere(caller: Caller, people: PeopleIndex, message: string): void {
  if (isOwner(caller) || (caller.kind === "user" && people.holdsEverywhere(caller.id, ["projects:write"]))) return;
  throw new GatewayError("forbidden", message, { hint: "Ask the owner.", details: { excess: "project" } });
}

function isOwner(caller: Caller): boolean {
  return caller.kind === "owner" || caller.kind === "system";
}

async function stored<R extends object>(o: AccessActionsOptions, entity: Entity<R>, id: string): Promise<R> {
  const row = await o.store.get(entity, id, { system: "what was made is shown" }, { deadlineMs: o.clock.now() + WITHIN_MS });
  if (row === null) throw new GatewayError("not_found", "It is gone again.");
  return row;
}

async function commit(o: AccessActionsOptions, writes: readonly Write[], id: string): Promise<void> {
  const [result] = await o.store.commit([{ scope: { system: "keys and people" }, writes }], { deadlineMs: o.clock.now() + WITHIN_MS });
  if (result?.ok !== true) {
    if (result?.why === "missing") throw new GatewayError("conflict", "It, or what it refers to, is gone.", { hint: "Read it again." });
    throw new GatewayError("conflict", "There is already one like it.", { hint: "Use the one that is there." });
  }
  await o.changed(id);
}

export function actorOf({ caller, requestId }: Pick<ActionOptions, "caller" | "requestId">): Actor {
  return { caller, requestId, source: "http" };
}

/** The body of the route as a key is made of it. */
export function newKeyOf(body: Row): NewKey {
  const { name, scopes, project_id, environment, expires_at, rate_limit, user_id, team_id, metadata } = body as {
    readonly name: string;
    readonly scopes?: readonly string[];
    readonly project_id?: string;
    readonly environment?: string;
    readonly expires_at?: number | string | null;
    readonly rate_limit?: number | Readonly<Record<string, number | undefined>> | null;
    readonly user_id?: string;
    readonly team_id?: string;
    readonly metadata?: Readonly<Record<string, string>> | null;
  };
  return {
    ...{ name, scopes, environment, metadata },
    ...{ projectId: project_id, userId: user_id, teamId: team_id },
    expiresAtMs: typeof expires_at === "string" ? Date.parse(expires_at) : expires_at,
    rateLimit: rateLimitOf(rate_limit),
  };
}

function rateLimitOf(given: number | Readonly<Record<string, number | undefined>> | null | undefined): NewKey["rateLimit"] {
  if (given === null || given === undefined) return given;
  if (typeof given === "number") return { requestsPerMinute: given };
  const { requests_per_minute: requestsPerMinute, tokens_per_minute: tokensPerMinute, concurrency } = given;
  return {
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
    ...(concurrency === undefined ? {} : { concurrency }),
  };
}

function newUserOf(body: Row): NewUser {
  const { username, password, name, email, project_id, role: held } = body as Readonly<Record<string, string | undefined>>;
  return { username: username ?? "", password, name, email, projectId: project_id, role: held };
}

function invalid(field: string, problem: string): GatewayError {
  return new GatewayError("validation_failed", `${field}: ${problem}.`, { details: { field } });
}
