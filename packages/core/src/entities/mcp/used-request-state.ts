import { z } from "zod";
import { defineEntity, field, int, type RowType } from "../define-entity.js";

/** A `requestState` that a client came back with: it is of no use to a second request, at any process. The id is a digest of it. Kept for as long as it would open. */
export const usedRequestState = defineEntity({
  name: "usedRequestState",
  table: "used_request_states",
  kind: "machine",
  scope: null,
  fields: {
    expiresAtMs: field(z.int(), { access: "server", column: int }),
  },
  indexes: [["expiresAtMs"]],
});
export type UsedRequestStateRow = RowType<typeof usedRequestState>;
