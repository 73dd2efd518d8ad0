import { z } from "zod";
import { defineEntity, field, json, text, type RowType } from "../define-entity.js";
import { scopeList } from "./gateway-key.js";

/** What its holders may do, beside the built-in roles owner, admin, developer, viewer and billing. */
export const role = defineEntity({
  name: "role",
  table: "roles",
  kind: "record",
  scope: "projectId",
  watched: true,
  rest: { type: "role", plural: "roles", permission: "roles", verbs: ["list", "get", "create", "update", "delete"] },
  fields: {
    projectId: field(z.string().min(1).max(64), { access: "create-only", column: text(64), filter: true }),
    name: field(z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "1 to 40 of a-z, 0-9 and -"), {
      access: "create-only",
      column: text(40),
      filter: true,
    }),
    description: field(z.string().max(1_000).nullable(), { access: "open", column: text(1_000) }),
    scopes: field(scopeList, { access: "open", column: json }),
  },
  unique: [["projectId", "name"]],
  indexes: [["projectId", "createdAtMs"], ["name"]],
});
export type RoleRow = RowType<typeof role>;

export const bindingScopes = ["global", "team", "project"] as const;

/** That a user holds a role: everywhere, in a project, or in the project of a team. */
export const roleBinding = defineEntity({
  name: "roleBinding",
  table: "role_bindings",
  kind: "record",
  scope: "projectId",
  watched: true,
  rest: { type: "role-binding", plural: "role-bindings", permission: "roles", verbs: ["list", "get", "create", "delete"] },
  fields: {
    /** The project where it holds; of a global one the project `default`. */
    projectId: field(z.string().min(1).max(64), { access: "server", column: text(64), filter: true }),
    userId: field(z.string().min(1).max(64), {
      access: "create-only",
      column: text(64),
      filter: true,
      ref: { entity: "user", onDelete: "cascade" },
    }),
    role: field(z.string().min(1).max(64).describe("owner, admin, developer, viewer, billing, or the id of a custom role"), {
      access: "create-only",
      column: text(64),
      filter: true,
    }),
    scope: field(z.enum(bindingScopes).default("project"), { access: "create-only", column: text(16) }),
    /** Id of the team or project; `*` of a global one. */
    scopeId: field(z.string().min(1).max(64).default("*"), { access: "create-only", column: text(64) }),
    createdBy: field(z.string().max(100).nullable(), { access: "server", column: text(100) }),
  },
  unique: [["userId", "role", "scope", "scopeId"]],
  indexes: [["projectId", "createdAtMs"], ["userId"], ["role"]],
});
export type RoleBindingRow = RowType<typeof roleBinding>;
