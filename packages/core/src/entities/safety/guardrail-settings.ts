import { z } from "zod";
import { Secret } from "../../util/secret.js";

const words = z.array(z.string().min(1).max(200)).max(1_000);
const timeoutMs = z.int().min(1).max(30_000).default(3_000).describe("how long the answer is waited for");
const onError = z.enum(["block", "allow"]).default("block").describe("what an answer that does not come means");

/** What a secret may be named by; `secret-formats.ts` of the policy has the patterns. */
export const piiTypes = ["email", "phone", "card", "iban", "ip", "us_ssn"] as const;
export type PiiType = (typeof piiTypes)[number];

/** What of a guardrail depends on its kind, by the kind. */
export const guardrailSettings = {
  words: z.strictObject({
    words: words.min(1).describe("what is looked for, as plain text"),
    whole: z.boolean().default(true).describe("only where no letter or digit stands beside it"),
    exact: z.boolean().default(false).describe("upper and lower case differ"),
  }),
  regex: z.strictObject({
    patterns: z
      .array(
        z.strictObject({
          pattern: z.string().min(1).max(2_000).describe("RE2 syntax: no look-around, no back-references"),
          name: z.string().min(1).max(80).optional().describe("shown in place of the pattern"),
          flags: z
            .string()
            .regex(/^[ims]*$/, "i, m and s")
            .default(""),
        }),
      )
      .min(1)
      .max(100),
  }),
  secrets: z.strictObject({
    formats: z.array(z.string().min(1).max(40)).min(1).optional().describe("left out: every format that is known"),
  }),
  pii: z.strictObject({
    types: z.array(z.enum(piiTypes)).min(1).default(["email", "phone", "card", "iban", "us_ssn"]),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/, "two capital letters, such as US")
      .optional()
      .describe("whose national phone numbers count; left out: those with a + alone"),
  }),
  schema: z
    .strictObject({
      schema: z.record(z.string(), z.json()).optional().describe("JSON Schema 2020-12, without references to other documents"),
      declared: z.boolean().default(false).describe("a tool call's arguments are held against what the call itself declared of the tool"),
    })
    .refine((given) => given.declared || given.schema !== undefined, "say a schema, or declared: true"),
  injection: z.strictObject({
    sensitivity: z.enum(["strict", "moderate", "permissive"]).default("moderate"),
    block: words.default([]).describe("more texts that count as an injection"),
    allow: words.default([]).describe("texts within which nothing counts; all else is still looked at"),
  }),
  moderation: z.strictObject({
    model: z.string().min(1).max(240).describe("provider/model, or route/name, of a classifier"),
    categories: z.array(z.string().min(1).max(80)).min(1).optional().describe("those that count; left out: whatever the model flags"),
    threshold: z.number().min(0).max(1).optional().describe("the score from which a category counts; left out: the model's own judgement"),
    timeoutMs,
    onError,
  }),
  webhook: z.strictObject({
    url: z.url({ protocol: /^https?$/, error: "an http(s) URL" }),
    secret: z
      .union([z.instanceof(Secret), z.string().min(16)])
      .transform((value) => (typeof value === "string" ? new Secret(value) : value))
      .optional()
      .describe("signs the requests; left out: one derived from the gateway's own secret. Only in configuration"),
    timeoutMs,
    onError,
  }),
  code: z.strictObject({ check: z.string().min(1).max(80).describe("the name given to gateway.guardrails.add"), onError }),
};
export type GuardrailKind = keyof typeof guardrailSettings;
export const guardrailKinds = Object.keys(guardrailSettings) as [GuardrailKind, ...GuardrailKind[]];
export type GuardrailSettings<K extends GuardrailKind> = z.output<(typeof guardrailSettings)[K]>;
