import { z } from "zod";
import { defineEntity, field, int, longText, text, type RowType } from "../define-entity.js";

/**
 * A sign-in of the gateway at an MCP server: one for all callers, or one of a principal. The id is a digest of server and principal. Of the processes on a store one at a time refreshes it: it holds
 * the row meanwhile, and what it writes carries the attempt.
 */
export const oauthToken = defineEntity({
  name: "oauthToken",
  table: "oauth_tokens",
  kind: "machine",
  scope: null,
  fields: {
    server: field(z.string().max(64), { access: "server", column: text(64) }),
    /** Empty: shared by all callers. */
    principal: field(z.string().max(100), { access: "server", column: text(100) }),
    /** `revoked`: the authorization server takes it no longer; the tokens are gone. */
    state: field(z.enum(["connected", "revoked"]), { access: "server", column: text(16) }),
    grant: field(z.string().max(40), { access: "server", column: text(40) }),
    /** The server's address that it was made for: it is sent to no other. */
    url: field(z.string().max(2_000), { access: "server", column: longText }),
    /** Who issued it, and the only one that its refresh token is sent to. */
    issuer: field(z.string().max(2_000), { access: "server", column: longText }),
    clientId: field(z.string().max(2_000), { access: "server", column: longText }),
    resource: field(z.string().max(2_000).nullable(), { access: "server", column: longText }),
    scope: field(z.string().nullable(), { access: "server", column: longText }),
    /** What the server asked for beyond it. */
    wantedScope: field(z.string().nullable(), { access: "server", column: longText }),
    accessToken: field(z.string().nullable(), { access: "secret", column: longText }),
    refreshToken: field(z.string().nullable(), { access: "secret", column: longText }),
    /** null: it was not said. */
    expiresAtMs: field(z.int().nullable(), { access: "server", column: int }),
    refreshExpiresAtMs: field(z.int().nullable(), { access: "server", column: int }),
    authenticatedBy: field(z.string().max(100), { access: "server", column: text(100) }),
    authenticatedAtMs: field(z.int(), { access: "server", column: int }),
    lastRefreshedAtMs: field(z.int().nullable(), { access: "server", column: int }),
    lastError: field(z.string().max(200).nullable(), { access: "server", column: text(200) }),
    /** After a failure that may pass: not tried again before. */
    retryAtMs: field(z.int(), { access: "server", column: int }),
    /** Somebody refreshes it until then, by the store's clock. */
    holdUntilMs: field(z.int(), { access: "server", column: int }),
    attempt: field(z.int(), { access: "server", column: int }),
  },
  unique: [["server", "principal"]],
  indexes: [["holdUntilMs"], ["state", "expiresAtMs"], ["state", "refreshExpiresAtMs"]],
});
export type OAuthTokenRow = RowType<typeof oauthToken>;
