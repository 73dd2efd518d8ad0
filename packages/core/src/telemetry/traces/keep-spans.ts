import type { CallHead, Outcome } from "../../calls/index.js";
import { traceSpan, type TraceSpanRow } from "../../entities/index.js";
import type { GroupCommit } from "../../policy/group-commit.js";
import type { CallSpan, OpenCall } from "../../policy/step.js";
import { insert, type Clock, type Write } from "../../ports/index.js";
import { newId } from "../../util/ids.js";
import { cutText } from "../../util/well-formed.js";
import { statusOf } from "./call-filter.js";
import type { CallObserver } from "../watch-calls.js";

export interface KeepSpansOptions {
  readonly ledger: GroupCommit;
  readonly clock: Clock;
  /** Takes known secrets out of what callers wrote. */
  readonly redact: (text: string) => string;
  /** 0 to 1; what failed is always kept. */
  readonly sample: () => number;
  readonly random?: (() => number) | undefined;
}

/** More spans of one call than this say nothing more. */
const MOST_SPANS = 100;

/**
 * Stores what a call's usage row does not say: what policy did on its way, and the trace that it belongs to. Its attempts stand in the usage row already. A plain call stores nothing.
 */
export function keepSpans(o: KeepSpansOptions): CallObserver {
  const random = o.random ?? Math.random;
  return {
    begin: (call) => (outcome) => {
      const isTraced = call.trace !== null || (call.origin !== null && call.origin.traceparent !== null);
      if (call.spans === null && !isTraced) return;
      const sample = o.sample();
      if (outcome.status < 400 && sample < 1 && random() >= sample) return;
      const nowMs = o.clock.now();
      const writes = (call.spans ?? []).slice(0, MOST_SPANS).map((span) => spanWrite(call, span, nowMs));
      if (isTraced) writes.push(callWrite(call, outcome, { nowMs, name: cutText(o.redact(call.head.name), 200) }));
      o.ledger.add({ scope: { projects: [call.caller.projects[0]] }, writes });
    },
  };
}

type Written = Omit<TraceSpanRow, "projectId" | "traceId" | "requestId" | "callId" | "runId">;

function write(call: OpenCall<CallHead>, row: Written): Write {
  const traceId = call.trace?.traceId ?? call.origin?.traceparent?.slice(3, 35) ?? call.requestId;
  const of = { projectId: call.caller.projects[0], traceId, requestId: call.requestId, callId: call.id, runId: call.runId };
  return insert(traceSpan, { ...row, ...of }, "skip");
}

function spanWrite(call: OpenCall<CallHead>, span: CallSpan, nowMs: number): Write {
  const id = newId("span");
  return write(call, {
    id,
    atMs: nowMs,
    spanId: id,
    parentId: call.trace?.spanId ?? call.id,
    kind: span.kind,
    name: cutText(span.name, 200),
    provider: null,
    model: null,
    status: span.code === undefined ? "success" : "error",
    statusCode: null,
    code: span.code === undefined ? null : cutText(span.code, 64),
    startedAtMs: span.startedAtMs,
    durationMs: Math.max(0, Math.round(span.durationMs)),
    requestBytes: null,
    responseBytes: null,
    costNanoUsd: null,
    attributes: span.attributes === undefined ? null : { ...span.attributes },
  });
}

function callWrite(call: OpenCall<CallHead>, outcome: Outcome, o: { readonly nowMs: number; readonly name: string }): Write {
  const { nowMs, name } = o;
  const { head, meter, origin } = call;
  return write(call, {
    id: `span_${call.id}`.slice(0, 64),
    atMs: nowMs,
    spanId: call.trace?.spanId ?? call.id,
    parentId: origin?.traceparent?.slice(36, 52) ?? null,
    kind: "call",
    name,
    provider: meter.provider,
    model: meter.model === null ? null : cutText(meter.model, 200),
    status: statusOf(outcome.status),
    statusCode: outcome.status,
    code: outcome.code ?? null,
    startedAtMs: call.startedAtMs,
    durationMs: Math.max(0, nowMs - call.startedAtMs),
    requestBytes: head.bytes,
    responseBytes: null,
    costNanoUsd: meter.costNanoUsd,
    attributes: null,
  });
}
