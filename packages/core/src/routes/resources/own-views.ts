import { z } from "zod";

const usd = z.string().nullable().describe("decimal dollars");

/** What views have beside the fields of their rows, by the entity's name: its domain fills it in by `shown` in `seams.resources`. In snake_case; null where nobody did. */
export const ownViews: Readonly<Record<string, Readonly<Record<string, z.ZodType>>>> = {
  budget: {
    spent_usd: usd,
    reserved_usd: usd.describe("decimal dollars that calls under way may cost"),
    left_usd: usd,
    resets_at: z.string().nullable().describe("when it begins anew, ISO 8601; null: never"),
  },
};
