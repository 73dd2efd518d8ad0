import { z } from "zod";
import { defineEntity, field, int, json, text, type RowType } from "../define-entity.js";

/**
 * A session of an MCP client up to 2025-11-25, as every process has to know it: whose it is, where it was opened, and what it asked to hear. The id is a digest of the session's own, which is nowhere in the store.
 */
export const mcpSession = defineEntity({
  name: "mcpSession",
  table: "mcp_sessions",
  kind: "machine",
  scope: null,
  fields: {
    callerId: field(z.string().max(100), { access: "server", column: text(100) }),
    /** The namespace; empty for the whole. */
    address: field(z.string().max(100), { access: "server", column: text(100) }),
    revision: field(z.string().max(16), { access: "server", column: text(16) }),
    /** What its client declared that it can be asked. */
    capabilities: field(z.record(z.string(), z.unknown()), { access: "server", column: json }),
    /** URIs as the client knows them. */
    watches: field(z.array(z.string()), { access: "server", column: json }),
    /** The least severe log message that it asked for; null: it did not ask. */
    logLevel: field(z.int().nullable(), { access: "server", column: int }),
    /** The newest requests that it cancelled, by the JSON text of their ids, and how many there were before them. */
    cancelled: field(z.object({ before: z.int(), ids: z.array(z.string()) }), { access: "server", column: json }),
    endedAtMs: field(z.int().nullable(), { access: "server", column: int }),
    /** When something above changed last, by the store's clock; 0: never. */
    movedAtMs: field(z.int(), { access: "server", column: int }),
    /** Put off while it is used. */
    expiresAtMs: field(z.int(), { access: "server", column: int, touch: true }),
  },
  indexes: [["movedAtMs"], ["expiresAtMs"]],
});
export type McpSessionRow = RowType<typeof mcpSession>;
