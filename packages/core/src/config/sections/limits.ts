import { z } from "zod";
import { limitSchema } from "../../entities/index.js";

/** How much callers may use where no record says otherwise. */
export const limitsSection = z
  .strictObject({
    perKey: limitSchema.prefault({}).describe("what each gateway key may use that has no limits of its own"),
    onCountersDown: z
      .enum(["local", "refuse"])
      .default("local")
      .describe("while the shared counters do not answer: each process counts for itself, or calls that are limited are refused"),
  })
  .prefault({});
