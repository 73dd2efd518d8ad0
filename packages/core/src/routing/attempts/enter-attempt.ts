import type { ModelHead } from "../../calls/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import type { AttemptStep, AttemptTarget } from "../../policy/step.js";
import type { Target } from "../resolve.js";

/** A target as policy sees it: one object a target, made when it is first tried. */
const seen = new WeakMap<Target, AttemptTarget>();

/** Lets an attempt through its steps. A promise only when one of them needs it. Throws what a step refuses with. */
export function enterAttempt(steps: readonly AttemptStep[], call: LiveCall<ModelHead>, target: Target): void | Promise<void> {
  const at = attemptTarget(target);
  for (let i = 0; i < steps.length; i++) {
    const entered = steps[i]!.enter(call, at);
    if (entered !== undefined) return entered.then(() => enterAttempt(steps.slice(i + 1), call, target));
  }
}

export function attemptTarget(target: Target): AttemptTarget {
  let at = seen.get(target);
  if (at === undefined) {
    const { model } = target;
    seen.set(
      target,
      (at = {
        provider: target.provider.name,
        model: target.code,
        names: model?.names ?? null,
        contextTokens: model?.contextTokens ?? null,
        maxOutputTokens: model?.maxOutputTokens ?? null,
        cost: (usage) => target.provider.costNanoUsd(model, usage),
      }),
    );
  }
  return at;
}
