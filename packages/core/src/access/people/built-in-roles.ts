import { useScopes } from "../permissions.js";

export interface BuiltInRole {
  readonly title: string;
  readonly scopes: readonly string[];
}

/** The roles that are there without a row. Only who has everything can give `owner` away; an admin gives at most what an admin has. */
export const builtInRoles: Readonly<Record<string, BuiltInRole>> = Object.freeze({
  owner: { title: "Everything, also what is not known yet", scopes: ["*"] },
  admin: { title: "Uses the gateway and administers it", scopes: [...useScopes, "admin:*"] },
  developer: {
    title: "Uses the gateway, and sees what its calls cost and did",
    scopes: [
      ...useScopes,
      "keys:read",
      "usage:read",
      "costs:read",
      "traces:read",
      "metrics:read",
      "budgets:read",
      "limits:read",
      "projects:read",
    ],
  },
  viewer: {
    title: "Looks on",
    scopes: [
      "runs:read",
      "tasks:read",
      "sessions:read",
      "documents:read",
      "reports:read",
      "usage:read",
      "traces:read",
      "metrics:read",
      "projects:read",
    ],
  },
  billing: {
    title: "Sees and bounds what is spent",
    scopes: ["usage:read", "costs:read", "budgets:read", "budgets:write", "projects:read", "teams:read"],
  },
});

export function isBuiltInRole(name: string): boolean {
  return Object.hasOwn(builtInRoles, name);
}
