import { z } from "zod";

/** What every creation heeds. */
export const creationHeaders = z.strictObject({
  "idempotency-key": z
    .string()
    .min(1)
    .max(200)
    .regex(/^[\x21-\x7e]+$/, "visible ASCII characters")
    .optional()
    .describe("repeating the creation with it within 24 hours gives the same answer"),
});
