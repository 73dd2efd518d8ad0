import type { Caller } from "../calls/index.js";
import { matchesGlob } from "../util/glob.js";
import { isAdministration } from "./permissions.js";
import { leaves } from "./personas/persona-bound.js";

const ROUTE = "route/";
/** `!` */
const DENIES = 33;

/** Whether the caller may do `what:name`: by its own grants, and by those of every credential that it was made from; and, of MCP servers, by every persona that binds it. */
export function mayDo(caller: Caller, what: string, name: string): boolean {
  if (!isGranted(caller.grants, what, name)) return false;
  if (caller.bounds !== undefined && !caller.bounds.every((grants) => isGranted(grants, what, name))) return false;
  return caller.personas === undefined || what !== "mcp" || caller.personas.every((persona) => leaves(persona, name));
}

/**
 * Whether the caller may call a model that goes by several names, its own first (`names`; undefined: by `name` alone). One of them has to be allowed and none denied: who may not use a model does not get at it by an alias, and who was given it by an alias has it.
 */
export function mayCallModel(
  caller: Caller,
  { name, names }: { readonly name: string; readonly names?: readonly string[] | undefined },
): boolean {
  if (names === undefined || name.startsWith(ROUTE)) return mayDo(caller, "models", name);
  if (!isModelGranted(caller.grants, names)) return false;
  return caller.bounds === undefined || caller.bounds.every((grants) => isModelGranted(grants, names));
}

/** The name that a model has to be allowed by. */
export function grantedName({ name, names }: { readonly name: string; readonly names?: readonly string[] | undefined }): string {
  return names === undefined || name.startsWith(ROUTE) ? name : names[0]!;
}

function isModelGranted(grants: readonly string[], names: readonly string[]): boolean {
  let allowed = false;
  for (const grant of grants) {
    if (denies(grant)) {
      const denied = grant.slice(1);
      for (const name of names) if (speaksOf(denied, "models", name)) return false;
    } else for (let i = 0; i < names.length && !allowed; i++) allowed = speaksOf(grant, "models", names[i]!);
  }
  return allowed;
}

/**
 * Whether the grants allow `what:name`. Grants are `*`, `what:*` or `what:<glob>`; with `!` before it a grant denies, and a denial wins wherever it stands. Deny by default. `admin:read` and
 * `admin:write` name every resource of administration; `routes:x` and `models:route/x` are the same. Linear in the number of grants.
 */
export function isGranted(grants: readonly string[], what: string, name: string): boolean {
  const grant = decidingGrant(grants, what, name);
  return grant !== null && !denies(grant);
}

/** The first denial that speaks of `what:name`, else the first grant that does; null: none does. */
export function decidingGrant(grants: readonly string[], what: string, name: string): string | null {
  let allowing: string | null = null;
  for (const grant of grants) {
    if (denies(grant)) {
      if (speaksOf(grant.slice(1), what, name)) return grant;
    } else if (allowing === null && speaksOf(grant, what, name)) allowing = grant;
  }
  return allowing;
}

export function denies(grant: string): boolean {
  return grant.charCodeAt(0) === DENIES;
}

/** Whether the grant is about `what:name`. */
function speaksOf(grant: string, what: string, name: string): boolean {
  if (grant === "*") return true;
  const { length } = what;
  if (grant[length] === ":" && grant.startsWith(what)) return matchesGlob(grant.slice(length + 1), name);
  if (what === "models")
    return name.startsWith(ROUTE) && grant.startsWith("routes:") && matchesGlob(grant.slice(7), name.slice(ROUTE.length));
  if (what === "routes") return grant.startsWith("models:") && matchesGlob(grant.slice(7), ROUTE + name);
  return grant.startsWith("admin:") && matchesGlob(grant.slice(6), name) && isAdministration(what);
}
