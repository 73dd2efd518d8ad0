import { z } from "zod";
import { bool, defineEntity, field, int, json, text, type RowType } from "../define-entity.js";

const limit = z.int().min(1).max(1_000_000_000);
/** What one key may use at the most. What is left out is not limited here. */
export const keyRateLimit = z.strictObject({
  requestsPerMinute: limit.optional(),
  tokensPerMinute: limit.optional(),
  concurrency: z.int().min(1).max(1_000_000).optional().describe("calls under way at once"),
});
export type KeyRateLimit = z.output<typeof keyRateLimit>;

/** `models:openai/*`, `mcp:files__*`, `admin:read`, `project:p1`, `*`; with a leading `!` it denies. */
export const scopeText = z
  .string()
  .min(1)
  .max(300)
  .regex(
    /^!?(\*|[a-z][a-z0-9-]*:[\x21-\x7e]+)$/,
    "a scope such as models:openai/*, mcp:files__*, admin:read, project:p1 or *; ! before it denies",
  );
export const scopeList = z.array(scopeText).max(200);

/** A key that callers present to this gateway. Only a keyed digest of it is stored. */
export const gatewayKey = defineEntity({
  name: "gatewayKey",
  table: "gateway_keys",
  kind: "record",
  scope: "projectId",
  watched: true,
  rest: {
    type: "gateway-api-key",
    plural: "gateway-api-keys",
    path: "keys",
    permission: "keys",
    verbs: ["list", "get", "create", "update", "delete"],
  },
  fields: {
    name: field(z.string().min(1).max(200), { access: "open", column: text(200) }),
    kind: field(z.enum(["owner", "key"]), { access: "server", column: text(16), filter: true }),
    /** HMAC-SHA-256 of the whole key, in hex. */
    digest: field(z.string().length(64), { access: "hashed", column: text(64) }),
    projectId: field(z.string().min(1).max(64), { access: "create-only", column: text(64), filter: true }),
    scopes: field(scopeList, { access: "open", column: json }),
    enabled: field(z.boolean().default(true), { access: "open", column: bool }),
    expiresAtMs: field(z.int().nullable(), { access: "open", column: int }),
    lastUsedAtMs: field(z.int().nullable(), { access: "server", column: int, touch: true }),
    /** As it stands in the key; null: the owner's, or one brought from elsewhere. */
    environment: field(
      z
        .string()
        .regex(/^[a-z0-9]{1,12}$/)
        .nullable(),
      { access: "create-only", column: text(12) },
    ),
    /** The beginning of the key, for people to know it by. */
    prefix: field(z.string().max(60).nullable(), { access: "server", column: text(60) }),
    /** Whom its calls count for, beside the project. */
    userId: field(z.string().min(1).max(64).nullable(), { access: "create-only", column: text(64), filter: true }),
    teamId: field(z.string().min(1).max(64).nullable(), { access: "create-only", column: text(64) }),
    /** The key or the user that made it: it never may what that may not, and ends with it. */
    parentId: field(z.string().max(64).nullable(), { access: "server", column: text(64), filter: true }),
    rateLimit: field(keyRateLimit.nullable(), { access: "open", column: json }),
    /** The digest before the last rotation; valid until the instant beside it. */
    previousDigest: field(z.string().length(64).nullable(), { access: "hashed", column: text(64) }),
    previousUntilMs: field(z.int().nullable(), { access: "server", column: int }),
    /** A hash brought from elsewhere, until the key is first presented. */
    legacyHash: field(z.string().max(300).nullable(), { access: "hashed", column: text(300) }),
    legacyScheme: field(z.string().max(40).nullable(), { access: "server", column: text(40) }),
    revokedAtMs: field(z.int().nullable(), { access: "server", column: int }),
    /** Id of the caller that made it. */
    createdBy: field(z.string().max(100).nullable(), { access: "server", column: text(100) }),
    metadata: field(z.record(z.string().max(64), z.string().max(500)).nullable(), { access: "open", column: json }),
  },
  unique: [["digest"]],
  indexes: [["kind"], ["projectId", "createdAtMs"], ["parentId"], ["userId"]],
});
export type GatewayKeyRow = RowType<typeof gatewayKey>;

/** What a key has that nobody limits, rotates or brings from elsewhere; the rest of its row is said beside it. */
export const plainKey = {
  enabled: true,
  expiresAtMs: null,
  lastUsedAtMs: null,
  environment: null,
  prefix: null,
  userId: null,
  teamId: null,
  parentId: null,
  rateLimit: null,
  previousDigest: null,
  previousUntilMs: null,
  legacyHash: null,
  legacyScheme: null,
  revokedAtMs: null,
  createdBy: null,
  metadata: null,
} satisfies Partial<GatewayKeyRow>;
