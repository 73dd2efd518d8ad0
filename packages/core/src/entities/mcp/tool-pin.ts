import { z } from "zod";
import { defineEntity, field, int, longText, text, type RowType } from "../define-entity.js";

export const pinStatuses = ["approved", "new", "changed", "rejected"] as const;
export const pinStatus = z.enum(pinStatuses);
export type PinStatus = z.output<typeof pinStatus>;

const digest = z.string().max(64);

/**
 * Which definition of a tool was approved, and which other one its server shows since. The id is a digest of server and tool, so that two processes that see a tool first write one row. A row without a tool stands for its
 * server: once it is there, what the server adds is new.
 */
export const toolPin = defineEntity({
  name: "toolPin",
  table: "tool_pins",
  kind: "machine",
  scope: null,
  watched: true,
  fields: {
    server: field(z.string().max(40), { access: "server", column: text(40), filter: true }),
    /** As the server calls it. */
    tool: field(z.string().max(512), { access: "server", column: text(512) }),
    status: field(pinStatus, { access: "server", column: text(16), filter: true }),
    /** SHA-256 of the approved definition; null: none was. */
    digest: field(digest.nullable(), { access: "server", column: text(64) }),
    /** Of the one that waits for a person, or was rejected; null: there is none. */
    seenDigest: field(digest.nullable(), { access: "server", column: text(64) }),
    /** When that was seen first, Unix ms. */
    seenAtMs: field(z.int().nullable(), { access: "server", column: int }),
    /** The item of the inbox that asks for it; null: nothing waits. */
    itemId: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
    /** Who approved or rejected last; null: nobody, it was there when the server was seen first. */
    decidedBy: field(z.string().max(100).nullable(), { access: "server", column: text(100) }),
    decidedAtMs: field(z.int().nullable(), { access: "server", column: int }),
  },
  indexes: [
    ["server", "id"],
    ["status", "id"],
  ],
});
export type ToolPinRow = RowType<typeof toolPin>;

/** A tool's definition as it was digested. The id is the pin's with `_a` for the approved one and `_s` for the other: no server fills the store by changing its mind. */
export const toolDefinition = defineEntity({
  name: "toolDefinition",
  table: "tool_definitions",
  kind: "machine",
  scope: null,
  fields: {
    pinId: field(z.string().max(64), { access: "server", column: text(64), ref: { entity: "toolPin", onDelete: "cascade" } }),
    /** Canonical JSON. */
    definition: field(z.string(), { access: "server", column: longText }),
  },
  indexes: [["pinId"]],
});
export type ToolDefinitionRow = RowType<typeof toolDefinition>;
