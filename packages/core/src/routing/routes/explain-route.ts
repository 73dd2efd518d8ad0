import type { ExplainedTarget, ExplainOptions, RouteExplanation } from "../../calls/index.js";
import { stableHash } from "../../util/stable-hash.js";
import { restsUntilMs } from "../attempts/waiting.js";
import type { Health } from "../health/health.js";
import { estimatedCost, orderTargets } from "../order-targets.js";
import type { ResolvedRoute, Resolution, Target, WeightedTarget } from "../resolve.js";
import { lackOf, needs, type Need } from "./needed-features.js";

const USUAL_BYTES = 4_000;

interface Seen extends ExplainedTarget {
  readonly lack: Need | null;
}

/** What a call of this name would do now, and why. Looks, and changes nothing: no draw, no probe, no request. */
export function explainRoute(
  resolution: Resolution,
  o: ExplainOptions & { readonly health: Health; readonly nowMs: number },
): RouteExplanation {
  const { name, route } = resolution;
  const head = { bytes: o.bytes ?? USUAL_BYTES, maxOutputTokens: o.maxOutputTokens };
  const session = o.sessionId === undefined ? null : stableHash(o.sessionId);
  const isDrawn = route?.rules.strategy === "weighted" && (session === null || route.rules.sticky === "none");
  // Without a conversation nothing is drawn: the likeliest stands first.
  const written = isDrawn ? { ...resolution, targets: heaviestFirst(resolution.targets) } : resolution;
  const ordered = orderTargets(written, {
    ...{ head, health: o.health, nowMs: o.nowMs, random: () => 0.999_999 },
    conversation: () => ({ session, prefix: session }),
  });
  const seen = (isDrawn ? written.targets : ordered).map((target) => see(target, resolution, { ...o, head }));
  return { name, strategy: route?.rules.strategy ?? null, targets: withOutcomes(seen, route), notes: route === null ? [] : notesOf(route) };
}

function heaviestFirst(targets: readonly WeightedTarget[]): readonly WeightedTarget[] {
  return [...targets].sort((a, b) => b.weight - a.weight);
}

type Seeing = ExplainOptions & {
  readonly health: Health;
  readonly nowMs: number;
  readonly head: { bytes: number; maxOutputTokens: number | undefined };
};

function see(target: Target, resolution: Resolution, o: Seeing): Seen {
  const health = o.health.peek(target.id);
  const { keys } = target.provider;
  const weight = resolution.targets.find(({ id }) => id === target.id)?.weight ?? 1;
  const needed = new Set(needs.filter((need) => o.needs?.includes(need)));
  const found = {
    model: target.id,
    outcome: "skipped" as const,
    weight,
    breaker: health?.breaker.state(o.nowMs) ?? ("closed" as const),
    restsUntilMs: restsUntilMs(target, o.health, o.nowMs),
    beginsInMs: health?.beginsInMs(o.nowMs) ?? null,
    inFlight: health?.inFlight ?? 0,
    costNanoUsd: estimatedCost(target, o.head),
    contextTokens: target.model?.contextTokens ?? null,
    keys: { total: keys.size, free: keys.all.filter((key) => keys.isFree(key, o.nowMs)).length },
    lack: resolution.route === null ? null : lackOf(target, () => needed),
  };
  const openForMs = (health?.breaker.openUntilMs ?? 0) - o.nowMs;
  return { ...found, reasons: reasonsOf(found, { resolution, openForMs, nowMs: o.nowMs }) };
}

function reasonsOf(
  seen: Omit<Seen, "reasons">,
  { resolution, openForMs, nowMs }: { readonly resolution: Resolution; readonly openForMs: number; readonly nowMs: number },
): string[] {
  const reasons: string[] = [];
  if (seen.lack !== null) reasons.push(`lacks ${seen.lack}, which the call needs`);
  if (seen.breaker === "open") reasons.push(`failed too often: nobody is let through for ${openForMs} ms`);
  if (seen.breaker === "half-open") reasons.push("failed too often: one call at a time tries whether it works again");
  if (seen.restsUntilMs !== null) reasons.push(`cools down for ${seen.restsUntilMs - nowMs} ms after a refusal`);
  if (seen.keys.total > 1) reasons.push(`${seen.keys.free} of ${seen.keys.total} keys are free`);
  const why = whyThere(seen, resolution);
  return why === null ? reasons : [...reasons, why];
}

/** What the strategy goes by. */
function whyThere(seen: Omit<Seen, "reasons">, { targets, route }: Resolution): string | null {
  switch (route?.rules.strategy) {
    case undefined:
      return "the call names it";
    case "fallback":
      return targets.length > 1 ? `number ${targets.findIndex(({ id }) => id === seen.model) + 1} as written` : "the only target";
    case "weighted":
      return `drawn for ${Math.round((100 * seen.weight) / targets.reduce((sum, { weight }) => sum + weight, 0))} % of the calls`;
    case "cost":
      return seen.costNanoUsd === null ? "its price is not known" : `costs about ${seen.costNanoUsd / 1e9} dollars`;
    case "latency":
      return seen.beginsInMs === null
        ? "not measured lately, so it is tried early"
        : `begins to answer in ${Math.round(seen.beginsInMs)} ms`;
    case "least-busy":
      return `${seen.inFlight} calls are under way`;
  }
}

/** Who is asked, who stands in, and who is not asked at all: as the attempts themselves decide it. */
function withOutcomes(seen: readonly Seen[], route: ResolvedRoute | null): ExplainedTarget[] {
  const told = (list: readonly Seen[], outcome: (at: number) => ExplainedTarget["outcome"]): ExplainedTarget[] =>
    list.map(({ lack: _lack, ...target }, at) => ({ ...target, outcome: outcome(at) }));
  if (route === null) return told(seen, () => "first");
  const able = seen.filter((target) => target.lack === null && target.breaker !== "open");
  const free = able.filter((target) => target.restsUntilMs === null);
  // When all are to be left alone, the one that is free soonest is asked all the same.
  const asked = free.length > 0 ? free : [...able].sort((a, b) => a.restsUntilMs! - b.restsUntilMs!).slice(0, 1);
  const others = seen.filter((target) => !asked.includes(target));
  return [...told(asked, (at) => (at === 0 ? "first" : "stands-in")), ...told(others, () => "skipped")];
}

function notesOf({ rules, contextOverflow, canary, shadow, retired }: ResolvedRoute): string[] {
  const notes = [`falls back on ${rules.fallbackOn.length === 0 ? "nothing" : rules.fallbackOn.join(", ")}`];
  if (contextOverflow !== null) notes.push(`calls that do not fit go to ${contextOverflow.id}`);
  if (canary !== null) notes.push(`${rules.canary?.percent ?? 0} % of the calls go to ${canary.id} first`);
  if (shadow !== null) notes.push(`${rules.shadow?.percent ?? 0} % of the calls are copied to ${shadow.id}`);
  for (const { id } of retired) notes.push(`${id} is passed over: its vendor retired it`);
  if (rules.hedge !== undefined) notes.push(`short calls are sent a second time after ${rules.hedge.afterMs} ms`);
  return notes;
}
