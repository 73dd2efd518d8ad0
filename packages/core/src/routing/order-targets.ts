import type { Resolution, Target, WeightedTarget } from "./resolve.js";

/**
 * The targets in the order they are tried. `fallback`: as written. `weighted`: drawn by weight, one after the other, so that those not drawn first
 * stand in when it fails.
 */
export function orderTargets(resolution: Resolution, random: () => number): readonly Target[] {
  if (resolution.route?.rules.strategy !== "weighted" || resolution.targets.length === 1) return resolution.targets;
  const left: WeightedTarget[] = [...resolution.targets];
  const ordered: Target[] = [];
  while (left.length > 0) ordered.push(...left.splice(draw(left, random), 1));
  return ordered;
}

function draw(targets: readonly WeightedTarget[], random: () => number): number {
  let rest = random() * targets.reduce((sum, target) => sum + target.weight, 0);
  const drawn = targets.findIndex((target) => (rest -= target.weight) < 0);
  return drawn < 0 ? targets.length - 1 : drawn;
}
