import type { CallHead, Outcome, Usage } from "../calls/index.js";
import { auditEntry, usageEntry } from "../entities/index.js";
import { insert, type Clock, type Unit, type Write } from "../ports/index.js";
import type { EventHub } from "../seams/index.js";
import { cutText } from "../util/well-formed.js";
import type { GroupCommit } from "./group-commit.js";
import { idOf } from "./money/dead/begun-call.js";
import { keyIdOf } from "./money/budget-set.js";
import type { Money } from "./money/money.js";
import type { OpenCall, Step } from "./step.js";

export interface LedgerOptions {
  readonly ledger: GroupCommit;
  /** Whose budgets pay for calls. Left out: nobody's. */
  readonly money?: Money | undefined;
  readonly clock: Clock;
  readonly events: EventHub;
  /** What the audit keeps of a tool call's arguments. Left out: nothing. */
  readonly parameters?: ((call: OpenCall<CallHead>) => unknown) | undefined;
  /** Takes known secrets out of what a caller wrote. Left out: it is kept as it came. */
  readonly redact?: ((text: string) => string) | undefined;
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
        options.money?.count(call, outcome);
        const unit = ledgerUnit(call, outcome, { nowMs, parameters: options.parameters?.(call) ?? null, redact: options.redact ?? asItIs });
        const written = options.money === undefined ? options.ledger.add(unit) : options.money.write(call, unit);
        options.events.emit("call.finished", {
          callId: call.id,
          requestId: call.requestId,
          kind: call.head.kind,
          name: call.head.name,
          status: outcome.status,
          durationMs: nowMs - call.startedAtMs,
        });
        return written;
      });
    },
  };
}

const asItIs = (text: string): string => text;

interface Entry {
  readonly call: OpenCall<CallHead>;
  readonly outcome: Outcome;
  readonly nowMs: number;
  readonly durationMs: number;
  readonly name: string;
  readonly callerId: string;
  readonly parameters: unknown;
  readonly redact: (text: string) => string;
}

function ledgerUnit(
  call: OpenCall<CallHead>,
  outcome: Outcome,
  o: { readonly nowMs: number; readonly parameters: unknown; readonly redact: (text: string) => string },
): Unit {
  const { nowMs, parameters, redact } = o;
  // A name that led nowhere may be anything, also a secret in the wrong place.
  const name = cutText(call.meter.provider === null ? redact(call.head.name) : call.head.name, 200);
  const durationMs = Math.max(0, nowMs - call.startedAtMs);
  const entry: Entry = { call, outcome, nowMs, durationMs, name, callerId: cutText(call.caller.id, 100), parameters, redact };
  return { scope: { projects: [call.caller.projects[0]] }, writes: [usageRow(entry), auditRow(entry)] };
}

/** Written out, field by field: a row made of parts costs several µs a call. */
function usageRow({ call, outcome, nowMs, durationMs, name, callerId }: Entry): Write {
  const { id, head, meter, caller } = call;
  const { usage } = meter;
  const projectId = caller.projects[0];
  return insert(
    usageEntry,
    {
      id,
      atMs: nowMs,
      projectId,
      callerId,
      kind: head.kind,
      keyId: idOf(keyIdOf(caller)),
      userId: idOf(caller.userId),
      teamId: idOf(caller.teamId),
      agentId: idOf(caller.agentId),
      requestId: call.requestId,
      operation: head.kind === "model" ? head.operation : (head.operation ?? "call"),
      name,
      server: head.kind === "tool" ? cutText(head.server, 64) : null,
      provider: meter.provider,
      model: meter.model === null ? null : cutText(meter.model, 200),
      runId: call.runId,
      purpose: call.purpose === null ? null : cutText(call.purpose, 40),
      inputTokens: usage.inputTokens ?? null,
      cacheReadTokens: usage.cacheReadTokens ?? null,
      cacheWriteTokens: usage.cacheWriteTokens ?? null,
      outputTokens: usage.outputTokens ?? null,
      reasoningTokens: usage.reasoningTokens ?? null,
      detail: detailOf(usage),
      costNanoUsd: meter.costNanoUsd,
      unpriced: meter.costNanoUsd === null ? 1 : null,
      savedNanoUsd: usage.savedNanoUsd ?? null,
      attempts: meter.attempts,
      tried: meter.failures === null ? null : meter.tried(outcome, nowMs),
      estimated: usage.estimated ?? false,
      partial: meter.partial,
      status: outcome.status,
      durationMs,
    },
    "skip",
  );
}

/** As the row beside it. */
function auditRow({ call, outcome, nowMs, durationMs, name, callerId, parameters, redact }: Entry): Write {
  const { id, head, caller } = call;
  const projectId = caller.projects[0];
  const said = call.origin === null ? null : call.origin.purpose;
  return insert(
    auditEntry,
    {
      id,
      atMs: nowMs,
      projectId,
      callerId,
      action: head.kind === "model" ? "model.call" : `tool.${head.operation ?? "call"}`,
      target: name,
      requestId: call.requestId,
      outcome: outcome.kind,
      code: outcome.code ?? null,
      status: outcome.status,
      durationMs,
      actorKind: caller.kind,
      keyId: caller.keyId ?? null,
      userId: caller.userId ?? null,
      teamId: caller.teamId ?? null,
      resourceType: null,
      source: call.origin?.source ?? (call.runId === null ? "code" : "run"),
      purpose: said === null ? null : cutText(redact(said), 500),
      parameters,
      changed: null,
    },
    "skip",
  );
}

type Detail = Record<string, number | string | boolean>;

/**
 * What a usage row keeps of a usage beside its own columns, what few vendors count; null: nothing. In one column, so that a row of a plain call stays small. By name and not in a loop, which costs 2 µs.
 */
export function detailOf(usage: Usage): Detail | null {
  let detail: Detail | null = null;
  if (usage.cacheWriteLongTokens !== undefined) (detail ??= {})["cacheWriteLongTokens"] = usage.cacheWriteLongTokens;
  if (usage.audioInputTokens !== undefined) (detail ??= {})["audioInputTokens"] = usage.audioInputTokens;
  if (usage.audioOutputTokens !== undefined) (detail ??= {})["audioOutputTokens"] = usage.audioOutputTokens;
  if (usage.imageInputTokens !== undefined) (detail ??= {})["imageInputTokens"] = usage.imageInputTokens;
  if (usage.imageOutputTokens !== undefined) (detail ??= {})["imageOutputTokens"] = usage.imageOutputTokens;
  if (usage.cached === true) (detail ??= {})["cached"] = true;
  if (usage.images !== undefined) (detail ??= {})["images"] = usage.images;
  if (usage.seconds !== undefined) (detail ??= {})["seconds"] = usage.seconds;
  if (usage.characters !== undefined) (detail ??= {})["characters"] = usage.characters;
  if (usage.searches !== undefined) (detail ??= {})["searches"] = usage.searches;
  if (usage.serviceTier !== undefined) (detail ??= {})["serviceTier"] = usage.serviceTier;
  if (usage.reportedCostNanoUsd !== undefined) (detail ??= {})["reportedCostNanoUsd"] = usage.reportedCostNanoUsd;
  if (usage.byModel !== undefined) (detail ??= {})["byModel"] = usage.byModel.map(({ model }) => model).join(", ");
  return detail;
}
