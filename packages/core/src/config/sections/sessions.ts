import { z } from "zod";

/** How long conversations are kept, and how much of one a model is sent. */
export const sessionsSection = z
  .strictObject({
    ttlSeconds: z.int().min(60).default(604_800).describe("a session that nobody used for so long is deleted"),
    window: z
      .strictObject({
        messages: z.int().min(1).max(1_000).default(200).describe("the newest messages that a turn is sent, whole turns of them"),
        tokens: z.int().min(100).max(10_000_000).default(100_000).describe("and how long they may be together, at four characters a token"),
      })
      .prefault({}),
    summarise: z
      .strictObject({
        model: z.string().min(1).max(200).optional().describe("sums up what no longer fits the window; left out: it is left away"),
        everyMessages: z.int().min(2).max(500).default(40).describe("when so many have left the window since the last summary"),
        maxTokens: z.int().min(64).max(32_768).default(1_024),
        timeoutMs: z.int().min(100).max(600_000).default(30_000).describe("a turn does not wait longer for it"),
      })
      .prefault({}),
  })
  .prefault({});
