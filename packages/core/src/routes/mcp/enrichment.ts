import { z } from "zod";
import { restRoute } from "../route.js";

const anything = z.json();

/** Rules that add to tools' results, beside their rows. */
export const enrichmentRoutes = {
  dryRun: restRoute({
    name: "enrichment-rules.dry-run",
    method: "POST",
    path: "/api/v1/enrichment-rules/{id}/dry-run",
    summary: "What a rule, enabled or not, would add to a result. Its source is asked in earnest, as the caller; nothing is stored.",
    permission: { what: "servers", name: "write" },
    params: z.strictObject({ id: z.string().min(1).max(64).describe("its id, or its name in the configuration") }),
    body: z.strictObject({
      args: anything.default({}).describe("the arguments of the call"),
      response: anything.describe("what the tool's result says"),
      user: anything.optional().describe("left out: the caller"),
    }),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        response: z.unknown().describe("with what was added"),
        warnings: z.array(z.string()),
        fired: z.array(
          z.object({
            rule_id: z.string(),
            source: z.enum(["tool", "resource", "function"]),
            op: z.string().describe("what was asked"),
            skipped: z.boolean().describe("what it waits for was not in the result"),
            error: z.string().nullable(),
            duration_ms: z.int(),
          }),
        ),
      }),
    },
    errors: ["forbidden", "not_found"],
  }),
};
