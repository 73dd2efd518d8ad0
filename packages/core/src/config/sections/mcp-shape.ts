import { z } from "zod";
import { namespaceSchema, pinMode, toolShapeSchema } from "../../entities/index.js";
import { name } from "./values.js";

/** What is said of a server's tools, whatever its transport. */
export const shapeTerms = {
  tools: toolShapeSchema.optional().describe("which of its tools are there, and how they are shown; left out: all, as they are"),
  pin: pinMode
    .optional()
    .describe(
      "what becomes of a tool whose definition is new or changed since it was approved: nothing, a warning, or it waits for a person; left out: mcp.pin",
    ),
};

export const namespacesSection = z.record(name, namespaceSchema).default({});
