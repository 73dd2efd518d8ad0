import type { JsonObject } from "../../calls/index.js";
import type { DetectionType, GuardrailStage, Severity } from "../../entities/index.js";
import type { OpenCall } from "../step.js";

/** What a text is, for who judges it. */
export interface JudgedText {
  readonly text: string;
  /** Whether it is JSON: arguments and structured results. */
  readonly isJson: boolean;
  /** Of a tool call's arguments: the tool's name, and what the call declared of it. */
  readonly tool?: string | undefined;
  readonly declared?: JsonObject | undefined;
}
/** Where and for whom texts are judged. */
export interface JudgeContext {
  readonly guardrail: string;
  readonly stage: GuardrailStage;
  readonly call: OpenCall;
}
/** What is wrong with one of the texts. */
export interface Judgement {
  /** Which of the texts. */
  readonly index: number;
  readonly type: DetectionType;
  readonly pattern: string;
  readonly confidence: number;
  readonly severity?: Severity | undefined;
  /** What stands in the text's place when it is masked; left out: nothing of it stays. */
  readonly replacement?: string | undefined;
}

/** Judges whole texts; of a stream each text when it has ended. What it throws means that it could not judge. */
export interface Judge {
  judge(texts: readonly JudgedText[], context: JudgeContext): Promise<readonly Judgement[]>;
  /** What is done when it could not. */
  readonly onError: "block" | "allow";
  /** Texts that are longer are not judged, and count as unseen. */
  readonly maxChars: number;
}
