import { z } from "zod";
import { bool, defineEntity, field, int, json, text, type RowType } from "./define-entity.js";

/** A key that callers present to this gateway. Only a keyed digest of it is stored. */
export const gatewayKey = defineEntity({
  name: "gatewayKey",
  table: "gateway_keys",
  kind: "record",
  scope: null,
  watched: true,
  fields: {
    name: field(z.string().min(1).max(200), { access: "open", column: text(200) }),
    kind: field(z.enum(["owner", "key"]), { access: "create-only", column: text(16), filter: true }),
    /** HMAC-SHA-256 of the whole key, in hex. */
    digest: field(z.string().length(64), { access: "hashed", column: text(64) }),
    projectId: field(z.string().max(64), { access: "create-only", column: text(64) }),
    grants: field(z.array(z.string()), { access: "open", column: json }),
    enabled: field(z.boolean(), { access: "open", column: bool }),
    expiresAtMs: field(z.int().nullable(), { access: "open", column: int }),
    lastUsedAtMs: field(z.int().nullable(), { access: "server", column: int, touch: true }),
  },
  unique: [["digest"]],
  indexes: [["kind"]],
});
export type GatewayKeyRow = RowType<typeof gatewayKey>;
