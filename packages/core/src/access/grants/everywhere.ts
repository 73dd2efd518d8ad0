import type { Caller } from "../../calls/index.js";
import type { PeopleIndex } from "../people/people-index.js";

/**
 * Whether a caller who may do this where it acts may do it in every project. The owner; a user by a role that is held everywhere, or by roles in every project that there is; a key that selects every
 * project (`project:*`, or all of their names), which is never one whose maker has fewer; somebody of a host application by the grant `project:*`, or by `*` where it
 * sees every project that is known. A grant of
 * `*` is of the caller's projects only (T04). `scope`: such as `guardrails:write`.
 */
export function holdsEverywhere(caller: Caller, scope: string, people: PeopleIndex): boolean {
  const { kind, id, keyId, projects, grants } = caller;
  if (kind === "owner" || kind === "system") return true;
  const isOurs = keyId !== undefined || people.user(id) !== undefined;
  if (!isOurs && grants.includes("project:*") && !grants.some((grant) => grant.startsWith("!project:"))) return true;
  // Of a host's projects only those are known here that have rows.
  if (!isOurs && !grants.includes("*")) return false;
  if (keyId === undefined && kind === "user" && people.holdsEverywhere(id, [scope])) return true;
  return people.projects.every((project) => projects.includes(project));
}
