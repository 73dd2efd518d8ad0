import { z } from "zod";
import { defineLog, field, json, text, type RowType } from "../define-entity.js";

/** A message of a session; the stream is the session's id. Never changed: what was said stands until the session goes. */
export const message = defineLog({
  name: "message",
  table: "session_messages",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64) }),
    /** A neutral message. */
    message: field(z.record(z.string(), z.unknown()), { access: "server", column: json }),
    /** Who appended it: the caller's id. */
    author: field(z.string().max(100), { access: "server", column: text(100) }),
    /** The model that said it; null: no model did, or nobody told. */
    model: field(z.string().max(200).nullable(), { access: "server", column: text(200) }),
    /** Of the whole turn, at its last message. */
    usage: field(z.record(z.string(), z.unknown()).nullable(), { access: "server", column: json }),
    runId: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
  },
});
export type MessageEntry = RowType<typeof message>;
