import { z } from "zod";
import { bool, defineEntity, field, int, text, type RowType } from "../define-entity.js";

export const username = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9._@+-]{0,98}[a-z0-9])?$/, "1 to 100 of a-z, 0-9 and . _ @ + -, starting and ending with a letter or digit");

/** A person who signs in. What they may do stands in role bindings. */
export const user = defineEntity({
  name: "user",
  table: "users",
  kind: "record",
  scope: "projectId",
  watched: true,
  rest: { type: "user", plural: "users", permission: "users", verbs: ["list", "get", "create", "update", "delete"] },
  fields: {
    /** Whose people administer the account; what the user may do there is said by bindings, as everywhere. */
    projectId: field(z.string().min(1).max(64), { access: "create-only", column: text(64), filter: true }),
    username: field(username, { access: "create-only", column: text(100), filter: true, sort: true }),
    name: field(z.string().min(1).max(200).nullable(), { access: "open", column: text(200) }),
    email: field(z.email().max(254).nullable(), { access: "open", column: text(254) }),
    /** argon2id, in PHC form; null: signs in elsewhere only. */
    passwordHash: field(z.string().max(300).nullable(), { access: "hashed", column: text(300) }),
    /** A digest of issuer and subject; null: signs in with a password only. */
    externalId: field(z.string().length(64).nullable(), { access: "hashed", column: text(64) }),
    enabled: field(z.boolean().default(true), { access: "open", column: bool }),
    lastLoginAtMs: field(z.int().nullable(), { access: "server", column: int, touch: true }),
    /** Sessions begun before it are over. */
    sessionsFromMs: field(z.int(), { access: "server", column: int }),
  },
  unique: [["username"], ["externalId"]],
  indexes: [["projectId", "createdAtMs"]],
});
export type UserRow = RowType<typeof user>;
