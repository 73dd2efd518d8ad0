import type { ModelHead } from "../calls/index.js";
import { placeAt, rendezvous } from "../util/stable-hash.js";
import type { Conversation } from "./affinity/conversation.js";
import type { Health } from "./health/health.js";
import type { Resolution, Target, WeightedTarget } from "./resolve.js";

export interface OrderContext {
  readonly head: Pick<ModelHead, "bytes" | "maxOutputTokens">;
  readonly health: Health;
  readonly nowMs: number;
  readonly random: () => number;
  /** Only asked for when something is drawn. */
  readonly conversation: () => Conversation;
}

/** What a token has in bytes, about, and how long an answer is when its caller does not limit it: enough to compare prices by. */
const BYTES_A_TOKEN = 4;
const USUAL_OUTPUT_TOKENS = 1_000;

/**
 * The targets in the order they are tried. `fallback`: as written. `weighted`: drawn by weight, one after the other, so that those not drawn first stand in when it fails; a conversation that sticks
 * draws the same each time, in each process. `cost`: the cheapest first for a call of this size, unknown prices last. `latency`: the quickest to begin first, those not measured lately before them, so
 * that they are. `least-busy`: the fewest calls under way in this process first. Ties are in the order written. A canary that is drawn comes before them all.
 */
export function orderTargets(resolution: Resolution, o: OrderContext): readonly Target[] {
  const { targets, route } = resolution;
  if (route === null) return targets;
  const ordered = targets.length === 1 ? targets : inOrder(targets, route.rules.strategy, { ...o, drawn: () => drawnFor(resolution, o) });
  const { canary } = route;
  if (canary === null || !isDrawn(resolution, route.rules.canary?.percent ?? 0, o)) return ordered;
  return [canary, ...ordered.filter(({ id }) => id !== canary.id)];
}

/** What a call of this size costs there, nano-US-dollars, about; null: nobody knows the price. */
export function estimatedCost({ model }: Target, head: OrderContext["head"]): number | null {
  const outputTokens = head.maxOutputTokens ?? USUAL_OUTPUT_TOKENS;
  return model?.costNanoUsd({ inputTokens: Math.ceil(head.bytes / BYTES_A_TOKEN), outputTokens }) ?? null;
}

function inOrder(
  targets: readonly WeightedTarget[],
  strategy: NonNullable<Resolution["route"]>["rules"]["strategy"],
  o: OrderContext & { readonly drawn: () => number | null },
): readonly Target[] {
  switch (strategy) {
    case "fallback":
      return targets;
    case "weighted": {
      const key = o.drawn();
      return key === null ? drawAll(targets, o.random) : rendezvous(key, targets, ({ id, weight }) => ({ name: id, weight }));
    }
    case "cost":
      return sorted(targets, (target) => estimatedCost(target, o.head) ?? Infinity);
    case "latency":
      return sorted(targets, ({ id }) => o.health.peek(id)?.beginsInMs(o.nowMs) ?? 0);
    case "least-busy":
      return sorted(targets, ({ id }) => o.health.peek(id)?.inFlight ?? 0);
  }
}

/** What of the conversation a draw goes by; null: by chance. */
function drawnFor({ route }: Resolution, { conversation }: OrderContext): number | null {
  const sticky = route?.rules.sticky ?? "none";
  return sticky === "none" ? null : conversation()[sticky];
}

function isDrawn(resolution: Resolution, percent: number, o: OrderContext): boolean {
  const key = drawnFor(resolution, o);
  return (key === null ? o.random() : placeAt(key, `canary of ${resolution.name}`)) * 100 < percent;
}

function sorted(targets: readonly WeightedTarget[], rank: (target: Target) => number): readonly Target[] {
  return targets
    .map((target) => ({ target, rank: rank(target) }))
    .sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank))
    .map(({ target }) => target);
}

function drawAll(targets: readonly WeightedTarget[], random: () => number): readonly Target[] {
  const left: WeightedTarget[] = [...targets];
  const ordered: Target[] = [];
  while (left.length > 0) ordered.push(...left.splice(draw(left, random), 1));
  return ordered;
}

function draw(targets: readonly WeightedTarget[], random: () => number): number {
  let rest = random() * targets.reduce((sum, target) => sum + target.weight, 0);
  const drawn = targets.findIndex((target) => (rest -= target.weight) < 0);
  return drawn < 0 ? targets.length - 1 : drawn;
}
