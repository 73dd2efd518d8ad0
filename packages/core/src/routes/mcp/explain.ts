import { z } from "zod";
import { restRoute } from "../route.js";

const decider = z.enum(["catalogue", "grants", "argument-rules", "classification"]);
const outcome = z.enum(["passes", "refuses", "asks"]);

export const explainRoutes = {
  explain: restRoute({
    name: "mcp.explain",
    method: "POST",
    path: "/api/v1/mcp/explain",
    summary: "What would decide about a call of a tool, and by which rule. Nothing is called, counted or written.",
    permission: { what: "servers", name: "read" },
    body: z.strictObject({
      tool: z.string().min(1).max(560).describe("server__tool, as grants name it"),
      arguments: z.record(z.string(), z.json()).default({}).describe("left out: none"),
      key_id: z.string().min(1).max(64).optional().describe("whose call it would be; left out: your own"),
    }),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        tool: z.string(),
        caller: z.object({ id: z.string(), name: z.string(), kind: z.string() }),
        outcome: outcome.describe("asks: a person has to approve it"),
        decided_by: decider.nullable().describe("null: nobody objects"),
        rule: z.string().nullable(),
        checks: z.array(z.object({ by: decider, outcome, rule: z.string().nullable(), why: z.string() })),
        not_checked: z.array(z.string()).describe("what may still refuse it"),
      }),
    },
    errors: ["forbidden", "not_found"],
  }),
};
