import { z } from "zod";
import { defineEntity, field, int, longText, text, type RowType } from "../define-entity.js";

/** What a process heard from an MCP server that the clients of all of them are to hear: one row for each list and each watched resource, whose version says how often. The id is a digest of the fields. */
export const mcpNews = defineEntity({
  name: "mcpNews",
  table: "mcp_news",
  kind: "machine",
  scope: null,
  fields: {
    server: field(z.string().max(64), { access: "server", column: text(64) }),
    /** `updated`: the resource of the URI. */
    what: field(z.enum(["tools", "prompts", "resources", "updated"]), { access: "server", column: text(16) }),
    /** As the server calls it; empty for lists. */
    uri: field(z.string(), { access: "server", column: longText }),
    /** Whose connection heard it, where each caller signs in; empty: it is for everybody. */
    principal: field(z.string().max(100), { access: "server", column: text(100) }),
    /** By the store's clock. */
    movedAtMs: field(z.int(), { access: "server", column: int }),
  },
  indexes: [["movedAtMs"]],
});
export type McpNewsRow = RowType<typeof mcpNews>;
