import { z } from "zod";
import { defineEntity, field, int, json, longText, text, type RowType } from "../define-entity.js";

export const approvalStatus = z.enum(["pending", "approved", "denied", "expired", "used"]);
export type ApprovalStatus = z.output<typeof approvalStatus>;

/**
 * A call that a person has to allow, as it stands in the inbox. Bound to its caller, tool and exact arguments; an approval lets one such call pass, once.
 * pending → approved → used, or → denied, or → expired.
 */
export const approval = defineEntity({
  name: "approval",
  table: "approvals",
  kind: "machine",
  scope: "projectId",
  watched: false,
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64), filter: true }),
    status: field(approvalStatus, { access: "server", column: text(16), filter: true }),
    callerId: field(z.string().max(100), { access: "server", column: text(100) }),
    callerName: field(z.string().max(200), { access: "server", column: text(200) }),
    /** Everybody who stands behind the caller: itself, its key and those that it was made from, their makers and users. */
    callerIds: field(z.array(z.string().max(100)), { access: "server", column: json }),
    server: field(z.string().max(100), { access: "server", column: text(100) }),
    tool: field(z.string().max(200), { access: "server", column: text(200) }),
    class: field(z.enum(["safe", "sensitive", "dangerous"]), { access: "server", column: text(16) }),
    /** SHA-256 of the arguments that may be used: those asked for, or those that a person put in their place. */
    argumentsHash: field(z.string().length(64), { access: "server", column: text(64) }),
    /** While it is open: what the next identical call finds it by. Afterwards its own id, so that the next one asks anew. */
    openKey: field(z.string().max(64), { access: "server", column: text(64) }),
    /** JSON text, sealed: they may hold what only the tool should see. */
    arguments: field(z.string(), { access: "secret", column: longText }),
    /** What a person put in the arguments' place, sealed; null: nothing. Only in runs. */
    edited: field(z.string().nullable(), { access: "secret", column: longText }),
    requestId: field(z.string().max(64), { access: "server", column: text(64) }),
    /** The run that waits for it; null: a caller that was told to come back. */
    runId: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
    expiresAtMs: field(z.int(), { access: "server", column: int }),
    decidedBy: field(z.string().max(100).nullable(), { access: "server", column: text(100) }),
    decidedAtMs: field(z.int().nullable(), { access: "server", column: int }),
    note: field(z.string().max(1_000).nullable(), { access: "server", column: text(1_000) }),
  },
  unique: [["openKey"]],
  indexes: [["projectId", "createdAtMs"], ["status", "expiresAtMs"], ["runId"]],
});
export type ApprovalRow = RowType<typeof approval>;
