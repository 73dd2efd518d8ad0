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
  configEntry: {
    type: z.string().describe("integer, number, boolean, text or list"),
    expected: z.string().describe("what the key takes, in words"),
    unit: z.string(),
    description: z.string(),
    default: z.json(),
    effective: z.json().describe("what holds, as the process that answers has it"),
    source: z.string().describe("where that comes from: default, file, environment, database or code"),
    from: z.string().describe("the source in words"),
    fixed: z.string().describe("why it cannot be changed while the gateway runs; null: it can"),
    state: z
      .string()
      .describe(
        "of what is stored: applied; overridden by what counts more; refused, because it is not valid: what was valid before stays",
      ),
    problem: z.string().describe("why it is not applied"),
  },
};
