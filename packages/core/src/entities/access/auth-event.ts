import { z } from "zod";
import { defineLedger, field, json, text, type RowType } from "../define-entity.js";

export const authEventKinds = [
  "login",
  "logout",
  "key.created",
  "key.imported",
  "key.changed",
  "key.rotated",
  "key.revoked",
  "user.created",
  "user.removed",
  "password.changed",
  "role.granted",
  "role.withdrawn",
  "connect_started",
  "connect_completed",
  "refresh_succeeded",
  "refresh_failed_transient",
  "refresh_failed_revoked",
  "refresh_skipped_no_token",
  "refresh_skipped_expired",
  "refresh_rotation_persistence_failed",
  "token_ingested",
  "token_deleted_revoked",
  "token_deleted_admin",
] as const;
export type AuthEventKind = (typeof authEventKinds)[number];

/** Who signed in or tried to, what changed of who may do what, and what became of the gateway's own sign-ins at MCP servers. No credential, and of a failed sign-in no name that nobody has. */
export const authEvent = defineLedger({
  name: "authEvent",
  table: "auth_events",
  scope: "projectId",
  rest: { type: "auth-event", plural: "auth-events", permission: "audit", verbs: ["list"] },
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64), filter: true }),
    kind: field(z.enum(authEventKinds), { access: "server", column: text(40), filter: true }),
    outcome: field(z.enum(["ok", "failed"]), { access: "server", column: text(8) }),
    /** Who did it; null: nobody who is known. */
    callerId: field(z.string().max(100).nullable(), { access: "server", column: text(100), filter: true }),
    /** The key, user or binding that it was done to, or the MCP server. */
    targetId: field(z.string().max(64).nullable(), { access: "server", column: text(64), filter: true }),
    address: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
    requestId: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
    detail: field(z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).nullable(), {
      access: "server",
      column: json,
    }),
  },
  indexes: [["projectId", "atMs"], ["kind", "atMs"], ["callerId", "atMs"], ["targetId", "atMs"], ["atMs"]],
});
export type AuthEventRow = RowType<typeof authEvent>;
