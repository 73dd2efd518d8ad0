import { z } from "zod";
import { defineEntity, field, text, type RowType } from "../define-entity.js";

/** People of one project who spend together. */
export const team = defineEntity({
  name: "team",
  table: "teams",
  kind: "record",
  scope: "projectId",
  watched: true,
  rest: { type: "team", plural: "teams", permission: "teams", verbs: ["list", "get", "create", "update", "delete"] },
  fields: {
    projectId: field(z.string().min(1).max(64), { access: "create-only", column: text(64), filter: true }),
    name: field(z.string().min(1).max(100), { access: "open", column: text(100), filter: true }),
    description: field(z.string().max(1_000).nullable(), { access: "open", column: text(1_000) }),
  },
  unique: [["projectId", "name"]],
  indexes: [["projectId", "createdAtMs"], ["name"]],
});
export type TeamRow = RowType<typeof team>;
