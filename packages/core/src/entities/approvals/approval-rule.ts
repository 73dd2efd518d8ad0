import { z } from "zod";
import { defineEntity, field, int, json, text, type RowType } from "../define-entity.js";

/** One thing that has to hold of a call's arguments. `path` names a value: `to`, `user.email`, `items.0.id`. */
export const approvalCondition = z.strictObject({
  path: z.string().min(1).max(200),
  op: z.enum(["equals", "in", "starts_with", "ends_with", "lte", "gte", "absent"]),
  value: z.union([z.string().max(1_000), z.number(), z.boolean(), z.array(z.string().max(1_000)).max(100)]).optional(),
});
export type ApprovalCondition = z.output<typeof approvalCondition>;

/** "Always allow when …": calls that fit are not asked for. Every condition has to hold. */
export const approvalRule = defineEntity({
  name: "approvalRule",
  table: "approval_rules",
  kind: "record",
  scope: "projectId",
  watched: true,
  fields: {
    projectId: field(z.string().max(64), { access: "create-only", column: text(64), filter: true }),
    server: field(z.string().min(1).max(100), { access: "create-only", column: text(100) }),
    tool: field(z.string().min(1).max(200), { access: "create-only", column: text(200) }),
    /** Whose calls; null: everybody's of the project. */
    callerId: field(z.string().max(100).nullable(), { access: "create-only", column: text(100) }),
    conditions: field(z.array(approvalCondition).max(20), { access: "open", column: json }),
    expiresAtMs: field(z.int().nullable(), { access: "open", column: int }),
    createdBy: field(z.string().max(100), { access: "server", column: text(100) }),
    /** The approval that it was made with; null: by itself. */
    approvalId: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
  },
  indexes: [["projectId"]],
  rest: { type: "approval-rule", plural: "approval-rules", permission: "approvals", verbs: ["list", "get", "update", "delete"] },
});
export type ApprovalRuleRow = RowType<typeof approvalRule>;
