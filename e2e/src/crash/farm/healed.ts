import { availableParallelism, loadavg } from "node:os";
import { expect } from "vitest";
import type { Farm } from "./farm.js";
import { LEASE_MS } from "./producer.js";
import { recoveryTable } from "./recoveries.js";

/** What every fault may take to heal by itself. */
const HEALS_WITHIN_MS = 10_000;

/** On a machine with more than twice as much to do as it has processors, everything takes longer, and nothing of that is the gateway's. */
export function healsWithinMs(): number {
  const [load = 0] = loadavg();
  return Math.round(HEALS_WITHIN_MS * Math.max(1, load / (2 * availableParallelism())));
}

/** What the workers complained of, the most frequent first. */
function complaints(farm: Farm): [string, number][] {
  const counts = new Map<string, number>();
  for (const line of farm.lines()) {
    const [, words = "", code = ""] = /^(?:warn|error|not started) ([^{]*)(?:.*"code":"(\w+)")?/.exec(line) ?? [];
    const kind = `${words.trim()} ${code}`;
    if (words !== "") counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 8);
}

/** Prints what the faults took to heal; all of them within ten seconds. */
export async function expectHealed(farm: Farm, title: string): Promise<void> {
  const all = await farm.recoveries.measure();
  const reclaims = await farm.recoveries.reclaims();
  const late = (share: number): string => String(reclaims[Math.min(reclaims.length - 1, Math.floor(reclaims.length * share))] ?? "-");
  const { accepted, refusals } = farm.producer;
  process.stdout.write(
    `\n${recoveryTable(title, all)}\n  ${accepted.length} tasks accepted, ${refusals} refused and asked for again; ${reclaims.length} taken again, after a lease of ${LEASE_MS} ms: ` +
      `${late(0.5)} / ${late(0.99)} / ${late(1)} ms late (median, 99 %, worst)\n`,
  );
  for (const [line, times] of complaints(farm)) process.stdout.write(`  ${times} × ${line}\n`);
  const withinMs = healsWithinMs();
  if (withinMs > HEALS_WITHIN_MS) process.stdout.write(`  This machine is overloaded: ${withinMs} ms are allowed.\n`);
  for (const { fault, acceptedMs, finishedMs } of all) {
    expect(acceptedMs, `${fault}: accepted again`).toBeLessThan(withinMs);
    expect(finishedMs, `${fault}: finished again`).toBeLessThan(withinMs);
  }
  // The longest that a task waited once its lease was over: G5.
  expect(reclaims.at(-1) ?? 0).toBeLessThan(withinMs);
}
