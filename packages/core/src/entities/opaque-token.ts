import { z } from "zod";
import { defineLedger, field, longText, text, type RowType } from "./define-entity.js";

/**
 * What a vendor sealed into an answer and the caller's dialect could not carry, kept by the tool call that it belongs to until the next turn asks for it. Rows are
 * inserted and pruned when they are a day old; of several for one call the newest counts.
 */
export const opaqueToken = defineLedger({
  name: "opaqueToken",
  table: "opaque_tokens",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64) }),
    /** A keyed hash of project, tool call, its name and its arguments, in hex. */
    callHash: field(z.string().length(64), { access: "hashed", column: text(64) }),
    /** What belongs to the call: reasoning and the vendor's tokens, sealed with the gateway's own key. */
    sealed: field(z.string(), { access: "secret", column: longText }),
  },
  indexes: [["callHash", "atMs"], ["atMs"]],
});
export type OpaqueTokenRow = RowType<typeof opaqueToken>;
