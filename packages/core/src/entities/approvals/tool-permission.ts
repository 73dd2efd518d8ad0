import { z } from "zod";
import { defineEntity, field, int, text, type RowType } from "../define-entity.js";

/** Somebody may call a tool that others have to ask for. `tool` and `server` are globs. */
export const toolPermission = defineEntity({
  name: "toolPermission",
  table: "tool_permissions",
  kind: "record",
  scope: null,
  watched: true,
  fields: {
    subject: field(z.enum(["user", "team", "key", "project"]), { access: "create-only", column: text(16), filter: true }),
    subjectId: field(z.string().min(1).max(100), { access: "create-only", column: text(100) }),
    server: field(z.string().min(1).max(100), { access: "create-only", column: text(100) }),
    tool: field(z.string().min(1).max(200), { access: "create-only", column: text(200) }),
    /** Calls within any 24 hours; null: any number. */
    maxUsesDay: field(z.int().min(1).nullable(), { access: "open", column: int }),
    expiresAtMs: field(z.int().nullable(), { access: "open", column: int }),
  },
  indexes: [["subject", "subjectId"]],
  rest: {
    type: "tool-permission",
    plural: "tool-permissions",
    permission: "approvals",
    readers: "everywhere",
    verbs: ["list", "get", "create", "update", "delete"],
  },
});
export type ToolPermissionRow = RowType<typeof toolPermission>;
