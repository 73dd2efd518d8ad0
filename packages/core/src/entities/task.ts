import { z } from "zod";
import { bool, defineEntity, field, int, json, text, type RowType } from "./define-entity.js";

export const taskStatus = z.enum(["pending", "running", "succeeded", "failed", "cancelled"]);

/**
 * One accepted piece of work for a handler of its `type`. A `pending` row may be taken from `readyAtMs` on, a `running` one is leased until then and taken again when
 * it passes without a word from its worker. `attempt` is the fence and the count of attempts begun. A task whose attempts are used up is `failed` with
 * `deadLetter` true.
 */
export const task = defineEntity({
  name: "task",
  table: "tasks",
  kind: "machine",
  scope: "projectId",
  rest: { type: "task", plural: "tasks", permission: "tasks", verbs: ["list", "get"] },
  fields: {
    projectId: field(z.string().max(64), { access: "create-only", column: text(64), filter: true }),
    type: field(z.string().min(1).max(100), { access: "create-only", column: text(100), filter: true }),
    status: field(taskStatus, { access: "server", column: text(16), filter: true }),
    payload: field(z.unknown(), { access: "create-only", column: json }),
    result: field(z.unknown(), { access: "server", column: json }),
    error: field(z.object({ code: z.string(), message: z.string() }).nullable(), { access: "server", column: json }),
    /** Higher goes first; 0 is ordinary. */
    priority: field(z.int(), { access: "create-only", column: int }),
    /** When it was asked to run; retries leave it alone. */
    dueAtMs: field(z.int(), { access: "create-only", column: int }),
    /** When it may be taken: the due time of a pending task or of its next attempt, the end of the lease of a running one. */
    readyAtMs: field(z.int(), { access: "server", column: int }),
    attempt: field(z.int(), { access: "server", column: int }),
    /** Attempts that do not count against `maxAttempts`: given back at a shutdown, or forgiven by a retry by hand. The fence itself never goes back. */
    uncounted: field(z.int(), { access: "server", column: int }),
    maxAttempts: field(z.int(), { access: "create-only", column: int }),
    backoffMs: field(z.int(), { access: "create-only", column: int }),
    leaseMs: field(z.int(), { access: "create-only", column: int }),
    /** The node that holds the lease, or held it last. */
    holder: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
    cancelRequested: field(z.boolean(), { access: "server", column: bool }),
    cancelReason: field(z.string().max(500).nullable(), { access: "server", column: text(500) }),
    deadLetter: field(z.boolean(), { access: "server", column: bool }),
    /** Unique in the project: repeating a creation gives the same task. */
    idempotencyKey: field(z.string().max(200).nullable(), { access: "create-only", column: text(200) }),
    payloadHash: field(z.string().max(64), { access: "server", column: text(64) }),
    createdBy: field(z.string().max(100), { access: "server", column: text(100) }),
    startedAtMs: field(z.int().nullable(), { access: "server", column: int }),
    finishedAtMs: field(z.int().nullable(), { access: "server", column: int }),
  },
  unique: [["projectId", "idempotencyKey"]],
  // Claims name status, type and one priority, and read on by readyAtMs, ties by id: no sort even when thousands are due at one instant, and only the rows they take are touched.
  indexes: [
    ["status", "type", "priority", "readyAtMs", "id"],
    ["status", "cancelRequested"],
    ["projectId", "createdAtMs"],
  ],
});
export type TaskRow = RowType<typeof task>;
