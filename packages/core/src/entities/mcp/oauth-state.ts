import { z } from "zod";
import { defineEntity, field, int, longText, text, type RowType } from "../define-entity.js";

/**
 * A sign-in at an MCP server that a browser was sent to do: taken once, within ten minutes. The id is a digest of the link's ticket until somebody agreed, and then of the state that was issued with that.
 */
export const oauthState = defineEntity({
  name: "oauthState",
  table: "oauth_states",
  kind: "machine",
  scope: null,
  fields: {
    server: field(z.string().max(64), { access: "server", column: text(64) }),
    /** Empty: for all callers. */
    principal: field(z.string().max(100), { access: "server", column: text(100) }),
    startedBy: field(z.string().max(100), { access: "server", column: text(100) }),
    issuer: field(z.string().max(2_000), { access: "server", column: longText }),
    clientId: field(z.string().max(2_000), { access: "server", column: longText }),
    url: field(z.string().max(2_000), { access: "server", column: longText }),
    resource: field(z.string().max(2_000).nullable(), { access: "server", column: longText }),
    scope: field(z.string().nullable(), { access: "server", column: longText }),
    redirectUri: field(z.string().max(2_000), { access: "server", column: longText }),
    /** A path of this gateway. */
    returnUrl: field(z.string().max(500).nullable(), { access: "server", column: text(500) }),
    verifier: field(z.string(), { access: "secret", column: longText }),
    /** Where the browser is sent once its user has agreed, without the state; null: it was. */
    authorizationUrl: field(z.string().nullable(), { access: "secret", column: longText }),
    /** Of the client that was registered for this sign-in alone, at another authorization server than the MCP server is held to: kept as that one's when it is finished. */
    clientSecret: field(z.string().nullable(), { access: "secret", column: longText }),
    clientEndsAtMs: field(z.int().nullable(), { access: "server", column: int }),
    /** The authorization server that the MCP server was held to before; null: the same, or none. */
    formerIssuer: field(z.string().max(2_000).nullable(), { access: "server", column: longText }),
    /** Of the code that the starter was told, for browsers that are nobody here. */
    codeDigest: field(z.string().length(64), { access: "hashed", column: text(64) }),
    /** Codes that were tried. */
    tries: field(z.int(), { access: "server", column: int }),
    /** Of the cookie of the browser that agreed; null: nobody has. */
    cookieDigest: field(z.string().length(64).nullable(), { access: "hashed", column: text(64) }),
    expiresAtMs: field(z.int(), { access: "server", column: int }),
  },
  indexes: [["expiresAtMs"], ["server", "principal"]],
});
export type OAuthStateRow = RowType<typeof oauthState>;
