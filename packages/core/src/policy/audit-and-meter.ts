import type { CallHead, Outcome, Usage } from "../calls/index.js";
import { auditEntry, usageEntry } from "../entities/index.js";
import { insert, type Clock, type Unit } from "../ports/index.js";
import type { EventHub } from "../seams/index.js";
import { cutText } from "../util/well-formed.js";
import type { GroupCommit } from "./group-commit.js";
import type { OpenCall, Step } from "./step.js";

export interface LedgerOptions {
  readonly ledger: GroupCommit;
  readonly clock: Clock;
  readonly events: EventHub;
}

/**
 * One audit row and one usage row for every call, however it ended: written when the call is over, in one unit, keyed by the call's id so that a repetition is skipped.
 * First in the list, so that it leaves last and also sees calls that later steps refuse.
 */
export function auditAndMeter(options: LedgerOptions): Step {
  return {
    name: "audit-and-meter",
    enter(call) {
      call.defer((outcome) => {
        const nowMs = options.clock.now();
        options.ledger.add(ledgerUnit(call, outcome, nowMs));
        options.events.emit("call.finished", {
          callId: call.id,
          requestId: call.requestId,
          kind: call.head.kind,
          name: call.head.name,
          status: outcome.status,
          durationMs: nowMs - call.startedAtMs,
        });
      });
    },
  };
}

function ledgerUnit(call: OpenCall<CallHead>, outcome: Outcome, nowMs: number): Unit {
  const { usage } = call.meter;
  const projectId = call.caller.projects[0];
  const durationMs = Math.max(0, nowMs - call.startedAtMs);
  // Spread last below: a literal that begins with a spread pays 2 µs for each property that follows (measured, Node 20).
  const common = { id: call.id, atMs: nowMs, projectId, callerId: cutText(call.caller.id, 100), status: outcome.status, durationMs };
  return {
    scope: { projects: [projectId] },
    writes: [
      insert(
        usageEntry,
        {
          kind: call.head.kind,
          operation: call.head.kind === "model" ? call.head.operation : "call",
          name: cutText(call.head.name, 200),
          provider: call.meter.provider,
          model: call.meter.model === null ? null : cutText(call.meter.model, 200),
          runId: call.runId,
          purpose: call.purpose === null ? null : cutText(call.purpose, 40),
          inputTokens: usage.inputTokens ?? null,
          cacheReadTokens: usage.cacheReadTokens ?? null,
          cacheWriteTokens: usage.cacheWriteTokens ?? null,
          outputTokens: usage.outputTokens ?? null,
          reasoningTokens: usage.reasoningTokens ?? null,
          detail: detailOf(usage),
          costNanoUsd: call.meter.costNanoUsd,
          attempts: call.meter.attempts,
          tried: call.meter.failures === null ? null : call.meter.tried(outcome, nowMs),
          estimated: usage.estimated ?? false,
          partial: call.meter.partial,
          ...common,
        },
        "skip",
      ),
      insert(
        auditEntry,
        {
          action: `${call.head.kind}.call`,
          target: cutText(call.head.name, 200),
          requestId: call.requestId,
          outcome: outcome.kind,
          code: outcome.code ?? null,
          ...common,
        },
        "skip",
      ),
    ],
  };
}

/** What few vendors count: kept in one column, so that a row of a plain call stays small. */
const DETAILS = [
  "cacheWriteLongTokens",
  "audioInputTokens",
  "audioOutputTokens",
  "imageInputTokens",
  "imageOutputTokens",
  "images",
  "seconds",
  "characters",
  "searches",
  "serviceTier",
  "reportedCostNanoUsd",
] as const satisfies readonly (keyof Usage)[];

/** What a usage row keeps of a usage beside its own columns; null: nothing. */
export function detailOf(usage: Usage): Record<string, number | string> | null {
  let detail: Record<string, number | string> | null = null;
  for (const name of DETAILS) {
    const value = usage[name];
    if (value !== undefined) (detail ??= {})[name] = value;
  }
  return detail;
}
