import { z } from "zod";
import { defineEntity, field, int, text, type RowType } from "../define-entity.js";

/** A browser that has signed in. Only a digest of what its cookie holds is stored. */
export const webSession = defineEntity({
  name: "webSession",
  table: "web_sessions",
  kind: "machine",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64) }),
    userId: field(z.string().max(64), { access: "server", column: text(64), ref: { entity: "user", onDelete: "cascade" } }),
    digest: field(z.string().length(64), { access: "hashed", column: text(64) }),
    /** How it signed in: `password`, or the name of an OpenID provider. */
    by: field(z.string().max(60), { access: "server", column: text(60) }),
    beganAtMs: field(z.int(), { access: "server", column: int }),
    lastSeenAtMs: field(z.int(), { access: "server", column: int, touch: true }),
    /** However it is used. */
    expiresAtMs: field(z.int(), { access: "server", column: int }),
    revokedAtMs: field(z.int().nullable(), { access: "server", column: int }),
    address: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
    agent: field(z.string().max(200).nullable(), { access: "server", column: text(200) }),
  },
  unique: [["digest"]],
  indexes: [["userId"], ["expiresAtMs"]],
});
export type WebSessionRow = RowType<typeof webSession>;

/** A sign-in that an OpenID provider was sent to do: taken once, by the browser that began it. */
export const signInState = defineEntity({
  name: "signInState",
  table: "sign_in_states",
  kind: "machine",
  scope: null,
  fields: {
    /** Of the `state` parameter. */
    digest: field(z.string().length(64), { access: "hashed", column: text(64) }),
    /** Of the cookie that the browser got with it. */
    cookieDigest: field(z.string().length(64), { access: "hashed", column: text(64) }),
    provider: field(z.string().max(60), { access: "server", column: text(60) }),
    /** A path of this gateway. */
    returnTo: field(z.string().max(500).nullable(), { access: "server", column: text(500) }),
    expiresAtMs: field(z.int(), { access: "server", column: int }),
  },
  unique: [["digest"]],
  indexes: [["expiresAtMs"]],
});
export type SignInStateRow = RowType<typeof signInState>;
