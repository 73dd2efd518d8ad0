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

/** Sign-ins at servers that each caller signs in at, as the inbox asks for them. */
export const mcpSignInsSection = z
  .strictObject({
    expiresMs: z
      .int()
      .min(60_000)
      .max(2_592_000_000)
      .default(86_400_000)
      .describe("how long a caller's missing sign-in is asked for in the inbox, and a run waits for it"),
    inRuns: z
      .enum(["wait", "fail"])
      .default("wait")
      .describe("what becomes of a run whose caller has not signed in: it waits until that is done, or fails with authorization_required"),
  })
  .prefault({});
