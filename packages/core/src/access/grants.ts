import type { Caller } from "../calls/index.js";
import { matchesGlob } from "../util/glob.js";
import { isAdministration } from "./permissions.js";

const ROUTE = "route/";

/** Whether the caller may do `what:name`: by its own grants, and by those of every credential that it was made from. */
export function mayDo(caller: Caller, what: string, name: string): boolean {
  if (!isGranted(caller.grants, what, name)) return false;
  return caller.bounds === undefined || caller.bounds.every((grants) => isGranted(grants, what, name));
}

/**
 * Whether the grants allow `what:name`. Grants are `*`, `what:*` or `what:<glob>`; with `!` before it a grant denies, and a denial wins wherever it stands. Deny by default. `admin:read` and
 * `admin:write` name every resource of administration; `routes:x` and `models:route/x` are the same. Linear in the number of grants.
 */
export function isGranted(grants: readonly string[], what: string, name: string): boolean {
  let allowed = false;
  for (const grant of grants) {
    if (grant.charCodeAt(0) === 33 /* ! */) {
      if (names(grant, 1, what, name)) return false;
    } else if (!allowed) allowed = names(grant, 0, what, name);
  }
  return allowed;
}

/** Whether the grant, read from `from` on, speaks of `what:name`. */
function names(grant: string, from: number, what: string, name: string): boolean {
  if (grant.length === from + 1 && grant[from] === "*") return true;
  const colon = from + what.length;
  if (grant[colon] === ":" && grant.startsWith(what, from)) return matchesGlob(grant.slice(colon + 1), name);
  if (what === "models")
    return name.startsWith(ROUTE) && grant.startsWith("routes:", from) && matchesGlob(grant.slice(from + 7), name.slice(ROUTE.length));
  if (what === "routes") return grant.startsWith("models:", from) && matchesGlob(grant.slice(from + 7), ROUTE + name);
  return grant.startsWith("admin:", from) && matchesGlob(grant.slice(from + 6), name) && isAdministration(what);
}
