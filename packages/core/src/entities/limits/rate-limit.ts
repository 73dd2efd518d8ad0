import { z } from "zod";
import { bool, defineEntity, field, int, text, type RowType } from "../define-entity.js";

export const limitSubjects = ["key", "user", "team", "project", "agent", "model", "provider", "server", "tool", "global"] as const;
/** Whose use is counted. */
export type LimitSubject = (typeof limitSubjects)[number];

const amount = z.int().min(1).max(1_000_000_000);
/** What a subject may use. What is left out is not limited. */
export const limitShape = {
  requestsPerMinute: amount.optional().describe("calls in any 60 seconds"),
  tokensPerMinute: amount.optional().describe("tokens in and out in any 60 seconds, estimated before a call and corrected after it"),
  concurrency: amount.optional().describe("calls under way at once"),
};
export const limitSchema = z.strictObject(limitShape);
export type LimitAmounts = z.output<typeof limitSchema>;

/**
 * How much a subject may use. Each subject that `subjectId` covers has a count of its own: `*` of keys is a limit of each key. Where several rows cover one subject, the one that names it counts
 * before patterns, and longer patterns before shorter, amount by amount.
 */
export const rateLimit = defineEntity({
  name: "rateLimit",
  table: "rate_limits",
  kind: "record",
  scope: null,
  watched: true,
  rest: {
    type: "rate-limit",
    plural: "rate-limits",
    permission: "limits",
    readers: "everywhere",
    verbs: ["list", "get", "create", "update", "delete"],
  },
  fields: {
    subject: field(z.enum(limitSubjects), { access: "create-only", column: text(16), filter: true }),
    subjectId: field(
      z
        .string()
        .min(1)
        .max(240)
        .default("*")
        .describe("an id, or a pattern with *: provider/model of models, server__tool of tools; of models also route/name"),
      { access: "create-only", column: text(240) },
    ),
    requestsPerMinute: field(amount.nullable().default(null), { access: "open", column: int }),
    tokensPerMinute: field(amount.nullable().default(null), { access: "open", column: int }),
    concurrency: field(amount.nullable().default(null), { access: "open", column: int }),
    enabled: field(z.boolean().default(true), { access: "open", column: bool }),
  },
  unique: [["subject", "subjectId"]],
});
export type RateLimitRow = RowType<typeof rateLimit>;
