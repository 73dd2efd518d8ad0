import { z } from "zod";
import { scopeList, username } from "../../entities/index.js";

const instant = z
  .union([z.int().min(0), z.iso.datetime({ offset: true })])
  .describe("Unix ms, or a date and time such as 2027-01-31T00:00:00Z");
const limit = z.int().min(1).max(1_000_000_000);
const metadata = z.record(z.string().max(64), z.string().max(500)).nullable().optional();
const id = z.string().min(1).max(64);

const rateLimit = z
  .union([
    limit.describe("requests a minute"),
    z.strictObject({
      requests_per_minute: limit.optional(),
      tokens_per_minute: limit.optional(),
      concurrency: limit.optional().describe("calls under way at once"),
    }),
  ])
  .nullable()
  .optional();

const keyFields = {
  name: z.string().min(1).max(200),
  scopes: scopeList
    .optional()
    .describe(
      "models:openai/*, mcp:files__*, routes:…, project:…, admin:read, *; ! denies. Left out: what the maker may use, and nothing of the administration",
    ),
  project_id: id.optional().describe("a project of the caller; its first one when left out"),
  expires_at: instant.nullable().optional(),
  rate_limit: rateLimit,
  user_id: id.optional().describe("whom its calls count for"),
  team_id: id.optional(),
  metadata,
};

/** A new key. */
export const newKeyBody = z.strictObject({
  ...keyFields,
  environment: z
    .string()
    .regex(/^[a-z0-9]{1,12}$/, "1 to 12 of a-z and 0-9")
    .optional()
    .describe("stands in the key; live when left out"),
});
/** A key of another system. */
export const importedKeyBody = z.strictObject({
  ...keyFields,
  hash: z.string().min(1).max(300).describe("as the other system stored it"),
  prefix: z.string().min(4).max(60).optional().describe("how the key begins: without it an unknown key costs a hash"),
  scheme: z.string().min(1).max(40).optional().describe("who checks it; a bcrypt hash shows it by itself"),
});
export const password = z.string().min(1).max(4_096).describe("8 characters or more, 1,024 bytes at the most");
export const newUserBody = z.strictObject({
  username,
  password: password.optional().describe("left out: signs in with an OpenID provider only"),
  name: z.string().min(1).max(200).nullable().optional(),
  email: z.email().max(254).nullable().optional(),
  project_id: id.optional(),
  role: id.optional().describe("held in that project from the start: owner, admin, developer, viewer, billing, or the id of a custom role"),
});
export const newProjectBody = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "1 to 64 of A-Z, a-z, 0-9, _ and -")
    .optional()
    .describe("what scopes name it by; made when left out"),
  name: z.string().min(1).max(100),
  description: z.string().max(2_000).nullable().optional(),
  metadata,
});
