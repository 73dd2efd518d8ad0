import type { Caller } from "../../calls/index.js";
import type { KeyIndex } from "../keys/key-index.js";
import type { PeopleIndex } from "../people/people-index.js";

/** The form of a user's id in our store: a host application names its people as it likes. */
const userId = /^user_[0-9a-z]{24}$/;

/**
 * A caller that was kept with work of before, as it may call now: what it had then, bound by all that its key or its user has today. null: the key was disabled, revoked or has expired, or one that
 * it was made from; the user is gone or disabled; either no longer sees the project. The owner in this process, and callers that only a host application knows, stay as they are. Cheap: a few look-ups.
 */
export function callerOfToday(caller: Caller, index: KeyIndex, nowMs: number): Caller | null {
  const { kind, keyId, id } = caller;
  if (keyId !== undefined) {
    const usable = index.usable(keyId);
    return usable === null || usable.untilMs <= nowMs ? null : boundBy(caller, usable.caller);
  }
  if (kind !== "user" || caller.userId !== id || !userId.test(id)) return caller;
  const rights = rightsIn(id, caller.projects[0], index.people);
  return rights === null ? null : boundBy(caller, rights);
}

/** What the user may in the project; who holds no role anywhere has its own project, and no rights. */
function rightsIn(id: string, projectId: string, people: PeopleIndex): Pick<Caller, "grants" | "projects"> | null {
  return people.rightsOf(id, projectId) ?? people.rightsOf(id);
}

function boundBy(caller: Caller, now: Pick<Caller, "grants" | "bounds" | "projects">): Caller | null {
  const [first, ...others] = caller.projects;
  if (!now.projects.includes(first)) return null;
  const projects: Caller["projects"] = [first, ...others.filter((id) => now.projects.includes(id))];
  const bounds = [...(caller.bounds ?? []), now.grants, ...(now.bounds ?? [])];
  return Object.assign({ ...caller }, { projects, bounds });
}
