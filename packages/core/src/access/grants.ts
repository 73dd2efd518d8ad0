import type { Caller } from "../calls/index.js";
import { matchesGlob } from "../util/glob.js";

/** Whether the caller may do `what:name`: by its own grants, and by those of every credential that it was made from. */
export function mayDo(caller: Caller, what: string, name: string): boolean {
  if (!isGranted(caller.grants, what, name)) return false;
  return caller.bounds === undefined || caller.bounds.every((grants) => isGranted(grants, what, name));
}

/**
 * Whether the grants allow `what:name`. Grants are `*`, `what:*` or `what:<glob>`; deny by default. Linear in the number of grants.
 */
export function isGranted(grants: readonly string[], what: string, name: string): boolean {
  for (const grant of grants) {
    if (grant === "*") return true;
    if (
      grant.length > what.length &&
      grant.startsWith(what) &&
      grant[what.length] === ":" &&
      matchesGlob(grant.slice(what.length + 1), name)
    )
      return true;
  }
  return false;
}
