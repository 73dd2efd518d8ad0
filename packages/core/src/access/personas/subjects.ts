import type { Caller } from "../../calls/index.js";
import { KEY_ID_PREFIX } from "../keys/key-format.js";
import type { KeyIndex } from "../keys/key-index.js";

/** Everything that a caller is, for personas: what binds one of these binds it. */
export interface Subjects {
  /** Its key, and those that it was made from. */
  readonly keys: readonly string[];
  /** Whoever calls without a key, whom the key counts for, and who made it. */
  readonly users: readonly string[];
  /** That these hold, where they act: names of built-in roles, ids of custom ones. */
  readonly roles: readonly string[];
  /** Where it acts. */
  readonly projects: readonly string[];
  readonly agents: readonly string[];
}
export interface Subject {
  readonly kind: "key" | "user" | "role" | "project" | "agent";
  readonly id: string;
}

/** In the order in which they are named as what binds. */
export const subjectKinds: readonly (readonly [keyof Subjects, Subject["kind"]])[] = [
  ["keys", "key"],
  ["users", "user"],
  ["roles", "role"],
  ["projects", "project"],
  ["agents", "agent"],
];

/** Whatever a key is made from is among the key's own subjects, so that a child is bound by all that binds its maker (T05). */
export function subjectsOf(caller: Caller, index: KeyIndex): Subjects {
  const keys = new Set<string>();
  const users = new Set<string>();
  const roles = new Set<string>();
  const { keyId, agentId, kind } = caller;
  const [project] = caller.projects;
  const addUser = (id: string, where: string): void => {
    users.add(id);
    for (const role of index.people.rolesIn(id, where)) roles.add(role);
  };
  if (keyId !== undefined) {
    for (const id of [keyId, ...(caller.madeFrom ?? [])]) keys.add(id);
    for (const { id, parentId, projectId } of index.chain(keyId)) {
      keys.add(id);
      if (parentId !== null && !parentId.startsWith(KEY_ID_PREFIX)) addUser(parentId, projectId);
    }
  }
  const user = caller.userId ?? (keyId === undefined ? caller.id : undefined);
  if (user !== undefined) addUser(user, project);
  if (kind === "owner") roles.add("owner");
  return { keys: [...keys], users: [...users], roles: [...roles], projects: [project], agents: agentId === undefined ? [] : [agentId] };
}
