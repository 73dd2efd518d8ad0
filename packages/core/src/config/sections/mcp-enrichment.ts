import { z } from "zod";
import { enrichmentSchema } from "../../entities/index.js";
import { name } from "./values.js";

/** What is added to tools' results, by name. */
export const mcpEnrichmentSection = z.record(name, enrichmentSchema).default({});
