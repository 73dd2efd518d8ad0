import { z } from "zod";
import { defineEntity, field, int, json, longText, text, type RowType } from "../define-entity.js";

/** `copying`: a branch whose messages are still being copied; `deleting`: its messages are being erased. Neither is a session to anybody but the sweeper. */
export const sessionStatus = z.enum(["active", "copying", "deleting"]);

/** Which tools a session's turns may call, and what the model is told of them. */
export const sessionMcp = z.strictObject({
  tools: z.array(z.string().min(1).max(200)).max(200).default([]).describe("globs over tool names: files__*"),
  instructions: z
    .array(z.string().min(1).max(32_768))
    .max(50)
    .default([])
    .describe("told to the model after the session's own instructions"),
  operations: z.array(z.string().min(1).max(200)).max(200).default([]).describe("kept for the caller; they mean nothing to the gateway"),
});
export type SessionMcp = z.output<typeof sessionMcp>;

export const sessionMetadata = z
  .record(z.string().min(1).max(64), z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()]))
  .refine((value) => Object.keys(value).length <= 64, "at most 64 fields");

/**
 * A conversation: what its turns are made with, and the head of its stream of messages. `messageCount`, `bytes` and `lastSeq` change in the unit that appends, which this row's guard admits:
 * a session that is gone takes no message any more, so that none is left behind. Everything that use alone changes is a touch: `version` moves when people change it.
 */
export const session = defineEntity({
  name: "session",
  table: "sessions",
  kind: "machine",
  scope: "projectId",
  rest: { type: "session", plural: "sessions", permission: "sessions", verbs: ["list", "get", "delete"] },
  fields: {
    projectId: field(z.string().max(64), { access: "create-only", column: text(64), filter: true }),
    title: field(z.string().max(200).nullable(), { access: "open", column: text(200) }),
    /** Whose it is: a user of the gateway, or whatever the host application calls its own. */
    userId: field(z.string().max(100).nullable(), { access: "create-only", column: text(100), filter: true }),
    agentId: field(z.string().max(64).nullable(), { access: "create-only", column: text(64), filter: true }),
    /** Of the model, as it was when the model was set. */
    provider: field(z.string().max(100).nullable(), { access: "server", column: text(100) }),
    model: field(z.string().max(200).nullable(), { access: "open", column: text(200) }),
    /** The system message. */
    instructions: field(z.string().nullable(), { access: "open", column: longText }),
    mcp: field(sessionMcp, { access: "open", column: json }),
    status: field(sessionStatus, { access: "server", column: text(16) }),
    messageCount: field(z.int(), { access: "server", column: int, touch: true }),
    /** Of the messages as JSON. */
    bytes: field(z.int(), { access: "server", column: int, touch: true }),
    lastSeq: field(z.int(), { access: "server", column: int, touch: true }),
    lastMessageAtMs: field(z.int().nullable(), { access: "server", column: int, touch: true, sort: true }),
    /** The session that it was branched from, and the last message that both have. The parent may be gone. */
    parentId: field(z.string().max(64).nullable(), { access: "create-only", column: text(64), filter: true }),
    branchSeq: field(z.int().nullable(), { access: "create-only", column: int }),
    /** Sequence numbers of the messages that every window keeps. */
    pinned: field(z.array(z.int().min(1)).max(100), { access: "open", column: json }),
    /** What was said up to `summarySeq`, in a model's words; null and 0: nobody summed it up. */
    summary: field(z.string().nullable(), { access: "server", column: longText, touch: true }),
    summarySeq: field(z.int(), { access: "server", column: int, touch: true }),
    /** Until then one process makes a summary, or leaves it after a failure. */
    summaryUntilMs: field(z.int(), { access: "server", column: int, touch: true }),
    /** The run whose turn it is; null: nobody's. */
    turnId: field(z.string().max(64).nullable(), { access: "server", column: text(64), touch: true }),
    lastAccessedAtMs: field(z.int(), { access: "server", column: int, touch: true }),
    /** When it goes, unless somebody uses it before. */
    expiresAtMs: field(z.int(), { access: "server", column: int, touch: true }),
    metadata: field(sessionMetadata, { access: "open", column: json }),
  },
  indexes: [
    ["projectId", "createdAtMs"],
    ["userId", "createdAtMs"],
    ["agentId", "createdAtMs"],
    ["parentId", "createdAtMs"],
    ["lastMessageAtMs"],
    ["expiresAtMs", "status"],
  ],
});
export type SessionRow = RowType<typeof session>;
