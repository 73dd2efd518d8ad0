import { z } from "zod";
import { bool, defineEntity, defineLog, field, int, json, longText, text, type RowType } from "./define-entity.js";

export const vendorObjectKind = z.enum(["file", "batch", "video"]);
export const vendorObjectStatus = z.enum(["queued", "running", "succeeded", "failed", "cancelled", "expired"]);

/**
 * Something under an id of ours that a vendor, or the gateway in its place, makes or keeps for a project: a film being made, a batch being worked off, a file. `queued` and `running` ones are followed
 * by whoever takes them from `readyAtMs` on; `attempt` is the fence of whoever works on one.
 */
export const vendorObject = defineEntity({
  name: "vendorObject",
  table: "vendor_objects",
  kind: "machine",
  scope: "projectId",
  watched: false,
  fields: {
    projectId: field(z.string().max(64), { access: "create-only", column: text(64), filter: true }),
    kind: field(vendorObjectKind, { access: "create-only", column: text(16), filter: true }),
    status: field(vendorObjectStatus, { access: "server", column: text(16), filter: true }),
    /** What a file is for, which face made a batch. */
    purpose: field(z.string().max(64), { access: "create-only", column: text(64), filter: true }),
    /** The model in full, as it was asked for. */
    model: field(z.string().max(300).nullable(), { access: "server", column: text(300) }),
    /** Who has it, under which of its ids, reached with which key; null: nobody but us. */
    provider: field(z.string().max(100).nullable(), { access: "server", column: text(100) }),
    ref: field(z.string().max(1000).nullable(), { access: "server", column: text(1000) }),
    keyPrint: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
    /** The caller as data: who it acts for when another process goes on with it. */
    caller: field(z.record(z.string(), z.unknown()), { access: "server", column: json }),
    /** What only its kind has. */
    data: field(z.record(z.string(), z.unknown()), { access: "server", column: json }),
    error: field(z.object({ code: z.string(), message: z.string() }).nullable(), { access: "server", column: json }),
    total: field(z.int(), { access: "server", column: int }),
    completed: field(z.int(), { access: "server", column: int }),
    failed: field(z.int(), { access: "server", column: int }),
    readyAtMs: field(z.int(), { access: "server", column: int }),
    attempt: field(z.int(), { access: "server", column: int }),
    cancelRequested: field(z.boolean(), { access: "server", column: bool }),
    expiresAtMs: field(z.int().nullable(), { access: "server", column: int }),
    /** Unique in the project: repeating a creation gives the same object. */
    idempotencyKey: field(z.string().max(220).nullable(), { access: "create-only", column: text(220) }),
    payloadHash: field(z.string().max(64), { access: "server", column: text(64) }),
    startedAtMs: field(z.int().nullable(), { access: "server", column: int }),
    finishedAtMs: field(z.int().nullable(), { access: "server", column: int }),
  },
  unique: [["projectId", "idempotencyKey"]],
  indexes: [
    ["status", "kind", "readyAtMs"],
    ["projectId", "kind", "createdAtMs"],
    ["projectId", "kind", "purpose", "createdAtMs"],
    ["expiresAtMs"],
  ],
});
export type VendorObjectRow = RowType<typeof vendorObject>;

/** A piece of the content of a file, in base64. Its id is that of the file with its place: pieces are found by their number alone. */
export const fileChunk = defineEntity({
  name: "fileChunk",
  table: "file_chunks",
  kind: "machine",
  scope: "projectId",
  watched: false,
  fields: {
    projectId: field(z.string().max(64), { access: "create-only", column: text(64) }),
    fileId: field(z.string().max(64), {
      access: "create-only",
      column: text(64),
      ref: { entity: "vendorObject", onDelete: "cascade" },
    }),
    data: field(z.string(), { access: "server", column: longText }),
  },
  indexes: [["fileId"]],
});
export type FileChunkRow = RowType<typeof fileChunk>;

/** What became of one request of a batch, in the order they ended; the stream is the batch's id. */
export const batchLine = defineLog({
  name: "batchLine",
  table: "batch_lines",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64) }),
    customId: field(z.string(), { access: "server", column: longText }),
    ok: field(z.boolean(), { access: "server", column: bool }),
    /** HTTP status of the answer, as its face would have sent it. */
    status: field(z.int(), { access: "server", column: int }),
    requestId: field(z.string().max(64), { access: "server", column: text(64) }),
    /** The answer's body: JSON text. */
    body: field(z.string(), { access: "server", column: longText }),
  },
});
export type BatchLineEntry = RowType<typeof batchLine>;
