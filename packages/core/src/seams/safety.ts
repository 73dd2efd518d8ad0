import type { Caller } from "../calls/index.js";
import type { DetectionRow, DetectionType, GuardrailAction, GuardrailStage, Severity } from "../entities/index.js";

/** What guardrails would make of a text, as REST tells it. */
export interface SafetyTest {
  readonly action: GuardrailAction | "allow";
  readonly findings: readonly {
    readonly guardrail: string;
    readonly type: DetectionType;
    readonly severity: Severity;
    readonly pattern: string;
    readonly confidence: number;
    readonly action: GuardrailAction;
    readonly excerpt: string;
  }[];
  readonly text: string | null;
}

/** Which detections; what is left out does not narrow them. */
export interface DetectionQuery {
  readonly types?: readonly string[] | undefined;
  readonly severities?: readonly string[] | undefined;
  readonly actions?: readonly string[] | undefined;
  readonly guardrail?: string | undefined;
  readonly server?: string | undefined;
  readonly requestId?: string | undefined;
  readonly callerId?: string | undefined;
  /** Unix ms; `toMs` is exclusive. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}
export interface DetectionSummary {
  readonly total: number;
  readonly byType: Readonly<Record<string, number>>;
  readonly bySeverity: Readonly<Record<string, number>>;
  readonly byAction: Readonly<Record<string, number>>;
  /** The ten that were found most often. */
  readonly topPatterns: readonly { readonly pattern: string; readonly count: number }[];
  readonly fromMs: number;
  readonly toMs: number;
}

/** How guardrails are asked over REST; filled by `policy/guardrails`. */
export interface Safety {
  /** A dry run: nothing is stored and nobody is told. `rules`: as configuration writes them. Errors: `not_found`, `validation_failed`, `missing_dependency`. */
  test(
    test: {
      readonly input: string;
      readonly stage?: GuardrailStage | undefined;
      readonly guardrail?: string | undefined;
      readonly rules?: unknown;
    },
    caller: Caller,
  ): Promise<SafetyTest>;
  /** Of the caller's projects, newest first. Errors: `validation_failed` for a cursor that is none. */
  detections(
    query: DetectionQuery,
    page: { readonly limit: number; readonly cursor?: string | undefined },
    caller: Caller,
  ): Promise<{ readonly rows: readonly DetectionRow[]; readonly next: string | null }>;
  /** Of the last 7 days when no time is said. */
  summary(query: DetectionQuery, caller: Caller): Promise<DetectionSummary>;
}
