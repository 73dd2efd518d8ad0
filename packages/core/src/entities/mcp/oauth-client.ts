import { z } from "zod";
import { defineEntity, field, int, longText, text, type RowType } from "../define-entity.js";

/**
 * The authorization server that an MCP server named when it was first signed in at, and what the gateway is called there. Another one is not followed before a person removes this row. The id is a digest of
 * the server's name.
 */
export const oauthClient = defineEntity({
  name: "oauthClient",
  table: "oauth_clients",
  kind: "machine",
  scope: null,
  fields: {
    server: field(z.string().max(64), { access: "server", column: text(64) }),
    issuer: field(z.string().max(2_000), { access: "server", column: longText }),
    /** null: configured, or a metadata document; otherwise registered by ourselves. */
    clientId: field(z.string().max(2_000).nullable(), { access: "server", column: longText }),
    clientSecret: field(z.string().nullable(), { access: "secret", column: longText }),
    /** What was registered: with another one the client is registered anew. */
    redirectUri: field(z.string().max(2_000).nullable(), { access: "server", column: longText }),
    /** null: the registration has no end. */
    expiresAtMs: field(z.int().nullable(), { access: "server", column: int }),
  },
  unique: [["server"]],
});
export type OAuthClientRow = RowType<typeof oauthClient>;
