import { z } from "zod";
import { defineEntity, field, int, longText, text, type RowType } from "../define-entity.js";

/** A sign-in at an MCP server that a browser was sent to do: taken once, within ten minutes. The id is a digest of what the browser brings back. */
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
    /** Where the browser is sent once its user has agreed. */
    authorizationUrl: field(z.string(), { access: "secret", column: longText }),
    /** Of the ticket that the page of consent is reached by, and then of the cookie of the browser that agreed; null: no consent is asked for. */
    ticketDigest: field(z.string().length(64).nullable(), { access: "hashed", column: text(64) }),
    cookieDigest: field(z.string().length(64).nullable(), { access: "hashed", column: text(64) }),
    expiresAtMs: field(z.int(), { access: "server", column: int }),
  },
  unique: [["ticketDigest"]],
  indexes: [["expiresAtMs"], ["server", "principal"]],
});
export type OAuthStateRow = RowType<typeof oauthState>;
