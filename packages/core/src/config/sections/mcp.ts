import { z } from "zod";
import { mcpEnrichmentSection } from "./mcp-enrichment.js";
import { mcpQuestionsSection, mcpSignInsSection } from "./mcp-questions.js";
import { mcpResultsSection } from "./mcp-results.js";
import { mcpAuthSchema } from "./mcp-auth.js";
import { mcpRulesSection } from "./mcp-rules.js";
import { pinMode } from "../../entities/index.js";
import { openApiServer, serverTerms } from "./mcp-servers.js";
import { name, price, secret, url } from "./values.js";

const toolPrices = z.strictObject({
  perCall: price.optional().describe("dollars for a call"),
  perInputToken: price.optional().describe("dollars for a token of the arguments, four bytes each"),
  perOutputToken: price.optional().describe("dollars for a token of the result"),
  chargeErrors: z.boolean().optional().describe("whether a result that is an error costs as much; left out: it costs nothing"),
});
const prices = toolPrices.optional().describe("what its calls cost; left out: nothing is charged, and their cost is not known");
const stdioServer = z.strictObject({
  type: z.enum(["stdio"]).optional(),
  command: z.string().min(1),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), secret).optional(),
  cwd: z.string().optional(),
  prices,
  ...serverTerms,
});
const httpServer = z.strictObject({
  type: z.enum(["http", "streamable-http", "sse"]).optional(),
  url,
  headers: z.record(z.string(), secret).optional(),
  auth: mcpAuthSchema.optional().describe("how the gateway says who it is; left out: by the headers alone"),
  prices,
  ...serverTerms,
});
/** The shape that Claude Desktop uses. */
export const mcpServerSchema = z.union([stdioServer, httpServer, openApiServer.extend({ prices })]);

export const mcpServersSection = z.record(name, mcpServerSchema).optional().describe("left out: the demo server");

export const mcpSection = z
  .strictObject({
    allowStdio: z.array(z.strictObject({ command: z.string().min(1), args: z.array(z.string()).default([]) })).default([]),
    results: mcpResultsSection,
    pin: pinMode
      .default("off")
      .describe(
        "what becomes of tools whose definition nobody approved: nothing, a warning, or they wait for a person; a server may say otherwise",
      ),
    purpose: z.boolean().default(false).describe("every tool takes a purpose beside its arguments, for the audit; servers never see it"),
    questions: mcpQuestionsSection,
    signIns: mcpSignInsSection,
    rules: mcpRulesSection.describe("what calls of tools may say, by the name of the rule"),
    enrichment: mcpEnrichmentSection.describe("what is added to tools' results, by the name of the rule"),
  })
  .prefault({});
