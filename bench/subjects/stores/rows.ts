// The same rows for every subject: what a gateway writes.
import type { MessageEntry, ReservationRow, TaskRow, UsageRow } from "../../../packages/core/src/entities/index.js";
import type { NewRow } from "../../../packages/core/src/ports/index.js";

let made = 0;
const process_ = `${process.pid.toString(36)}${Date.now().toString(36)}`;
export const newId = (prefix: string): string => `${prefix}_${process_}${(made++).toString(36).padStart(7, "0")}`;

const words = "Please tell me about the weather of tomorrow in Lisbon, and whether an umbrella is of use. ";
export const messageEntry = (): MessageEntry => ({
  ...{ projectId: "p1", author: "key_1", model: "openai/gpt", usage: null, runId: null },
  message: { role: "user", content: [{ type: "text", text: words.repeat(4) }] },
});

export const usageRow = (atMs = Date.now()): NewRow<UsageRow> => ({
  ...{ id: newId("call"), atMs, projectId: `p${made % 10}`, callerId: `key_${made % 1000}`, kind: "model", keyId: `key_${made % 1000}` },
  ...{
    userId: `user_${made % 300}`,
    teamId: null,
    agentId: null,
    requestId: newId("req"),
    operation: "generate",
    name: "openai/gpt",
    server: null,
  },
  ...{ provider: "openai", model: "gpt", runId: null, purpose: null, inputTokens: 320, cacheReadTokens: 64, cacheWriteTokens: null },
  ...{
    outputTokens: 210,
    reasoningTokens: null,
    detail: null,
    costNanoUsd: 1_250_000,
    unpriced: null,
    savedNanoUsd: null,
    attempts: 1,
    tried: null,
  },
  ...{ estimated: false, partial: false, status: 200, durationMs: 812 },
});

export const taskRow = (): NewRow<TaskRow> => ({
  ...{
    id: newId("task"),
    projectId: "p1",
    type: "bench",
    status: "pending",
    payload: { url: "https://example.org/feed", n: made },
    result: null,
  },
  ...{ error: null, priority: 0, dueAtMs: 1, readyAtMs: 1, attempt: 0, uncounted: 0, maxAttempts: 3, backoffMs: 1_000, leaseMs: 30_000 },
  ...{ holder: null, cancelRequested: false, cancelReason: null, deadLetter: false, idempotencyKey: null, payloadHash: "0".repeat(64) },
  ...{ createdBy: "owner", startedAtMs: null, finishedAtMs: null },
});

export const WINDOW = "bw_hot";
export const windowRow = {
  ...{
    id: WINDOW,
    projectId: "p1",
    budgetId: "budget_1",
    budgetVersion: 1,
    startMs: 0,
    endMs: null,
    limitNanoUsd: 4e15,
    leftNanoUsd: 4e15,
  },
  ...{ spentNanoUsd: 0, reservedNanoUsd: 0, firedPercent: 0 },
};
export const reservationRow = (): NewRow<ReservationRow> => {
  const id = newId("call");
  return {
    ...{
      id,
      projectId: "p1",
      provider: "openai",
      model: "gpt",
      amountNanoUsd: 1_000,
      shares: [{ windowId: WINDOW, amountNanoUsd: 1_000, provider: null }],
    },
    ...{ sharesNanoUsd: 1_000, expiresAtMs: Date.now() + 60_000, attempt: 0 },
    call: {
      ...{
        id,
        projectId: "p1",
        callerId: "key_1",
        keyId: "key_1",
        userId: null,
        teamId: null,
        agentId: null,
        kind: "model",
        operation: "generate",
      },
      ...{ name: "openai/gpt", server: null, requestId: id, runId: null, purpose: null, startedAtMs: Date.now() },
    },
  };
};
