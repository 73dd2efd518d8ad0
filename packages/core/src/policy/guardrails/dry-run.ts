import type { Caller } from "../../calls/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import type { DetectionType, GuardrailAction, GuardrailStage, Severity } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";
import { newId } from "../../util/ids.js";
import { LiveCall } from "../live-call.js";
import { inspect, type Active, type Slot } from "./inspect.js";
import { severityOf, type Finding, type Reporter } from "./reporter.js";
import type { Guardrail } from "./guardrail-set.js";

/** One thing that would be found. */
export interface TestFinding {
  readonly guardrail: string;
  readonly type: DetectionType;
  readonly severity: Severity;
  readonly pattern: string;
  /** 0 to 1. */
  readonly confidence: number;
  readonly action: GuardrailAction;
  readonly excerpt: string;
}
/** What guardrails would make of a text. */
export interface DryRun {
  /** The gravest of what would be done; `allow`: nothing was found. */
  readonly action: GuardrailAction | "allow";
  readonly findings: readonly TestFinding[];
  /** The text as it would go on; null: it would not. */
  readonly text: string | null;
}

const GRAVITY: readonly GuardrailAction[] = ["block", "mask", "warn", "log"];
const MAX_FINDINGS = 100;
const WITHIN_MS = 30_000;

/** Lets guardrails look at one text as they would in a call; each sees what those before it left. Errors: those of a guardrail that cannot judge. */
export async function dryRun(
  of: { readonly text: string; readonly stage: GuardrailStage },
  active: readonly Active[],
  o: { readonly caller: Caller; readonly snapshot: Snapshot; readonly clock: Clock },
): Promise<DryRun> {
  const findings: TestFinding[] = [];
  const reporter: Reporter = {
    found: (guardrail, finding) => {
      if (findings.length < MAX_FINDINGS) findings.push(shown(guardrail, finding));
    },
    unseen: (guardrail, what) => {
      throw new GatewayError("payload_too_large", `The guardrail "${guardrail.name}" cannot read all of this: ${what}.`);
    },
    failed: (_guardrail, error) => {
      throw GatewayError.from(error);
    },
  };
  const slot: Slot = { text: of.text, kind: of.stage === "arguments" ? "json" : "text", stages: [of.stage], group: 0 };
  await inspect([slot], active, { call: testCall(of, o), reporter });
  const gravest = GRAVITY.find((action) => findings.some((finding) => finding.action === action));
  return { action: gravest ?? "allow", findings, text: gravest === "block" ? null : slot.text };
}

function shown(guardrail: Guardrail, { type, pattern, confidence, excerpt, severity }: Finding): TestFinding {
  const { action } = guardrail.rules;
  return { guardrail: guardrail.name, type, severity: severityOf(guardrail, severity), pattern, confidence, action, excerpt };
}

/** A call that is never made: what judges are told of. */
function testCall(of: { readonly text: string }, o: { readonly caller: Caller; readonly snapshot: Snapshot; readonly clock: Clock }) {
  const nowMs = o.clock.now();
  return new LiveCall({
    ...{ id: newId("call"), requestId: newId("req"), runId: null, caller: o.caller, snapshot: o.snapshot },
    head: { kind: "tool", name: "test__test", server: "test", tool: "test", bytes: of.text.length },
    signal: new AbortController().signal,
    ...{ deadlineMs: nowMs + WITHIN_MS, depth: 0, purpose: null, startedAtMs: nowMs },
    decode: () => ({ kind: "tool", name: "test__test", arguments: "{}" }),
    onLeaveError: () => undefined,
  });
}
