import { z } from "zod";
import { defineEntity, field, int, text, type RowType } from "../define-entity.js";

/**
 * A key that stored values are sealed with, itself sealed with the key that the operator's secret makes: a new secret re-wraps these few rows and leaves all others as they are.
 * The row `root` is what the gateway's keys for other purposes are derived from.
 */
export const dataKey = defineEntity({
  name: "dataKey",
  table: "data_keys",
  kind: "machine",
  scope: null,
  watched: true,
  fields: {
    /** `next` opens, so that every node has it before anybody seals with it; `active` seals and opens, one at a time; `retired` only opens, and of `spent` nothing is left that it sealed. */
    state: field(z.enum(["root", "next", "active", "retired", "spent"]), { access: "server", column: text(16), filter: true }),
    /** Which of the operator's secrets wrapped it. */
    wrappedBy: field(z.string().max(32), { access: "server", column: text(32) }),
    /** base64url. Opened only with the operator's secret. */
    wrapped: field(z.string().max(200), { access: "server", column: text(200) }),
    retiredAtMs: field(z.int().nullable(), { access: "server", column: int }),
  },
  indexes: [["state"]],
});
export type DataKeyRow = RowType<typeof dataKey>;
