import { z } from "zod";
import { durationMs } from "./values.js";

export const mcpResultsSection = z
  .strictObject({
    maxBytes: z
      .int()
      .min(1_024)
      .max(1_073_741_824)
      .default(1_048_576)
      .describe("a tool's result whose text is longer is kept whole as a resource, and handed over cut, with a pointer to it"),
    keepMs: durationMs.default(3_600_000).describe("how long such a result can be read"),
  })
  .prefault({});
