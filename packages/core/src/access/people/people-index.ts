import { DEFAULT_PROJECT } from "../../calls/index.js";
import {
  project,
  role,
  roleBinding,
  team,
  user,
  type Entity,
  type Kept,
  type RoleBindingRow,
  type RoleRow,
  type TeamRow,
  type UserRow,
} from "../../entities/index.js";
import { areScopes, excessScope } from "../grants/scope-cover.js";
import { builtInRoles } from "./built-in-roles.js";

/** The stored records of a snapshot. */
export interface RecordsOfPeople {
  of<R extends Kept>(entity: Entity<R>): readonly R[];
}

/** What a user may in one project. */
export interface Rights {
  readonly grants: readonly string[];
  /** The project itself, then every other in which the user may all that these grants allow. */
  readonly projects: readonly [string, ...string[]];
  readonly teamId: string | undefined;
}

const nothing: readonly never[] = [];

/** Users, roles and projects as one snapshot has them. Immutable; what is worked out is kept. */
export class PeopleIndex {
  /** Every project that is known: `default`, those with a row, those that a key, a user or a team is of. */
  readonly projects: readonly string[];
  readonly #users: ReadonlyMap<string, UserRow>;
  readonly #teams: ReadonlyMap<string, TeamRow>;
  readonly #roles: ReadonlyMap<string, RoleRow>;
  readonly #bindings: ReadonlyMap<string, readonly RoleBindingRow[]>;
  readonly #rights = new Map<string, Rights>();

  constructor(records: RecordsOfPeople, otherProjects: Iterable<string> = nothing) {
    const users = records.of(user);
    const teams = records.of(team);
    this.#users = byId(users);
    this.#teams = byId(teams);
    this.#roles = byId(records.of(role));
    this.#bindings = grouped(records.of(roleBinding));
    const known = new Set([DEFAULT_PROJECT, ...records.of(project).map(({ id }) => id), ...otherProjects]);
    for (const { projectId } of [...users, ...teams]) known.add(projectId);
    this.projects = Object.freeze([...known]);
  }

  user(id: string): UserRow | undefined {
    return this.#users.get(id);
  }
  team(id: string): TeamRow | undefined {
    return this.#teams.get(id);
  }
  role(id: string): RoleRow | undefined {
    return this.#roles.get(id);
  }

  /** What a role allows; empty: there is none of this name. A custom role counts only in its own project, so that who writes it there gives nothing elsewhere. */
  scopesOf(name: string, projectId: string): readonly string[] {
    if (Object.hasOwn(builtInRoles, name)) return builtInRoles[name]!.scopes;
    const custom = this.#roles.get(name);
    return custom !== undefined && custom.projectId === projectId && areScopes(custom.scopes) ? custom.scopes : nothing;
  }

  /** The roles that the user holds in the project: names of built-in ones, ids of custom ones. */
  rolesIn(userId: string, projectId: string): ReadonlySet<string> {
    const held = new Set<string>();
    for (const binding of this.#bindings.get(userId) ?? nothing) if (this.#holdsIn(binding, projectId)) held.add(binding.role);
    return held;
  }

  /** All that the roles of a user allow in a project, also of one that is disabled. */
  grantsIn(userId: string, projectId: string): readonly string[] {
    return this.#grantsOf(this.rolesIn(userId, projectId), projectId);
  }

  /** What the roles allow and deny that are held in the team. */
  scopesInTeam({ id, projectId }: Pick<TeamRow, "id" | "projectId">): readonly string[] {
    const held = [...this.#bindings.values()].flat().filter(({ scope, scopeId }) => scope === "team" && scopeId === id);
    return this.#grantsOf(new Set(held.map(({ role: name }) => name)), projectId);
  }

  /** Whether a role that the user holds everywhere covers these scopes. */
  holdsEverywhere(userId: string, scopes: readonly string[]): boolean {
    const names = (this.#bindings.get(userId) ?? nothing).filter(({ scope }) => scope === "global").map(({ role: name }) => name);
    return names.length > 0 && excessScope(scopes, this.#grantsOf(new Set(names), DEFAULT_PROJECT)) === null;
  }

  /**
   * What the user may in a project; left out: in its own, or the first in which it holds a role. null: there is no such user, it is disabled, or it holds no role in the project that was named.
   */
  rightsOf(userId: string, projectId?: string): Rights | null {
    const row = this.#users.get(userId);
    if (row === undefined || !row.enabled) return null;
    const key = `${projectId ?? ""} ${userId}`;
    let rights = this.#rights.get(key);
    if (rights === undefined) {
      const where = projectId ?? this.#homeOf(row);
      const roles = this.rolesIn(row.id, where);
      if (projectId !== undefined && roles.size === 0) return null;
      this.#rights.set(key, (rights = this.#workOut(row, where, roles)));
    }
    return rights;
  }

  #homeOf(row: UserRow): string {
    const bindings = this.#bindings.get(row.id) ?? nothing;
    if (bindings.length === 0 || this.rolesIn(row.id, row.projectId).size > 0) return row.projectId;
    const first = this.projects.find((id) => this.rolesIn(row.id, id).size > 0);
    return first ?? row.projectId;
  }

  #holdsIn({ scope, scopeId }: RoleBindingRow, projectId: string): boolean {
    if (scope === "global") return true;
    if (scope === "project") return scopeId === projectId;
    return this.#teams.get(scopeId)?.projectId === projectId;
  }

  #workOut(row: UserRow, where: string, roles: ReadonlySet<string>): Rights {
    const grants = this.#grantsOf(roles, where);
    const others = this.projects.filter((id) => id !== where && this.#covers(row.id, id, grants));
    const bindings = this.#bindings.get(row.id) ?? nothing;
    const own = bindings.find(({ scope, scopeId }) => scope === "team" && this.#teams.get(scopeId)?.projectId === where);
    return Object.freeze({
      grants: Object.freeze(grants),
      projects: Object.freeze([where, ...others] as const),
      teamId: own?.scopeId,
    });
  }

  #grantsOf(roles: ReadonlySet<string>, where: string): readonly string[] {
    return [...new Set([...roles].flatMap((name) => this.scopesOf(name, where)))];
  }

  /** Whether the user may in the project all that these grants allow. */
  #covers(userId: string, projectId: string, grants: readonly string[]): boolean {
    const roles = this.rolesIn(userId, projectId);
    return roles.size > 0 && excessScope(grants, this.#grantsOf(roles, projectId)) === null;
  }
}

function byId<R extends Kept>(rows: readonly R[]): ReadonlyMap<string, R> {
  return new Map(rows.map((row) => [row.id, row]));
}

function grouped(rows: readonly RoleBindingRow[]): ReadonlyMap<string, readonly RoleBindingRow[]> {
  const groups = new Map<string, RoleBindingRow[]>();
  for (const row of rows) {
    const group = groups.get(row.userId);
    if (group === undefined) groups.set(row.userId, [row]);
    else group.push(row);
  }
  return groups;
}
