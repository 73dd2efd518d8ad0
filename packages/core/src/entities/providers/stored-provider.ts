import { z } from "zod";
import { bool, defineEntity, field, int, json, longText, text, type RowType } from "../define-entity.js";
import { nameSchema } from "../route.js";

const protocols = z.array(z.enum(["openai-chat", "openai-responses", "anthropic-messages", "google-genai"])).min(1);
const verbs = ["list", "get", "create", "update", "delete"] as const;

/** A vendor with credentials, kept in the store. One of the configuration, or of code, with the same name counts instead. */
export const storedProvider = defineEntity({
  name: "provider",
  table: "providers",
  kind: "record",
  scope: null,
  watched: true,
  fields: {
    name: field(nameSchema, { access: "create-only", column: text(40), filter: true, sort: true }),
    /** null: the vendor of the same name. */
    vendor: field(z.string().min(1).max(40).nullable(), { access: "create-only", column: text(40) }),
    /** Dialled only at public addresses, unless `network.allowPrivate`. */
    baseUrl: field(
      z
        .url({ protocol: /^https?$/ })
        .max(500)
        .nullable(),
      { access: "open", column: text(500) },
    ),
    apiKey: field(z.string().nullable(), { access: "secret", column: longText }),
    protocols: field(protocols.nullable(), { access: "open", column: json }),
    quirks: field(z.record(z.string(), z.unknown()).nullable(), { access: "open", column: json }),
    auth: field(z.strictObject({ header: z.string().min(1).max(100), prefix: z.string().max(100).optional() }).nullable(), {
      access: "open",
      column: json,
    }),
    enabled: field(z.boolean().default(true), { access: "open", column: bool }),
  },
  unique: [["name"]],
  rest: { type: "provider", plural: "providers", permission: "providers", readers: "everywhere", verbs },
});
export type StoredProviderRow = RowType<typeof storedProvider>;

/** One more credential of a stored provider: calls are spread over all of them by weight, one that is refused or slowed rests. */
export const storedProviderKey = defineEntity({
  name: "providerKey",
  table: "provider_keys",
  kind: "record",
  scope: null,
  watched: true,
  fields: {
    provider: field(nameSchema, { access: "create-only", column: text(40), filter: true }),
    label: field(z.string().max(100).nullable(), { access: "open", column: text(100) }),
    value: field(z.string(), { access: "secret", column: longText }),
    weight: field(z.int().min(1).max(1_000).default(1), { access: "open", column: int }),
    enabled: field(z.boolean().default(true), { access: "open", column: bool }),
  },
  indexes: [["provider"]],
  rest: { type: "provider-key", plural: "provider-keys", permission: "providers", readers: "everywhere", verbs },
});
export type StoredProviderKeyRow = RowType<typeof storedProviderKey>;

/** What is known of a model beside the catalogue, of any provider: what is null stays as the catalogue, or its provider, says. */
export const storedModel = defineEntity({
  name: "model",
  table: "models",
  kind: "record",
  scope: null,
  watched: true,
  fields: {
    provider: field(nameSchema, { access: "create-only", column: text(40), filter: true }),
    /** The vendor's id. */
    code: field(z.string().min(1).max(200), { access: "create-only", column: text(200) }),
    title: field(z.string().max(200).nullable(), { access: "open", column: text(200) }),
    kind: field(z.enum(["chat", "embedding", "image", "speech", "transcription", "music", "video", "classifier"]).nullable(), {
      access: "open",
      column: text(20),
    }),
    features: field(z.array(z.string().max(40)).max(40).nullable(), { access: "open", column: json }),
    contextTokens: field(z.int().positive().nullable(), { access: "open", column: int }),
    maxOutputTokens: field(z.int().positive().nullable(), { access: "open", column: int }),
    /** Dollars per million units, as in the configuration. */
    prices: field(z.record(z.string(), z.unknown()).nullable(), { access: "open", column: json }),
  },
  unique: [["provider", "code"]],
  rest: { type: "model", plural: "models", permission: "providers", verbs },
});
export type StoredModelRow = RowType<typeof storedModel>;
