import type { DetectionType, GuardrailStage, Severity } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import { untilAborted } from "../../../util/until-aborted.js";
import type { Judge, Judgement } from "../judge.js";
import { ANY_LENGTH } from "./words.js";

/** What a check of the host application is told of the text that it looks at. */
export interface CheckContext {
  readonly stage: GuardrailStage;
  readonly requestId: string;
  readonly callerId: string;
  readonly projectId: string;
  /** null: it is a tool call. */
  readonly model: string | null;
  readonly server: string | null;
  readonly tool: string | null;
  readonly signal: AbortSignal;
}
/** What is wrong with a text. `replacement`: what stands in its place when the guardrail masks. */
export interface CheckFinding {
  readonly type?: DetectionType | undefined;
  readonly severity?: Severity | undefined;
  readonly pattern?: string | undefined;
  readonly confidence?: number | undefined;
  readonly replacement?: string | undefined;
}
/** Looks at one whole text; nothing returned, and it passes. What it throws means that it could not judge. */
export type Check = (text: string, context: CheckContext) => CheckFinding | null | undefined | Promise<CheckFinding | null | undefined>;

/** A check that was written in code, by its name. `checkOf` is asked each time: it may be added after the guardrail that names it. */
export function codeJudge(
  name: string,
  o: { readonly onError: "block" | "allow"; readonly checkOf: (name: string) => Check | undefined },
): Judge {
  return {
    onError: o.onError,
    maxChars: ANY_LENGTH,
    async judge(texts, { stage, call }) {
      const check = o.checkOf(name);
      if (check === undefined)
        throw new GatewayError("misconfigured", `There is no check "${name}" in this process.`, {
          hint: "Add it by gateway.guardrails.add.",
        });
      const { head, caller, requestId, signal } = call;
      const context: CheckContext = {
        ...{ stage, requestId, callerId: caller.id, projectId: caller.projects[0], signal },
        model: head.kind === "model" ? head.name : null,
        server: head.kind === "tool" ? head.server : null,
        tool: head.kind === "tool" ? head.tool : null,
      };
      const judgements: Judgement[] = [];
      for (const [index, { text }] of texts.entries()) {
        const found = await untilAborted(Promise.resolve(check(text, context)), signal);
        if (found === null || found === undefined) continue;
        const { type = "custom", pattern = name, confidence = 1, severity, replacement } = found;
        judgements.push({ index, type, pattern, confidence, severity, replacement });
      }
      return judgements;
    },
  };
}
