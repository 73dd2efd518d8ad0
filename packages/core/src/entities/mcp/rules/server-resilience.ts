import { z } from "zod";

const durationMs = z.int().min(1).max(86_400_000);
const globs = z.array(z.string().min(1).max(512)).min(1).max(200);

/** How calls of one MCP server are kept from harming each other, it, and other servers' calls. */
export const serverResilienceSchema = z
  .strictObject({
    breaker: z
      .union([
        z.literal(false),
        z.strictObject({
          failures: z.int().min(1).max(1_000).default(5).describe("failures in a row that open it"),
          openMs: durationMs.default(5_000).describe("for how long at first; twice as long each time that it opens again, up to a minute"),
        }),
      ])
      .prefault({})
      .describe("after failures in a row calls fail at once for a while, then one tries; false: never"),
    maxConcurrent: z.int().min(1).max(100_000).optional().describe("calls that are at the server at once; left out: any number"),
    maxQueued: z.int().min(0).max(100_000).default(100).describe("calls that wait for their turn beside them; more are refused"),
    readOnly: globs.optional().describe("tools that change nothing, as globs over the server's own names: your word, not the server's"),
    idempotent: globs.optional().describe("tools that may be called twice with one effect"),
    trustAnnotations: z.boolean().default(false).describe("the server's own readOnlyHint and idempotentHint count as well"),
    retries: z
      .int()
      .min(0)
      .max(5)
      .default(1)
      .describe(
        "how often a call is sent again that failed and certainly was not handled, or whose tool is read-only or idempotent; one for ten calls over all of them",
      ),
    hedgeAfterMs: durationMs
      .optional()
      .describe("a read-only call without an answer by then is sent a second time; the first answer counts"),
    coalesce: z.boolean().default(false).describe("equal read-only calls of one caller at the same time are one at the server"),
  })
  .check(({ value, issues }) => {
    const isKnown = value.trustAnnotations || value.readOnly !== undefined;
    const refuse = (path: string): void =>
      void issues.push({
        code: "custom",
        path: [path],
        message: "is for read-only tools: name them in readOnly, or say trustAnnotations",
        input: value,
      });
    if (value.hedgeAfterMs !== undefined && !isKnown) refuse("hedgeAfterMs");
    if (value.coalesce && !isKnown) refuse("coalesce");
  });
export type ServerResilience = z.output<typeof serverResilienceSchema>;
export type ServerResilienceInput = z.input<typeof serverResilienceSchema>;
