import { z } from "zod";
import { defineEntity, field, int, json, longText, text, type RowType } from "../define-entity.js";

export const inboxKind = z.enum(["approval", "sign_in", "tool_change"]);
export type InboxKind = z.output<typeof inboxKind>;

export const inboxStatus = z.enum(["pending", "approved", "denied", "expired", "used"]);
export type InboxStatus = z.output<typeof inboxStatus>;

/**
 * What waits for a person. `approval`: a call, bound to its caller, tool and exact arguments; allowed, it passes once. `sign_in`: a user whose sign-in at a server is missing. `tool_change`: one definition of a tool that
 * nobody approved. pending → approved (→ used, of an approval), or → denied, or → expired. What nobody asks any more is removed.
 */
export const inboxItem = defineEntity({
  name: "inboxItem",
  table: "inbox_items",
  kind: "machine",
  scope: "audience",
  watched: false,
  fields: {
    /** Who sees it: `project:<id>`, `user:<whose sign-in>`, or `servers` for who administers them. */
    audience: field(z.string().max(120), { access: "server", column: text(120), filter: true }),
    kind: field(inboxKind, { access: "server", column: text(16), filter: true }),
    status: field(inboxStatus, { access: "server", column: text(16), filter: true }),
    /** Of what is asked for once: what the next who asks finds it by while it is open. Afterwards, and of all else, its own id. */
    openKey: field(z.string().max(64), { access: "server", column: text(64) }),
    projectId: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
    server: field(z.string().max(100), { access: "server", column: text(100), filter: true }),
    /** As the server calls it; null: it is about the server. */
    tool: field(z.string().max(512).nullable(), { access: "server", column: text(512) }),
    /** The caller that asked; of a sign-in, whose it is. null: a server's doing. */
    callerId: field(z.string().max(100).nullable(), { access: "server", column: text(100) }),
    callerName: field(z.string().max(200).nullable(), { access: "server", column: text(200) }),
    /** Everybody who stands behind the caller: itself, its key and those that it was made from, their makers and users. */
    callerIds: field(z.array(z.string().max(100)), { access: "server", column: json }),
    class: field(z.enum(["safe", "sensitive", "dangerous"]).nullable(), { access: "server", column: text(16) }),
    /** SHA-256 of what is decided on: the arguments that may be used (those asked for, or those that a person put in their place), or a tool's new definition. */
    digest: field(z.string().length(64).nullable(), { access: "server", column: text(64) }),
    /** JSON text of a call's arguments, sealed: they may hold what only the tool should see. */
    arguments: field(z.string().nullable(), { access: "secret", column: longText }),
    /** What a person put in the arguments' place, sealed; null: nothing. Only in runs. */
    edited: field(z.string().nullable(), { access: "secret", column: longText }),
    pinId: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
    /** JSON text of what differs from the definition that was approved. */
    differences: field(z.string().nullable(), { access: "server", column: longText }),
    requestId: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
    /** The run that asked; null: none did. */
    runId: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
    /** null: it waits as long as it takes. */
    expiresAtMs: field(z.int().nullable(), { access: "server", column: int }),
    decidedBy: field(z.string().max(100).nullable(), { access: "server", column: text(100) }),
    decidedAtMs: field(z.int().nullable(), { access: "server", column: int }),
    note: field(z.string().max(1_000).nullable(), { access: "server", column: text(1_000) }),
  },
  unique: [["openKey"]],
  indexes: [["audience", "createdAtMs"], ["status", "expiresAtMs"], ["kind", "server"], ["createdAtMs"]],
});
export type InboxItemRow = RowType<typeof inboxItem>;
