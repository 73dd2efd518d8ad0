import { expect, it } from "vitest";
import { allRoutes } from "../routes/index.js";
import { isGranted } from "./grants.js";
import { builtInRoles } from "./people/built-in-roles.js";
import { permissionOf, permissions, useScopes } from "./permissions.js";

it("names every subject once, and every permission that a route asks (T04)", () => {
  expect(new Set(permissions.map(({ what }) => what)).size).toBe(permissions.length);
  const unknown = allRoutes.filter(({ permission }) => permission !== null && permissionOf(permission.what) === undefined);
  expect(unknown.map(({ name, permission }) => `${name}: ${permission?.what}`)).toEqual([]);
});

it("has no route whose permission is also a glob over names: whoever may call every model would change them", () => {
  const asked = allRoutes.flatMap(({ permission }) => (permission === null ? [] : [permission]));
  for (const { what, name } of asked) {
    expect([what, permissionOf(what)?.names]).toEqual([what, "read-write"]);
    expect([what, name]).toEqual([what, expect.stringMatching(/^(read|write|export)$/)]);
  }
});

it("gives who only uses the gateway nothing of its administration", () => {
  for (const { what, kind } of permissions)
    for (const name of ["read", "write"]) if (kind === "admin") expect([what, isGranted(useScopes, what, name)]).toEqual([what, false]);
});

it("has built-in roles of known subjects only, each within the owner's, and all but the owner's without *", () => {
  for (const [name, { scopes }] of Object.entries(builtInRoles)) {
    for (const scope of scopes) if (scope !== "*") expect(["admin", ...permissions.map(({ what }) => what)]).toContain(scope.split(":")[0]);
    if (name !== "owner") expect(scopes).not.toContain("*");
  }
});
