import { z } from "zod";
import { defineEntity, field, int, longText, text, type RowType } from "../define-entity.js";

/** A result that was too large to be handed over: kept whole for the caller that it was for, until it expires. The id is drawn at random, or a digest of the text and of a handle that nobody else has. */
export const toolResult = defineEntity({
  name: "toolResult",
  table: "tool_results",
  kind: "machine",
  scope: null,
  fields: {
    callerId: field(z.string().max(100), { access: "server", column: text(100) }),
    /** In full: `server__tool`. */
    tool: field(z.string().max(560), { access: "server", column: text(560) }),
    /** Of the result, as UTF-8. */
    bytes: field(z.int(), { access: "server", column: int }),
    parts: field(z.int(), { access: "server", column: int }),
    expiresAtMs: field(z.int(), { access: "server", column: int }),
  },
  indexes: [["expiresAtMs"], ["callerId", "createdAtMs"]],
});
export type ToolResultRow = RowType<typeof toolResult>;

/** A piece of the text of a kept result. Its id is the result's with its place: pieces are found by their number alone. */
export const toolResultPart = defineEntity({
  name: "toolResultPart",
  table: "tool_result_parts",
  kind: "machine",
  scope: null,
  fields: {
    resultId: field(z.string().max(64), { access: "server", column: text(64), ref: { entity: "toolResult", onDelete: "cascade" } }),
    text: field(z.string(), { access: "server", column: longText }),
  },
  indexes: [["resultId"]],
});
export type ToolResultPartRow = RowType<typeof toolResultPart>;
