import { isAdministration, permissions } from "../permissions.js";
import { globCovers, globsMeet } from "./glob-cover.js";

/** A scope taken apart. `what` null: all there is. */
interface Scope {
  readonly what: string | null;
  readonly glob: string;
  readonly denies: boolean;
}

/**
 * The first scope of `wanted` that `held` does not cover, or the denial of `held` that `wanted` lacks; null: whatever `wanted` allows, `held` allows. Conservative: what is not plainly covered is
 * excess. Scopes of projects are not judged here: they select rows, and are bound by the projects that the holder sees.
 */
export function excessScope(wanted: readonly string[], held: readonly string[]): string | null {
  const own = wanted.map(parse).filter(({ what }) => what !== "project");
  const holder = held.map(parse).filter(({ what }) => what !== "project");
  const allows = own.filter(({ denies }) => !denies);
  for (const scope of allows) if (!holder.some((other) => !other.denies && covers(other, scope))) return format(scope);
  const denials = own.filter(({ denies }) => denies);
  for (const denial of holder.filter(({ denies }) => denies)) {
    const isOpen = allows.some((scope) => meets(scope, denial));
    if (isOpen && !denials.some((other) => covers(other, denial))) return format(denial);
  }
  return null;
}

/** The first denial of `before` that `after` no longer has and that takes something from `held` as well; null: whoever holds that loses no bound of its own by the change. */
export function liftedDenial(before: readonly string[], after: readonly string[], held: readonly string[]): string | null {
  const denials = (scopes: readonly string[]): readonly Scope[] => scopes.map(parse).filter(({ denies }) => denies);
  const kept = denials(after);
  const lifted = denials(before).filter((denial) => !kept.some((other) => covers(other, denial)));
  const own = denials(held);
  const first = lifted.find((denial) => own.some((other) => meets(other, denial)));
  return first === undefined ? null : format(first);
}

/** The projects that scopes select, of those that there are; `none`: they do not speak of projects. A name without a star counts whether it is among them or not. */
export function selectProjects(scopes: readonly string[], known: readonly string[]): readonly string[] | "none" {
  const own = scopes.map(parse).filter(({ what }) => what === "project");
  const allows = own.filter(({ denies }) => !denies);
  if (allows.length === 0) return "none";
  const named = allows.flatMap(({ glob }) => (glob.includes("*") ? known.filter((id) => globCovers(glob, id)) : [glob]));
  const denied = own.filter(({ denies }) => denies);
  return [...new Set(named)].filter((id) => !denied.some(({ glob }) => globCovers(glob, id)));
}

function parse(scope: string): Scope {
  const denies = scope.startsWith("!");
  const plain = denies ? scope.slice(1) : scope;
  if (plain === "*") return { what: null, glob: "*", denies };
  const colon = plain.indexOf(":");
  const what = plain.slice(0, colon);
  const glob = plain.slice(colon + 1);
  // One name for what has two.
  return what === "routes" ? { what: "models", glob: `route/${glob}`, denies } : { what, glob, denies };
}

function format({ what, glob, denies }: Scope): string {
  return `${denies ? "!" : ""}${what === null ? "*" : `${what}:${glob}`}`;
}

function covers(outer: Scope, inner: Scope): boolean {
  if (outer.what === null) return true;
  if (inner.what === null) return false;
  const speaks = outer.what === inner.what || (outer.what === "admin" && isAdministration(inner.what));
  return speaks && globCovers(outer.glob, inner.glob);
}

function meets(a: Scope, b: Scope): boolean {
  if (a.what === null || b.what === null) return true;
  const speaks = a.what === b.what || (a.what === "admin" && isAdministration(b.what)) || (b.what === "admin" && isAdministration(a.what));
  return speaks && globsMeet(a.glob, b.glob);
}

/** Whether what a store gave is a list of scopes: what is none allows nothing, whoever wrote it there (T47). */
export function areScopes(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((scope) => typeof scope === "string");
}

/** What is wrong with a scope, as the end of "it …"; null: nothing. Its form was checked before. */
export function problemOfScope(scope: string): string | null {
  const { what, glob } = parse(scope);
  if (what === null || what === "project" || what === "admin" || what === "models") return null;
  const row = permissions.find((other) => other.what === what);
  if (row === undefined) return `names "${what}", which is nothing that can be granted`;
  return row.names === "read-write" && !["read", "write", "export", "*"].includes(glob)
    ? `ends with "${glob}"; read, write, export and * are known`
    : null;
}
