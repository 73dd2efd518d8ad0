import { GatewayError } from "../../errors/index.js";
import { parseCallerJson } from "../../util/json-checks/caller-json.js";
import type { CallHead, ToolHead } from "../../calls/index.js";
import type { Clock, Counters } from "../../ports/index.js";
import { isReading } from "../money/tool-price.js";
import type { ArgumentRules } from "../argument-rules/argument-rules.js";
import type { OpenCall, Step } from "../step.js";
import { classesOf, isPermitted, ruleFor, type Asked } from "./allowance.js";
import type { Approvals } from "./approvals.js";
import type { Classified } from "./classify.js";

export interface ApprovalStepOptions {
  readonly approvals: Approvals;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly toolRules: ArgumentRules;
}

/**
 * Lets a call of a tool that needs care pass when a rule or a permission says so, or when a person approved this very call; all else is written to the inbox and refused with `approval_required`, whose
 * details name the approval. The order is: rules on arguments; safe; a tool that is only sensitive; always-allow rules; permissions; approvals.
 */
export function approvalStep(o: ApprovalStepOptions): Step {
  return {
    name: "approval",
    sees(head, snapshot) {
      if (!isCall(head)) return "head";
      return o.toolRules.of(head, snapshot).length > 0 || needsCare(classesOf(snapshot).of(head.server, head.tool)) ? "read" : "head";
    },
    enter(call) {
      if (!isCall(call.head)) return undefined;
      const rules = o.toolRules.of(call.head, call.snapshot);
      if (rules.length > 0) return judged(call as OpenCall<ToolHead>, rules, o);
      const classes = classesOf(call.snapshot);
      if (classes.areIdle) return undefined;
      const classified = classes.of(call.head.server, call.head.tool);
      return needsCare(classified) ? admit(call as OpenCall<ToolHead>, classified, o) : undefined;
    },
  };
}

/** What is read does nothing that somebody could approve. */
function isCall(head: CallHead): head is ToolHead {
  return head.kind === "tool" && !isReading(head);
}

export function needsCare({ class: is, requiresApproval }: Classified): boolean {
  return is === "dangerous" || (is === "sensitive" && requiresApproval);
}

/** Errors: `forbidden` by a rule that denies; those of `admit`. */
async function judged(call: OpenCall<ToolHead>, rules: ReturnType<ArgumentRules["of"]>, o: ApprovalStepOptions): Promise<void> {
  const { server, tool, name } = call.head;
  const verdict = await o.toolRules.judge(rules, { caller: call.caller, server, tool, arguments: argumentsOf(call) });
  if (verdict.effect === "allow") return;
  if (verdict.effect === "deny")
    throw new GatewayError("forbidden", verdict.message ?? `A rule does not let ${name} be called like this.`, {
      details: { rule: verdict.rule },
    });
  const classified = classesOf(call.snapshot).of(server, tool);
  if (verdict.effect === "approve" || needsCare(classified)) await admit(call, classified, o);
}

function argumentsOf(call: OpenCall<ToolHead>): string {
  const content = call.content();
  if (content.kind !== "tool") throw new GatewayError("internal", "A tool call has no arguments to look at.");
  return content.arguments;
}

async function admit(call: OpenCall<ToolHead>, classified: Classified, o: ApprovalStepOptions): Promise<void> {
  const { server, tool } = call.head;
  const said = argumentsOf(call);
  refuseDuplicates(said);
  const asked: Asked = { caller: call.caller, server, tool, arguments: said, nowMs: o.clock.now() };
  if (ruleFor(call.snapshot, asked) !== null) return;
  if (await isPermitted(call.snapshot, asked, o.counters)) return;
  const row = await o.approvals.useOrAsk(asked, { call, class: classified.class });
  const span = { kind: "approval" as const, name: "approval", startedAtMs: asked.nowMs, durationMs: o.clock.now() - asked.nowMs };
  if (row === null) return call.span({ ...span, attributes: { class: classified.class, used: true } });
  call.span({ ...span, code: "approval_required", attributes: { class: classified.class, approval_id: row.id } });
  throw new GatewayError("approval_required", `A person has to approve this call of ${call.head.name} first.`, {
    hint: `Approve it in the inbox (POST /api/v1/inbox/${row.id}/approve), then make the same call again.`,
    details: { approval_id: row.id, tool: call.head.name, expires_at_ms: row.expiresAtMs },
  });
}

/** A key that stands twice is read one way by a rule and by the person who decides, and perhaps another way by the server. Errors: `validation_failed`. */
function refuseDuplicates(text: string): void {
  parseCallerJson(new TextEncoder().encode(text));
}
