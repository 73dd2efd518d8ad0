import { z } from "zod";
import { bool, defineEntity, field, text, type RowType } from "../define-entity.js";

export const toolClass = z.enum(["safe", "sensitive", "dangerous"]);
export type ToolClass = z.output<typeof toolClass>;

/** How much care a tool needs. Both names are globs; of several that match, the one that says most exactly which tool it means counts. */
export const toolClassification = defineEntity({
  name: "toolClassification",
  table: "tool_classifications",
  kind: "record",
  scope: null,
  watched: true,
  fields: {
    server: field(z.string().min(1).max(100), { access: "create-only", column: text(100), filter: true, sort: true }),
    tool: field(z.string().min(1).max(200), { access: "create-only", column: text(200) }),
    class: field(toolClass, { access: "open", column: text(16) }),
    /** A sensitive tool is called without asking when this is false; a dangerous one never is. */
    requiresApproval: field(z.boolean(), { access: "open", column: bool }),
    note: field(z.string().max(500).nullable(), { access: "open", column: text(500) }),
  },
  unique: [["server", "tool"]],
  rest: {
    type: "tool-classification",
    plural: "tool-classifications",
    permission: "approvals",
    verbs: ["list", "get", "create", "update", "delete"],
  },
});
export type ToolClassificationRow = RowType<typeof toolClassification>;
