import { z } from "zod";

/** What servers ask in the middle of a call. */
export const mcpQuestionsSection = z
  .strictObject({
    waitMs: z
      .int()
      .min(1_000)
      .max(86_400_000)
      .default(600_000)
      .describe("how long a call that was asked something waits for its client to come with the answer; then it is cancelled"),
    taskAfterMs: z
      .int()
      .min(100)
      .max(3_600_000)
      .default(10_000)
      .describe("a call of a client that takes tasks becomes one when its server took so long"),
    taskTtlMs: z.int().min(1_000).max(604_800_000).default(3_600_000).describe("how long such a task is kept, from when it moved last"),
    mostWaiting: z.int().min(1).max(10_000).default(100).describe("how many calls of one caller wait so at once, at one process"),
  })
  .prefault({});
