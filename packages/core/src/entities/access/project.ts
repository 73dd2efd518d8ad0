import { z } from "zod";
import { defineEntity, field, json, text, type RowType } from "../define-entity.js";

export const projectId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "1 to 64 of A-Z, a-z, 0-9, _ and -");

/** A silo: rows of one project are seen by its callers only. The project `default` is there without a row. */
export const project = defineEntity({
  name: "project",
  table: "projects",
  kind: "record",
  scope: "projectId",
  watched: true,
  rest: { type: "project", plural: "projects", permission: "projects", verbs: ["list", "get", "create", "update", "delete"] },
  fields: {
    /** Its own id: who sees the project's rows sees the project. */
    projectId: field(projectId, { access: "server", column: text(64) }),
    name: field(z.string().min(1).max(100), { access: "open", column: text(100), filter: true, sort: true }),
    description: field(z.string().max(2_000).nullable(), { access: "open", column: text(2_000) }),
    metadata: field(z.record(z.string().max(64), z.string().max(500)).nullable(), { access: "open", column: json }),
    createdBy: field(z.string().max(100).nullable(), { access: "server", column: text(100) }),
  },
  indexes: [["projectId", "createdAtMs"], ["name"]],
});
export type ProjectRow = RowType<typeof project>;
