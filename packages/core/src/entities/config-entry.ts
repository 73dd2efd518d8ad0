import { z } from "zod";
import { defineEntity, field, jsonOrNull, text, type RowType } from "./define-entity.js";

/** Names of settings that can be changed while the gateway runs: `limits.per_key.requests_per_minute`. */
export const settingKeySchema = z
  .string()
  .max(64)
  .regex(/^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/, "words of a-z, 0-9 and _ with dots between them, such as sessions.ttl_hours");

/**
 * A setting that was stored: it stands over defaults, file and environment, and below what the program gives in code. Its id is its key with `-` for each dot, so that no two rows are of one
 * key. What is stored is held against its key's schema when it is read, too: a row that somebody spoilt does not count.
 */
export const configEntry = defineEntity({
  name: "configEntry",
  table: "config_entries",
  kind: "record",
  scope: null,
  watched: true,
  rest: {
    type: "gateway-config",
    plural: "gateway-config",
    path: "config",
    permission: "config",
    readers: "everywhere",
    verbs: ["list", "get", "create", "update", "delete"],
  },
  fields: {
    key: field(settingKeySchema, { access: "create-only", column: text(64), filter: true, sort: true }),
    value: field(z.json().describe("what its key takes; null: it is not stored"), { access: "open", column: jsonOrNull }),
    /** The id of the caller who set it. */
    changedBy: field(z.string().max(100).nullable(), { access: "server", column: text(100) }),
  },
  unique: [["key"]],
});
export type ConfigEntryRow = RowType<typeof configEntry>;

/**
 * One row, `config`: each change of a setting moves its version in the same unit. So two changes that are each fine and together not cannot both be made.
 */
export const configRevision = defineEntity({
  name: "configRevision",
  table: "config_revisions",
  kind: "machine",
  scope: null,
  fields: {
    /** The setting that was changed last. */
    lastKey: field(z.string().max(64), { access: "server", column: text(64) }),
  },
});
export type ConfigRevisionRow = RowType<typeof configRevision>;
