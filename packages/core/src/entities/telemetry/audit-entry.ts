import { z } from "zod";
import { defineLedger, field, int, json, text, type RowType } from "../define-entity.js";

const name = (length: number) => field(z.string().max(length).nullable(), { access: "server", column: text(length) });

/** Who did what, and why: one row for every call and every change by a person. No content, unless `audit.parameters` asks for the arguments of tool calls. */
export const auditEntry = defineLedger({
  name: "audit",
  table: "audit_entries",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64), filter: true }),
    callerId: field(z.string().max(100), { access: "server", column: text(100), filter: true }),
    /** What the caller is, and on whose behalf; null: nobody of that kind, or written before it was kept. */
    actorKind: field(z.enum(["owner", "key", "user", "host", "system"]).nullable(), { access: "server", column: text(8) }),
    keyId: name(64),
    userId: name(64),
    teamId: name(64),
    /** `model.call`, `tool.call`, `tool.read`, `tool.prompt`, `tool.complete`, `route.create`, … */
    action: field(z.string().max(100), { access: "server", column: text(100), filter: true }),
    /** What it was done to: the model, the tool, the name or id of the row. */
    target: field(z.string().max(200), { access: "server", column: text(200) }),
    /** The kind of row that was changed; null: the action says it. */
    resourceType: name(40),
    requestId: field(z.string().max(64), { access: "server", column: text(64) }),
    /** Where it came in. */
    source: field(z.enum(["http", "mcp", "code", "run", "task"]).nullable(), { access: "server", column: text(8) }),
    /** Why, as the caller said it. */
    purpose: name(500),
    outcome: field(z.enum(["done", "failed", "aborted", "parked"]), { access: "server", column: text(16) }),
    code: name(64),
    status: field(z.int(), { access: "server", column: int }),
    durationMs: field(z.int(), { access: "server", column: int }),
    /** The arguments of a tool call, redacted; null: not asked for. */
    parameters: field(z.unknown(), { access: "server", column: json }),
    /** Of a change: the names of the fields that it changed, never their values. */
    changed: field(z.array(z.string()).nullable(), { access: "server", column: json }),
  },
  indexes: [["projectId", "atMs"], ["callerId", "atMs"], ["requestId"], ["atMs"]],
});
export type AuditRow = RowType<typeof auditEntry>;
