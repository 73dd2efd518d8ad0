import type { ModelHead } from "../../calls/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import type { RouteContext } from "../attempts/attempt-route.js";
import type { Health } from "../health/health.js";
import type { ResolvedRoute } from "../resolve.js";
import { lackOf, neededFeatures, type Need } from "./needed-features.js";

const NOTHING: ReadonlySet<Need> = new Set();

/** What the attempts of a call of this route go by. The call's content is read only when a target is known to lack something. */
export function routeContext(
  route: ResolvedRoute,
  live: LiveCall<ModelHead>,
  o: { readonly health: Health; readonly random: () => number },
): RouteContext {
  let found: ReadonlySet<Need> | null = null;
  const of = (): ReadonlySet<Need> => (found ??= needsOf(live));
  return { rules: route.rules, contextOverflow: route.contextOverflow, ...o, lacks: (target) => lackOf(target, of) };
}

/** A call that does not decode is judged by whoever is asked: it may be relayed all the same. */
function needsOf(live: LiveCall<ModelHead>): ReadonlySet<Need> {
  if (live.head.operation !== "generate") return NOTHING;
  try {
    const content = live.content();
    return content.kind === "model" ? neededFeatures(content.call) : NOTHING;
  } catch {
    return NOTHING;
  }
}
