import type { ModelHead, Outcome } from "../../calls/index.js";
import type { AttemptStep, AttemptTarget, OpenCall, Step } from "../step.js";
import { CurrentRules, type LimitRules, type SubjectLimits } from "./limit-rules.js";
import type { Limiter } from "./limiter.js";
import { usedTokens } from "./used-tokens.js";

/** Calls that the gateway makes for itself: no caller's limit is spent on them. */
const OWN_PURPOSES: ReadonlySet<string> = new Set(["shadow", "semantic-cache"]);

/**
 * Every limit of who calls, and of a tool call's server and tool: one spending for all, refused with `rate_limited` by the first that has no room. What a call of a run or of another call uses
 * counts too, but only calls that are in no other hold a slot: a call would wait for itself otherwise.
 */
export function rateLimit(limiter: Limiter): Step {
  const current = new CurrentRules();
  return {
    name: "rate-limit",
    enter(call) {
      const rules = current.of(call.snapshot);
      if (rules === null || (call.purpose !== null && OWN_PURPOSES.has(call.purpose))) return;
      const limits = limitsOf(rules, call);
      if (limits.length > 0) return limiter.admit(call, limits, { holds: call.depth === 0, tells: true });
    },
  };
}

function limitsOf(rules: LimitRules, { caller, head }: OpenCall): readonly SubjectLimits[] {
  const limits: SubjectLimits[] = [];
  rules.find("key", caller.keyId ?? (caller.kind === "key" ? caller.id : undefined), limits);
  if (caller.madeFrom !== undefined) for (const id of caller.madeFrom) rules.find("key", id, limits);
  rules.find("user", caller.userId, limits);
  rules.find("team", caller.teamId, limits);
  rules.find("agent", caller.agentId, limits);
  rules.find("project", caller.projects[0], limits);
  if (head.kind === "tool") {
    rules.find("tool", head.name, limits);
    rules.find("server", head.server, limits);
  } else if (head.name.startsWith("route/")) rules.find("model", head.name, limits);
  rules.find("global", "*", limits);
  return limits;
}

/** The limits of the provider and model that an attempt is about to go to: `rate_limited` sends a route on to its next target. */
export function targetLimits(limiter: Limiter): AttemptStep {
  const current = new CurrentRules();
  return {
    name: "target-limits",
    enter(call, target) {
      const rules = current.of(call.snapshot);
      if (rules === null) return;
      const limits: SubjectLimits[] = [];
      rules.find("model", `${target.provider}/${target.model}`, limits);
      rules.find("provider", target.provider, limits);
      if (limits.length === 0) return;
      return limiter.admit(call, limits, { holds: true, tells: false, used: (outcome) => usedAt(call, target, outcome) });
    },
  };
}

/** What a call of several attempts used counts for the target that answered. */
function usedAt(call: OpenCall<ModelHead>, target: AttemptTarget, outcome: Outcome): number | null {
  const { meter } = call;
  return meter.provider === target.provider && meter.model === target.model ? usedTokens(meter, outcome) : 0;
}
