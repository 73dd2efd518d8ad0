import type { Caller, Outcome } from "../../calls/index.js";
import type { Meter, TriedAttempt } from "../meter.js";
import type { AttemptStep, OpenCall, Step } from "../step.js";
import { CurrentRules, type LimitRules, type SubjectLimits } from "./limit-rules.js";
import type { Limiter } from "./limiter.js";
import { tokensIn, usedTokens } from "./used-tokens.js";

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
  rules.find("key", credentialOf(caller), limits);
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

/** The key; of a person who is signed in and has none, `user:<id>`, which stands for one: all sessions together have what a key has. */
function credentialOf({ kind, id, keyId, userId }: Caller): string | undefined {
  if (keyId !== undefined) return keyId;
  return kind === "key" ? id : kind === "user" ? `user:${userId ?? id}` : undefined;
}

/** The limits of the provider and model that an attempt is about to go to: `rate_limited` sends a route on to its next target. */
export function targetLimits(limiter: Limiter): AttemptStep {
  const current = new CurrentRules();
  /** How many attempts had failed before each visit that passed here, by the meter that counts them. */
  const visits = new WeakMap<Meter, number[]>();
  return {
    name: "target-limits",
    enter(call, target) {
      const rules = current.of(call.snapshot);
      if (rules === null) return;
      const { meter } = call;
      const begun = visits.get(meter) ?? [];
      if (begun.length === 0) visits.set(meter, begun);
      const visit = begun.push(meter.failures?.length ?? 0) - 1;
      const limits: SubjectLimits[] = [];
      const { names } = target;
      if (names === null || names === undefined) rules.find("model", `${target.provider}/${target.model}`, limits);
      else rules.findNamed("model", names, limits);
      rules.find("provider", target.provider, limits);
      if (limits.length === 0) return;
      return limiter.admit(call, limits, { holds: true, tells: false, used: (outcome) => usedIn(meter, { begun, visit }, outcome) });
    },
  };
}

/** What one visit to a target used: its attempts that failed, each what it is known to have used, and the last visit the rest of the call. null: nobody knows. */
function usedIn(
  meter: Meter,
  { begun, visit }: { readonly begun: readonly number[]; readonly visit: number },
  outcome: Outcome,
): number | null {
  const failures = meter.failures ?? [];
  const own = failures.slice(begun[visit], begun[visit + 1]);
  if (visit < begun.length - 1) return tokensOfAll(own);
  const all = usedTokens(meter, outcome);
  return all === null ? null : Math.max(0, all - tokensOfAll(failures.slice(0, begun[visit])));
}

function tokensOfAll(failures: readonly TriedAttempt[]): number {
  return failures.reduce((sum, { usage }) => sum + (usage === null ? 0 : (tokensIn(usage) ?? 0)), 0);
}
