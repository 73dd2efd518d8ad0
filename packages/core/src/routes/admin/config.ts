import { z } from "zod";
import { restRoute } from "../route.js";

const reads = { what: "config", name: "read" } as const;
const params = z.strictObject({
  key: z.string().min(1).max(64).describe("the key, such as limits.per_key.requests_per_minute, or the id of its row"),
});
const source = z.enum(["default", "file", "environment", "database", "code"]);

export const configRoutes = {
  explain: restRoute({
    name: "config.explain",
    method: "GET",
    path: "/api/v1/config/{key}/explain",
    summary: "Every source of a setting with what it says, the one that counts least first; secrets masked.",
    permission: reads,
    params,
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        key: z.string(),
        path: z.string().describe("where it stands in the configuration file"),
        value: z.json().describe("what holds"),
        source,
        fixed: z.string().nullable().describe("why it cannot be changed while the gateway runs; null: it can"),
        problem: z.string().nullable().describe("why what is stored does not hold"),
        layers: z.array(z.object({ source, from: z.string(), value: z.json(), wins: z.boolean() })),
      }),
    },
    errors: ["forbidden", "not_found"],
  }),
  test: restRoute({
    name: "config.test",
    method: "POST",
    path: "/api/v1/config/{key}/test",
    summary: "Whether a value would be accepted, and what would hold then. Nothing is stored.",
    permission: reads,
    params,
    body: z.strictObject({ value: z.json() }),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        accepted: z.boolean(),
        problem: z.string().nullable().describe("what is wrong, or why it would not count"),
        value: z.json().describe("what would hold"),
      }),
    },
    errors: ["forbidden", "not_found"],
  }),
};
