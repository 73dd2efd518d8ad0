import { z } from "zod";
import { defineEntity, field, int, json, longText, text, type RowType } from "./define-entity.js";

/**
 * A creation that its caller may repeat: what it was asked and what it answered, kept for a day. `done` rows of derived creations are inserted together with what they created; a `running` one belongs
 * to a creation under way until `leaseUntilMs`, and after that nobody knows how it ended.
 */
export const idempotencyKey = defineEntity({
  name: "idempotencyKey",
  table: "idempotency_keys",
  kind: "machine",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64) }),
    callerId: field(z.string().max(100), { access: "server", column: text(100) }),
    key: field(z.string().max(200), { access: "server", column: text(200) }),
    /** SHA-256 over the route and the body, in hex. */
    payloadHash: field(z.string().length(64), { access: "hashed", column: text(64) }),
    state: field(z.enum(["running", "done"]), { access: "server", column: text(8) }),
    status: field(z.int().nullable(), { access: "server", column: int }),
    /** JSON text of the answer, without what is shown only once: of whatever a caller was told, so sealed. */
    answer: field(z.string().nullable(), { access: "secret", column: longText }),
    /** Names of the fields that were in the answer and are not kept. */
    withheld: field(z.array(z.string()), { access: "server", column: json }),
    leaseUntilMs: field(z.int(), { access: "server", column: int }),
    expiresAtMs: field(z.int(), { access: "server", column: int }),
  },
  unique: [["projectId", "callerId", "key"]],
  indexes: [["expiresAtMs"]],
});
export type IdempotencyKeyRow = RowType<typeof idempotencyKey>;
