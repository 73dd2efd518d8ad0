import { z } from "zod";
import { serverResilienceSchema } from "../../entities/index.js";
import { shapeTerms } from "./mcp-shape.js";
import { durationMs, secret, url } from "./values.js";

/** What is said of a server whatever its transport. */
export const serverTerms = {
  connectTimeoutMs: durationMs.optional().describe("how long one attempt to connect may take; left out: 30 s"),
  callTimeoutMs: durationMs.optional().describe("how long one call may take; left out: as long as its caller waits"),
  trustLevel: z
    .enum(["untrusted", "trusted"])
    .optional()
    .describe("whether the server's own instructions are handed on to clients; left out: trusted"),
  resilience: serverResilienceSchema
    .optional()
    .describe("how its calls are kept from harming it and each other; left out: a breaker alone"),
  ...shapeTerms,
};

const globs = z.array(z.string().min(1)).optional();

/** An HTTP API that an OpenAPI document describes: each operation is a tool. */
export const openApiServer = z.strictObject({
  type: z.enum(["openapi"]),
  spec: z
    .union([z.string().min(1), z.record(z.string(), z.unknown())])
    .describe("the document: its URL, the path of a file, or the document itself; JSON or YAML"),
  baseUrl: url.optional().describe("where the API is; left out: as the document's servers say"),
  headers: z
    .record(z.string(), secret)
    .optional()
    .describe("sent with every call, and to read the document where that has the same origin"),
  include: globs.describe("which operations become tools, as globs over operation ids, tags and METHOD /path; left out: all"),
  exclude: globs.describe("which of them do not"),
  ...serverTerms,
});
